"""A recording gives the same session whatever the speed."""

from pathlib import Path

import numpy as np
import pytest

from harken.decide.onnx_listener import OnnxListener
from harken.decide.rule import OperatingPoint
from harken.live.conduct import Conduct
from harken.live.replay import WallClock, at_own_speed, paced, replay, unpaced, with_tail
from harken.live.session import Flow
from harken.live.trace import ChunkTrace, Event, ResponseTrace
from harken.perceive.chunks import Chunk
from harken.perceive.perception import Perception
from harken.perceive.source import open_source

CONDUCT = Conduct(point=OperatingPoint(respond=0.8), most_text_ids=4)


def chunk(index: int) -> Chunk:
    return Chunk(index, np.ones(6400, np.float32), (index + 1) * 6400, 6400)


def test_decisions_do_not_depend_on_the_pace_or_the_passes(
    listener: OnnxListener, perception: Perception, speech: Path
) -> None:
    def session(flow: Flow) -> list[tuple[object, ...]]:
        events: list[Event] = []
        with open_source(speech) as source:
            summary = replay(
                source,
                listener,
                perception,
                CONDUCT,
                on_event=events.append,
                flow=flow,
                tail_s=0.8,
            )
        assert summary.chunks == sum(isinstance(e, ChunkTrace) for e in events)
        return [
            (e.chunk, e.decision, e.words) if isinstance(e, ChunkTrace) else (e.chunk, e.text)
            for e in events
            if isinstance(e, ChunkTrace | ResponseTrace)
        ]

    step_by_step = session(unpaced(1))
    assert {"silent", "respond"} <= {e[1] for e in step_by_step}
    assert session(unpaced(8)) == step_by_step
    assert session(paced()) == step_by_step


def test_the_tail_is_silence_on_the_same_clock() -> None:
    heard = list(with_tail([chunk(0), chunk(1)], tail_s=0.8))
    assert [c.index for c in heard] == [0, 1, 2, 3]
    assert [c.n_real for c in heard] == [6400, 6400, 0, 0]
    assert not heard[-1].samples.any()
    assert heard[-1].end_sample == 4 * 6400


def test_nothing_has_no_tail() -> None:
    assert list(with_tail([], tail_s=0.8)) == []


def test_realtime_holds_each_chunk_until_it_has_been_recorded() -> None:
    now, naps = [100.0], []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds

    clock = WallClock(now_s=lambda: now[0], sleep_s=sleep)
    for n, _ in enumerate(at_own_speed([chunk(i) for i in range(4)], clock)):
        assert now[0] >= 100 + 0.4 * (n + 1) - 1e-9
        now[0] += 0.6 if n == 1 else 0.1  # the second chunk takes too long
    # The third comes without a pause, the fourth is in step again.
    assert naps == pytest.approx([0.4, 0.3, 0.1])
