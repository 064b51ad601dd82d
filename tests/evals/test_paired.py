"""Differences on the same items, by hand and by what must hold of any counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.evals.metrics import Figure
from harken.evals.paired import Compared, compared, table

SHARE = {"share": lambda totals: totals[..., 0] / np.where(totals[..., 1], totals[..., 1], np.nan)}


def counts(*rows: tuple[float, float]) -> dict[str, np.ndarray]:
    return {f"s{n}": np.array(row, float) for n, row in enumerate(rows)}


def test_a_figure_is_of_the_sums_and_a_difference_is_to_the_first_arm() -> None:
    arms = {"old": counts((1, 4), (3, 4)), "new": counts((2, 4), (4, 4))}
    old, new = compared(SHARE, arms)
    assert (old.arm, old.figure.value, old.difference) == ("old", 0.5, None)
    assert new.figure.value == 0.75
    assert new.difference == Figure(0.25, 0.25, 0.25, 2)


def test_the_same_items_are_drawn_for_both() -> None:
    """Items differ much, arms by a little everywhere: the difference is sure, the figures not."""
    random = np.random.default_rng(0)
    hard = random.uniform(0, 80, 40)
    arms = {
        "old": counts(*((h, 100.0) for h in hard)),
        "new": counts(*((h + 1, 100.0) for h in hard)),
    }
    _, new = compared(SHARE, arms)
    assert new.difference is not None
    assert new.difference.low == pytest.approx(0.01) and new.difference.high == pytest.approx(0.01)
    assert new.figure.high - new.figure.low > 0.05


def test_items_that_one_arm_lacks_are_left_out() -> None:
    old, new = counts((1, 1), (0, 1), (0, 1)), counts((1, 1), (1, 1))
    first, second = compared(SHARE, {"old": old, "new": new})
    assert first.figure.n == second.figure.n == 2
    assert first.figure.value == 0.5 and second.figure.value == 1.0
    with pytest.raises(HarkenError, match="old, new were measured on no common stream"):
        compared(SHARE, {"old": old, "new": {"other": np.ones(2)}})


def test_a_figure_that_nothing_counts_for_is_left_out() -> None:
    assert compared(SHARE, {"old": counts((0, 0)), "new": counts((0, 0))}) == []


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9)), min_size=1),
)
@settings(max_examples=40)
def test_an_arm_does_not_differ_from_itself_and_differences_add_up(
    items: list[tuple[int, int, int]],
) -> None:
    old = counts(*((a, n) for a, _, n in items))
    new = counts(*((b, n) for _, b, n in items))
    first, second, same = compared(SHARE, {"old": old, "new": new, "again": old})
    assert second.difference is not None and same.difference is not None
    assert (same.difference.value, same.difference.low, same.difference.high) == (0, 0, 0)
    assert second.difference.value == pytest.approx(second.figure.value - first.figure.value)
    assert second.difference.low <= second.difference.high


def test_the_table_is_markdown() -> None:
    rows = [
        Compared("loss", "1", Figure(0.5, 0.4, 0.6, 9), None),
        Compared("loss", "2", Figure(0.25, 0.2, 0.3, 9), Figure(-0.25, -0.3, -0.125, 9)),
    ]
    assert table(rows).splitlines() == [
        "| figure | arm | value [95 %] | difference [95 %] |",
        "| --- | --- | --- | --- |",
        "| loss | 1 | 0.500 [0.400, 0.600] |  |",
        "| loss | 2 | 0.250 [0.200, 0.300] | -0.250 [-0.300, -0.125] |",
    ]
