"""One decoder and one pair of ears for all tests of sessions: the real ones, with a small context.

The checkpoint is random, so that decisions and replies depend on everything heard before; what it
says makes no sense, and need not.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harken.decide.checkpoint import Checkpoint
from harken.decide.listener import Audible
from harken.decide.onnx_listener import OnnxListener
from harken.live.conduct import Conduct
from harken.live.dialogue import Decided, Dialogue
from harken.live.trace import CompactionTrace, ResponseTrace, TextPiece
from harken.perceive.percept import HeardWord, Percept
from harken.perceive.perception import Perception
from harken.stream import Profile
from harken.stream.profile import MINI

Outcome = Decided | TextPiece | ResponseTrace | CompactionTrace


def random_checkpoint(profile: Profile) -> Checkpoint:
    """Every tensor but LoRA, which is zero."""
    random = np.random.default_rng(0)

    def normal(scale: float, *shape: int) -> np.ndarray:
        return (random.standard_normal(shape) * scale).astype(np.float32)

    h, c = profile.hidden, len(profile.own_rows)
    return Checkpoint(
        profile,
        {
            "controls.input": normal(0.02, c, h),
            "controls.output": normal(0.02, c, h),
            "sound.scores": normal(0.02, 521, h),
            "sound.embedding": normal(0.002, 1024, h),
            "sound.bias": normal(0.01, h),
            "acoustic.weight": normal(0.0005, 2560, h),
            "acoustic.bias": normal(0.01, h),
        },
    )


@pytest.fixture(scope="session")
def listener(decoder_folder: Path) -> OnnxListener:
    """Room for 256 positions: some 70 chunks, so that sessions soon outgrow it."""
    return OnnxListener(decoder_folder, random_checkpoint(replace(MINI, context=256)))


@pytest.fixture(scope="session")
def perception() -> Perception:
    return Perception()


@pytest.fixture(scope="session")
def speech() -> Path:
    """2.4 s of a real voice: "You will now be placed into the conference."."""
    return Path(__file__).parents[1] / "data" / "speech.flac"


class Room:
    """A place to hold dialogues in without ears: chunks are made up, the decoder is real."""

    def __init__(self, listener: OnnxListener) -> None:
        self.listener = listener

    def chunks(self, n: int, words: dict[int, str] | None = None) -> list[Audible]:
        """Chunks as ears might deliver them, with words in some; each call gives the same."""
        random = np.random.default_rng(1)
        spoken = words or {}

        def heard(chunk: int) -> Percept:
            text = spoken.get(chunk, "")
            return Percept(
                chunk,
                random.random(1545).astype(np.float16),
                random.standard_normal(2560).astype(np.float16),
                (HeardWord(text, (chunk + 1) * 6400, "en"),) if text else (),
                -30.0,
                float(bool(text)),
            )

        return [Audible(heard(chunk)) for chunk in range(n)]

    def hold(
        self, heard: Sequence[Audible], conduct: Conduct, pass_chunks: int = 8
    ) -> tuple[list[Outcome], Dialogue]:
        """A dialogue over chunks that wait in backlogs of one size; what came of it."""
        dialogue = Dialogue(self.listener, conduct)
        outcomes: list[Outcome] = []
        waiting = list(heard)
        while waiting:
            for outcome in dialogue.attend(waiting[:pass_chunks]):
                outcomes.append(outcome)
                if isinstance(outcome, Decided):
                    waiting.pop(0)
        return outcomes, dialogue


@pytest.fixture(scope="session")
def room(listener: OnnxListener) -> Room:
    return Room(listener)
