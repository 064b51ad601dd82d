"""Sessions without end: near the context budget a shorter context is built beside the full one.

It holds the same prefix, then the chunks worth keeping: those with words or a response, and the
newest ones. It is built in a cache of its own, a few positions after each decision, and takes over
between two chunks. When each of these happens follows from chunk counts and positions alone, so a
replay compacts where the live session did.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harken.decide.listener import Audible, Listener, State
from harken.live.trace import CHUNK_S, CompactionTrace


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
    def is_memorable(self) -> bool:
        """Whether somebody, the user or Harken, said something in it."""
        return bool(self.heard.percept.words) or self.decision != "silent"


def worth_keeping(turns: Sequence[Turn], room_positions: int, recent_s: float) -> tuple[Turn, ...]:
    """The turns that stay, in order: the newest that fit.

    Recent turns in which nothing was said may take half of the room; the rest is for words.
    """
    kept: deque[Turn] = deque()
    used = 0
    for turn in reversed(turns):
        is_recent = (turns[-1].chunk - turn.chunk) * CHUNK_S < recent_s
        if not turn.is_memorable and not (is_recent and 2 * used < room_positions):
            continue
        used += turn.positions
        if used > room_positions:
            break
        kept.appendleft(turn)
    return tuple(kept)


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
