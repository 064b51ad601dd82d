"""The two workers: they hear a real voice, agree with the dialogue, and always end."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harken.decide.onnx_listener import OnnxListener
from harken.decide.rule import OperatingPoint
from harken.errors import HarkenError
from harken.live.conduct import Conduct
from harken.live.session import Flow, Session
from harken.live.trace import ChunkTrace, Event, ResponseTrace
from harken.perceive.chunks import Chunk, chunks
from harken.perceive.perception import Perception
from harken.stream import write
from harken.stream.reader import read

CONDUCT = Conduct(point=OperatingPoint(respond=0.8), most_text_ids=4)


@pytest.fixture(autouse=True)
def no_worker_is_left() -> Iterator[None]:
    yield
    assert not [t.name for t in threading.enumerate() if t.name.startswith("harken-")]


def test_a_session_hears_decides_and_logs(
    listener: OnnxListener, perception: Perception, speech: Path
) -> None:
    events: list[Event] = []
    with Session(listener, perception, CONDUCT, on_event=events.append) as session:
        for chunk in chunks(speech):
            session.push(chunk)
        summary = session.finish()
    traces = [e for e in events if isinstance(e, ChunkTrace)]
    assert [t.chunk for t in traces] == [*range(summary.chunks)]
    assert [t.time_s for t in traces] == pytest.approx([0.4 * (n + 1) for n in range(len(traces))])
    assert "placed" in "".join(t.words for t in traces)
    assert traces[1].sounds[0].name == "Speech"
    assert traces[1].level_db > -40
    assert all(t.latency_ms > 0 for t in traces)
    assert traces[-1].queued == 0
    assert summary.seconds == pytest.approx(2.4, abs=0.2)
    assert summary.responses == sum(isinstance(e, ResponseTrace) for e in events)
    assert 0 < summary.latency_ms_p50 <= summary.latency_ms_p95
    assert summary.real_time_factor > 0
    stream = session.log.stream()
    timeline = read(stream, listener.vocabulary)
    assert np.array_equal(write(timeline, listener.vocabulary).ids, stream.ids)
    assert "".join(h.text for h in timeline.heard) == "".join(t.words for t in traces)
    decided = [
        "respond" if t.chunk in {s.chunk for s in timeline.said} else "silent" for t in traces
    ]
    assert decided == [t.decision for t in traces]


def silence(n: int) -> Iterator[Chunk]:
    for i in range(n):
        yield Chunk(i, np.zeros(6400, np.float32), (i + 1) * 6400, 6400)


def test_an_error_of_the_receiver_is_raised_in_the_caller(
    listener: OnnxListener, perception: Perception
) -> None:
    def refuse(event: Event) -> None:
        raise BrokenPipeError("the reader went away")

    session = Session(listener, perception, CONDUCT, on_event=refuse, flow=Flow(room_chunks=1))
    with pytest.raises(BrokenPipeError), session:
        for chunk in silence(50):
            session.push(chunk)


def test_an_error_of_the_ears_is_raised_in_the_caller(
    listener: OnnxListener, perception: Perception
) -> None:
    cut = replace(next(silence(1)), samples=np.zeros(100, np.float32))
    with Session(listener, perception, CONDUCT) as session:
        session.push(cut)
        with pytest.raises(HarkenError, match="6400"):
            session.finish()


def test_a_session_can_be_left_at_any_time(listener: OnnxListener, perception: Perception) -> None:
    with Session(listener, perception, CONDUCT) as session:
        for chunk in silence(6):
            session.push(chunk)
    with pytest.raises(HarkenError, match="closed"):
        session.push(next(silence(1)))


def test_nothing_can_be_pushed_after_the_end(
    listener: OnnxListener, perception: Perception
) -> None:
    with Session(listener, perception, CONDUCT) as session:
        assert session.finish().chunks == 0
        with pytest.raises(HarkenError, match="closed"):
            session.push(next(silence(1)))


def test_a_response_can_be_cancelled_from_outside(
    listener: OnnxListener, perception: Perception
) -> None:
    always = Conduct(point=OperatingPoint(respond=1e-6), most_text_ids=30, say_once_s=0)
    events: list[Event] = []

    def cancel(event: Event) -> None:
        events.append(event)
        session.cancel_response()

    session = Session(listener, perception, always, on_event=cancel)
    with session:
        for chunk in silence(2):
            session.push(chunk)
        summary = session.finish()
    said = [e.text for e in events if isinstance(e, ResponseTrace)]
    assert summary.responses == len(said) == 2
    assert all(len(listener.vocabulary.encode(text)) < 8 for text in said)


@pytest.mark.parametrize(("is_room", "words"), [(True, False), (False, True)])
def test_words_of_our_own_voice_stay_out_of_the_stream_but_not_of_a_recording(
    listener: OnnxListener, perception: Perception, speech: Path, is_room: bool, words: bool
) -> None:
    quiet = Conduct(point=OperatingPoint(respond=0.9999))
    with Session(listener, perception, quiet) as session:
        before = -1  # the reply is older than what is heard here
        session.playing.begin(before)
        session.playing.voiced(before, "You will now be placed into the conference.", 2400)
        for chunk in chunks(speech):
            session.push(chunk, playing=None if is_room else False)
        session.finish()
    heard = read(session.log.stream(), listener.vocabulary).heard
    assert any("placed" in h.text for h in heard) is words
