"""A queue between two workers that can be ended and that hands over whole backlogs."""

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Aborted(Exception):
    """The session stops; whoever waited on a mailbox leaves."""


class Mailbox(Generic[Item]):
    """First in, first out, between threads.

    capacity: how many items wait before `put` does; None for no limit.
    """

    def __init__(self, capacity: int | None = None) -> None:
        self._capacity = capacity
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._aborted = False

    def put(self, item: Item) -> None:
        """Add an item, waiting for room. Raises Aborted, also after the end."""
        with self._changed:
            self._changed.wait_for(self._has_room)
            if self._aborted or self._ended:
                raise Aborted
            self._items.append(item)
            self._changed.notify_all()

    def take(self, least: int, most: int) -> list[Item]:
        """Wait for `least` items, or the end, and take up to `most`; none: all were taken.

        Raises Aborted.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._aborted or self._ended or len(self._items) >= least
            )
            if self._aborted:
                raise Aborted
            taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
            self._changed.notify_all()
            return taken

    def end(self) -> None:
        """Nothing more will come; what waits can still be taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Wake everybody who waits with Aborted."""
        with self._changed:
            self._aborted = True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        open_ended = self._capacity is None or len(self._items) < self._capacity
        return self._aborted or self._ended or open_ended
