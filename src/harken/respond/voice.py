"""What a voice is: a piece of text in, sound out as soon as there is some."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.stream.profile import EMOTIONS

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Speech:
    """A piece of sound. samples: float32 `[n]`, mono, from -1 to 1. rate: in Hz."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.samples) / self.rate


Utterance: TypeAlias = Generator[Speech, None, None]
"""One sentence piece while it is spoken: iterate over its sound, or close it to end the work."""


class Voice(Protocol):
    """Something that speaks. It holds no session: replies may share it, one after the other."""

    @property
    def name(self) -> str:
        """The name by which it is chosen."""
        ...

    def speak(self, text: str, emotion: str = "normal", language: str | None = None) -> Utterance:
        """Say one sentence piece (`harken.respond.sentences`), in pieces of at least one sample.

        The pause that belongs behind it is part of the sound (`sentences.pause_s`).

        emotion: one of `harken.stream.profile.EMOTIONS`; a voice does with it what it can.
        language: `en`, `zh`, or what else the voice speaks; by default that of the text's script.
        A text with nothing to say (spaces, marks alone) yields nothing. Closing it ends the work.

        Raises:
            HarkenError: no such emotion or language, or the voice fails.
        """
        ...


def checked_emotion(emotion: str) -> str:
    """The emotion itself; another one than those of `EMOTIONS` is a HarkenError."""
    if emotion not in EMOTIONS:
        raise HarkenError(f"no emotion {emotion!r}; choose one of {', '.join(EMOTIONS)}")
    return emotion


def has_words(text: str) -> bool:
    """Whether there is something to say in it."""
    return any(map(str.isalnum, text))
