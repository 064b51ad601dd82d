"""What an ear hears in a whole sound: the greatest score of every class in any of its windows."""

from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harken.perceive.sound import CLASSES, WINDOW_SAMPLES
from harken.soundflow.ground.kept import kept
from harken.stream import CHUNK_SAMPLES

F32 = npt.NDArray[np.float32]

HEARD_PEAK = 0.5
"""Sounds are heard at this peak, whatever their level."""
MOST_WINDOWS = 40
"""So many windows are heard at most, evenly over the clip."""


class Ear(Protocol):
    """What names sounds; `harken.perceive.sound.SoundEar` is one."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def hear(self, window: F32) -> F32:
        """float32 [15600] at 16 kHz -> float32 [>= 521], scores of the classes first."""
        ...


class KeptEar:
    """An ear that hears each sound once: the scores of whole sounds are kept on disk.

    Attributes:
        names: of the classes.
    """

    def __init__(self, name: str, names: tuple[str, ...], make: Callable[[], Ear]) -> None:
        """
        Args:
            name: of the ear and its weights; another one keeps other scores.
            make: the ear itself, made when something is heard for the first time.
        """
        self.names = names
        self._name, self._make = name, make

    def hear(self, window: F32) -> F32:
        """As the ear itself."""
        return self._ear.hear(window)

    def over(self, x: F32) -> F32:
        """`scores_over` of the ear itself."""
        how = f"{HEARD_PEAK} {MOST_WINDOWS}".encode()
        return kept(self._name, how, x.tobytes(), make=lambda: scores_over(x, self._ear))

    @cached_property
    def _ear(self) -> Ear:
        return self._make()


def scores_over(x: F32, ear: Ear) -> F32:
    """The greatest score of each class over samples float32 [n], not silent: float32 [521]."""
    if isinstance(ear, KeptEar):
        return ear.over(x)
    x = x / np.abs(x).max() * np.float32(HEARD_PEAK)
    x = np.pad(x, (0, max(0, WINDOW_SAMPLES - len(x))))
    starts = np.arange(0, len(x) - WINDOW_SAMPLES + 1, CHUNK_SAMPLES)
    if len(starts) > MOST_WINDOWS:
        starts = starts[np.linspace(0, len(starts) - 1, MOST_WINDOWS).astype(int)]
    greatest: F32 = np.max([ear.hear(x[at : at + WINDOW_SAMPLES])[:CLASSES] for at in starts], 0)
    return greatest
