"""Levenshtein distance: known cases, and what makes it a distance."""

from hypothesis import given
from hypothesis import strategies as st

from harken.soundflow.edits import edits

_WORDS = st.lists(st.sampled_from("abc"), max_size=6)


def test_known_distances() -> None:
    assert edits("kitten", "sitting") == 3
    assert edits(["call", "me"], []) == edits([], ["call", "me"]) == 2
    assert edits(["a", "b", "c"], ["a", "c"]) == 1


@given(_WORDS, _WORDS, _WORDS)
def test_it_is_a_distance(one: list[str], other: list[str], third: list[str]) -> None:
    assert edits(one, other) == edits(other, one)
    assert (edits(one, other) == 0) == (one == other)
    assert edits(one, third) <= edits(one, other) + edits(other, third)
