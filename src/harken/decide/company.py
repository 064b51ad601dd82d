"""What several threads ask for at about the same time, run as one.

Nothing runs before everybody who is in a step has asked or has ended the step, or somebody has
waited for `patience_s`. Between two things that a thread asks for lies little work, so those who
wait get company and hardly wait.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Generic, TypeAlias, TypeVar

PATIENCE_S = 0.005

Asked = TypeVar("Asked")
Given = TypeVar("Given")
Waiting: TypeAlias = list[tuple[Asked, Future[Given]]]


class Company(Generic[Asked, Given]):
    """Threads take part in it with `step`, and in a step they `ask`, one thing at a time."""

    def __init__(
        self,
        run: Callable[[Sequence[Asked]], Sequence[Given]],
        fitting: Callable[[Sequence[Asked]], int],
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """run: answers all that it is given, in order; called from one thread at a time.
        fitting: how many of what waits, oldest first, one run takes; at least one."""
        self._run, self._fitting, self._patience_s = run, fitting, patience_s
        self._changed = threading.Condition()
        self._waiting: Waiting[Asked, Given] = []
        self._in_step = 0
        self._is_running, self._free_since_s = False, 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        """While this is open, others wait for what this thread will ask."""
        with self._changed:
            self._in_step += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_step -= 1
                self._changed.notify_all()

    def ask(self, asked: Asked) -> Given:
        """Have it run, in a run with what others ask; raises what running it raises."""
        answer: Future[Given] = Future()
        with self._changed:
            self._waiting.append((asked, answer))
            self._changed.notify_all()
        asked_s = time.monotonic()
        while taken := self._turn(answer, asked_s):
            try:
                self._answer(taken)
            finally:
                with self._changed:
                    self._is_running, self._free_since_s = False, time.monotonic()
                    self._changed.notify_all()
        return answer.result()

    def _turn(self, answer: Future[Given], asked_s: float) -> Waiting[Asked, Given]:
        """Wait until there is something for this thread to run; nothing once it has its answer."""
        with self._changed:
            while not answer.done():
                # Those who were answered a moment ago are soon back: that is worth waiting for.
                since_s = max(asked_s, self._free_since_s)
                left_s = since_s + self._patience_s - time.monotonic()
                is_all = len(self._waiting) >= self._in_step
                if not self._is_running and (is_all or left_s <= 0):
                    count = self._fitting([asked for asked, _ in self._waiting])
                    taken, self._waiting = self._waiting[:count], self._waiting[count:]
                    self._is_running = True
                    return taken
                self._changed.wait(None if self._is_running else left_s)
        return []

    def _answer(self, taken: Waiting[Asked, Given]) -> None:
        """Run it all as one. Where that fails each runs alone, so that what is wrong with one of
        them is raised to the thread that asked for it, and to no other."""
        try:
            given = self._run([asked for asked, _ in taken])
        except Exception as failure:
            if len(taken) == 1:
                taken[0][1].set_exception(failure)
            else:
                for one in taken:
                    self._answer([one])
        else:
            for (_, answer), value in zip(taken, given, strict=True):
                answer.set_result(value)
