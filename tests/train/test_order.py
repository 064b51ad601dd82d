"""Which stream comes when."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.stream import Prefix, Timeline
from harken.train.examples import Document, Record
from harken.train.order import deaf_ears, divided, epoch_order, take


def records(**counts: int) -> list[Record]:
    return [
        Record(f"{task}{i}", task, "train", Timeline(Prefix(), 1), Path())
        for task, n in counts.items()
        for i in range(n)
    ]


def drawn(order: list[int], of: list[Record]) -> Counter[str]:
    return Counter(of[i].task for i in order)


def test_tasks_are_balanced_and_the_rare_repeat_evenly() -> None:
    some = records(rare=5, common=95)
    order = epoch_order(some, {}, seed=0, epoch=0)
    assert drawn(order, some) == {"rare": 50, "common": 50}
    assert set(Counter(i for i in order if i < 5).values()) == {10}
    assert max(Counter(i for i in order if i >= 5).values()) == 1


def test_weights_shift_the_balance_and_may_leave_a_task_out() -> None:
    some = records(a=30, b=30, c=30)
    assert drawn(epoch_order(some, {"a": 4.0, "c": 0.0}, 0, 0), some) == {"a": 72, "b": 18}


def test_an_epoch_has_its_own_order_and_the_same_one_every_time() -> None:
    some = records(a=20, b=20)
    assert epoch_order(some, {}, 1, 2) == epoch_order(some, {}, 1, 2)
    assert epoch_order(some, {}, 1, 2) != epoch_order(some, {}, 1, 3)
    assert epoch_order(some, {}, 1, 2) != epoch_order(some, {}, 2, 2)


def test_wrong_weights_are_refused() -> None:
    with pytest.raises(HarkenError, match=r"'x'.*a, b"):
        epoch_order(records(a=1, b=1), {"x": 1.0}, 0, 0)
    with pytest.raises(HarkenError, match="weight 0"):
        epoch_order(records(a=1), {"a": 0.0}, 0, 0)


def document(length: int) -> Document:
    empty = np.zeros(0, np.float16)
    ids = np.zeros(length, np.int64)
    return Document("", "t", ids, ids > 0, ids[:0], empty, empty)


def test_documents_fill_a_step_and_none_is_lost() -> None:
    lengths = [40, 50, 30, 200, 10, 60]
    cursor, steps = 0, []
    while cursor < len(lengths):
        taken, cursor = take(range(len(lengths)), cursor, 100, lambda i, _: document(lengths[i]))
        steps.append([len(d) for d in taken])
    assert steps == [[40, 50], [30], [200], [10, 60]]


def test_ears_fall_out_as_often_as_asked() -> None:
    draws = np.array([deaf_ears(0, step, 4, 0.05, 0.1) for step in range(2000)]).reshape(-1, 2)
    np.testing.assert_allclose(draws.mean(0), [0.05, 0.1], atol=0.012)
    assert deaf_ears(0, 5, 4, 0.5, 0.5) == deaf_ears(0, 5, 4, 0.5, 0.5)


@given(st.lists(st.integers(1, 500), max_size=20), st.integers(1, 5))
def test_processes_share_a_step_evenly(lengths: list[int], count: int) -> None:
    shares = divided(lengths, count)
    assert len(shares) == count
    assert sorted(i for share in shares for i in share) == list(range(len(lengths)))
    filled = [sum(lengths[i] for i in share) for share in shares]
    assert max(filled) - min(filled) <= max(lengths, default=0)
    assert all(share == sorted(share) for share in shares)
