"""Our own words, heard by our own microphone."""

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


def test_a_voice_without_pause_is_known_as_long_as_its_echo_only() -> None:
    playing = Playing()
    playing.begin(4)
    for n in range(100):
        playing.voiced(4, f" number {n}", 400)
    playing.voiced(4, "", 400)  # the last piece takes twice as long
    for chunk in range(50):
        playing.played(4, 400 * chunk)
        playing.take_sounded()
    # Chunk 49 is heard: nine before it and, as players tell late, four that begin within 1.5 s.
    assert playing.aired.split(" number ")[1:] == [str(n) for n in range(40, 53)]
    playing.played(4, 400 * 101)
    playing.take_sounded()
    assert playing.aired.endswith("number 99")


def test_of_a_reply_that_is_cut_no_more_is_expected_than_was_handed_over() -> None:
    playing = Playing()
    playing.begin(4)
    playing.voiced(4, "One.", 500)
    playing.take_sounded()
    playing.cut()
    playing.begin(9)
    playing.voiced(9, "Two.", 500)
    assert playing.aired == "One.Two."
    for _ in range(ECHO_CHUNKS + 2):
        playing.take_sounded()
    assert playing.aired == "Two."
