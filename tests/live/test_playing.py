"""Replies that are cut while they are played: who cuts them, and what the listener keeps."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harken.decide.listener import Audible
from harken.decide.onnx_listener import OnnxListener
from harken.decide.rule import OperatingPoint
from harken.live.compaction import CompactionPlan, Rereading
from harken.live.conduct import Conduct
from harken.live.dialogue import Decided, Dialogue
from harken.live.playing import Cut, Playing
from harken.live.trace import FlushTrace, ResponseTrace, TextPiece
from harken.stream import write
from harken.stream.reader import read

WORDS = {3: " hello there", 9: " who is it?", 10: " 你好"}
SELDOM = Conduct(point=OperatingPoint(respond=0.985), most_text_ids=5, say_once_s=0)
QUIET = replace(SELDOM, point=OperatingPoint(respond=0.9999))


def test_a_reply_is_at_the_player_from_its_first_sound_until_all_was_heard() -> None:
    playing = Playing()
    assert not playing.is_sounding and playing.cut() == ()
    playing.begin(4)
    assert not playing.is_sounding
    assert playing.voiced(4, "One.", 500)
    assert playing.is_sounding
    playing.played(4, 500)
    playing.end(4)
    assert not playing.is_sounding
    assert playing.cut() == ()  # all of it was heard


def test_of_a_reply_that_is_cut_no_more_is_played() -> None:
    playing = Playing()
    playing.begin(4)
    playing.voiced(4, "One.", 500)
    playing.voiced(4, " Two.", 500)
    playing.played(4, 600)
    assert playing.cut() == (Cut(4, "One.", 600),)
    assert not playing.voiced(4, " Three.", 500)
    playing.played(4, 900)  # comes late
    assert not playing.is_sounding and playing.cut() == ()
    playing.begin(9)
    assert not playing.voiced(4, " Three.", 500)
    assert playing.cut() == (Cut(9, "", 0),)


def test_replies_sound_one_after_the_other_and_are_cut_together() -> None:
    playing = Playing()
    for chunk, text in ((4, "One."), (5, "Two.")):
        playing.begin(chunk)
        playing.voiced(chunk, text, 500)
        playing.end(chunk)
    assert playing.unheard_ms == 1000
    playing.played(4, 500)
    playing.played(5, 100)
    assert not playing.has(4) and playing.unheard_ms == 400
    playing.begin(9)
    assert playing.cut() == (Cut(5, "", 100), Cut(9, "", 0))


def test_a_chunk_in_which_our_voice_ended_or_was_cut_holds_it_still() -> None:
    playing = Playing()
    assert not playing.take_sounded()
    playing.begin(4)
    playing.voiced(4, "One.", 500)
    assert playing.take_sounded() and playing.take_sounded()
    playing.played(4, 500)
    assert playing.take_sounded() and not playing.take_sounded()
    playing.voiced(4, " Two.", 500)
    playing.cut()
    assert playing.take_sounded() and not playing.take_sounded()


def test_what_is_cancelled_is_taken_up_once() -> None:
    playing = Playing()
    playing.cancel()
    assert playing.take_cancelled() == ()
    playing.begin(2)
    playing.cancel()
    playing.cancel()
    assert playing.take_cancelled() == (Cut(2, "", 0),)
    assert playing.take_cancelled() == ()


class Spoken:
    """A dialogue whose replies are spoken: each word is one piece of 1 s; one plays a chunk."""

    def __init__(self, listener: OnnxListener, conduct: Conduct) -> None:
        self.playing = Playing()
        self.dialogue = Dialogue(listener, conduct, playing=self.playing)
        self.outcomes: list[Any] = []

    def hear(self, heard: Sequence[Audible], voiced: dict[int, list[str]]) -> None:
        """voiced: for a chunk with a reply, the pieces that are heard of it and one that is not."""
        waiting = list(heard)
        while waiting:
            for outcome in self.dialogue.attend(waiting[:1]):
                self.outcomes.append(outcome)
                if isinstance(outcome, Decided):
                    waiting.pop(0)
                if isinstance(outcome, TextPiece) and outcome.chunk not in self._begun():
                    self.playing.begin(outcome.chunk)
                if isinstance(outcome, ResponseTrace):
                    pieces = voiced.get(outcome.chunk, [])
                    for piece in pieces:
                        self.playing.voiced(outcome.chunk, piece, 1000)
                    self.playing.played(outcome.chunk, 1000 * max(0, len(pieces) - 1))

    def _begun(self) -> set[int]:
        return {o.chunk for o in self.outcomes[:-1] if isinstance(o, TextPiece)}

    def of(self, kind: type) -> list[Any]:
        return [o for o in self.outcomes if isinstance(o, kind)]


def responses(room: Any, conduct: Conduct) -> dict[int, str]:
    """What is said without a voice: the chunks and texts of replies."""
    outcomes, _ = room.hold(room.chunks(20, WORDS), conduct, pass_chunks=1)
    return {o.chunk: o.text for o in outcomes if isinstance(o, ResponseTrace)}


def test_another_reply_cuts_the_one_that_is_played_and_the_context_keeps_what_was_heard(
    room: Any,
) -> None:
    first, second, *_ = said = responses(room, SELDOM)
    head = said[first][:4]
    session = Spoken(room.listener, SELDOM)
    session.hear(room.chunks(second + 1, WORDS), {first: [head, said[first][4:]]})
    (flush,) = session.of(FlushTrace)
    assert flush == FlushTrace(second, first, "response", head, 1000)
    at = session.outcomes.index(flush)
    assert session.outcomes[at - 1].decision == "respond"  # before the first text of the new one
    assert isinstance(session.outcomes[at + 1], TextPiece)
    # The log is that of a session in which only so much was said.
    stream = session.dialogue.log.stream()
    timeline = read(stream, room.listener.vocabulary)
    kept = {s.chunk: s.text for s in timeline.said}
    assert kept == {first: head.rstrip(), second: session.of(ResponseTrace)[1].text}
    assert np.array_equal(write(timeline, room.listener.vocabulary).ids, stream.ids)


def next_judgement(listener: OnnxListener, state: Any, heard: Audible) -> np.ndarray:
    _, (judgement,) = listener.hear(listener.fork(state), [heard])
    return judgement.probabilities


@pytest.mark.parametrize("heard_text", ["", "Hm"])
def test_the_listener_goes_on_as_if_only_so_much_had_been_said(room: Any, heard_text: str) -> None:
    first = next(iter(responses(room, SELDOM)))
    chunks = room.chunks(20, WORDS)
    session = Spoken(room.listener, SELDOM)
    session.hear(chunks[: first + 1], {first: [heard_text, " and the rest"]})
    list(session.dialogue.adopt(QUIET))
    session.hear(chunks[first + 1 : 17], {})
    whole = next_judgement(room.listener, session.dialogue._state, chunks[17])
    session.playing.cancel()
    session.hear(chunks[17:18], {})
    (flush,) = session.of(FlushTrace)
    assert flush == FlushTrace(16, first, "cancelled", heard_text, 1000)
    assert session.of(Decided)[-1].judgement.probabilities != pytest.approx(whole, abs=1e-4)
    # A session that never said more judges alike.
    turns = session.dialogue._turns
    assert [t.decision for t in turns].count("respond") == bool(heard_text)
    opened = room.listener.start(QUIET.prefix)
    fresh = Rereading(room.listener, opened, turns[:-1]).finish(64)
    assert session.of(Decided)[-1].judgement.probabilities == pytest.approx(
        next_judgement(room.listener, fresh, chunks[17]), abs=0.02
    )


def test_words_alone_do_not_cut_a_reply(room: Any) -> None:
    """A "mhm" while we speak: the listener is silent, so the voice goes on."""
    first = next(iter(responses(room, SELDOM)))
    session = Spoken(room.listener, SELDOM)
    session.hear(room.chunks(first + 1, WORDS), {first: ["One", " two"]})
    list(session.dialogue.adopt(QUIET))
    mhm = [replace(h, playing=True) for h in room.chunks(first + 4, {first + 2: " mhm"})]
    session.hear(mhm[first + 1 :], {})
    assert session.of(FlushTrace) == []
    assert session.playing.is_sounding


def test_a_stop_cuts_the_reply(room: Any) -> None:
    first = next(iter(responses(room, SELDOM)))
    chunks = room.chunks(first + 2, WORDS)
    session = Spoken(room.listener, SELDOM)
    session.hear(chunks[: first + 1], {first: ["One", " two"]})
    # A random checkpoint does not know when to stop; the rule stands in for a trained one.
    list(session.dialogue.adopt(replace(SELDOM, rule=lambda *judged: ["stop"])))
    session.hear([replace(chunks[-1], playing=True)], {})
    decided, flush = session.outcomes[-2:]
    assert decided.decision == "stop"
    assert flush == FlushTrace(first + 1, first, "stop", "One", 1000)
    timeline = read(session.dialogue.log.stream(), room.listener.vocabulary)
    assert timeline.stops == (first + 1,)
    assert [s.text for s in timeline.said] == ["One"]


def test_a_reply_that_a_compaction_forgot_stays_forgotten(room: Any) -> None:
    first = next(iter(responses(room, SELDOM)))
    small = CompactionPlan(start_at=0.3, shrink_to=0.15, recent_s=2.0, positions_per_decision=24)
    chunks = room.chunks(50, WORDS)
    session = Spoken(room.listener, SELDOM)
    session.hear(chunks[: first + 1], {first: ["One", " two"]})
    list(session.dialogue.adopt(replace(QUIET, compaction=small)))
    session.hear(chunks[first + 1 :], {})
    assert first not in [t.chunk for t in session.dialogue._turns]
    before = read(session.dialogue.log.stream(), room.listener.vocabulary)
    session.playing.cancel()
    session.hear(room.chunks(51, WORDS)[50:], {})
    assert [f.heard for f in session.of(FlushTrace)] == ["One"]
    after = read(session.dialogue.log.stream(), room.listener.vocabulary)
    assert after.said == before.said
