"""From events to sound: a real voice, a player that waits to be told, a recording."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.live.playing import Playing
from harken.live.recorder import Recorder
from harken.live.speaking import Speaking
from harken.live.trace import ChunkTrace, Event, FlushTrace, ResponseTrace, TextPiece, end_s
from harken.respond.espeak import EspeakVoice
from harken.respond.voice import Speech, Utterance, Voice

PIECES = ["The kettle is", " boiling. Somebody", " is at the door."]


def reply(chunk: int, pieces: list[str] = PIECES) -> list[Event]:
    whole = ResponseTrace(chunk, end_s(chunk), "".join(pieces), "normal", 1.0, 2.0)
    return [*(TextPiece(chunk, text, "normal") for text in pieces), whole]


def decided(chunk: int) -> ChunkTrace:
    return ChunkTrace(chunk, end_s(chunk), 0.1, "silent", "", (), -60.0, 1.0, 0)


def no_error(error: HarkenError) -> None:
    raise AssertionError(error)


class Shelf:
    """A player that keeps what it gets and plays nothing by itself."""

    def __init__(self) -> None:
        self.got: list[tuple[int, float]] = []
        self.flushed: list[int] = []
        self.has_sound = threading.Event()

    def play(self, chunk: int, speech: Speech) -> None:
        self.got.append((chunk, speech.seconds))
        self.has_sound.set()

    def flush(self, chunk: int) -> None:
        self.flushed.append(chunk)

    def finish(self) -> None:
        pass


def test_a_reply_is_spoken_before_it_is_whole_and_counted_when_heard() -> None:
    playing, shelf = Playing(), Shelf()
    speaking = Speaking(EspeakVoice(), shelf, playing, no_error)
    first, second, *rest = reply(3)
    speaking.event(first)
    speaking.event(second)
    assert shelf.has_sound.wait(10)
    assert playing.is_sounding
    for event in rest:
        speaking.event(event)
    speaking.finish()
    seconds = sum(s for _, s in shelf.got)
    playing.played(3, 1000 * seconds - 400)
    (cut,) = playing.cut()
    assert cut.heard.startswith("The kettle is boiling. Somebody")
    assert not cut.heard.endswith("door.")


def test_a_reply_that_was_cut_is_not_spoken_any_more() -> None:
    playing, shelf = Playing(), Shelf()
    speaking = Speaking(EspeakVoice(), shelf, playing, no_error)
    for event in reply(3, ["One. "]):
        speaking.event(event)
    playing.cut()
    before = len(shelf.got)
    speaking.event(FlushTrace(5, 3, "response", "", 0.0))
    for event in [*reply(3, PIECES)[1:], *reply(5, ["Two."])]:
        speaking.event(event)
    speaking.finish()
    assert shelf.flushed == [3]
    assert {chunk for chunk, _ in shelf.got[before + 12 :]} <= {5}
    assert shelf.got[-1][0] == 5


class Broken:
    name = "broken"

    def speak(self, text: str, emotion: str = "normal", language: str | None = None) -> Utterance:
        yield from ()
        raise HarkenError("the voice is hoarse")


@pytest.mark.parametrize("is_recorded", [False, True])
def test_a_voice_that_fails_is_told_once_and_the_session_goes_on(is_recorded: bool) -> None:
    told: list[str] = []
    playing = Playing()

    def failed(error: HarkenError) -> None:
        told.append(str(error))

    take: Callable[[Event], None]
    if is_recorded:
        take = Recorder(Broken(), playing, failed).event
    else:
        speaking = Speaking(Broken(), Shelf(), playing, failed)
        take = speaking.event
    for event in [*reply(3), *reply(7)]:
        take(event)
    if not is_recorded:
        speaking.finish()
    assert told == ["the voice is hoarse"]
    for event in reply(9):
        take(event)
    assert not playing.has(9), "nobody will speak it"


def recorded(voice: Voice, events: list[Event], path: Path) -> tuple[np.ndarray, int, Playing]:
    playing = Playing()
    recorder = Recorder(voice, playing, no_error)
    for event in events:
        recorder.event(event)
    recorder.write(path)
    return *soundfile.read(path, dtype="float32"), playing


def test_replies_stand_at_their_time_in_the_recording(tmp_path: Path) -> None:
    events = [*map(decided, range(4)), *reply(3), *map(decided, range(4, 30)), *reply(29, ["Yes."])]
    samples, rate, playing = recorded(EspeakVoice(), events, tmp_path / "said.wav")
    loud_s = np.flatnonzero(np.abs(samples) > 0.02) / rate
    assert loud_s[0] == pytest.approx(end_s(3), abs=0.2)
    assert not ((loud_s > 8) & (loud_s < end_s(29))).any()
    assert (loud_s > end_s(29)).any()
    assert len(samples) / rate > end_s(29) + 0.3
    assert playing.is_sounding  # the last one; the clock stands at its beginning


def test_a_reply_is_cut_in_the_recording_where_it_was_cut_in_the_session(tmp_path: Path) -> None:
    heard_ms = 1000 * (end_s(5) - end_s(3))
    cut = FlushTrace(5, 3, "response", "The kettle is", heard_ms)
    events = [*reply(3), decided(4), decided(5), cut, *map(decided, range(6, 20))]
    samples, rate, _ = recorded(EspeakVoice(), events, tmp_path / "said.flac")
    loud_s = np.flatnonzero(np.abs(samples) > 0.02) / rate
    assert loud_s[-1] < end_s(5)
    assert len(samples) / rate == pytest.approx(end_s(19), abs=0.01)


class Tone:
    """A second of sound, the louder the longer the text."""

    name = "tone"

    def speak(self, text: str, emotion: str = "normal", language: str | None = None) -> Utterance:
        yield Speech(np.full(24_000, len(text) / 100, np.float32), 24_000)


def test_a_reply_that_waits_stands_behind_the_one_before_it(tmp_path: Path) -> None:
    events = [*reply(3, ["The end"]), decided(4), *reply(4, ["today"]), *map(decided, range(5, 20))]
    samples, rate, playing = recorded(Tone(), events, tmp_path / "said.wav")
    expected = np.zeros(len(samples))
    start = round(end_s(3) * rate)
    expected[start : start + rate], expected[start + rate : start + 2 * rate] = 0.07, 0.05
    assert samples == pytest.approx(expected, abs=1e-3)
    assert not playing.is_sounding and playing.cut() == ()


def test_a_recording_without_replies_is_silent_and_a_bad_name_is_told(tmp_path: Path) -> None:
    samples, rate, _ = recorded(EspeakVoice(), [decided(0)], tmp_path / "said.wav")
    assert len(samples) / rate == pytest.approx(0.4)
    assert not samples.any()
    with pytest.raises(HarkenError, match=r"cannot write .*: name a .wav or .flac"):
        recorded(EspeakVoice(), [decided(0)], tmp_path / "said.what")
