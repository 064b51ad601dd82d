"""What a session does about its own voice in its microphone, and about a word said over it.

    python benchmarks/own_voice.py [--rooms N] [--questions N] [--kinds K ...] [--json OUT]

Whole sessions on the virtual clock, with the shipped checkpoint and its thresholds. Each room is a
session: somebody asks the questions below, the answers are spoken and come back 80 to 250 ms late,
through a loudspeaker and a room, from -6 to -30 dB. First through an echo canceller, then without
one; then with one while the person says "Stop." or "Mhm." over the answers that are long enough.

`recital`: announcements are to be written down, and so are read out; what is read comes back at
-30, -20 and -6 dB with no canceller, and does not with headphones. Who hears itself goes on for
ever.

Nothing in it is timed, so the machine may be busy.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from harken.cli.app import run
from harken.decide.listener import Listener
from harken.decide.model import load_listener, operating_point
from harken.evals.own_voice import (
    Heard,
    Recital,
    own_voice_figures,
    own_voice_session,
    recital,
    remark_figures,
)
from harken.live.conduct import Conduct
from harken.perceive.perception import Perception
from harken.respond.voice import Voice
from harken.respond.voices import voice_named
from harken.soundflow.speech.leakage import Leakage, drawn_leakage
from harken.stream import SAMPLE_RATE, Prefix
from harken.stream.policy import DEFAULT_POLICY

QUESTIONS = (
    "What is the capital of France?",
    "How does photosynthesis work?",
    "What should I do when there is a fire in the kitchen?",
    "Can you tell me a short story about a dog?",
    "Why is the sky blue?",
    "What is a good breakfast?",
)
REMARKS = {"stop": "Stop.", "mhm": "Mhm."}
KINDS = ("canceller", "no canceller", *REMARKS, "recital")
RECITED = Path(__file__).parents[1] / "samples" / "announcements.flac"
RECITAL = Prefix(DEFAULT_POLICY, "Please transcribe what I say.")
RECITAL_DB = {"headphones": None, "-30 dB": -30.0, "-20 dB": -20.0, "-6 dB": -6.0}
PEOPLE = ("am_michael", "bf_emma", "am_fenrir")
_LEVEL = np.float32(0.5)


def a_room(random: np.random.Generator) -> tuple[Leakage, Leakage]:
    """A way back from 80 ms on: with an echo canceller, and the same without."""
    canceller = None
    while canceller is None:
        leakage = drawn_leakage(random)
        canceller = leakage.canceller
    leakage = replace(leakage, delay_s=float(random.uniform(0.08, 0.25)))
    return leakage, replace(leakage, canceller=None)


@cache
def spoken(person: str, text: str) -> np.ndarray:
    """float32 at 16 kHz: somebody else says it."""
    pieces = list(voice_named(f"kokoro:{person}").speak(text))
    samples = np.concatenate([piece.samples for piece in pieces])
    return np.asarray(_LEVEL * soxr.resample(samples, pieces[0].rate, SAMPLE_RATE), np.float32)


@dataclass(frozen=True)
class Bench:
    """What all sessions have in common, and the rooms: each with a canceller, and without."""

    listener: Listener
    perception: Perception
    voice: Voice
    conduct: Conduct
    rooms: list[tuple[Leakage, Leakage]]

    def questions(self, kind: str, n_questions: int) -> dict[str, object]:
        """Questions, their answers, and what else is said; prints and returns the figures."""
        sessions: list[Heard] = []
        for n, room in enumerate(self.rooms):
            person = PEOPLE[n % len(PEOPLE)]
            session = own_voice_session(
                self.listener,
                self.perception,
                self.voice,
                [spoken(person, text) for text in QUESTIONS[:n_questions]],
                room[kind == "no canceller"],
                conduct=self.conduct,
                seed=n,
                remark=spoken(person, REMARKS[kind]) if kind in REMARKS else None,
            )
            sessions.append(session)
            print(f"  {kind}, room {n}: {session}", flush=True)
        figures = remark_figures(sessions) if kind in REMARKS else own_voice_figures(sessions)
        own_s = sum(session.own_s for session in sessions)
        print(f"{kind}: {own_s / 60:.1f} min of our own voice", flush=True)
        for name, figure in figures.items():
            print(f"| {kind}: {name} | {figure} |", flush=True)
        return {
            "own voice, s": own_s,
            "figures": {name: asdict(figure) for name, figure in figures.items()},
            "said to it": [text for session in sessions for _, text in session.said],
        }

    def recitals(self) -> dict[str, object]:
        """The recording in every room, and with headphones; prints and returns what was said."""
        recording = soundfile.read(RECITED, dtype="float32")[0]
        conduct = replace(self.conduct, prefix=RECITAL)
        found: dict[str, object] = {}
        for name, gain_db in RECITAL_DB.items():
            held: list[Recital] = []
            for n, (_, room) in enumerate(self.rooms if gain_db is not None else self.rooms[:1]):
                leakage = None if gain_db is None else replace(room, gain_db=gain_db)
                held.append(
                    recital(
                        self.listener,
                        self.perception,
                        self.voice,
                        recording,
                        leakage,
                        conduct=conduct,
                        seed=n,
                    )
                )
                print(f"  recital, {name}, room {n}: {held[-1]}", flush=True)
            replies = [len(session.said) for session in held]
            afterwards = [len(session.said_afterwards) for session in held]
            print(f"| recital, {name}: replies a session | {replies} |", flush=True)
            print(f"| recital, {name}: more than 4 s after its end | {afterwards} |", flush=True)
            said = [[text for _, text in session.said] for session in held]
            found[name] = {"replies": replies, "afterwards": afterwards, "said": said}
        return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=12)
    parser.add_argument("--questions", type=int, default=len(QUESTIONS))
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--voice", default="kokoro")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    listener = load_listener()
    random = np.random.default_rng(0)
    bench = Bench(
        listener,
        Perception(),
        voice_named(options.voice),
        Conduct(point=operating_point(listener.checkpoint, DEFAULT_POLICY)),
        [a_room(random) for _ in range(options.rooms)],
    )
    found: dict[str, dict[str, object]] = {}
    for kind in options.kinds:
        is_recital = kind == "recital"
        found[kind] = bench.recitals() if is_recital else bench.questions(kind, options.questions)
        if options.json:
            options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(run(main, "own_voice"))
