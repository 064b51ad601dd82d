"""Sessions that share a pass: each hears, decides and says what it would alone."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from harken.decide.batched_listener import MOST_ROWS, BatchedListener, Pass, Passed, fitting
from harken.decide.checkpoint import Checkpoint
from harken.decide.company import Company
from harken.decide.listener import Audible
from harken.decide.onnx_listener import Cache, OnnxListener
from harken.errors import HarkenError
from harken.perceive.percept import HeardWord, Percept
from harken.stream import Prefix

# Processors for which ONNX Runtime multiplies a row alone as it does among others give the same
# bits; others round differently.
TOLERANCE = 2e-3
PREFIXES = ("", "Be brief.", "Count every bark out loud.", "Tell me when it rains.")


@dataclass(frozen=True)
class Heard:
    """What came of a session: probabilities of every chunk, and the ids of its replies."""

    probabilities: np.ndarray
    said: tuple[int, ...]


def audible(session: int, chunk: int) -> Audible:
    """Something that no other chunk of any session sounds like."""
    random = np.random.default_rng((session, chunk))
    sound = np.concatenate([random.random(521) ** 8, np.maximum(0, random.standard_normal(1024))])
    words = (HeardWord(" Hello", (chunk + 1) * 6_400, "en"),) if chunk == session + 2 else ()
    acoustic = random.standard_normal(2560).astype(np.float16)
    return Audible(Percept(chunk, sound.astype(np.float16), acoustic, words, -20.0, 0.0))


def hold(listener: OnnxListener, session: int) -> Heard:
    """Prefixes, backlogs and replies of different lengths, so that sessions drift apart."""
    state = listener.start(Prefix("care", PREFIXES[session]))
    probabilities: list[np.ndarray] = []
    said: list[int] = []
    chunk = 0
    for n in range(4):
        backlog = 1 + (n + session) % 3
        state, judged = listener.hear(
            state, [audible(session, c) for c in range(chunk, chunk + backlog)]
        )
        chunk += backlog
        probabilities += [judgement.probabilities for judgement in judged]
        if n % 2:
            state = listener.decide(state, judged[-1], "silent")
            continue
        reply = list(islice(listener.say(listener.decide(state, judged[-1], "respond")), 4))
        said += [i for i, _ in reply]
        state = reply[-1][1]
    return Heard(np.array(probabilities), tuple(said))


def in_company(listener: BatchedListener, sessions: Sequence[Callable[[], Heard]]) -> list[Heard]:
    """All at the same time, each in a thread of its own."""
    begun = threading.Barrier(len(sessions))

    def take(session: Callable[[], Heard]) -> Heard:
        with listener.company.step():
            begun.wait(600)
            return session()

    with ThreadPoolExecutor(len(sessions)) as threads:
        return list(threads.map(take, sessions))


def count_passes(listener: BatchedListener) -> list[int]:
    """How many sessions were in each pass from now on; nobody's patience ends meanwhile."""
    counts: list[int] = []

    def run(passes: Sequence[Pass]) -> list[Passed]:
        counts.append(len(passes))
        return listener.run(passes)

    listener.company = Company(run, lambda waiting: fitting(waiting, 4), patience_s=600)
    return counts


@pytest.fixture(scope="module")
def alone(decoder_folder: Path, random_checkpoint: Checkpoint) -> OnnxListener:
    return OnnxListener(decoder_folder, random_checkpoint)


@pytest.fixture(scope="module")
def batched(decoder_folder: Path, random_checkpoint: Checkpoint) -> BatchedListener:
    return BatchedListener(decoder_folder, random_checkpoint)


def assert_same(left: Heard, right: Heard) -> None:
    np.testing.assert_allclose(left.probabilities, right.probabilities, atol=TOLERANCE)
    assert left.said == right.said


def test_sessions_in_company_hear_what_they_hear_alone(
    alone: OnnxListener, batched: BatchedListener
) -> None:
    counts = count_passes(batched)
    held = in_company(batched, [partial(hold, batched, n) for n in range(len(PREFIXES))])
    assert counts.count(4) > 5
    for n, heard in enumerate(held):
        assert_same(heard, hold(alone, n))
    # They differ, so that their equality says something.
    assert len({heard.said for heard in held}) > 1
    assert np.std(held[0].probabilities[:, 1]) > 0.1


def test_a_session_without_room_harms_nobody(alone: OnnxListener, batched: BatchedListener) -> None:
    def overflow() -> Heard:
        state = batched.start(Prefix())
        full = replace(state, length=batched.profile.context)
        with pytest.raises(HarkenError, match="start a new session"):
            batched.hear(full, [audible(0, 0)])
        return Heard(np.zeros(0), ())

    count_passes(batched)
    held = in_company(batched, [overflow, partial(hold, batched, 1)])
    assert_same(held[1], hold(alone, 1))


def test_a_broken_pass_is_told_to_its_session_alone(batched: BatchedListener) -> None:
    def break_a_pass() -> Heard:
        state = batched.start(Prefix())
        with pytest.raises(RuntimeError, match="GroupQueryAttention"):
            batched.company.ask(Pass(state.cache, -9, np.zeros((2, 896), np.float32), False))
        return Heard(np.zeros(0), ())

    count_passes(batched)
    held = in_company(batched, [partial(hold, batched, 2), break_a_pass])
    assert len(held[0].said) == 8


def test_a_pass_takes_the_oldest_that_fit() -> None:
    def waiting(*rows: int) -> list[Pass]:
        return [Pass(Cache({}), 0, np.zeros((n, 8), np.float32), False) for n in rows]

    assert fitting(waiting(1, 1, 1, 1, 1), 4) == 4
    assert fitting(waiting(7, MOST_ROWS - 7, 1), 4) == 2
    assert fitting(waiting(7, MOST_ROWS, 1), 4) == 1
    assert fitting(waiting(2 * MOST_ROWS, 1), 4) == 1
