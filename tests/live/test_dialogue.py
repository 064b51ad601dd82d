"""One pass over a backlog: decisions, replies, and the ids that are left behind."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from harken.decide.rule import OperatingPoint
from harken.errors import HarkenError
from harken.live.backlog import drain
from harken.live.conduct import Conduct
from harken.live.dialogue import Decided, Dialogue
from harken.live.trace import ResponseTrace, TextPiece
from harken.stream import Prefix, write
from harken.stream.reader import read

WORDS = {3: " hello there", 9: " who is it?", 10: " 你好"}
SELDOM = Conduct(point=OperatingPoint(respond=0.985), most_text_ids=5, say_once_s=0)
TALKATIVE = replace(SELDOM, point=OperatingPoint(respond=0.95))


def decisions(outcomes: list[Any]) -> list[str]:
    return [o.decision for o in outcomes if isinstance(o, Decided)]


def replies(outcomes: list[Any]) -> list[tuple[int, str, str]]:
    return [(o.chunk, o.text, o.emotion) for o in outcomes if isinstance(o, ResponseTrace)]


@pytest.mark.parametrize("pass_chunks", [5, 16])
def test_a_backlog_is_decided_as_if_chunk_by_chunk(room: Any, pass_chunks: int) -> None:
    heard = room.chunks(20, WORDS)
    single, alone = room.hold(heard, SELDOM, pass_chunks=1)
    outcomes, together = room.hold(heard, SELDOM, pass_chunks)
    assert {"silent", "respond"} <= set(decisions(single))
    assert decisions(outcomes) == decisions(single)
    assert replies(outcomes) == replies(single)
    assert together.log.stream().ids.tolist() == alone.log.stream().ids.tolist()
    assert [o.judgement.p_respond for o in outcomes if isinstance(o, Decided)] == pytest.approx(
        [o.judgement.p_respond for o in single if isinstance(o, Decided)], abs=0.02
    )


def test_the_log_is_what_training_would_write(room: Any) -> None:
    heard = [replace(h, playing=h.percept.chunk == 7) for h in room.chunks(14, WORDS)]
    conduct = replace(SELDOM, prefix=Prefix("narrate", "Count the barks."))
    outcomes, dialogue = room.hold(heard, conduct)
    stream = dialogue.log.stream()
    timeline = read(stream, room.listener.vocabulary)
    again = write(timeline, room.listener.vocabulary)
    assert np.array_equal(stream.ids, again.ids)
    assert np.array_equal(stream.owners, again.owners)
    assert len(dialogue.log) == len(stream)
    assert [(s.chunk, s.text, s.emotion) for s in timeline.said] == replies(outcomes) != []
    assert {h.start_sample // 6400: h.text for h in timeline.heard} == WORDS
    assert timeline.playing == (7,)
    assert timeline.prefix == conduct.prefix


def test_a_reply_comes_in_pieces_that_join_to_it_after_its_decision(room: Any) -> None:
    outcomes, _ = room.hold(room.chunks(8, WORDS), TALKATIVE)
    whole = next(o for o in outcomes if isinstance(o, ResponseTrace))
    at = outcomes.index(whole)
    pieces = [o for o in outcomes[:at] if isinstance(o, TextPiece)]
    assert "".join(p.text for p in pieces) == whole.text
    before = outcomes[at - len(pieces) - 1]
    assert isinstance(before, Decided)
    assert (before.decision, before.judgement.chunk) == ("respond", whole.chunk)
    assert 0 <= whole.first_token_ms <= whole.done_ms


def test_a_reply_that_will_not_end_is_ended(room: Any) -> None:
    outcomes, dialogue = room.hold(room.chunks(8), replace(TALKATIVE, most_text_ids=3))
    said = replies(outcomes)
    assert said
    vocabulary = room.listener.vocabulary
    assert all(len(vocabulary.encode(text)) <= 3 for _, text, _ in said)
    assert len(read(dialogue.log.stream(), vocabulary).said) == len(said)


def test_a_cancelled_reply_ends_where_it_is_and_the_session_goes_on(room: Any) -> None:
    shown: list[str] = []
    conduct = replace(TALKATIVE, most_text_ids=30)
    dialogue = Dialogue(room.listener, conduct, cancelled=lambda: len(shown) >= 2)
    waiting, decided = room.chunks(8), 0

    def outcomes() -> Iterator[Any]:
        while decided < len(waiting):
            yield from dialogue.attend(waiting[decided:])

    said = []
    for outcome in outcomes():
        decided += isinstance(outcome, Decided)
        shown += [outcome.text] if isinstance(outcome, TextPiece) else []
        said += [outcome.text] if isinstance(outcome, ResponseTrace) else []
    assert said[0] == "".join(shown[:2])
    assert decided == len(waiting)


def test_drain_decides_once_for_the_whole_backlog(room: Any) -> None:
    outcomes, _ = room.hold(room.chunks(8), replace(TALKATIVE, rule=drain), pass_chunks=8)
    assert decisions(outcomes)[:7] == ["silent"] * 7
    assert "respond" in decisions(room.hold(room.chunks(7), TALKATIVE)[0])


def test_the_same_announcement_is_made_once(room: Any) -> None:
    # One and the same sound, again and again: sooner or later it is said in the same words.
    alarm = room.chunks(1)[0].percept
    heard = [replace(room.chunks(1)[0], percept=replace(alarm, chunk=c)) for c in range(8)]
    always = Conduct(point=OperatingPoint(respond=1e-6), most_text_ids=1, say_once_s=8.0)
    repeated, _ = room.hold(heard, replace(always, say_once_s=0.0), pass_chunks=1)
    texts = [text for _, text, _ in replies(repeated)]
    assert any(a == b for a, b in pairwise(texts))
    outcomes, dialogue = room.hold(heard, always, pass_chunks=1)
    texts = [text for _, text, _ in replies(outcomes)]
    assert not any(a == b for a, b in pairwise(texts))
    assert dialogue.repeats_withheld == decisions(outcomes).count("silent") > 0
    assert len(read(dialogue.log.stream(), room.listener.vocabulary).said) == len(texts)


def test_words_out_of_nothing_ask_for_more_than_words_after_a_reply(room: Any) -> None:
    point = OperatingPoint(respond=1e-6, to_words=1 - 1e-9)
    conduct = Conduct(point=point, most_text_ids=1, say_once_s=0)
    said = dict.fromkeys(range(5), " hello there")
    assert decisions(room.hold(room.chunks(5, said), conduct)[0]) == ["silent"] * 5
    said.pop(1)
    outcomes, _ = room.hold(room.chunks(5, said), conduct)
    assert decisions(outcomes) == ["silent", *["respond"] * 4]


def test_what_was_typed_is_for_us_and_asks_for_no_more(room: Any) -> None:
    point = OperatingPoint(respond=1e-6, to_words=1 - 1e-9)
    conduct = Conduct(point=point, most_text_ids=1, say_once_s=0)
    heard = room.chunks(2, {0: " hello there", 1: " who is it?"})
    heard[1] = replace(heard[1], typed=True)
    assert decisions(room.hold(heard, conduct)[0]) == ["silent", "respond"]


def test_a_dialogue_tells_what_a_chunk_needs(room: Any) -> None:
    point = OperatingPoint(respond=0.9999, to_words=0.99999)
    outcomes, dialogue = room.hold(room.chunks(2, {1: " hello"}), Conduct(point=point))
    plain, with_words = (o.judgement for o in outcomes if isinstance(o, Decided))
    assert (dialogue.needed(plain), dialogue.needed(with_words)) == (0.9999, 0.99999)


def test_an_instruction_longer_than_the_context_allows_is_refused(room: Any) -> None:
    with pytest.raises(HarkenError, match="shorten --instruction"):
        Dialogue(room.listener, Conduct(prefix=Prefix(instruction="count the barks " * 60)))
