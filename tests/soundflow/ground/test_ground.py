"""A sound for every event of a plan, with the history of what was turned down."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.perceive.sound import CLASSES
from harken.soundflow.ground.generator import RECIPES, Made, Procedural
from harken.soundflow.ground.ground import DRAWS, Dropped, Grounding, grounded, told
from harken.soundflow.ground.labels import classes_of
from harken.soundflow.ground.retrieve import Shelf
from harken.soundflow.ground.verify import Decision, Reason, judged
from harken.soundflow.manifest import Clip
from harken.soundflow.plan import GrammarPlanner, Plan, PlannedEvent
from harken.stream import SAMPLE_RATE

NAMES = ("Speech", "Bark", "Meow", "Siren", *(f"class {i}" for i in range(CLASSES - 4)))
HZ = {"Bark": 500.0, "Meow": 1500.0}


class PitchEar:
    """Hears a class by the strongest frequency: 500 Hz barks, 1500 Hz meows."""

    names = NAMES

    def hear(self, window: np.ndarray) -> np.ndarray:
        heard = np.zeros(1545, np.float32)
        hz = np.argmax(np.abs(np.fft.rfft(window))) * SAMPLE_RATE / len(window)
        for name, wanted in HZ.items():
            heard[NAMES.index(name)] = 0.9 if abs(hz - wanted) < 30 else 0.0
        return heard


def word_vectors(texts: Sequence[str]) -> np.ndarray:
    vectors = np.zeros((len(texts), 512), np.float32)
    for row, text in enumerate(texts):
        for word in text.lower().replace(",", " ").split():
            vectors[row, zlib.crc32(word.encode()) % 512] += 1
    return vectors / np.maximum(1e-9, np.linalg.norm(vectors, axis=1, keepdims=True))


def event(name: str, label: str, query: str, seconds: float = 1.0, **more: str) -> PlannedEvent:
    return PlannedEvent(
        name=name,
        label=label,
        role="fg",
        start_after=(0.0, 1.0),
        rough_duration_s=seconds,
        description=query,
        query=query,
        accept_tags=("Bark",),
        **more,
    )


DOG = event("dog", "dog_bark", "dog barking in the yard")
CAT = event("cat", "cat_meow", "cat meowing at a door")
TALK = event("talk", "speech", "friend talking to a friend", speaker="a", addressed_to="b")


def plan(*events: PlannedEvent) -> Plan:
    return Plan(scene="home", events=events, seed=0, planner="test")


def tone(hz: float, seconds: float) -> np.ndarray:
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.4 * np.sin(2 * np.pi * hz * t) * np.sin(np.pi * t / seconds)).astype(np.float32)


SOUNDS = {
    "dog good": ("dog_bark", tone(500, 1.2)),
    "dog wrong": ("dog_bark", tone(900, 1.0)),
    "dog barking yard short": ("dog_bark", tone(500, 0.3)),
    "cat": ("cat_meow", tone(1500, 1.0)),
}


def clips(*names: str, split: str = "train") -> list[Clip]:
    return [
        Clip(
            id=name,
            path=Path(f"{name}.ogg"),
            package="package 1",
            split=split,
            kind="event",
            label=SOUNDS[name][0],
            language="",
            text="",
            english="",
            seconds=1.0,
            licence="CC-BY-4.0",
        )
        for name in names
    ]


def load(clip: Clip) -> np.ndarray:
    return SOUNDS[clip.id][1]


@dataclass
class Singer:
    """A generator of tones: of 500 Hz after `misses` tones that nothing knows."""

    misses: int = 0
    labels: tuple[str, ...] = ("dog_bark",)
    asked: list[float] = field(default_factory=list)

    def can(self, event: PlannedEvent) -> bool:
        return event.label in self.labels

    def generate(self, event: PlannedEvent, seconds: float, random: np.random.Generator) -> Made:
        self.asked.append(seconds)
        hz = 500 if len(self.asked) > self.misses else 3000
        length_s = seconds * random.uniform(0.8, 1.2)
        return Made(tone(hz, length_s), "singer", "CC0-1.0", "Singer")


def ground(what: Plan, names: Sequence[str], *generators: Singer, seed: int = 0) -> Grounding:
    shelf = Shelf(clips(*names), "train", word_vectors)
    return grounded(what, shelf, generators, PitchEar(), np.random.default_rng(seed), load=load)


def test_the_best_clip_that_passes_is_taken_and_the_others_are_remembered() -> None:
    result = ground(plan(DOG), ["dog good", "dog wrong", "dog barking yard short", "cat"])
    (sound,) = result.sounds
    assert sound.source == "dog good" and not sound.made
    assert (sound.licence, sound.attribution) == ("CC-BY-4.0", "package 1")
    tried = [(a.source, a.verdicts[-1].reason) for a in sound.history]
    assert tried[0] == ("dog barking yard short", Reason.DURATION)
    assert tried[-1] == ("dog good", Reason.FITS)
    (line,) = told(result)
    assert line.startswith("dog: dog good; turned down: dog barking yard short (duration: too sh")


def test_a_clip_is_used_once_in_a_plan() -> None:
    second = replace(DOG, name="dog_2")
    result = ground(plan(DOG, second), ["dog good"])
    assert [s.event.name for s in result.sounds] == ["dog"]
    assert [(e.event.name, e.reason) for e in result.left] == [("dog_2", Dropped.NO_GENERATOR)]


def test_after_the_clips_the_generators_are_asked_and_judged_alike() -> None:
    singer = Singer(misses=2)
    result = ground(plan(DOG), ["dog wrong"], singer)
    (sound,) = result.sounds
    assert sound.made and sound.source == "singer" and sound.attribution == "Singer"
    decisions = [(a.source, a.verdicts[-1].decision) for a in sound.history]
    assert decisions == [
        ("dog wrong", Decision.REJECT),
        ("singer", Decision.REJECT),
        ("singer", Decision.REJECT),
        ("singer", Decision.ACCEPT),
    ]
    assert singer.asked == [1.0] * 3


def test_no_generator_is_asked_while_a_clip_passes_nor_for_what_it_cannot_make() -> None:
    singer = Singer()
    result = ground(plan(DOG, CAT), ["dog good"], singer)
    assert singer.asked == []
    (left,) = result.left
    assert left.event is CAT and left.reason is Dropped.NO_GENERATOR and left.history == ()


def test_an_event_is_left_out_if_all_that_was_made_is_rejected() -> None:
    result = ground(plan(DOG), [], Singer(misses=99), Singer(misses=99))
    (left,) = result.left
    assert left.reason is Dropped.MADE_REJECTED and len(left.history) == 2 * DRAWS
    assert next(told(result)).startswith("dog: left out, no recording fits and what was made")


def test_speech_is_left_to_the_next_stage() -> None:
    result = ground(plan(TALK, DOG), ["dog good"])
    assert [s.event for s in result.sounds] == [DOG] and result.left == ()


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(["dog", "cat", "talk"]), min_size=1, max_size=6),
    st.sets(st.sampled_from(sorted(SOUNDS))),
    st.integers(0, 2**32 - 1),
    st.integers(0, 4),
)
def test_equal_arguments_give_equal_groundings_and_no_event_is_lost(
    kinds: list[str], names: set[str], seed: int, misses: int
) -> None:
    kind = {"dog": DOG, "cat": CAT, "talk": TALK}
    events = [replace(kind[k], name=f"{k}_{i}") for i, k in enumerate(kinds)]
    first, second = (ground(plan(*events), sorted(names), Singer(misses), seed=seed) for _ in "12")
    assert [(s.event, s.source, s.history) for s in first.sounds] == [
        (s.event, s.source, s.history) for s in second.sounds
    ]
    assert first.left == second.left
    for one, other in zip(first.sounds, second.sounds, strict=True):
        assert np.array_equal(one.samples, other.samples)
        assert one.history[-1].verdicts[-1].decision is Decision.ACCEPT
    done = {s.event.name for s in first.sounds} | {e.event.name for e in first.left}
    assert done == {e.name for e in events if e.label != "speech"}


def test_what_one_event_draws_does_not_change_the_next() -> None:
    second = replace(DOG, name="dog_2")
    alone = ground(plan(CAT, second), ["cat"], Singer())
    after = ground(plan(DOG, second), [], Singer())
    assert np.array_equal(alone.sounds[1].samples, after.sounds[1].samples)


@pytest.mark.slow
def test_yamnet_hears_what_is_made_by_rule() -> None:
    """At least half of ten draws of every rule are accepted (docs/grounding.md has the table)."""
    from harken.parts import ensure
    from harken.perceive.sound import SoundEar

    ear = SoundEar(ensure("yamnet"))
    for recipe in RECIPES:
        tags = ("Mains hum", "Hum")
        wanted = replace(event("made", recipe.label, "a sound", 4.0), accept_tags=tags)
        verdicts = [
            judged(recipe.make(np.random.default_rng(seed), 4.0), wanted, recipe.label, ear)
            for seed in range(10)
        ]
        assert sum(v.accepted for v in verdicts) >= 5, (recipe.name, verdicts[-1].verdicts)
        assert classes_of(recipe.label) or recipe.name == "mains_hum"


@pytest.mark.slow
def test_plans_of_the_grammar_are_grounded_by_rule_alone() -> None:
    from harken.parts import ensure
    from harken.perceive.sound import SoundEar

    ear = SoundEar(ensure("yamnet"))
    shelf = Shelf([], "train", word_vectors)
    makeable = {recipe.label for recipe in RECIPES}
    made = 0
    for seed in range(3):
        drawn = GrammarPlanner().plan(seed)
        result = grounded(drawn, shelf, [Procedural()], ear, np.random.default_rng(seed))
        made += len(result.sounds)
        assert {s.event.label for s in result.sounds} <= makeable
        reasons = {e.event.label in makeable: e.reason for e in result.left}
        assert reasons.get(False, Dropped.NO_GENERATOR) is Dropped.NO_GENERATOR
        assert reasons.get(True, Dropped.MADE_REJECTED) is Dropped.MADE_REJECTED
    assert made >= 1
