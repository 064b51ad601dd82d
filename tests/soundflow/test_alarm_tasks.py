"""A danger that goes on is spoken of once, as the guard of a session has it."""

from collections.abc import Iterator

import numpy as np
import pytest
from tests.soundflow.needs import needs_corpora

from harken.live.say_once import SayOnce
from harken.soundflow.alarm_tasks import NEW_ALARM_S, SAME_ALARM_S, say_once, spoken_of_once
from harken.soundflow.composing import Composer
from harken.soundflow.events import EVENTS
from harken.soundflow.scene import Scene, Sound, Variant, sound_due
from harken.soundflow.studio import Studio
from harken.stream import SAMPLE_RATE, Prefix, chunk_of_end

DRAWS = 24


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio("train")


def said_once(studio: Studio) -> Iterator[tuple[Scene, Variant]]:
    for n in range(DRAWS):
        scene, variants = say_once(studio, np.random.default_rng([n, 4]))
        yield from ((scene, variant) for variant in variants)


@needs_corpora
def test_one_word_to_a_danger_until_it_was_silent_for_a_minute(studio: Studio) -> None:
    repeated = again = 0
    for scene, variant in said_once(studio):
        spoken = {due.start for due in variant.due}
        last: dict[str, int] = {}
        for start, end, label in scene.sounds:
            silent_s = (start - last[label]) / SAMPLE_RATE if label in last else np.inf
            wanted = EVENTS[label].reply(variant.prefix.policy)
            assert not wanted or not SAME_ALARM_S < silent_s < NEW_ALARM_S
            assert (start in spoken) == bool(wanted and silent_s > SAME_ALARM_S)
            repeated += silent_s <= SAME_ALARM_S
            again += NEW_ALARM_S < silent_s < np.inf and start in spoken
            last[label] = end
    assert repeated > DRAWS and again >= 2


@needs_corpora
def test_the_guard_of_a_session_lets_all_of_it_be_said(studio: Studio) -> None:
    for _, variant in said_once(studio):
        guard = SayOnce()
        for due in variant.due:
            chunk = chunk_of_end(due.end)
            assert not guard.is_repeat(due.text, chunk)
            guard = guard.after(due.text, chunk)


def played(*sounds: Sound, policy: str = "care", order: str = "") -> Composer:
    """A composer of these sounds, and what the policy says to each."""

    def compose(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
        scene = Scene(random, 90 * SAMPLE_RATE, sounds=list(sounds))
        due = [
            sound_due(start, end, reply, label)
            for start, end, label in sounds
            if (reply := EVENTS[label].reply(policy))
        ]
        task = "tell_when" if order else policy
        return scene, [Variant(task, Prefix(policy, order), tuple(due))]

    return compose


def at(start_s: float, label: str) -> Sound:
    return int(start_s * SAMPLE_RATE), int((start_s + 1) * SAMPLE_RATE), label


def once(composer: Composer) -> list[str]:
    unused = Studio.__new__(Studio)
    _, (variant,) = spoken_of_once(composer, unused, np.random.default_rng(0))
    return [due.cause for due in variant.due]


def test_what_goes_on_is_spoken_of_once_in_the_streams_of_any_composer() -> None:
    rings = at(1, "doorbell"), at(5, "cough"), at(9, "doorbell"), at(30, "doorbell")
    assert once(played(*rings)) == ["doorbell", "cough"]
    assert once(played(*rings, at(92, "doorbell"))) == ["doorbell", "cough", "doorbell"]
    assert once(played(at(1, "cough"), at(3, "cough"))) == ["cough", "cough"]
    assert once(played(*rings, policy="narrate")) == ["doorbell", "cough", "doorbell", "doorbell"]
    assert len(once(played(*rings, order="Tell me when the doorbell rings."))) == 4


def test_a_stream_in_which_it_is_not_clear_is_left_out() -> None:
    unclear = at(1, "doorbell"), at(45, "doorbell")
    with pytest.raises(LookupError, match="whether an alarm is a new one"):
        once(played(*unclear))
    assert once(played(*unclear, policy="quiet")) == []
