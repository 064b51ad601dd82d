"""Scenes and the places of what is due, on percepts made by hand; no corpora."""

import numpy as np
import pytest

from harken.perceive.percept import HeardWord, Percept
from harken.soundflow.build import Unheard, place
from harken.soundflow.events import EVENTS, kind_counted
from harken.soundflow.generate import GENERATORS
from harken.soundflow.scene import Due, Scene, sound_due
from harken.stream import CHUNK_SAMPLES


def percepts(words: dict[int, str], n: int = 20) -> list[Percept]:
    blank = np.zeros(1545, np.float16), np.zeros(2560, np.float16)
    return [
        Percept(
            c,
            *blank,
            (HeardWord(words[c], (c + 1) * CHUNK_SAMPLES, "en"),) if c in words else (),
            -60.0,
            0.0,
        )
        for c in range(n)
    ]


def chunks(start: int, end: int) -> tuple[int, int]:
    return start * CHUNK_SAMPLES, end * CHUNK_SAMPLES


def test_a_sound_is_answered_in_the_chunk_in_which_it_ends() -> None:
    due = sound_due(6400, 6400 + 3000, ("I hear a door.", "normal"), "door")
    assert place((due,), percepts({})) == [[1, "I hear a door.", "normal", "door"]]


def test_a_long_sound_is_answered_after_a_little_more_than_a_second() -> None:
    due = sound_due(0, 10 * 16_000, ("I hear wind.", "normal"), "wind")
    assert place((due,), percepts({}, 30))[0][0] == 2


def test_an_answer_waits_for_the_last_word_of_its_question() -> None:
    due = Due(*chunks(2, 5), "words", "Paris.", "normal", "question")
    heard = percepts({3: " What is", 4: " the capital", 6: " of France?", 12: " Later."})
    assert place((due,), heard) == [[6, "Paris.", "normal", "question"]]


def test_a_question_that_was_not_heard_drops_the_stream() -> None:
    due = Due(*chunks(2, 5), "words", "Paris.", "normal", "question")
    with pytest.raises(Unheard):
        place((due,), percepts({15: " Something else."}))


def test_captions_repeat_the_words_as_they_come() -> None:
    due = Due(*chunks(2, 6), "each", "", "normal", "transcript")
    heard = percepts({3: " Press", 5: " four", 7: " now."})
    assert [s[:2] for s in place((due,), heard)] == [[3, "Press"], [5, "four"], [7, "now."]]


def test_two_responses_never_share_a_chunk() -> None:
    one = sound_due(0, 6000, ("One.", "normal"), "beep")
    two = sound_due(0, 6100, ("Two.", "normal"), "beep")
    assert [s[0] for s in place((one, two), percepts({}))] == [0, 1]


def test_a_mix_keeps_levels_and_never_clips() -> None:
    scene = Scene(np.random.default_rng(0), 16_000)
    scene.at = 4000
    start, end = scene.place(np.sin(np.arange(2000)).astype(np.float32), -6.0)
    quiet = scene.mix()
    assert (start, end) == (4000, 6000)
    assert np.abs(quiet).max() == pytest.approx(10 ** (-6 / 20), rel=1e-3)
    assert not quiet[:4000].any()
    for _ in range(4):
        scene.at = 4000
        scene.place(np.ones(2000, np.float32), 0.0)
    assert np.abs(scene.mix()).max() <= 1.0


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_made_sounds_are_loud_finite_and_decided_by_the_seed(name: str) -> None:
    one, again = (GENERATORS[name](np.random.default_rng(5)) for _ in range(2))
    assert one.dtype == np.float32
    assert np.isfinite(one).all()
    assert np.abs(one).max() == pytest.approx(1)
    assert 0.1 < len(one) / 16_000 < 8
    np.testing.assert_array_equal(one, again)


def test_quiet_speaks_up_for_nothing_that_care_would_leave() -> None:
    for kind in EVENTS.values():
        if kind.reply("quiet"):
            assert kind.reply("care")
        assert kind.reply("narrate")


def test_the_longest_noun_decides_what_is_counted() -> None:
    assert kind_counted("Count every dog bark.") == ["dog_bark"]
    assert "smoke_alarm" not in kind_counted("Count every beep out loud.")
    assert kind_counted("Count the unheard-of.") == []


@pytest.mark.parametrize(
    ("spoken", "heard", "followed"),
    [
        ("Count every cough.", " Count every coffee.", True),
        ("Be my English interpreter.", " B. My English interpreter.", True),
        ("From now on, count the rings.", " From now on.", False),
        ("请逐字记录。", "清竹字记录。", True),
        ("请逐字记录。", "亲逐自寄露。", False),
    ],
)
def test_an_order_is_followed_only_if_most_of_it_was_heard(
    spoken: str, heard: str, followed: bool
) -> None:
    due = Due(0, CHUNK_SAMPLES, "words", "Okay.", "normal", "order", spoken)
    if followed:
        assert place((due,), percepts({1: heard})) == [[1, "Okay.", "normal", "order"]]
    else:
        with pytest.raises(Unheard, match="order"):
            place((due,), percepts({1: heard}))
