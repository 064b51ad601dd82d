"""What a session is counted for, and sessions of another pace on the clock of the others."""

from dataclasses import replace

import numpy as np
import pytest

from harken.evals.session_counts import MEASURES, on_the_clock, session_counts
from harken.evals.streams import Case, Due, Outcome
from harken.perceive.percept import Percept
from harken.stream import Prefix

PERCEPTS = tuple(
    Percept(n, np.zeros(1545, np.float16), np.zeros(2560, np.float16), (), 0.0, 0.0)
    for n in range(45)
)
CASE = Case(
    "a",
    "a",
    "care",
    Prefix(),
    PERCEPTS,
    (Due(5, "One.", "normal", "knock", 3), Due(20, "Two.", "normal", "knock", 19)),
)


def outcome(*chunks: int) -> Outcome:
    return Outcome(CASE, tuple((c, "Yes.", "normal") for c in chunks), ())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((), [2, 0, 0, 0]),
        ((5, 24), [2, 2, 2, 0]),  # from the beginning of a cause to 1.6 s after it
        ((2, 10, 25), [2, 0, 3, 3]),
        ((3, 4), [2, 1, 2, 0]),
    ],
)
def test_replies_are_counted_by_what_was_due(said: tuple[int, ...], expected: list[int]) -> None:
    found = session_counts(outcome(*said))
    assert found[:4].tolist() == expected
    assert found[4] == pytest.approx(45 * 0.4 / 3600)


def test_figures_are_of_summed_sessions() -> None:
    totals = session_counts(outcome(5, 40)) + session_counts(outcome())
    assert MEASURES["due replies given in time"](totals) == 0.25
    assert MEASURES["needless replies per hour"](totals) == pytest.approx(100)
    assert MEASURES["needless among those said"](totals) == 0.5
    assert np.isnan(MEASURES["needless among those said"](session_counts(outcome())))


@pytest.mark.parametrize(
    ("step_samples", "steps", "chunks"),
    [(6_400, (0, 44), (0, 44)), (12_800, (0, 2, 22), (1, 5, 44)), (3_200, (0, 1, 11), (0, 0, 5))],
)
def test_a_step_counts_at_the_chunk_in_which_it_ends(
    step_samples: int, steps: tuple[int, ...], chunks: tuple[int, ...]
) -> None:
    paced = replace(outcome(*steps), case=replace(CASE, id="paced"), stopped=steps)
    found = on_the_clock(paced, CASE, step_samples)
    assert found.case is CASE
    assert tuple(c for c, _, _ in found.said) == chunks == found.stopped
