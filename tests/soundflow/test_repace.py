"""A row at another pace keeps what was heard and what is due, on other steps."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.soundflow.repace import chunk_of_step, repaced
from harken.stream import CHUNK_SAMPLES

HALF, DOUBLE = CHUNK_SAMPLES // 2, 2 * CHUNK_SAMPLES


def row(**more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"n_chunks": 7, "words": [], "said": [], "playing": [], "stops": []}
    return fields | {"due": [], "sounds": [[1, 2, "bell"]]} | more


@st.composite
def any_row(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.integers(1, 30))
    chunks = st.lists(st.integers(0, n - 1), unique=True).map(sorted)
    stops = draw(chunks)
    said = [[c, f"r{c}", "normal", "bell"] for c in draw(chunks) if c not in stops]
    unjudged, strays = draw(chunks), [c for c, *_ in said if draw(st.booleans())]
    return row(
        n_chunks=n,
        words=[[c, f" w{c}"] for c in draw(chunks)],
        said=said,
        playing=draw(chunks),
        stops=stops,
        unjudged=unjudged,
        strays=strays,
    )


def test_two_chunks_become_one_step() -> None:
    found = repaced(
        row(
            words=[[0, " Ring"], [1, " the"], [2, " bell."]],
            said=[[3, "Okay.", "normal", "order"], [6, "A bell.", "normal", "bell"]],
            playing=[4, 5],
            stops=[5],
        ),
        DOUBLE,
    )
    assert found["n_chunks"] == 4
    assert found["words"] == [[0, " Ring the"], [1, " bell."]]
    assert found["said"] == [[1, "Okay.", "normal", "order"], [3, "A bell.", "normal", "bell"]]
    assert found["playing"] == [2] and found["stops"] == [2]
    assert found["sounds"] == [[1, 2, "bell"]]


def test_replies_that_meet_move_on_and_leave_at_the_end() -> None:
    said = [[c, str(c), "normal", "bell"] for c in (0, 1, 5, 6)]
    found = repaced(row(said=said, stops=[4]), DOUBLE)
    assert [[step, text] for step, text, *_ in found["said"]] == [[0, "0"], [1, "1"], [3, "5"]]


def test_a_finer_pace_meets_the_end_of_a_sound_earlier_and_words_no_earlier() -> None:
    said = [[2, "A bell.", "normal", "bell"], [4, "Yes.", "normal", "question"]]
    due = [[100, 2 * CHUNK_SAMPLES + 10, "sound", "bell"], [0, 100, "words", "question"]]
    found = repaced(row(said=said, due=due, words=[[4, " Hm?"]], playing=[1]), HALF)
    assert [step for step, *_ in found["said"]] == [4, 9]
    assert (
        found["n_chunks"] == 14 and found["words"] == [[9, " Hm?"]] and found["playing"] == [2, 3]
    )


@given(any_row())
@settings(max_examples=60)
def test_its_own_pace_changes_nothing(given_row: dict[str, Any]) -> None:
    assert repaced(given_row, CHUNK_SAMPLES) == given_row


@given(any_row(), st.sampled_from([HALF, DOUBLE]))
@settings(max_examples=150)
def test_any_pace_gives_a_row_that_can_be_learnt(
    given_row: dict[str, Any], step_samples: int
) -> None:
    found = repaced(given_row, step_samples)
    n, said = found["n_chunks"], [step for step, *_ in found["said"]]
    assert n * step_samples >= given_row["n_chunks"] * CHUNK_SAMPLES > (n - 1) * step_samples
    assert len(set(said)) == len(said) and not set(said) & set(found["stops"])
    for name in ("playing", "stops", "unjudged", "strays"):
        assert all(0 <= step < n for step in found[name]) and found[name] == sorted(found[name])
    assert all(0 <= step < n for step in said) and set(found["strays"]) <= set(said)
    texts = ["".join(t for _, t in r["words"]) for r in (given_row, found)]
    assert texts[0] == texts[1]
    before = {text: chunk for chunk, text, *_ in given_row["said"]}
    # Nothing is due before it was: what ends in a chunk ends in its last step.
    assert all(
        chunk_of_step(step, step_samples) >= before[text] for step, text, *_ in found["said"]
    )


@pytest.mark.parametrize(("step", "size", "chunk"), [(3, HALF, 1), (2, HALF, 1), (2, DOUBLE, 5)])
def test_a_step_ends_in_a_chunk(step: int, size: int, chunk: int) -> None:
    assert chunk_of_step(step, size) == chunk
