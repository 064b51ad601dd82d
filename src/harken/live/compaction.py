"""Sessions without end: near the context budget a shorter context is built beside the full one.

It holds the same prefix, the newest chunks, and of what came before the episodes worth keeping.
What was said to Harken and answered, an order, a fact, a question, outlives what Harken said of its
own accord, and that outlives talk that nobody answered; of each kind the oldest goes first. No word
decides that: whether somebody spoke to it is what the listener judged when it answered.

The context is built in a cache of its own, a few positions after each decision, and takes over
between two chunks. When each of these happens follows from chunk counts and positions alone, so a
replay compacts where the live session did.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import accumulate

from harken.decide.listener import Audible, Listener, State
from harken.live.trace import CHUNK_S, CompactionTrace

PAUSE_CHUNKS = 4
"""After a longer pause, 1.6 s, words are of another utterance."""
UTTERANCE_CHUNKS = 15
"""Where talk never pauses, a response answers the last 6 s of it."""


@dataclass(frozen=True, slots=True)
class CompactionPlan:
    """When to compact and how far, as shares of the context, and how fast."""

    start_at: float = 0.80
    shrink_to: float = 0.40
    recent_s: float = 20.0
    positions_per_decision: int = 24


@dataclass(frozen=True, slots=True)
class Turn:
    """One chunk as it stands in the context.

    positions: how many it takes with decision and response. response: its ids, after a respond.
    """

    heard: Audible
    decision: str
    response: tuple[int, ...]
    positions: int

    @property
    def chunk(self) -> int:
        return self.heard.percept.chunk

    @property
    def is_silent(self) -> bool:
        return self.decision == "silent"


class Kind(IntEnum):
    """What an episode is, the most worth keeping first."""

    EXCHANGE = 0
    UNASKED = 1
    OVERHEARD = 2
    SOUND = 3


@dataclass(frozen=True, slots=True)
class Episode:
    """Turns that stay or go together, in order: an exchange whole, all else chunk by chunk."""

    turns: tuple[Turn, ...]

    @property
    def kind(self) -> Kind:
        has_words = any(turn.heard.percept.words for turn in self.turns)
        if self.turns[-1].is_silent:
            return Kind.OVERHEARD if has_words else Kind.SOUND
        return Kind.EXCHANGE if has_words else Kind.UNASKED

    @property
    def chunk(self) -> int:
        """The one in which it ended."""
        return self.turns[-1].chunk

    @property
    def positions(self) -> int:
        return sum(turn.positions for turn in self.turns)


def episodes(turns: Sequence[Turn]) -> list[Episode]:
    """The past, every turn in one episode, newest first."""
    found = [Episode(_exchange(turns, n)) for n, turn in enumerate(turns) if not turn.is_silent]
    inside = {turn.chunk for episode in found for turn in episode.turns}
    found += [Episode((turn,)) for turn in turns if turn.chunk not in inside]
    return sorted(found, key=lambda episode: episode.chunk, reverse=True)


def worth_keeping(turns: Sequence[Turn], room_positions: int, recent_s: float) -> tuple[Turn, ...]:
    """The turns that stay, in order.

    What ended within `recent_s` may take half of the room, newest first. The rest is for older
    episodes by kind, newest first, up to the first that does not fit; older sounds go.
    """
    past = episodes(turns)
    last = turns[-1].chunk
    recent = [e for e in past if (last - e.chunk) * CHUNK_S < recent_s]
    kept = _that_fit(recent, room_positions // 2)
    older = [e for e in past[len(kept) :] if e.kind is not Kind.SOUND]
    older.sort(key=lambda episode: episode.kind)
    kept += _that_fit(older, room_positions - sum(e.positions for e in kept))
    return tuple(sorted((t for e in kept for t in e.turns), key=lambda turn: turn.chunk))


def _exchange(turns: Sequence[Turn], n: int) -> tuple[Turn, ...]:
    """Turn `n`, in which something was decided, behind the words of the utterance it answers."""
    found = deque([turns[n]])
    for turn in reversed(turns[:n]):
        is_pause = found[0].chunk - turn.chunk > PAUSE_CHUNKS
        if is_pause or turns[n].chunk - turn.chunk > UTTERANCE_CHUNKS or not turn.is_silent:
            break
        if turn.heard.percept.words:
            found.appendleft(turn)
    return tuple(found)


def _that_fit(found: Sequence[Episode], room_positions: int) -> list[Episode]:
    """The first of them, as many as fit."""
    used = accumulate(episode.positions for episode in found)
    return [episode for episode, n in zip(found, used, strict=True) if n <= room_positions]


class Rereading:
    """Turns that are read again behind a state, several in one pass."""

    def __init__(self, listener: Listener, state: State, turns: Sequence[Turn]) -> None:
        self.state = state
        self._listener, self._waiting = listener, deque(turns)

    def add(self, turn: Turn) -> None:
        """One more, after those that wait."""
        self._waiting.append(turn)

    def feed(self, room: int) -> int:
        """Feed about `room` positions, at least one turn; how many, 0 when all are read.

        A response is read together with the turn after it, as in a session.
        """
        if not self._waiting:
            return 0
        before = self.state.length
        group = self._next_group(room)
        self.state, judged = self._listener.hear(self.state, [t.heard for t in group])
        last = group[-1]
        state = self._listener.decide(self.state, judged[-1], last.decision)
        self.state = replace(state, pending=(*state.pending, *last.response))
        return self.state.length - before

    def finish(self, room: int) -> State:
        """Feed all that waits, about `room` positions a pass; the state behind it."""
        while self.feed(room):
            pass
        return self.state

    def _next_group(self, room: int) -> list[Turn]:
        """Turns for one pass, which holds the decisions of all but the last to be silent."""
        group = [self._waiting.popleft()]
        used = len(self.state.pending) + group[0].positions
        while self._waiting and group[-1].decision == "silent":
            used += self._waiting[0].positions
            if used > room:
                break
            group.append(self._waiting.popleft())
        return group


class Rebuild:
    """A context under construction, from the prefix on.

    prefix: the state right behind it, in any cache; it is copied. swap_at_chunk: the chunk before
    which it takes over.
    """

    def __init__(
        self, listener: Listener, prefix: State, turns: Sequence[Turn], plan: CompactionPlan
    ) -> None:
        room = int(listener.profile.context * plan.shrink_to) - prefix.length
        kept = worth_keeping(turns, room, plan.recent_s)
        self._reading = Rereading(listener, listener.fork(prefix), kept)
        self._turns = list(kept)
        self._n_kept = len(kept)
        kept_chunks = {t.chunk for t in kept}
        self._dropped = [t for t in turns if t.chunk not in kept_chunks]
        self._step_positions = plan.positions_per_decision
        # While it is built, new chunks add to it; they take a few of the positions of each step.
        steps = -(-sum(t.positions for t in kept) // max(1, plan.positions_per_decision - 4))
        self.swap_at_chunk = turns[-1].chunk + steps + 2

    def add(self, turn: Turn) -> None:
        """A chunk that was decided in the meantime."""
        self._reading.add(turn)
        self._turns.append(turn)

    def step(self, decisions: int) -> None:
        """Build on for as many positions as that many decisions allow."""
        room = decisions * self._step_positions
        while room > 0 and (fed := self._reading.feed(self._step_positions)):
            room -= fed

    def finish(self) -> tuple[State, list[Turn]]:
        """Build what is left; the new state and the turns in it."""
        return self._reading.finish(self._step_positions), self._turns

    def trace(self, positions_before: int, seam_s: float) -> CompactionTrace:
        """What became of the old context; call it when finished."""
        return CompactionTrace(
            chunk=self._turns[-1].chunk + 1,
            positions_before=positions_before,
            positions_after=self._reading.state.length + len(self._reading.state.pending),
            kept_chunks=self._n_kept,
            dropped_chunks=len(self._dropped),
            dropped_words="".join(t.heard.percept.text for t in self._dropped).strip(),
            seam_ms=seam_s * 1000,
        )
