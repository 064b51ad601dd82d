import numpy as np
import pytest

from harken.evals.metrics import balanced_accuracy, bootstrap, chrf, error_rate, rate, share


def test_constant_answers_have_a_balanced_accuracy_of_one_half() -> None:
    due = [True, False, False, True, False]
    assert balanced_accuracy(due, [False] * 5).value == 0.5
    assert balanced_accuracy(due, [True] * 5).value == 0.5
    assert balanced_accuracy(due, due).value == 1.0


def test_an_interval_holds_its_value_and_narrows_with_more_items() -> None:
    few, many = share([True, False] * 10), share([True, False] * 500)
    assert few.low <= few.value <= few.high
    assert many.high - many.low < few.high - few.low


def test_nothing_has_no_figure() -> None:
    figure = share([])
    assert figure.n == 0
    assert np.isnan(figure.value)
    assert str(figure) == "no items"


def test_a_rate_weighs_its_amounts() -> None:
    assert rate([1, 0], [0.5, 1.5]).value == pytest.approx(0.5)


def test_the_error_rate_is_edits_over_the_true_length() -> None:
    assert error_rate([(["a", "b", "c", "d"], ["a", "b"])]).value == 0.5
    assert error_rate([(["a", "b"], ["x", "b"]), (["a", "b"], ["a", "b"])]).value == 0.25


def test_chrf_is_one_for_equal_text_and_falls_with_difference() -> None:
    truth = "他们在修建一座桥。"
    same = chrf([(truth, truth)]).value
    near, far = chrf([(truth, "他们在修一座桥。")]).value, chrf([(truth, "猫喝水")]).value
    assert same == pytest.approx(1)
    assert 1 > near > far
    assert far == 0


def test_equal_seeds_give_equal_intervals() -> None:
    values = np.arange(20.0)
    first = bootstrap(20, lambda i: float(values[i].mean()), seed=3)
    assert first == bootstrap(20, lambda i: float(values[i].mean()), seed=3)


def test_items_of_one_stream_are_drawn_together() -> None:
    """Ten moments of a stream that are all alike say no more than one of them."""
    hits = [True, False] * 10
    once = share(hits)
    tenfold = share(
        [hit for hit in hits for _ in range(10)], [n for n in range(20) for _ in range(10)]
    )
    assert (tenfold.low, tenfold.high) == (once.low, once.high)
    assert tenfold.n == 200


def test_a_stream_without_an_amount_is_no_item() -> None:
    figure = rate([0, 3], [0.0, 1.5], ["silent", "heard"])
    assert figure.value == 2 and figure.n == 1
    assert rate([0], [0.0]).n == 0
