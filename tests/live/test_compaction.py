"""Sessions outgrow the context and go on."""

from dataclasses import replace
from typing import Any

import pytest

from harken.decide.listener import Audible
from harken.decide.rule import OperatingPoint
from harken.live.compaction import CompactionPlan, Rebuild, Turn, worth_keeping
from harken.live.dialogue import Conduct, Decided
from harken.live.trace import CompactionTrace
from harken.stream import Prefix, write
from harken.stream.reader import read
from harken.stream.writer import decision_piece, response_piece

RARELY = Conduct(point=OperatingPoint(respond=0.99), most_text_ids=4)


def turns(chunks: list[Audible]) -> list[Turn]:
    return [Turn(c, "silent", (), 3 + 2 * len(c.percept.words)) for c in chunks]


def test_words_outlive_sounds_and_the_newest_chunks_stay(room: Any) -> None:
    history = turns(room.chunks(200, {5: " my name is Ada", 150: " hello"}))
    kept = [t.chunk for t in worth_keeping(history, 100, recent_s=4.0)]
    assert kept == [5, 150, *range(190, 200)]


def test_what_does_not_fit_goes_oldest_first(room: Any) -> None:
    history = turns(room.chunks(60, {c: " word" for c in range(0, 60, 2)}))
    kept = worth_keeping(history, 50, recent_s=0.0)
    assert [t.chunk for t in kept] == [*range(40, 60, 2)]
    assert sum(t.positions for t in kept) <= 50


def test_a_rebuilt_context_judges_as_the_one_it_was_built_from(room: Any) -> None:
    listener, heard = room.listener, room.chunks(13, {4: " hello there"})
    said = tuple(response_piece(listener.vocabulary, "There is someone at the door.", "urgent")[0])
    state = prefix = listener.start(Prefix())
    history = []
    for chunk in heard[:-1]:
        state, judged = listener.hear(state, [chunk])
        decision = "respond" if chunk.percept.chunk == 6 else "silent"
        response = said if decision == "respond" else ()
        before = judged[-1].position
        state = listener.decide(state, judged[-1], decision)
        state = replace(state, pending=(*state.pending, *response))
        assert state.pending[0] == decision_piece(listener.profile, decision)[0][0]
        positions = before - (history[-1][1] if history else prefix.length) + 1 + len(response)
        history.append((Turn(chunk, decision, response, positions), before))
    # Room for everything, so that nothing is dropped; in small steps.
    plan = CompactionPlan(shrink_to=1.0, positions_per_decision=8)
    rebuild = Rebuild(listener, replace(prefix, pending=()), [t for t, _ in history], plan)
    for _ in range(2):
        rebuild.step(1)
    rebuilt, kept = rebuild.finish()
    assert len(kept) == len(history)
    assert rebuilt.length + len(rebuilt.pending) == state.length + len(state.pending)
    expected = listener.hear(state, heard[-1:])[1][0].probabilities
    assert listener.hear(rebuilt, heard[-1:])[1][0].probabilities == pytest.approx(
        expected, abs=0.02
    )


def check_long_session(room: Any, n_chunks: int) -> None:
    words = {c: f" word {c}" for c in range(0, n_chunks, 9)}
    outcomes, dialogue = room.hold(room.chunks(n_chunks, words), RARELY, pass_chunks=16)
    assert [o.judgement.chunk for o in outcomes if isinstance(o, Decided)] == [*range(n_chunks)]
    context = room.listener.profile.context
    # No judgement was ever made beyond the context, and it was near full before each compaction.
    assert max(o.judgement.position for o in outcomes if isinstance(o, Decided)) <= context
    compactions = [o for o in outcomes if isinstance(o, CompactionTrace)]
    assert len(compactions) >= n_chunks * 3 // context
    for compaction in compactions:
        assert 0.8 * context <= compaction.positions_before <= context
        assert compaction.positions_after <= 0.6 * context
        assert compaction.dropped_chunks > 0
    # The log forgets nothing.
    timeline = read(dialogue.log.stream(), room.listener.vocabulary)
    assert timeline.n_chunks == n_chunks
    assert {h.start_sample // 6400: h.text for h in timeline.heard} == words
    assert (write(timeline, room.listener.vocabulary).ids == dialogue.log.stream().ids).all()


def test_a_session_outgrows_its_context_and_goes_on(room: Any) -> None:
    check_long_session(room, 110)


@pytest.mark.slow
def test_it_goes_on_through_many_compactions(room: Any) -> None:
    check_long_session(room, 500)


def test_compaction_happens_at_the_same_chunk_whatever_the_backlog(room: Any) -> None:
    heard = room.chunks(70, {c: f" word {c}" for c in range(0, 70, 9)})
    places = []
    for pass_chunks in (3, 16):
        outcomes, _ = room.hold(heard, RARELY, pass_chunks)
        compactions = [o for o in outcomes if isinstance(o, CompactionTrace)]
        places.append([(c.chunk, c.positions_after, c.dropped_words) for c in compactions])
    assert places[0] == places[1] != []
