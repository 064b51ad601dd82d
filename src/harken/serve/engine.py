"""All sessions of a process: one set of weights, a worker for the ears and some for the decoder.

Workers go round the sessions that have something to do and take one step with each, so that a long
reply or a long recording of one of them holds the others up by a step only. A listener that is made
for it takes steps of several sessions at a time, and runs them together. Inference never runs in
the event loop.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Self
from weakref import WeakKeyDictionary, WeakSet

from harken.decide.batched_listener import BatchedListener
from harken.decide.decoder_listener import DecoderListener
from harken.errors import HarkenError
from harken.perceive.perception import Perception
from harken.serve.commands import Start
from harken.serve.outcomes import Lagging, Outcome
from harken.serve.served import Served
from harken.serve.shedding import Shedding
from harken.serve.speaking import Voices

_LOG = logging.getLogger(__name__)


class Engine:
    """Shared models and their workers; use it as a context or `close` it."""

    def __init__(
        self,
        listener: DecoderListener,
        perception: Perception,
        voices: Voices | None = None,
        *,
        shedding: Shedding | None = None,
    ) -> None:
        self.listener, self.perception = listener, perception
        self.voices = voices or Voices()
        self._shedding = shedding or Shedding()
        self._sessions: dict[Served, Callable[[Outcome], None]] = {}
        self._changed = threading.Condition()
        self._is_closing = False
        self._to_hear, self._to_decide = Turns(), Turns()
        self._in_company: Callable[[], AbstractContextManager[None]] = nullcontext
        deciders = 1
        if isinstance(listener, BatchedListener):
            self._in_company, deciders = listener.company.step, listener.company_of
        self._workers = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (
                ("serve-ears", self._hear),
                *((f"serve-decoder-{n}", self._decide) for n in range(deciders)),
            )
        ]
        for worker in self._workers:
            worker.start()

    def open(self, start: Start, tell: Callable[[Outcome], None]) -> Served:
        """A new session; `tell` is called from several threads. Raises HarkenError."""
        served = Served(self.listener, self.perception, self.voices, start, tell)
        with self._changed:
            self._sessions[served] = tell
            self._changed.notify_all()
        return served

    def wake(self) -> None:
        """Something was put into a session."""
        with self._changed:
            self._changed.notify_all()

    def drop(self, served: Served) -> None:
        """Forget a session and what waits in it."""
        served.close()
        with self._changed:
            self._sessions.pop(served, None)

    def lag_s(self) -> float:
        """How long the oldest undecided chunk of all sessions has waited."""
        now_s = time.monotonic()
        with self._changed:
            return max((served.lag_s(now_s) for served in self._sessions), default=0.0)

    @property
    def sheds(self) -> str:
        """The name of what is shed now, or `none`."""
        return self._shedding.name

    def close(self) -> None:
        """End the workers after their step; sessions are dropped."""
        with self._changed:
            self._is_closing = True
            for served in self._sessions:
                served.close()
            self._sessions.clear()
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()
        self.voices.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The workers

    def _hear(self) -> None:
        while self._take_turn(self._to_hear, lambda served: served.can_hear, self._hear_chunk):
            pass

    def _decide(self) -> None:
        while self._take_turn(self._to_decide, lambda served: served.can_decide, self._advance):
            pass

    def _take_turn(
        self, turns: "Turns", is_ready: Callable[[Served], bool], step: Callable[[Served], None]
    ) -> bool:
        """One step with one session, which nothing here holds on to; False when closing."""
        served = self._next(turns, is_ready)
        if served is not None:
            self._step(served, step)
            with self._changed:
                turns.end(served)
                self._changed.notify_all()
        return served is not None

    def _hear_chunk(self, served: Served) -> None:
        shed = self._relieve()
        served.hear(spare_words=shed.spares_words, spare_acoustic=shed.spares_acoustic)

    def _advance(self, served: Served) -> None:
        with self._in_company():
            served.decide()

    def _next(self, turns: "Turns", is_ready: Callable[[Served], bool]) -> Served | None:
        """Wait for a session that is ready and whose turn came longest ago; None when closing."""
        with self._changed:
            while not self._is_closing:
                free = (served for served in self._sessions if not turns.has(served))
                ready = [served for served in free if is_ready(served)]
                if ready:
                    return turns.next(ready)
                self._changed.wait()
        return None

    def _step(self, served: Served, step: Callable[[Served], None]) -> None:
        """One step; what breaks in it ends this session alone."""
        try:
            try:
                step(served)
            except HarkenError as error:
                served.fail(str(error))
        except Exception:
            _LOG.exception("a session broke")
            with suppress(Exception):  # perhaps it was the telling that broke
                served.fail("the session broke on an internal error; see the server's log")

    def _relieve(self) -> Shedding:
        """Shed or recover as the lag asks for, and tell everybody when that changes."""
        lag_s, before = self.lag_s(), self._shedding
        self._shedding = before.after(lag_s)
        if self._shedding.level != before.level:
            with self._changed:
                listening = list(self._sessions.values())
            for tell in listening:
                tell(Lagging(lag_s, self._shedding.name))
        return self._shedding


class Turns:
    """Whose turn it is: of those that are ready, the one that was served longest ago."""

    def __init__(self) -> None:
        self._count = 0
        self._last: WeakKeyDictionary[Served, int] = WeakKeyDictionary()
        self._now: WeakSet[Served] = WeakSet()

    def next(self, ready: Sequence[Served]) -> Served:
        """Its turn begins."""
        self._count += 1
        chosen = min(ready, key=lambda served: self._last.get(served, 0))
        self._last[chosen] = self._count
        self._now.add(chosen)
        return chosen

    def end(self, served: Served) -> None:
        """Its turn is over."""
        self._now.discard(served)

    def has(self, served: Served) -> bool:
        """Whether it is its turn now."""
        return served in self._now
