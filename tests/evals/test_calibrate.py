"""Calibration on made log-odds with a known answer."""

import numpy as np
import pytest

from harken.evals.calibrate import Judged, fit, mistakes, threshold
from harken.evals.streams import Case, Due
from harken.stream import Prefix


def judged(log_odds: list[float], *due: tuple[int, int]) -> Judged:
    wanted = tuple(Due(chunk, "Yes.", "normal", "question", start) for start, chunk in due)
    return Judged(Case("a", "a", "chat", Prefix(), (), wanted), np.array(log_odds))


def test_the_fit_finds_the_slope_and_bias_that_made_the_answers() -> None:
    random = np.random.default_rng(0)
    log_odds = random.normal(0, 4, 40_000)
    is_due = random.random(40_000) < 1 / (1 + np.exp(-(0.6 * log_odds - 1.5)))
    slope, bias = fit(log_odds, is_due)
    assert slope == pytest.approx(0.6, abs=0.03)
    assert bias == pytest.approx(-1.5, abs=0.08)


def test_misses_and_alarms_are_told_apart() -> None:
    case = judged([-5, 4, 4, -5, -5, 2, -5, -5, -5, -5, -5, -5, 4, -5], (4, 5), (6, 8))
    assert mistakes(case, 0.0, 1.0, 0.0) == (1, 2)
    assert mistakes(case, 3.0, 1.0, 0.0) == (2, 2)


def test_the_threshold_lies_between_what_is_due_and_what_is_not() -> None:
    case = judged([-6, -2, 1.0, -6, -6, -6, -6, -6, -6, -0.5], (2, 2))
    level = np.log(threshold([case], 1.0, 0.0) / (1 - threshold([case], 1.0, 0.0)))
    assert -0.5 < level < 1.0
