"""The listener's interface and its values.

A state is a value: buffers written in place plus an explicit length, so that going back to an
earlier position costs nothing. Decisions for a backlog are read at every chunk in one pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from harken.perceive.percept import Percept
from harken.stream import Prefix, Profile, Vocabulary


@dataclass(frozen=True, slots=True)
class State:
    """Where a session stands inside one key-value cache.

    `length` positions of `cache` are valid; `pending` ids are decided but not yet fed. Two states
    may share a cache only one after the other: what lies behind `length` is overwritten.
    """

    cache: Any
    length: int
    pending: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Audible:
    """One chunk for the listener: the percept, and whether our own voice was playing.

    told_to_stop: somebody said so in plain words; agrees: what they say only agrees
    (`harken.live.told_to_stop`). typed: there are words that were written to us.
    """

    percept: Percept
    playing: bool = False
    told_to_stop: bool = False
    agrees: bool = False
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the listener thinks after one chunk.

    probabilities: float32 [n_decisions], calibrated, in the order of `profile.decisions`.
    `position` is the length of the state up to and including the chunk, before its decision.
    playing, told_to_stop, agrees: as of the chunk's `Audible`. overheard: it brought words
    that may be for anybody.
    """

    chunk: int
    probabilities: npt.NDArray[np.float32]
    position: int
    playing: bool = False
    told_to_stop: bool = False
    agrees: bool = False
    overheard: bool = False

    @property
    def p_respond(self) -> float:
        """Calibrated probability of respond against everything else."""
        return float(self.probabilities[1])


class Listener(Protocol):
    """One model behind one interface; a backend holds weights and no session."""

    @property
    def profile(self) -> Profile: ...

    @property
    def vocabulary(self) -> Vocabulary: ...

    def start(self, prefix: Prefix) -> State:
        """A new session that has read its prefix."""
        ...

    def hear(self, state: State, chunks: Sequence[Audible]) -> tuple[State, list[Judgement]]:
        """Hear chunks in one pass, each judged as if all before it in the pass were silent.

        The state returned stands before the decision on the last chunk.
        """
        ...

    def decide(self, state: State, judgement: Judgement, decision: str) -> State:
        """Go back to a judged chunk and write its decision."""
        ...

    def say(self, state: State) -> Iterator[tuple[int, State]]:
        """Ids of a response after a respond, greedily, the emotion first and `END` last.

        Each id comes with the state in which it is pending. The iterator may be left at any time;
        until then nothing else may be fed to its cache.
        """
        ...

    def fork(self, state: State) -> State:
        """The same place in a cache of its own."""
        ...
