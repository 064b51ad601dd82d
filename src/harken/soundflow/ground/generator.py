"""Sounds made for an event that no recording fits: the protocol, and synthesis by rule.

A maker over HTTP is in `harken.soundflow.ground.endpoints`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.generate import GENERATORS
from harken.soundflow.ground.procedural import SOUNDS, Sound
from harken.soundflow.plan import PlannedEvent
from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Made:
    """A sound that was made.

    Attributes:
        samples: float32 [n], 16 kHz.
        source: who made what, such as `procedural siren_wail`.
        licence, attribution: what goes with the samples wherever they go.
    """

    samples: F32
    source: str
    licence: str
    attribution: str


class SoundGenerator(Protocol):
    """Makes sounds for events."""

    def can(self, event: PlannedEvent) -> bool:
        """Whether it is worth asking for this event; False where a key is missing."""
        ...

    def generate(self, event: PlannedEvent, seconds: float, random: np.random.Generator) -> Made:
        """A sound of about that length; equal arguments and generators give equal sounds.

        Raises:
            HarkenError: it cannot make this one.
        """
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to make the sound of a label; `words` in a query or description ask for this one."""

    name: str
    label: str
    make: Sound
    words: frozenset[str] = frozenset()


class Procedural:
    """The built-in generator: sounds by rule, for the labels of `RECIPES`, offline."""

    licence = "CC0-1.0"
    attribution = "made by rule by Harken"

    def can(self, event: PlannedEvent) -> bool:
        """Whether there is a recipe for the label."""
        return any(recipe.label == event.label for recipe in RECIPES)

    def generate(self, event: PlannedEvent, seconds: float, random: np.random.Generator) -> Made:
        """By the recipe that the event's words ask for, else by any of its label."""
        recipes = [recipe for recipe in RECIPES if recipe.label == event.label]
        if not recipes:
            labels = ", ".join(sorted({recipe.label for recipe in RECIPES}))
            raise HarkenError(f"no rule makes {event.label!r}; there are rules for {labels}")
        said = set(f"{event.query} {event.description}".lower().replace("-", " ").split())
        asked = [recipe for recipe in recipes if recipe.words & said]
        recipe = (asked or recipes)[int(random.integers(len(asked or recipes)))]
        samples = recipe.make(random, seconds)
        return Made(samples, f"procedural {recipe.name}", self.licence, self.attribution)


def repeated(
    make: Callable[[np.random.Generator], F32],
    pause_s: float,
    random: np.random.Generator,
    seconds: float,
) -> F32:
    """A sound that chooses its own length, as often as it fits best, with pauses between."""
    once = make(random)
    pause = np.zeros(int(pause_s * SAMPLE_RATE), np.float32)
    cycle = len(once) + len(pause)
    times = max(1, round((seconds * SAMPLE_RATE + len(pause)) / cycle))
    whole = np.tile(np.concatenate([once, pause]), times)
    return whole[: len(whole) - len(pause)] if len(pause) else whole


def _older(name: str, pause_s: float) -> Recipe:
    return Recipe(name, name, partial(repeated, GENERATORS[name], pause_s))


def _new(name: str, label: str, *words: str) -> Recipe:
    return Recipe(name, label, SOUNDS[name], frozenset(words))


# Not here: the older siren, whose styles are here one by one, and the older knock, in which YAMNet
# never hears knocking, so that it would be rejected every time.
RECIPES: tuple[Recipe, ...] = (
    _older("smoke_alarm", 0.0),
    _older("alarm_clock_or_alarm", 0.0),
    _older("doorbell", 1.0),
    _older("beep", 0.5),
    _new("carbon_monoxide_alarm", "alarm_clock_or_alarm", "carbon", "monoxide"),
    _new("siren_wail", "siren_or_fire_station", "wail", "wailing", "police", "fire"),
    _new("siren_yelp", "siren_or_fire_station", "yelp", "yelping", "police"),
    _new("siren_hi_lo", "siren_or_fire_station", "ambulance", "two", "tone"),
    _new("telephone_ring", "phone_ring"),
    _new("clock_tick", "clock_tick"),
    _new("mains_hum", "ambience_machine"),
    _new("drips", "water_drop"),
    _new("rain", "rain_storm"),
    _new("wind", "wind"),
    _new("fire_crackle", "fire_crackle"),
    _new("glass_burst", "glass_break"),
    _new("footsteps", "footsteps"),
    _new("steam_whistle", "steam_whistle"),
)
