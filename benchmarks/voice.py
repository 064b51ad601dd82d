"""How soon a voice is heard, and whether it keeps ahead; run it with nothing else on the machine.

    python benchmarks/voice.py [kokoro espeak …] [--rounds N] [--json OUT]
    python benchmarks/voice.py [kokoro espeak …] --emotions [--json OUT]

Prints each figure with its bound. First sound: from the first sentence piece of a reply to its
first samples; every piece is made anew, except where the line says "said before". Gap: silence
because the next piece was not ready when the one before had sounded.
With --emotions instead how each of them sounds: speaking rate against normal, median and range of
the pitch, level; that may run beside other work.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from harken.cli.app import run
from harken.respond.remembered import RememberingVoice
from harken.respond.sentences import sentences_of
from harken.respond.voice import Voice
from harken.respond.voices import voice_named
from harken.stream.profile import EMOTIONS

BOUND_MS = {"kokoro": 500, "espeak": 150}
REPLIES = (
    "A dog barks.",
    "The kettle is boiling, and somebody is waiting at the front door.",
    "The capital of France is Paris. It lies on the river Seine.",
    "Please be careful because there was a crash of breaking glass in the kitchen.",
    "You asked me to count the hoots of the owl and so far I have heard three of them.",
    "Photosynthesis turns sunlight and water into sugar, which feeds the whole plant.",
    "水开了。",
    "我听到门铃响了，有人在门口等。",
    "法国的首都是巴黎，它位于塞纳河畔。",
    "厨房里有玻璃打碎的声音，请小心。",
)


SAID = {
    "en": "There is somebody at the front door, and the kettle is boiling.",
    "zh": "我听到门铃响了，有人在门口等。",
}


def spoken(voice: Voice, reply: str) -> tuple[float, float, float, float]:
    """Seconds until the first sound, of work, of sound, and of gaps."""
    began = time.perf_counter()
    first = gap = sound = 0.0
    for piece in sentences_of([reply]):
        for speech in voice.speak(piece):
            ready = time.perf_counter() - began
            first = first or ready
            gap += max(0.0, ready - first - sound - gap)
            sound += speech.seconds
    return first, time.perf_counter() - began, sound, gap


def figures(name: str, rounds: int) -> dict[str, float]:
    """All figures of one voice."""
    began = time.perf_counter()
    chosen = voice_named(name)
    ready_s = time.perf_counter() - began
    voice = chosen.voice if isinstance(chosen, RememberingVoice) else chosen
    spoken(voice, REPLIES[0])  # the first pass of a model allocates
    spoken(voice, REPLIES[-1])
    took = np.array([[spoken(voice, reply) for reply in REPLIES] for _ in range(rounds)])
    first, work, sound, gap = np.median(took, axis=0).T
    again, *_ = np.array([[spoken(chosen, reply) for _ in range(2)][1] for reply in REPLIES]).T
    return {
        "first sound, median ms": 1000 * float(np.median(first)),
        "first sound, slowest reply ms": 1000 * float(first.max()),
        "first sound of what was said before, median ms": 1000 * float(np.median(again)),
        "real-time factor": float(work.sum() / sound.sum()),
        "gaps, longest in a reply ms": 1000 * float(gap.max()),
        "to load, s": ready_s,
    }


def pitch_hz(samples: np.ndarray, rate: int) -> np.ndarray:
    """The pitch of every voiced frame of 40 ms, by autocorrelation between 75 and 500 Hz."""
    n, shortest, longest = round(0.04 * rate), rate // 500, rate // 75
    frames = np.lib.stride_tricks.sliding_window_view(samples, n)[:: n // 4].astype(np.float64)
    frames = frames[np.sqrt((frames**2).mean(axis=1)) > 0.02]
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(frames, 2 * n)) ** 2
    # Fewer products stand behind a long lag; without this the shortest would win.
    lags = np.fft.irfft(power)[:, :n] / (1 - np.arange(n) / n)
    lags = lags[:, shortest:longest] / lags[:, :1]
    voiced = lags.max(axis=1) > 0.6
    return np.asarray(rate / (shortest + lags[voiced].argmax(axis=1)))


def manners(name: str) -> dict[str, dict[str, float]]:
    """How each emotion sounds in each language."""
    voice = voice_named(name)
    found: dict[str, dict[str, float]] = {}
    for language, reply in SAID.items():
        normal_s = 0.0
        for emotion in ("normal", *(e for e in EMOTIONS if e != "normal")):
            pieces = list(voice.speak(reply, emotion))
            samples, rate = np.concatenate([p.samples for p in pieces]), pieces[0].rate
            loud = np.flatnonzero(np.abs(samples) > 0.01)
            spoken_s = (loud[-1] - loud[0]) / rate
            normal_s = normal_s or spoken_s
            hz = pitch_hz(samples, rate)
            low, middle, high = np.percentile(hz, [10, 50, 90])
            found[f"{language} {emotion}"] = {
                "rate against normal": float(normal_s / spoken_s),
                "pitch, median Hz": float(middle),
                "pitch range, semitones": float(12 * np.log2(high / low)),
                "level, dB": float(10 * np.log10(np.mean(samples[loud[0] : loud[-1]] ** 2))),
            }
    return found


def print_manners(found: dict[str, dict[str, dict[str, float]]], out: Path | None) -> None:
    """A table, and the same as JSON."""
    print("| voice | emotion | rate | pitch, Hz | range, semitones | level, dB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, of_voice in found.items():
        for emotion, of_emotion in of_voice.items():
            rate, hz, semitones, level = of_emotion.values()
            print(f"| {name} | {emotion} | {rate:.2f} | {hz:.0f} | {semitones:.1f} | {level:.1f} |")
    if out:
        out.write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("voices", nargs="*", default=list(BOUND_MS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--emotions", action="store_true")
    options = parser.parse_args()
    if options.emotions:
        print_manners({name: manners(name) for name in options.voices}, options.json)
        return
    found = {name: figures(name, options.rounds) for name in options.voices}
    for name, of_voice in found.items():
        for figure, value in of_voice.items():
            is_bound = name in BOUND_MS and figure == "first sound, slowest reply ms"
            bound = f" (<= {BOUND_MS[name]})" if is_bound else ""
            print(f"| {name}: {figure}{bound} | {value:.3g} |")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(run(main, "voice"))
