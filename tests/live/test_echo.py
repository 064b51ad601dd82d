"""Our own words, heard by our own microphone."""

import numpy as np
import pytest

from harken.live.echo import without_ours
from harken.live.playing import ECHO_CHUNKS, Playing
from harken.perceive.percept import HeardWord

ALARM = "A smoke alarm is going off. Check for fire and get out if you see smoke."


def words(text: str) -> tuple[HeardWord, ...]:
    return tuple(HeardWord(" " + word, 6400, "en") for word in text.split())


@pytest.mark.parametrize(
    ("heard", "aired"),
    [
        ("A smoke alarm is going off.", ALARM),
        ("is going off check for fire", ALARM),
        ("a smoking alarm is going of", ALARM),  # recognition errs
        ("One.", "One."),
        ("德国的首都", "德国的首都是柏林。"),
        ("德国的守都", "德国的首都是柏林。"),
    ],
)
def test_what_our_voice_said_is_dropped(heard: str, aired: str) -> None:
    assert without_ours(words(heard), aired) == ()


@pytest.mark.parametrize(
    ("heard", "aired"),
    [
        ("Stop.", ALARM),
        ("No, wait.", ALARM),
        ("Is there a fire in the kitchen?", ALARM),
        ("停", "德国的首都是柏林。"),
        ("What is the capital of Kenya?", "The capital of Greece is Athens."),
        ("A smoke alarm is going off.", ""),
        ("", ALARM),
        ("...", ALARM),
    ],
)
def test_what_others_say_is_kept(heard: str, aired: str) -> None:
    assert without_ours(words(heard), aired) == words(heard)


def test_what_was_said_is_known_until_its_echo_is_over() -> None:
    playing = Playing()
    assert playing.aired == ""
    playing.begin(4)
    playing.voiced(4, "One.", 500)
    playing.voiced(4, " Two.", 500)
    playing.end(4)
    playing.take_sounded()
    playing.played(4, 1000)
    playing.take_sounded()  # it still sounded in this chunk
    for _ in range(ECHO_CHUNKS):
        playing.take_sounded()
        assert playing.aired == "One. Two."
    playing.take_sounded()
    assert playing.aired == ""


def test_a_voice_without_pause_is_remembered_for_a_while_only() -> None:
    playing = Playing()
    playing.begin(4)
    for n in np.arange(1000):
        playing.voiced(4, f" number {n}", 500)
    assert len(playing.aired) <= 1000 and playing.aired.endswith("number 999")
