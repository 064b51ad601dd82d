"""The operating point turns probabilities into decisions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.decide.listener import Judgement
from harken.decide.rule import OperatingPoint, decision_of
from harken.errors import HarkenError
from harken.stream import profile_named


def judged(silent: float, respond: float, stop: float, playing: bool = False) -> Judgement:
    return Judgement(0, np.array([silent, respond, stop], np.float32), 10, playing)


@pytest.mark.parametrize(
    ("judgement", "decision"),
    [
        (judged(0.9, 0.05, 0.05), "silent"),
        (judged(0.2, 0.7, 0.1), "respond"),
        (judged(0.5, 0.5, 0.0), "respond"),
        (judged(0.1, 0.1, 0.8), "silent"),
        (judged(0.1, 0.1, 0.8, playing=True), "stop"),
        (judged(0.1, 0.7, 0.2, playing=True), "respond"),
        (judged(0.9, 0.05, 0.05, playing=True), "silent"),
    ],
)
def test_decisions_at_the_middle(judgement: Judgement, decision: str) -> None:
    assert decision_of(profile_named("mini"), judgement, OperatingPoint()) == decision


def test_a_profile_without_stop_never_stops() -> None:
    released = profile_named("released-3b")
    two = Judgement(0, np.array([0.9, 0.1], np.float32), 10, playing=True)
    assert decision_of(released, two, OperatingPoint(0.05)) == "respond"
    assert decision_of(released, two, OperatingPoint(0.2)) == "silent"


@given(p=st.floats(0, 1), low=st.floats(0.01, 0.99), high=st.floats(0.01, 0.99))
def test_a_higher_threshold_never_responds_more(p: float, low: float, high: float) -> None:
    low, high = sorted((low, high))
    mini, judgement = profile_named("mini"), judged(1 - p, p, 0)
    if decision_of(mini, judgement, OperatingPoint(high)) == "respond":
        assert decision_of(mini, judgement, OperatingPoint(low)) == "respond"


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, 7.0, float("nan")])
def test_a_threshold_lies_between_0_and_1(value: float) -> None:
    with pytest.raises(HarkenError, match=r"the respond threshold is .*between 0 and 1"):
        OperatingPoint(respond=value)
    with pytest.raises(HarkenError, match="the stop threshold is"):
        OperatingPoint(stop=value)
