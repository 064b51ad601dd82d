"""Calibration: on log-odds with a known answer, and on the real listener."""

from dataclasses import replace

import numpy as np
import pytest

from harken.decide.listener import Audible
from harken.decide.model import load_listener
from harken.errors import HarkenError
from harken.evals.calibrate import (
    Judged,
    calibration_of,
    fit,
    mistakes,
    stop_threshold,
    threshold,
    threshold_to_words,
)
from harken.evals.calibrate import judged as judged_case
from harken.evals.streams import Case, Due
from harken.perceive.percept import HeardWord, Percept
from harken.stream import Prefix
from harken.stream.writer import response_piece


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


def test_a_false_alarm_weighs_more_than_a_miss() -> None:
    case = judged([-6, -6, 1.0, -6, -6, -6, -6, -6, -6, 1.5], (2, 2))
    level = threshold([case], 1.0, 0.0, alarm_weight=0.5)
    assert level < 1 / (1 + np.exp(-1.0)), "half an alarm is cheaper than a miss"
    assert threshold([case], 1.0, 0.0, alarm_weight=2.0) > 1 / (1 + np.exp(-1.5))


def spoken(log_odds: list[float], *due: tuple[int, int], words: set[int]) -> Judged:
    """The same with words in these chunks."""
    heard = {True: (HeardWord("Hey.", 0, "en"),), False: ()}
    zero = np.zeros(1, np.float16)
    percepts = tuple(
        Percept(n, zero, zero, heard[n in words], -30.0, 0.9) for n in range(len(log_odds))
    )
    case = judged(log_odds, *due)
    return replace(case, case=replace(case.case, percepts=percepts))


def test_nearly_all_that_is_due_to_words_passes_their_threshold() -> None:
    odds = np.linspace(0.0, 5.0, 401)
    case = spoken([*odds, -4.0, 0.5], *((n, n) for n in range(400)), words=set(range(500)))
    found = threshold_to_words([case], 1.0, 0.0)
    assert found == pytest.approx(1 / (1 + np.exp(-odds[4])), abs=0.01)
    assert found < threshold_to_words([case], 2.0, 0.0), "thresholds are of calibrated p"
    silent = spoken([3.0, 0.1], (0, 0), (1, 1), words={0})
    assert threshold_to_words([silent], 1.0, 0.0) == 0.95, "a reply to a sound has no say in it"
    assert threshold_to_words([spoken([3.0], (0, 0), words=set())], 1.0, 0.0) == 0.0


def spoken_over(stop_log_odds: list[float], *stops: int) -> Judged:
    """Our own voice plays all the time."""
    playing = frozenset(range(len(stop_log_odds)))
    case = Case("a", "a", "interrupted", Prefix(), (), (), playing, stops)
    return Judged(case, np.full(len(stop_log_odds), -9.0), np.array(stop_log_odds))


def test_the_threshold_of_stop_lies_low_where_stops_are_told_from_the_rest() -> None:
    told = spoken_over([-18, -17, -18, -3, -15], 3)
    untold = spoken_over([-18, -17, -16, -7])
    level = stop_threshold([told, untold], 1.0, 0.0)
    assert 1 / (1 + np.exp(7.0)) < level < 1 / (1 + np.exp(3.0))
    # One that is as likely as what is told costs more than the stop it would give.
    level = stop_threshold([told, spoken_over([-18, -2.9])], 1.0, 0.0)
    assert level > 1 / (1 + np.exp(2.9))


def test_a_stop_counts_soon_before_and_after_it_was_told() -> None:
    near = spoken_over([-18.0] * 5 + [-3.0] + [-18.0] * 5, 7)
    late = spoken_over([-18.0] * 5 + [-3.0] + [-18.0] * 5, 1)
    assert stop_threshold([near], 1.0, 0.0) < 1 / (1 + np.exp(3.0))
    assert stop_threshold([near, late], 1.0, 0.0) > 1 / (1 + np.exp(3.0))


def test_where_none_is_told_to_stop_its_threshold_is_the_middle() -> None:
    assert stop_threshold([spoken_over([-18, -3])], 1.0, 0.0) == 0.5
    assert stop_threshold([judged([-4, -5], (1, 1))], 1.0, 0.0) == 0.5


def test_streams_in_which_nothing_is_due_cannot_calibrate() -> None:
    with pytest.raises(HarkenError, match="harken data build"):
        calibration_of([judged([-5, -4, -6])])
    with pytest.raises(HarkenError, match="harken data build"):
        calibration_of([])


@pytest.mark.slow
def test_a_case_is_judged_as_a_session_that_says_what_is_due() -> None:
    """The same chunks one by one, with the due response written into the real listener."""
    random = np.random.default_rng(3)
    percepts = tuple(
        Percept(
            c,
            (random.random(1545) ** 8).astype(np.float16),
            random.standard_normal(2560).astype(np.float16),
            (HeardWord(" Hello", (c + 1) * 6_400, "en"),) if c == 4 else (),
            -20.0,
            0.0,
        )
        for c in range(14)
    )
    due = (Due(4, "Hello to you.", "happy", "question", 3),)
    # From chunk 7 on our own voice plays, and in chunk 9 it is told to stop.
    case = Case("a", "a", "chat", Prefix(), percepts, due, frozenset({7, 8, 9}), (9,))
    decisions = {4: "respond", 9: "stop"}
    listener = load_listener()
    state, expected, of_stop = listener.start(case.prefix), [], []
    for percept in percepts:
        heard = Audible(percept, percept.chunk in case.playing)
        state, [found] = listener.hear(state, [heard])
        expected.append(np.log(found.probabilities[1] / found.probabilities[0]))
        of_stop.append(np.log(found.probabilities[2] / found.probabilities[0]))
        state = listener.decide(state, found, decisions.get(percept.chunk, "silent"))
        if percept.chunk == 4:
            ids, _ = response_piece(listener.vocabulary, "Hello to you.", "happy")
            state = replace(state, pending=(*state.pending, *ids))
    got = judged_case(case, listener)
    np.testing.assert_allclose(got.log_odds, expected, atol=0.05)
    np.testing.assert_allclose(got.stop_log_odds, of_stop, atol=0.05)
    assert got.is_due.nonzero()[0].tolist() == [4]
