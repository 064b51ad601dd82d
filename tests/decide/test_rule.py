"""The operating point turns probabilities into decisions."""

from dataclasses import replace

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


def test_a_chunk_with_words_asks_for_more() -> None:
    mini, point = profile_named("mini"), OperatingPoint(0.3, to_words=0.8)
    for p, plain, with_words in ((0.2, "silent", "silent"), (0.5, "respond", "silent")):
        judgement = judged(1 - p, p, 0)
        assert decision_of(mini, judgement, point) == plain
        assert decision_of(mini, replace(judgement, overheard=True), point) == with_words
    sure = replace(judged(0.1, 0.9, 0), overheard=True)
    assert decision_of(mini, sure, point) == "respond"
    assert decision_of(mini, sure, OperatingPoint(0.95, to_words=0.8)) == "silent"
    stop = replace(judged(0.1, 0.1, 0.8, playing=True), overheard=True)
    assert decision_of(mini, stop, point) == "stop"


def test_for_ten_seconds_after_a_reply_words_need_no_more_than_sounds() -> None:
    mini, words = profile_named("mini"), replace(judged(0.5, 0.5, 0), overheard=True)
    point = OperatingPoint(0.3, to_words=0.8, replied_at=40)
    decisions = {
        chunk: decision_of(mini, replace(words, chunk=chunk), point) for chunk in (41, 65, 66, 90)
    }
    assert decisions == {41: "respond", 65: "respond", 66: "silent", 90: "silent"}


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


def test_the_threshold_of_words_may_be_none() -> None:
    assert OperatingPoint(to_words=0).to_words == 0
    with pytest.raises(HarkenError, match=r"replies to words is 1; choose 0 to below 1"):
        OperatingPoint(to_words=1.0)
