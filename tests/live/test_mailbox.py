"""The queue between workers."""

import threading

import pytest

from harken.live.mailbox import Aborted, Mailbox


def test_a_backlog_comes_out_in_order_and_at_most_so_many() -> None:
    box = Mailbox[int]()
    for n in range(5):
        box.put(n)
    assert box.take(1, 3) == [0, 1, 2]
    assert box.take(1, 3) == [3, 4]


def test_after_the_end_what_waits_is_taken_however_little() -> None:
    box = Mailbox[int]()
    box.put(1)
    box.end()
    assert box.take(8, 8) == [1]
    assert box.take(8, 8) == []
    with pytest.raises(Aborted):
        box.put(2)


def test_take_waits_for_enough() -> None:
    box, taken = Mailbox[int](), []
    taker = threading.Thread(target=lambda: taken.append(box.take(3, 8)))
    taker.start()
    for n in range(3):
        assert not taken
        box.put(n)
    taker.join(timeout=10)
    assert taken == [[0, 1, 2]]


def test_a_full_mailbox_holds_the_sender_until_there_is_room() -> None:
    box, sent = Mailbox[int](capacity=1), []
    sender = threading.Thread(target=lambda: [(box.put(n), sent.append(n)) for n in range(3)])
    sender.start()
    got = [box.take(1, 1)[0] for _ in range(3)]
    sender.join(timeout=10)
    assert got == sent == [0, 1, 2]


@pytest.mark.parametrize("act", [lambda box: box.take(1, 1), lambda box: (box.put(1), box.put(2))])
def test_abort_wakes_whoever_waits(act: object) -> None:
    box, woken = Mailbox[int](capacity=1), threading.Event()

    def wait() -> None:
        try:
            act(box)  # type: ignore[operator]
        except Aborted:
            woken.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    box.abort()
    waiter.join(timeout=10)
    assert woken.is_set()
