"""Microphone and loudspeaker; PortAudio and the devices themselves are stood in for."""

import sys
from itertools import islice
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from harken.cli.sound_device import Loudspeaker, open_microphone
from harken.errors import HarkenError
from harken.live.playing import Playing
from harken.perceive.chunks import chunks_of
from harken.respond.voice import Speech


class Stream:
    """A device that is driven by the test; `callback` is what PortAudio would call."""

    def __init__(self, callback: Any, **how: Any) -> None:
        self.callback, self.how = callback, how
        self.state = "made"

    def start(self) -> None:
        self.state = "started"

    def stop(self) -> None:
        self.state = "stopped"

    def close(self) -> None:
        self.state = f"{self.state}, closed"

    def __enter__(self) -> "Stream":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self.close()


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = ModuleType("sounddevice")
    module.PortAudioError = type("PortAudioError", (Exception,), {})
    module.streams = []

    def opened(**how: Any) -> Stream:
        module.streams.append(Stream(**how))
        return module.streams[-1]

    module.InputStream = module.OutputStream = opened
    module.query_devices = lambda kind: {"default_samplerate": 48_000.0}
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def test_the_microphone_is_a_source_at_its_own_rate(device: Any) -> None:
    with open_microphone() as source:
        (stream,) = device.streams
        assert stream.state == "made"  # nothing is recorded before anybody listens
        tone = np.sin(np.arange(48_000, dtype=np.float32) / 20)[:, None]
        for block in np.split(tone, 100):
            stream.callback(block, len(block), None, None)
            block[:] = 0  # PortAudio uses its buffer again
        first, second = islice(chunks_of(source), 2)
        assert stream.state == "started"
    assert stream.state == "stopped, closed"
    assert source.sample_rate == 48_000
    assert (first.index, second.end_sample) == (0, 12_800)
    assert np.sqrt(np.mean(second.samples**2)) == pytest.approx(0.707, abs=0.02)


def filled(stream: Stream, frames: int) -> np.ndarray:
    out = np.full((frames, 1), 9, np.float32)
    stream.callback(out, frames, None, None)
    return out[:, 0]


def test_the_loudspeaker_plays_in_order_and_tells_how_far_it_is(device: Any) -> None:
    playing = Playing()
    playing.begin(1)
    playing.voiced(1, "One.", 200)
    with Loudspeaker(playing.played) as loudspeaker:
        (stream,) = device.streams
        assert not filled(stream, 100).any()
        loudspeaker.play(1, Speech(np.full(2400, 0.1, np.float32), 24_000))
        loudspeaker.play(1, Speech(np.full(2205, 0.2, np.float32), 22_050))
        got = filled(stream, 3600)
        assert set(got[:2400]) == {np.float32(0.1)}
        assert got[2600:] == pytest.approx(0.2, abs=0.02)  # at the device's rate
        (cut,) = playing.cut()
        assert cut.played_ms == pytest.approx(150)
        assert filled(stream, 3600)[1200:].max() == 0
        loudspeaker.finish()
    assert stream.state == "stopped, closed"


def test_what_is_flushed_is_not_played(device: Any) -> None:
    told: list[tuple[int, float]] = []
    with Loudspeaker(lambda chunk, ms: told.append((chunk, ms))) as loudspeaker:
        (stream,) = device.streams
        sound = Speech(np.full(2400, 0.1, np.float32), 24_000)
        loudspeaker.play(1, sound)
        filled(stream, 1200)
        loudspeaker.flush(1)
        loudspeaker.play(1, sound)  # was on its way
        loudspeaker.play(4, sound)
        assert filled(stream, 2400).all()
        assert not filled(stream, 1200).any()
    assert told == [(1, 50.0), (4, 100.0)]


def test_without_a_device_the_way_out_is_named(device: Any) -> None:
    def none(**how: Any) -> None:
        raise device.PortAudioError("Error querying device -1")

    device.query_devices = device.OutputStream = none
    with pytest.raises(HarkenError, match=r"no microphone \(Error querying device -1\): plug"):
        open_microphone()
    with pytest.raises(HarkenError, match=r"no loudspeaker .*: plug one in, or give --save-voice"):
        Loudspeaker(lambda chunk, ms: None)


def test_without_the_extra_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(HarkenError, match=r"pip install 'harken\[mic\]'"):
        open_microphone()
