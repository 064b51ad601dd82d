"""Many sessions with two workers: turns, failures that stay where they are, and the end."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from harken.perceive.chunks import Chunk
from harken.serve.commands import Start
from harken.serve.engine import Engine, Turns
from harken.serve.outcomes import Ended, Judged, Outcome
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
    fine = Ear("fine", told)

    def refuse(outcome: Outcome) -> None:
        raise BrokenPipeError("nobody listens")

    tells: tuple[Callable[[Outcome], None], ...] = (refuse, fine)
    broken, whole = (engine.open(QUIET, tell) for tell in tells)
    for session in (broken, whole):
        session.put(chunk(0))
    whole.finish()
    engine.wake()
    assert fine.over.wait(600)
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
