"""The built-in generator: which rule it takes, and how long the sound becomes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.events import AMBIENCE, EVENTS
from harken.soundflow.generate import GENERATORS, doorbell
from harken.soundflow.ground.generator import RECIPES, Procedural, repeated
from harken.soundflow.ground.procedural import SOUNDS
from harken.soundflow.plan import PlannedEvent
from harken.stream import SAMPLE_RATE

SIREN = PlannedEvent(
    name="siren",
    label="siren_or_fire_station",
    role="fg",
    start_after=(0.0, 1.0),
    rough_duration_s=4.0,
    description="A siren passes.",
    query="a siren passing outside",
    accept_tags=("Siren",),
)


def test_every_sound_by_rule_has_a_known_label() -> None:
    assert {recipe.label for recipe in RECIPES} <= {*EVENTS, *AMBIENCE}
    older = set(GENERATORS) - {"siren_or_fire_station", "knock"}
    assert {recipe.name for recipe in RECIPES} == {*SOUNDS, *older}


@pytest.mark.parametrize(
    ("words", "sources"),
    [
        ("an ambulance hurrying past slowly", {"procedural siren_hi_lo"}),
        ("a wailing siren far off", {"procedural siren_wail"}),
        (
            "a siren passing outside",
            {"procedural siren_hi_lo", "procedural siren_wail", "procedural siren_yelp"},
        ),
    ],
)
def test_the_words_of_an_event_choose_among_the_rules(words: str, sources: set[str]) -> None:
    event = replace(SIREN, query=words)
    made = {Procedural().generate(event, 1.0, np.random.default_rng(s)).source for s in range(20)}
    assert made == sources


def test_what_it_makes_carries_its_licence_and_is_the_same_again() -> None:
    first, second = (Procedural().generate(SIREN, 2.0, np.random.default_rng(3)) for _ in "12")
    assert np.array_equal(first.samples, second.samples)
    assert (first.licence, first.attribution) == ("CC0-1.0", "made by rule by Harken")


def test_there_is_no_rule_for_a_dog() -> None:
    dog = replace(SIREN, label="dog_bark")
    assert not Procedural().can(dog) and Procedural().can(SIREN)
    with pytest.raises(HarkenError, match="no rule makes 'dog_bark'; there are rules for alarm_"):
        Procedural().generate(dog, 1.0, np.random.default_rng(0))


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0.1, 20), st.floats(0, 1.5))
def test_a_repeated_sound_is_whole_and_as_long_as_it_can_be(
    seed: int, seconds: float, pause_s: float
) -> None:
    once = doorbell(np.random.default_rng(seed))
    whole = repeated(doorbell, pause_s, np.random.default_rng(seed), seconds)
    assert np.array_equal(whole[: len(once)], once) and np.array_equal(whole[-len(once) :], once)
    cycle_s = len(once) / SAMPLE_RATE + pause_s
    off_s = abs(len(whole) / SAMPLE_RATE - seconds)
    assert len(whole) == len(once) or off_s <= cycle_s / 2 + 0.01
