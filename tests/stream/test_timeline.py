"""Time is counted in whole samples and chunks, exactly, however long a session runs."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.stream import CHUNK_SAMPLES, Heard, Prefix, Profile, Said, Timeline, chunk_of_end
from harken.stream import profile_named as named


@pytest.mark.parametrize(
    ("end_sample", "chunk"),
    [(1, 0), (6_399, 0), (6_400, 0), (6_401, 1), (12_800, 1), (12_801, 2)],
)
def test_the_chunk_in_which_something_ends(end_sample: int, chunk: int) -> None:
    assert chunk_of_end(end_sample) == chunk


@given(end_sample=st.integers(1, 10**15), chunk_samples=st.integers(1, 10**6))
def test_the_chunk_is_exact_for_hours_and_years(end_sample: int, chunk_samples: int) -> None:
    expected = ceil(Fraction(end_sample, chunk_samples)) - 1
    assert chunk_of_end(end_sample, chunk_samples) == expected


def test_time_is_exact_after_a_thousand_million_samples() -> None:
    n_chunks = 10**9 // CHUNK_SAMPLES
    edge = n_chunks * CHUNK_SAMPLES
    assert [chunk_of_end(edge + d) - n_chunks for d in (-1, 0, 1)] == [-1, -1, 0]
    timeline = Timeline(Prefix(), n_chunks, (Heard(edge - 1, edge, "words", " late"),))
    [heard] = timeline.canonical(named("tiny")).heard
    assert (heard.start_sample, heard.end_sample) == (edge - CHUNK_SAMPLES, edge)


@pytest.mark.parametrize("end_sample", [0, -1])
def test_nothing_ends_before_the_stream_begins(end_sample: int) -> None:
    with pytest.raises(HarkenError, match=f"sample {end_sample};"):
        chunk_of_end(end_sample)


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 5), (6, 5)])
def test_heard_items_last_forward(start: int, end: int) -> None:
    with pytest.raises(HarkenError, match=f"from {start} to {end}"):
        Heard(start, end, "sound")


def test_said_items_have_a_known_emotion_and_a_chunk() -> None:
    with pytest.raises(HarkenError, match="no emotion 'smug'; choose one of happy"):
        Said(0, "hi", "smug")
    with pytest.raises(HarkenError, match="chunk -1"):
        Said(-1, "hi")


def test_one_chunk_holds_one_decision() -> None:
    with pytest.raises(HarkenError, match="two responses"):
        Timeline(Prefix(), 4, said=(Said(1, "a"), Said(1, "b")))
    with pytest.raises(HarkenError, match="both a response and a stop"):
        Timeline(Prefix(), 4, said=(Said(1, "a"),), stops=(1,))


@pytest.mark.parametrize("chunk", [-1, 4])
def test_nothing_happens_outside_the_session(chunk: int) -> None:
    with pytest.raises(HarkenError, match=f"chunk {chunk} lies outside a session of 4"):
        Timeline(Prefix(), 4, playing=(chunk,))


def test_words_enter_with_the_chunk_in_which_they_end(tiny: Profile) -> None:
    heard = (
        Heard(0, 9_000, "words", " two"),
        Heard(100, 6_400, "words", " one"),
        Heard(9_000, 12_800, "words", " words"),
        Heard(0, 12_800, "sound", "dog bark"),
        Heard(12_800, 25_601, "words", " after the end"),
    )
    timeline = Timeline(Prefix(), 4, heard)
    assert timeline.words_by_chunk() == {0: " one", 1: " two words"}
    assert [h.text for h in timeline.canonical(tiny).heard] == [" one", " two words"]


def test_canonical_keeps_what_the_profile_can_hold() -> None:
    heard = (Heard(0, 6_400, "words", " hi"),)
    full = Timeline(Prefix(), 3, heard, (Said(2, "b", "sad", "dog"), Said(0, "a")), (1, 0, 1))
    kept = full.canonical(named("mini"))
    assert kept.heard == heard and kept.playing == (0, 1)
    assert kept.said == (Said(0, "a"), Said(2, "b", "sad"))
    assert full.canonical(named("released-3b")).heard == ()
    assert full.canonical(named("released-3b")).playing == ()
    assert kept.canonical(named("mini")) == kept
