"""Paired comparisons of two runs."""

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.evals.significance import MEASURES, counts_by_audio, counts_of, p_value, report
from harken.evals.streams import Case, Due, Outcome
from harken.stream import Prefix

ACCURACY = MEASURES["balanced accuracy"]


def test_sounds_are_counted_by_audio() -> None:
    knock, bark = Due(4, "K", "normal", "knock", 3), Due(9, "B", "normal", "dog_bark", 8)
    narrate = Case("a-1", "a", "narrate", Prefix("narrate"), (), (knock, bark))
    care = Case("a-0", "a", "care", Prefix(), (), (knock,))
    found = counts_by_audio([Outcome(care, ((4, "K", "normal"),), ()), Outcome(narrate, (), ())])
    assert found == {"a": [1, 1, 1, 1, 0, 0, 0, 0]}


def test_a_clear_difference_is_significant_and_none_is_not() -> None:
    bad = np.tile([1.0, 0, 1, 1, 0, 0, 0, 0], (30, 1))
    good = np.tile([1.0, 1, 1, 1, 0, 0, 0, 0], (30, 1))
    assert p_value(ACCURACY, bad, good) < 0.001
    assert p_value(ACCURACY, good, good) == 1
    assert p_value(ACCURACY, bad[:2], good[:2]) > 0.3


def test_chance_alone_is_seldom_significant() -> None:
    random = np.random.default_rng(0)
    p = []
    for _ in range(40):
        hits = random.integers(0, 2, (2, 40)).astype(float)
        a, b = (np.stack([np.ones(40), h, np.ones(40), h, *np.zeros((4, 40))], 1) for h in hits)
        p.append(p_value(ACCURACY, a, b))
    assert np.mean(np.array(p) < 0.05) < 0.2


def test_the_report_says_whether() -> None:
    old = {str(n): np.array([1.0, 0, 1, 1, 1, 0.5, 0, 0]) for n in range(20)}
    new = {str(n): np.array([1.0, 1, 1, 1, 1, 0.5, 0, 0]) for n in range(20)}
    lines = report({"old": old, "new": new})
    assert any("significant" in x and "not" not in x and "0.500" in x for x in lines)
    assert any("p=1.0000, not significant" in x for x in lines)


def test_a_file_without_counts_is_refused() -> None:
    with pytest.raises(HarkenError, match=r"old\.json holds no counts"):
        counts_of({"figures": {}}, "old.json")
