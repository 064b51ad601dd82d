"""Many sessions with a few workers: turns, company, failures that stay where they are, the end."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from tests.serve.conftest import PATIENT

from harken.decide.batched_listener import BatchedListener, Pass, Passed
from harken.decide.company import Company
from harken.perceive.chunks import Chunk
from harken.perceive.perception import Perception
from harken.serve.commands import Start
from harken.serve.engine import Engine, Turns
from harken.serve.outcomes import Ended, Judged, Outcome, Replied
from harken.serve.settings import Settings

QUIET = Start(Settings(threshold=0.9999), 16_000)


def chunk(index: int) -> Chunk:
    return Chunk(index, np.zeros(6_400, np.float32), (index + 1) * 6_400, 6_400)


class Ear:
    """Collects what one session tells, with its name, in the order of all."""

    def __init__(self, name: str, told: list[tuple[str, Outcome]]) -> None:
        self.name, self.told, self.over = name, told, threading.Event()

    def __call__(self, outcome: Outcome) -> None:
        self.told.append((self.name, outcome))
        if isinstance(outcome, Ended):
            self.over.set()


def test_turns_go_round() -> None:
    class Waiting:
        pass

    turns, (a, b, c) = Turns(), (Waiting(), Waiting(), Waiting())
    order = [turns.next(ready) for ready in ([a, b], [a, b], [a, b, c], [a, b, c], [a, b])]  # type: ignore[list-item]
    assert order == [a, b, c, a, b]
    turns.end(a)  # type: ignore[arg-type]
    assert [turns.has(one) for one in (a, b, c)] == [False, True, True]  # type: ignore[arg-type]


ORDERS = ("Count barks.", "Be brief.", "", "Tell me when it rains.", "Sing.", "Translate.")


def told_of(engine: Engine, orders: Sequence[str]) -> list[list[object]]:
    """What sessions with these orders decide and say, all of them at the same time."""
    told: list[tuple[str, Outcome]] = []
    ears = [Ear(order, told) for order in orders]
    sessions = []
    for ear in ears:
        # Some say something after every chunk, others nothing: long steps beside short ones.
        threshold = 1e-6 if len(ear.name) % 2 else 0.9999
        settings = Settings(threshold=threshold, instruction=ear.name)
        sessions.append(engine.open(Start(settings, 16_000), ear))
    for session in sessions:
        for n in range(4):
            session.put(chunk(n))
        session.finish()
    engine.wake()
    assert all(ear.over.wait(600) for ear in ears)
    for session in sessions:
        engine.drop(session)
    came: dict[str, list[object]] = {order: [] for order in orders}
    for order, outcome in told:
        if isinstance(outcome, Judged):
            came[order].append(outcome.trace.decision)
            came[order].append(pytest.approx(outcome.trace.p_respond, abs=1e-4))
        elif isinstance(outcome, Replied):
            came[order].append(outcome.trace.text)
    return list(came.values())


class Gathered(Company[Pass, Passed]):
    """Waits for everybody in a step, and lets the first `most` into their steps together."""

    def __init__(self, run: Callable[[Sequence[Pass]], Sequence[Passed]], most: int) -> None:
        super().__init__(run, lambda waiting: min(len(waiting), most), patience_s=600)
        self._first = threading.Barrier(most)
        self._gathered = threading.Event()

    @contextmanager
    def step(self) -> Iterator[None]:
        with super().step():
            if not self._gathered.is_set():
                self._first.wait(600)
                self._gathered.set()
            yield


def test_sessions_decide_and_say_in_company_what_they_do_alone(
    engine: Engine, tiny_listener: BatchedListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def run(passes: Sequence[Pass]) -> list[Passed]:
        sizes.append(len(passes))
        return tiny_listener.run(passes)

    most = tiny_listener.company_of
    monkeypatch.setattr(tiny_listener, "company", Gathered(run, most))
    with Engine(tiny_listener, Perception(()), shedding=PATIENT) as own:
        together = told_of(own, ORDERS)
        assert max(sizes) == most
        sizes.clear()
        alone = [came for order in ORDERS for came in told_of(own, [order])]
        assert max(sizes) == 1
    assert together == alone
    assert len({str(came) for came in alone}) == len(ORDERS)


def test_a_long_recording_holds_nobody_up(engine: Engine) -> None:
    told: list[tuple[str, Outcome]] = []
    long, short = Ear("long", told), Ear("short", told)
    sessions = [engine.open(QUIET, ear) for ear in (long, short)]
    for n in range(12):
        sessions[0].put(chunk(n))
    sessions[1].put(chunk(0))
    for session in sessions:
        session.finish()
    engine.wake()
    assert long.over.wait(600) and short.over.wait(600)
    judged = [name for name, outcome in told if isinstance(outcome, Judged)]
    assert judged.count("long") == 12
    assert judged.index("short") < 11
    for session in sessions:
        engine.drop(session)


def test_what_breaks_ends_one_session_alone(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[tuple[str, Outcome]] = []
    fine, refused = Ear("fine", told), Ear("refused", [])

    def refuse(outcome: Outcome) -> None:
        refused(outcome)
        raise BrokenPipeError("nobody listens")

    tells: tuple[Callable[[Outcome], None], ...] = (refuse, fine)
    broken, whole = (engine.open(QUIET, tell) for tell in tells)
    for session in (broken, whole):
        session.put(chunk(0))
    whole.finish()
    engine.wake()
    assert fine.over.wait(600) and refused.over.wait(600)
    assert broken.is_over
    assert "BrokenPipeError" in caplog.text
    assert [outcome for _, outcome in told if isinstance(outcome, Ended)] == [Ended()]
    engine.drop(broken)
    engine.drop(whole)


def test_an_engine_ends_its_workers() -> None:
    before = set(threading.enumerate())
    with Engine(None, None):  # type: ignore[arg-type]
        assert len(set(threading.enumerate()) - before) == 2
    assert set(threading.enumerate()) <= before
