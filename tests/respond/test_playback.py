"""What was heard of a reply is a beginning of it, and grows with what was played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.respond.playback import Playback
from harken.respond.sentences import sentences_of

TEXTS = st.sampled_from(
    [
        "Yes. The kettle is boiling, and somebody is at the door.",
        "水开了。我听到门铃响了，有人在外面等。",
        "OK 好的。 3.5 degrees, then?  Fine…",
        "",
    ]
)


@given(TEXTS, st.lists(st.floats(0, 5000), max_size=12), st.floats(20, 2000), st.booleans())
def test_what_was_heard_grows_from_nothing_to_the_whole(
    text: str, acknowledged: list[float], ms: float, ends: bool
) -> None:
    playback = Playback()
    for piece in sentences_of([text]):
        playback = playback.voiced(piece, ms).voiced("", ms)
    playback = playback.ended() if ends else playback
    before = ""
    for played_ms in sorted(acknowledged):
        playback = playback.played(played_ms)
        assert text.startswith(playback.heard)
        assert playback.heard.startswith(before)
        before = playback.heard
    whole = playback.ended().played(1e9)
    assert whole.heard == text
    assert whole.is_over and not whole.is_sounding


def test_the_player_never_goes_back_nor_beyond_what_it_has() -> None:
    playback = Playback().voiced("One two.", 1000).played(600)
    assert playback.played(200).played_ms == 600
    assert playback.played(5000).played_ms == 1000
    assert playback.is_sounding and not playback.played(1000).is_sounding
    assert not playback.played(1000).is_over
    assert playback.played(1000).ended().is_over


@pytest.mark.parametrize(
    ("played_ms", "heard"),
    [
        (0, ""),
        (999, "The kettle is"),
        (1000, "The kettle is boiling."),
        (1500, "The kettle is boiling. 有人"),
        (2000, "The kettle is boiling. 有人在外面。"),
    ],
)
def test_words_count_when_they_have_passed(played_ms: float, heard: str) -> None:
    playback = Playback().voiced("The kettle is boiling.", 1000).voiced(" 有人在外面。", 1000)
    assert playback.ended().played(played_ms).heard == heard


def test_a_piece_whose_sound_still_comes_is_not_taken_for_shorter_than_its_text() -> None:
    begun = Playback().voiced("The kettle is boiling and boiling.", 100).played(100)
    assert begun.heard == ""
    assert begun.ended().heard == "The kettle is boiling and boiling."
