"""The decoder's side of one session: its context, one pass over a backlog, one response.

No threads and no clock of its own: `harken.live.session` decides when, this decides what.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from harken.decide.listener import Audible, Judgement, Listener
from harken.decide.rule import OperatingPoint
from harken.live.backlog import BacklogRule
from harken.live.compaction import Rebuild, Rereading, Turn
from harken.live.conduct import Conduct, opening_of
from harken.live.log import SessionLog
from harken.live.playing import Cut, Playing
from harken.live.reply import Reply, Replying, shortened
from harken.live.say_once import SayOnce
from harken.live.trace import (
    CompactionTrace,
    FlushTrace,
    ResponseTrace,
    TextPiece,
    end_s,
)
from harken.live.turns import MOST_LAG_MS, says_again
from harken.stream.writer import (
    Piece,
    chunk_piece,
    decision_piece,
)

_REREAD_POSITIONS = 96
"""In one pass, when a response was cut short."""
_REREAD_SHARE = 0.2
"""How much of the context is filled again when the prefix changes: somebody waits for it."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision after one chunk, final. `at_s` is when it fell, on the monotonic clock."""

    judgement: Judgement
    decision: str
    at_s: float


Outcome: TypeAlias = Decided | TextPiece | ResponseTrace | FlushTrace | CompactionTrace


def _positions_of(pieces: Sequence[Piece]) -> int:
    return sum(len(ids) for ids, _ in pieces)


