"""How soon a voice is heard, and whether it keeps ahead; run it with nothing else on the machine.

    python benchmarks/voice.py [kokoro espeak …] [--rounds N] [--json OUT]

Prints each figure with its bound. First sound: from the first sentence piece of a reply to its
first samples. Gap: silence because the next piece was not ready when the one before had sounded.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from harken.respond.sentences import sentences_of
from harken.respond.voice import Voice
from harken.respond.voices import voice_named

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
    voice = voice_named(name)
    ready_s = time.perf_counter() - began
    spoken(voice, REPLIES[0])  # the first pass of a model allocates
    spoken(voice, REPLIES[-1])
    took = np.array([[spoken(voice, reply) for reply in REPLIES] for _ in range(rounds)])
    first, work, sound, gap = np.median(took, axis=0).T
    return {
        "first sound, median ms": 1000 * float(np.median(first)),
        "first sound, slowest reply ms": 1000 * float(first.max()),
        "real-time factor": float(work.sum() / sound.sum()),
        "gaps, longest in a reply ms": 1000 * float(gap.max()),
        "to load, s": ready_s,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("voices", nargs="*", default=list(BOUND_MS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {name: figures(name, options.rounds) for name in options.voices}
    for name, of_voice in found.items():
        for figure, value in of_voice.items():
            is_bound = name in BOUND_MS and figure == "first sound, slowest reply ms"
            bound = f" (<= {BOUND_MS[name]})" if is_bound else ""
            print(f"| {name}: {figure}{bound} | {value:.3g} |")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
