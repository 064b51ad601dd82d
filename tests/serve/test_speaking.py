"""Replies on their way through the one worker that speaks."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.live.playing import Playing
from harken.live.trace import TextPiece
from harken.respond.voice import Speech, Utterance, has_words
from harken.serve.outcomes import Outcome, Voiced, VoiceEnded, VoiceFailed
from harken.serve.speaking import AssumedPlayer, Speaker, Voices, Way

RATE = 24_000
A_PIECE_S = 0.3


class Hum:
    """Some sound for each piece; it refuses sad ones and breaks on angry ones."""

    name = "hum"

    def speak(self, text: str, emotion: str = "normal", language: str | None = None) -> Utterance:
        if emotion == "sad":
            raise HarkenError("hum is never sad; choose another emotion")
        if emotion == "angry":
            raise ValueError(text)
        if has_words(text):
            yield Speech(np.full(round(RATE * A_PIECE_S), 0.1, np.float32), RATE)


@pytest.fixture
def voices() -> Iterator[Voices]:
    voices = Voices({"hum": Hum()})
    yield voices
    voices.close()


def speaker_of(voices: Voices, playing: Playing, told: list[Outcome]) -> Speaker:
    speaker = Speaker(Way(voices, RATE, playing, told.append))
    speaker.name = "hum"
    return speaker


def wait_for(voices: Voices) -> None:
    """Until the worker has done all it was given."""
    done = threading.Event()
    voices.submit(done.set)
    assert done.wait(60)


def seconds(told: list[Outcome]) -> float:
    return sum(outcome.speech.seconds for outcome in told if isinstance(outcome, Voiced))


def test_a_reply_lasts_as_long_as_its_voice_speaks(voices: Voices) -> None:
    playing, told = Playing(), list[Outcome]()
    speaker = speaker_of(voices, playing, told)
    for text in ("There is a fire. ", "Please leave the house. ", "…"):
        speaker.add(TextPiece(4, text, "normal"))
    speaker.end(4)
    wait_for(voices)
    assert seconds(told) == pytest.approx(2 * A_PIECE_S)
    assert told[-1] == VoiceEnded(4)
    playing.played(4, 1000 * A_PIECE_S)
    (cut,) = playing.cut()
    assert cut.heard.rstrip() == "There is a fire."


def test_what_was_heard_whole_cannot_be_cut(voices: Voices) -> None:
    playing, told = Playing(), list[Outcome]()
    speaker = speaker_of(voices, playing, told)
    speaker.add(TextPiece(4, "There is a fire. …", "normal"))
    speaker.end(4)
    wait_for(voices)
    playing.played(4, 1000 * seconds(told))
    assert playing.cut() == () and not playing.is_sounding


def test_a_reply_that_was_cut_says_no_more_and_still_ends(voices: Voices) -> None:
    playing, told = Playing(), list[Outcome]()
    speaker = speaker_of(voices, playing, told)
    speaker.add(TextPiece(4, "There is a fire. ", "normal"))
    playing.cut()
    speaker.add(TextPiece(4, "Please leave the house. ", "normal"))
    speaker.end(4)
    wait_for(voices)
    assert seconds(told) <= A_PIECE_S and told[-1] == VoiceEnded(4)


@pytest.mark.parametrize(
    ("emotion", "message"),
    [
        ("sad", "hum is never sad; choose another emotion"),
        ("angry", "the voice broke on an internal error; see the server's log"),
    ],
)
def test_a_voice_that_fails_is_told_once_and_the_next_reply_is_spoken(
    voices: Voices, emotion: str, message: str
) -> None:
    playing, told = Playing(), list[Outcome]()
    speaker = speaker_of(voices, playing, told)
    speaker.add(TextPiece(4, "I am sorry. I am so sorry. ", emotion))
    speaker.end(4)
    wait_for(voices)
    assert told == [VoiceFailed(message), VoiceEnded(4)]
    speaker.add(TextPiece(9, "There is a fire. ", "normal"))
    speaker.end(9)
    wait_for(voices)
    assert seconds(told) == pytest.approx(A_PIECE_S) and told[-1] == VoiceEnded(9)


def test_a_silent_client_is_taken_to_play_one_reply_after_the_other() -> None:
    playing, clock = Playing(), [10.0]
    player = AssumedPlayer(playing, lambda: clock[0])
    for chunk in (4, 5):
        playing.begin(chunk)
        playing.voiced(chunk, "A fire.", 1000)
        playing.end(chunk)
        player.got(Voiced(chunk, Speech(np.zeros(RATE, np.float32), RATE)))
        clock[0] += 0.4
    clock[0] = 11.5
    player.tick()
    assert not playing.has(4) and playing.unheard_ms == pytest.approx(500)
    playing.cut()
    player.flushed()
    playing.begin(9)
    playing.voiced(9, "Out!", 1000)
    player.got(Voiced(9, Speech(np.zeros(RATE, np.float32), RATE)))
    clock[0] = 11.75
    player.tick()
    assert playing.unheard_ms == pytest.approx(750)
