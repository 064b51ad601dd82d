"""A voice that remembers: the same again without work, within its bound, for all who share it."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.respond.espeak import EspeakVoice
from harken.respond.remembered import RememberingVoice
from harken.respond.voice import Speech, Utterance
from harken.respond.voices import voice_named

RATE = 100


class Counting:
    """Makes two pieces of half a second for each word, and writes down what it was asked for."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []

    def speak(self, text: str, emotion: str = "normal", language: str | None = None) -> Utterance:
        self.asked.append((text, emotion, language))
        for word in text.split():
            if word == "broken":
                raise HarkenError("the voice fails")
            for _ in range(2):
                yield Speech(np.full(RATE // 2, len(self.asked), np.float32), RATE)


def said(pieces: Iterator[Speech]) -> list[float]:
    return [float(piece.samples[0]) for piece in pieces]


def test_what_was_said_is_not_made_again() -> None:
    voice = EspeakVoice()
    remembering = RememberingVoice(voice)
    first = list(remembering.speak("A dog is barking."))
    again = list(remembering.speak("A dog is barking."))
    assert [a is b for a, b in zip(first, again, strict=True)] == [True] * len(first)
    fresh = np.concatenate([piece.samples for piece in voice.speak("A dog is barking.")])
    assert abs(len(fresh) - sum(len(piece.samples) for piece in again)) < 0.02 * len(fresh)


def test_another_text_emotion_or_language_is_another_piece() -> None:
    made_by = Counting()
    voice = RememberingVoice(made_by)
    asked = [("One", "normal", None), ("One.", "normal", None), ("One", "sad", None)]
    asked.append(("One", "normal", "en"))
    for _ in range(2):
        assert [said(voice.speak(*how))[0] for how in asked] == [1, 2, 3, 4]
    assert made_by.asked == asked


@given(st.lists(st.integers(1, 5), max_size=30))
def test_the_latest_are_kept_and_no_more_than_the_bound(words: list[int]) -> None:
    made_by = Counting()
    voice = RememberingVoice(made_by, kept_s=6)
    latest: list[int] = []
    for n in words:
        before = len(made_by.asked)
        list(voice.speak(" ".join("a" * n)))
        assert (len(made_by.asked) == before) == (n in latest)
        latest = [*(other for other in latest if other != n), n]
        while sum(latest) > 6:
            latest.pop(0)


def test_a_piece_longer_than_the_bound_drives_nothing_out() -> None:
    made_by = Counting()
    voice = RememberingVoice(made_by, kept_s=2)
    for text in ("a", "a a a", "a"):
        list(voice.speak(text))
    assert [text for text, _, _ in made_by.asked] == ["a", "a a a"]


def test_what_is_cut_short_or_fails_is_made_again() -> None:
    made_by = Counting()
    voice = RememberingVoice(made_by)
    cut = voice.speak("One")
    next(cut)
    cut.close()
    assert said(voice.speak("One")) == [2, 2]
    for _ in range(2):
        with pytest.raises(HarkenError, match="the voice fails"):
            list(voice.speak("One broken"))
    assert len(made_by.asked) == 4


def test_nobody_can_spoil_what_others_hear() -> None:
    voice = RememberingVoice(Counting())
    for _ in range(2):
        (piece, *_) = voice.speak("One")
        with pytest.raises(ValueError, match="read-only"):
            piece.samples[0] = 9


def test_many_threads_share_it() -> None:
    voice = RememberingVoice(Counting(), kept_s=4)
    texts = ["a", "a b", "a b c"]
    lengths: list[tuple[str, int]] = []

    def talk(first: int) -> None:
        for n in range(300):
            text = texts[(first + n) % 3]
            lengths.append((text, len(list(voice.speak(text)))))

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lengths) == 1200
    assert {(text, n) for text, n in lengths} == {("a", 2), ("a b", 4), ("a b c", 6)}
    # Whatever the threads did to the account, it still holds: 4 s fit, all 6 s do not.
    first, again = (list(voice.speak("d d d d")) for _ in range(2))
    assert first[0] is again[0]


def test_voices_made_here_remember() -> None:
    voice = voice_named("espeak")
    first, again = (next(iter(list(voice.speak("Okay.")))) for _ in range(2))
    assert first is again
