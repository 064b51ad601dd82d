"""Sessions outgrow the context and go on."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.decide.listener import Audible
from harken.decide.rule import OperatingPoint
from harken.live.compaction import CompactionPlan, Kind, Rebuild, Turn, episodes, worth_keeping
from harken.live.conduct import Conduct
from harken.live.dialogue import Decided
from harken.live.trace import CompactionTrace
from harken.perceive.percept import HeardWord, Percept
from harken.stream import Prefix, write
from harken.stream.profile import MINI
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


def turn(chunk: int, words: str = "", said: str = "") -> Turn:
    """As in a session: two positions of audio, the words, a decision, the response."""
    heard = (HeardWord(words, (chunk + 1) * 6400, "en"),) if words else ()
    nothing = np.zeros(0, np.float16)
    percept = Percept(chunk, nothing, nothing, heard, 0.0, 0.0)
    n_words, n_said = len(words.split()), len(said.split())
    positions = 3 + (n_words and n_words + 1) + (n_said and n_said + 2)
    return Turn(Audible(percept), "respond" if said else "silent", tuple(range(n_said)), positions)


def test_an_exchange_is_a_response_and_the_words_it_answers() -> None:
    history = [
        turn(0, "Mind the gap."),
        turn(5, "My name"),
        turn(6),
        turn(7, "is Ada."),
        turn(8, said="Nice to meet you."),
        turn(9, "Who am I?", "Ada."),
        turn(20, said="I hear a dog."),
    ]
    found = [(e.kind, [t.chunk for t in e.turns]) for e in episodes(history)]
    assert found == [
        (Kind.UNASKED, [20]),
        (Kind.EXCHANGE, [9]),
        (Kind.EXCHANGE, [5, 7, 8]),
        (Kind.SOUND, [6]),
        (Kind.OVERHEARD, [0]),
    ]


def test_an_answer_is_to_the_last_seconds_of_talk_without_a_pause() -> None:
    history = [turn(c, "and on") for c in range(60)] + [turn(60, said="Yes.")]
    answered = episodes(history)[0]
    assert [t.chunk for t in answered.turns] == [*range(45, 61)]


def test_what_was_answered_outlives_what_was_not() -> None:
    fact = [turn(0, "My name is Ada."), turn(1, said="Nice to meet you, Ada.")]
    talk = [turn(c, "so they say") for c in range(20, 60)]
    sound = [turn(10, said="I hear a dog.")]
    history = [*fact, *sound, *talk]
    kept = [t.chunk for t in worth_keeping(history, 60, recent_s=0.8)]
    assert kept == [0, 1, 10, *range(56, 60)]
    # With less room, what it said of its own accord goes before the exchange.
    assert [t.chunk for t in worth_keeping(history, 32, recent_s=0.8)] == [0, 1, 58, 59]


def test_a_fact_outlives_ten_minutes_of_talk_and_twenty_questions() -> None:
    """By positions alone, in the real context: compacted as often as a session would."""
    plan, compactions = CompactionPlan(), 0
    start, room = MINI.context * plan.start_at, int(MINI.context * plan.shrink_to) - 50
    history = [turn(0, "My name is Ada."), turn(1, said="Nice to meet you, Ada.")]
    for chunk in range(10, 1510):
        if chunk % 75 == 0:
            history.append(turn(chunk, "What is the capital of France?", "It is Paris."))
        elif chunk % 20 == 0:
            history.append(turn(chunk, said="I hear a dog barking."))
        else:
            history.append(turn(chunk, "talk of others" if chunk % 10 < 4 else ""))
        if sum(t.positions for t in history) > start:
            compactions += 1
            history = [*worth_keeping(history, room, plan.recent_s)]
            assert [t.chunk for t in history[:2]] == [0, 1]
    assert compactions > 5


@st.composite
def histories(draw: st.DrawFn) -> list[Turn]:
    """Any session: talk, answers and sounds with chunks left out, as after a compaction."""
    words, said = st.sampled_from(["", "a", "b c d e"]), st.sampled_from(["", "", "f g"])
    chunks = draw(st.lists(st.integers(0, 120), min_size=1, max_size=60, unique=True))
    return [turn(chunk, draw(words), draw(said)) for chunk in sorted(chunks)]


@given(histories(), st.integers(0, 400), st.sampled_from([0.0, 4.0, 20.0]))
def test_what_stays_fits_is_in_order_and_whole_and_nothing_better_goes(
    history: list[Turn], room: int, recent_s: float
) -> None:
    kept = worth_keeping(history, room, recent_s)
    chunks = {t.chunk for t in kept}
    assert list(kept) == [t for t in history if t.chunk in chunks]
    assert sum(t.positions for t in kept) <= room
    found = episodes(history)
    assert sorted(t.chunk for e in found for t in e.turns) == [t.chunk for t in history]
    stays = [e for e in found if e.chunk in chunks]
    assert sum(len(e.turns) for e in stays) == len(kept)
    gone = [e for e in found if e.chunk not in chunks and e.kind is not Kind.SOUND]
    for old in (e for e in stays if (history[-1].chunk - e.chunk) * 0.4 >= recent_s):
        assert all((old.kind, -old.chunk) < (e.kind, -e.chunk) for e in gone)


def test_a_rebuilt_context_judges_as_the_one_it_was_built_from(room: Any) -> None:
    listener, heard = room.listener, room.chunks(13, {4: " hello there"})
    said = tuple(response_piece(listener.vocabulary, "There is someone at the door.", "urgent")[0])
    state = prefix = listener.start(Prefix())
    history: list[tuple[Turn, int]] = []
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