class Dialogue:
    """Reads its prefix when made; then `attend` again and again."""

    def __init__(
        self,
        listener: Listener,
        conduct: Conduct,
        cancelled: Callable[[], bool] = lambda: False,
        playing: Playing | None = None,
    ) -> None:
        """playing: where the voice and the player tell what is heard of the replies.

        Raises HarkenError when the instruction is too long for the context.
        """
        self._listener, self._conduct, self._cancelled = listener, conduct, cancelled
        self._playing = playing or Playing()
        profile = listener.profile
        self.log = SessionLog(profile)
        self.log.append(opening_of(listener, conduct.prefix))
        self.repeats_withheld = 0
        self._most_text_ids = min(conduct.most_text_ids, profile.context // 8)
        self._state = listener.start(conduct.prefix)
        self._prefix_length = self._state.length
        self._turns: list[Turn] = []
        self._rebuild: Rebuild | None = None
        self._say_once = SayOnce(conduct.say_once_s)
        self._replied_at: int | None = None

    def attend(
        self, backlog: Sequence[Audible], rule: BacklogRule | None = None
    ) -> Iterator[Outcome]:
        """One pass over a backlog of at least one chunk, or over as many as fit, oldest first.

        Every chunk that comes out as `Decided` is done with; the rest of the backlog is to be
        given again. A response follows its chunk, in pieces; a stop or another response cuts the
        one that is played. rule: instead of the conduct's.
        """
        cuts = self._playing.take_cancelled()
        yield from (cut.trace(backlog[0].percept.chunk - 1, "cancelled") for cut in cuts)
        self._keep_what_was_heard(cuts)
        if self._must_compact(backlog[0]):
            yield self._compact()
        passing = backlog[: self._pass_length(backlog)]
        _, judged = self._listener.hear(self._state, passing)
        at_s = time.monotonic()
        decide = rule or self._conduct.rule
        decisions = decide(self._listener.profile, judged, self._point)
        # The last decision is the only one that may not be silent.
        for heard, judgement in zip(passing, judged[: len(decisions) - 1], strict=False):
            self._write(heard, "silent")
            yield Decided(judgement, "silent", at_s)
        heard, last = passing[len(decisions) - 1], judged[len(decisions) - 1]
        if decisions[-1] == "respond":
            yield from self._respond(heard, last, at_s)
        else:
            self._state = self._listener.decide(self._state, last, decisions[-1])
            self._write(heard, decisions[-1])
            yield Decided(last, decisions[-1], at_s)
            if decisions[-1] == "stop":
                cuts = self._playing.cut()
                yield from (cut.trace(last.chunk, "stop") for cut in cuts)
                self._keep_what_was_heard(cuts)
        self._prepare_compaction(len(decisions))

    def adopt(self, conduct: Conduct) -> Iterator[None]:
        """Go on by another conduct; call it between passes and run it to its end.

        With another prefix the context is read anew behind it, a few positions between two
        yields, so that others get their turn meanwhile: as much of it as a compaction would keep in
        a smaller room. The log keeps the prefix that the session began with.

        Raises HarkenError, and changes nothing, when the prefix is too long.
        """
        if conduct.prefix != self._conduct.prefix:
            opening_of(self._listener, conduct.prefix)
            opened = self._listener.start(conduct.prefix)
            yield
            if self._turns:
                plan = replace(conduct.compaction, shrink_to=_REREAD_SHARE)
                rebuild = Rebuild(self._listener, opened, self._turns, plan)
                for _ in range(self._turns[-1].chunk, rebuild.swap_at_chunk):
                    rebuild.step(1)
                    yield
                self._state, self._turns = rebuild.finish()
            else:
                self._state = opened
            self._prefix_length, self._rebuild = opened.length, None
        self._conduct = conduct

    def needed(self, judgement: Judgement) -> float:
        """What p(respond) of a chunk must reach now."""
        return self._point.needed(judgement)

    @property
    def context_ratio(self) -> float:
        """How much of the context is in use, from 0 to 1."""
        return self._length() / self._listener.profile.context

    @property
    def _point(self) -> OperatingPoint:
        return replace(self._conduct.point, replied_at=self._replied_at)

    def _respond(self, heard: Audible, judgement: Judgement, at_s: float) -> Iterator[Outcome]:
        """Say something, unless it turns out to be what was said a moment ago."""
        chunk = judgement.chunk
        if heard.percept.words:
            self._say_once = self._say_once.after_words()
        responding = self._listener.decide(self._state, judgement, "respond")
        replying = Replying(
            self._listener,
            responding,
            most_text_ids=self._most_text_ids,
            cancelled=self._cancelled,
        )
        # Text is held back only while it could still turn out to be a repeat.
        held, shown, first_s = "", False, 0.0
        cuts: tuple[Cut, ...] = ()
        for text in replying:
            first_s = first_s or time.monotonic()
            held += text
            if shown or not self._say_once.may_become_repeat(held, chunk):
                if not shown:
                    yield Decided(judgement, "respond", at_s)
                    cuts = self._make_way(heard, held, replying.emotion)
                    yield from (cut.trace(chunk, "response") for cut in cuts)
                shown = True
                yield TextPiece(chunk, held, replying.emotion)
                held = ""
        said = replying.finished()
        done_s = time.monotonic()
        if not shown and self._say_once.is_repeat(said.text, chunk):
            self.repeats_withheld += 1
            self._state = self._listener.decide(self._state, judgement, "silent")
            self._write(heard, "silent")
            yield Decided(judgement, "silent", at_s)
            return
        if not shown:
            yield Decided(judgement, "respond", at_s)
            cuts = self._make_way(heard, held, said.emotion)
            yield from (cut.trace(chunk, "response") for cut in cuts)
        if held:
            yield TextPiece(chunk, held, said.emotion)
        self._state = said.state
        self._write(heard, "respond", said)
        self._say_once = self._say_once.after(said.text, chunk)
        self._replied_at = chunk
        yield ResponseTrace(
            chunk,
            end_s(chunk),
            said.text,
            said.emotion,
            first_token_ms=((first_s or done_s) - at_s) * 1000,
            done_ms=(done_s - at_s) * 1000,
        )
        # Reading again takes a moment in which nobody should wait for this response.
        self._keep_what_was_heard(cuts)

    def _make_way(self, heard: Audible, text: str, emotion: str) -> tuple[Cut, ...]:
        """A response is certain to come, `text` first: cut what is played, unless it waits."""
        again = says_again(text, heard.percept.text)
        if again and emotion != "urgent" and self._playing.unheard_ms <= MOST_LAG_MS:
            return ()
        return self._playing.cut()

    def _write(self, heard: Audible, decision: str, said: Reply | None = None) -> None:
        """Log one chunk that is decided and remember it for a compaction."""
        if heard.percept.words and decision != "respond":
            self._say_once = self._say_once.after_words()
        response = said.piece if said else ([], [])
        pieces = self._pieces(heard, decision, response)
        if said:
            self.log.append_reply(heard.percept.chunk, *pieces)
        else:
            self.log.append(*pieces)
        turn = Turn(heard, decision, tuple(response[0]), _positions_of(pieces))
        self._turns.append(turn)
        if self._rebuild:
            self._rebuild.add(turn)

    def _pieces(self, heard: Audible, decision: str, response: Piece) -> tuple[Piece, ...]:
        return (
            chunk_piece(self._listener.vocabulary, heard.percept.text, heard.playing),
            decision_piece(self._listener.profile, decision),
            response,
        )

    # Context

    def _keep_what_was_heard(self, cuts: Sequence[Cut]) -> None:
        """Leave of responses what was heard of them, in context and log.

        What came after one is read again; of nothing heard there is nothing left, as if it had
        been silent. One that a compaction has forgotten stays so.
        """
        for cut in reversed(cuts):
            self._keep_what_was_heard_of(cut)

    def _keep_what_was_heard_of(self, cut: Cut) -> None:
        at = next((n for n, turn in enumerate(self._turns) if turn.chunk == cut.chunk), None)
        if at is None:
            return
        told, text = self._turns[at], cut.heard.rstrip()
        decision = "respond" if text else "silent"
        response: Piece = ([], [])
        if text:
            response = shortened(self._listener.vocabulary, told.response, text)
        pieces = self._pieces(told.heard, decision, response)
        start = self._length() - sum(turn.positions for turn in self._turns[at:])
        self._turns[at] = Turn(told.heard, decision, tuple(response[0]), _positions_of(pieces))
        before = replace(self._state, length=start, pending=())
        again = Rereading(self._listener, before, self._turns[at:])
        self._state = again.finish(_REREAD_POSITIONS)
        self._rebuild = None  # it holds the whole response; another one begins after this pass
        self.log.rewrite(cut.chunk, *pieces)

    def _pass_length(self, backlog: Sequence[Audible]) -> int:
        """How many chunks one pass takes: it fits, and ends where compaction may begin or end.

        So the place of a compaction does not depend on how the backlog was cut into passes.
        """
        length, taken = self._length(), 0
        for heard in backlog:
            length += self._positions(heard)
            if taken and (length > self._most_positions() or self._is_swap_due(heard)):
                break
            taken += 1
            if self._rebuild is None and length >= self._start_at():
                break
        return taken

    def _must_compact(self, heard: Audible) -> bool:
        # A rebuilt context has yet to read the response in its last turn: better a chunk later.
        is_good = self._is_swap_due(heard) and self._turns[-1].decision == "silent"
        return is_good or self._length() + self._positions(heard) > self._most_positions()

    def _is_swap_due(self, heard: Audible) -> bool:
        return self._rebuild is not None and heard.percept.chunk >= self._rebuild.swap_at_chunk

    def _prepare_compaction(self, decisions: int) -> None:
        """After a pass: begin a rebuild when it is time, or build on."""
        if self._rebuild is None and self._length() >= self._start_at():
            self._begin_rebuild()
        if self._rebuild:
            self._rebuild.step(decisions)

    def _begin_rebuild(self) -> Rebuild:
        prefix = replace(self._state, length=self._prefix_length, pending=())
        self._rebuild = Rebuild(self._listener, prefix, self._turns, self._conduct.compaction)
        return self._rebuild

    def _compact(self) -> CompactionTrace:
        """Go on in the rebuilt context, between two chunks."""
        started_s, before = time.monotonic(), self._length()
        rebuild = self._rebuild or self._begin_rebuild()
        self._state, self._turns = rebuild.finish()
        self._rebuild = None
        return rebuild.trace(before, time.monotonic() - started_s)

    def _length(self) -> int:
        return self._state.length + len(self._state.pending)

    def _positions(self, heard: Audible) -> int:
        """What a chunk and its decision take."""
        ids, _ = chunk_piece(self._listener.vocabulary, heard.percept.text, heard.playing)
        return len(ids) + 1

    def _start_at(self) -> int:
        return int(self._listener.profile.context * self._conduct.compaction.start_at)

    def _most_positions(self) -> int:
        """Beyond it a response of full length might not fit: emotion, text, end."""
        return self._listener.profile.context - self._most_text_ids - 2
