"""What a session does about its own voice in its microphone, and about a word said over it.

    python benchmarks/own_voice.py [--rooms N] [--questions N] [--voice kokoro] [--json OUT]

Whole sessions on the virtual clock, with the shipped checkpoint and its threshold. Each room is a
session: somebody asks the questions below, the answers are spoken and come back 80 to 250 ms late,
through a loudspeaker and a room, from -6 to -30 dB. First through an echo canceller, then without
one; then with one while the person says "Stop." or "Mhm." over the answer. Nothing in it is timed,
so the machine may be busy.
"""

import argparse
import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import numpy as np
import soxr

from harken.decide.model import load_listener, operating_point
from harken.evals.own_voice import (
    Heard,
    own_voice_figures,
    own_voice_session,
    remark_figures,
)
from harken.live.dialogue import Conduct
from harken.perceive.perception import Perception
from harken.respond.voices import voice_named
from harken.soundflow.speech.leakage import Leakage, drawn_leakage
from harken.stream import SAMPLE_RATE
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
KINDS = ("canceller", "no canceller", *REMARKS)
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=12)
    parser.add_argument("--questions", type=int, default=len(QUESTIONS))
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--voice", default="kokoro")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    listener, perception = load_listener(), Perception()
    voice = voice_named(options.voice)
    conduct = Conduct(point=operating_point(listener.checkpoint, DEFAULT_POLICY))
    random = np.random.default_rng(0)
    rooms = [a_room(random) for _ in range(options.rooms)]
    found: dict[str, dict[str, object]] = {}
    for kind in options.kinds:
        sessions: list[Heard] = []
        for n, room in enumerate(rooms):
            person = PEOPLE[n % len(PEOPLE)]
            session = own_voice_session(
                listener,
                perception,
                voice,
                [spoken(person, text) for text in QUESTIONS[: options.questions]],
                room[kind == "no canceller"],
                conduct=conduct,
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
        found[kind] = {
            "own voice, s": own_s,
            "figures": {name: asdict(figure) for name, figure in figures.items()},
            "said to it": [text for session in sessions for _, text in session.said],
        }
        if options.json:
            options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
