"""A plan becomes a scene: what has material is placed as planned, and what is due follows."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.soundflow.composing import Composer
from harken.soundflow.corpora import package_dir
from harken.soundflow.events import EVENTS
from harken.soundflow.plan import LISTENER, SPEECH, Plan, PlannedEvent
from harken.soundflow.planned import (
    GAIN_DB,
    LONGEST_S,
    SHORTEST_S,
    Take,
    crossfaded,
    from_plan,
    place_events,
    planned,
    takes_for,
)
from harken.soundflow.scene import Scene, Variant
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE

SCENES = 4
"""Of each split over the fetched corpora."""

_ASKED, _TOLD = "What is the capital of Austria?", "The match is about to begin."
_COMPOSER: Composer = planned


class FakeStudio:
    """Tones for the labels it has; lines of three voices."""

    split = "train"

    def __init__(self, labels: Sequence[str], *, ambience: bool = True) -> None:
        self.labels = list(labels)
        self._ambience = ambience

    def event(self, label: str, random: np.random.Generator) -> tuple[np.ndarray, str]:
        return tone(random.uniform(0.4, 1.5)), f"package/{label}"

    def harmless(self, random: np.random.Generator) -> tuple[np.ndarray, str]:
        return tone(0.6), "package/effect"

    def ambience(self, random: np.random.Generator) -> tuple[np.ndarray, str]:
        if not self._ambience:
            raise LookupError("no ambience")
        return tone(3.0), "package/town"

    def talk(self, random: np.random.Generator, *, english: bool) -> tuple[np.ndarray, str, str]:
        return tone(1.7), "Press four.", "package/recorded"

    def all_spoken(self, kind: str, language: str) -> list[Spoken]:
        texts = {
            "question": [(_ASKED, "Vienna."), ("What should I wear?", "")],
            "not_addressed": [(_TOLD, ""), ("We need milk.", "")],
            "sentence": [("The bridge is long.", "这座桥很长。")],
        }[kind]
        return [
            Spoken(kind, language, text, other, voice, cast(Any, None))
            for text, other in texts
            for voice in ("af_sky", "am_onyx", "bm_lewis")
        ]

    def voice(self, spoken: Spoken) -> np.ndarray:
        return tone(1.0 + 0.01 * len(spoken.text))


def tone(seconds: float) -> np.ndarray:
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)


def studio_of(*labels: str, ambience: bool = True) -> Studio:
    return cast(Studio, FakeStudio(labels, ambience=ambience))


def event(name: str, label: str, role: str = "fg", **other: Any) -> PlannedEvent:
    words = "a sound that is heard"
    fields: dict[str, Any] = {"start_after": (0.5, 2.0), "rough_duration_s": 1.0} | other
    return PlannedEvent(
        name, label, cast(Any, role), fields.pop("start_after"), fields.pop("rough_duration_s"),
        words, words, fields.pop("tags", ("Sound",)), **fields,
    )  # fmt: skip


def turn(name: str, speaker: str, to: str, **other: Any) -> PlannedEvent:
    return event(name, SPEECH, speaker=speaker, addressed_to=to, **other)


def plan_of(*events: PlannedEvent, orders: tuple[tuple[str, str], ...] = ()) -> Plan:
    under = event("town", "ambience_town", "ambient", start_after=(0.0, 0.0), rough_duration_s=30.0)
    return Plan("street", (under, *events), 7, "hand", orders=orders)


def by_task(variants: list[Variant]) -> dict[str, Variant]:
    return {v.task: v for v in variants}


def performed(plan: Plan, studio: Studio, seed: int = 0) -> tuple[Scene, list[Variant]]:
    return from_plan(plan, studio, np.random.default_rng(seed))


@st.composite
def hand_made(draw: st.DrawFn) -> Plan:
    labels = ("dog_bark", "cough", "door", "chopping", "other_effect")
    gaps = st.tuples(st.floats(0, 2), st.floats(0, 2)).map(lambda g: (min(g), max(g)))
    events = []
    for n in range(draw(st.integers(2, 12))):
        timing: dict[str, Any] = {
            "start_after": draw(gaps),
            "rough_duration_s": draw(st.floats(0.2, 4)),
            "role": draw(st.sampled_from(("fg", "fg", "bg"))),
        }
        if draw(st.booleans()):
            events.append(event(f"e{n}", draw(st.sampled_from(labels)), **timing))
        else:
            to = draw(st.sampled_from((LISTENER, "everyone", "b")))
            events.append(turn(f"e{n}", "a", to, **timing))
    orders = draw(
        st.lists(
            st.tuples(*[st.integers(0, len(events) - 1)] * 2).filter(lambda p: p[0] < p[1]),
            max_size=4,
        )
    )
    return plan_of(*events, orders=tuple((f"e{a}", f"e{b}") for a, b in orders))


@settings(deadline=None)
@given(hand_made(), st.integers(0, 99), st.sets(st.integers(0, 11)))
def test_pauses_orders_and_talk_are_kept_whatever_is_missing(
    plan: Plan, seed: int, missing: set[int]
) -> None:
    random = np.random.default_rng(seed)
    takes = {
        e.name: Take(
            tone(random.uniform(0.1, 6)),
            "s",
            "Vienna." if e.label == SPEECH and e.addressed_to == LISTENER else "",
        )
        for n, e in enumerate(plan.events[1:])
        if n not in missing
    }
    placed = place_events(plan, takes, random)
    spans = {e.name: (start, start + len(take.clip)) for e, take, start in placed}
    assert spans.keys() <= takes.keys()
    assert all(0 <= start < end <= LONGEST_S * SAMPLE_RATE for start, end in spans.values())
    for before, after in plan.orders:
        if {before, after} <= spans.keys():
            assert spans[before][1] <= spans[after][0]
    previous_end = 0
    for planned_event, _, start in placed:
        assert start >= previous_end + planned_event.start_after[0] * SAMPLE_RATE
        if planned_event.role == "fg":
            previous_end = spans[planned_event.name][1]
    talk = sorted(spans[e.name] for e, _, _ in placed if e.label == SPEECH)
    assert all(one[1] <= other[0] for one, other in pairwise(talk))


@settings(deadline=None, max_examples=8)
@given(hand_made(), st.integers(0, 99))
def test_a_scene_lists_its_foreground_and_what_is_due_lies_in_it(plan: Plan, seed: int) -> None:
    studio = studio_of("dog_bark", "cough", "door")
    try:
        scene, variants = performed(plan, studio, seed)
    except LookupError:
        grounded = takes_for(plan, studio, np.random.default_rng(seed))
        unclear = any(e.label == "cough" and e.role == "bg" for e in plan.events)
        assert unclear or sum(e.role == "fg" and e.name in grounded for e in plan.events) < 2
        return
    assert SHORTEST_S * SAMPLE_RATE <= scene.samples <= LONGEST_S * SAMPLE_RATE
    planned_labels = [e.label for e in plan.events if e.role == "fg" and e.label != SPEECH]
    listed = [label or "other_effect" for _, _, label in scene.sounds]
    assert "chopping" not in listed
    left = iter(planned_labels)
    assert all(label in left for label in listed), "in the order of the plan"
    audio = scene.mix()
    assert np.isfinite(audio).all() and 0 < np.abs(audio).max() <= 1
    for variant in variants:
        ends = [due.end for due in variant.due]
        assert ends == sorted(ends) and all(end <= scene.samples for end in ends)
        assert variant.task == variant.prefix.policy
    again, same = performed(plan, studio, seed)
    assert same == variants and np.array_equal(again.mix(), audio)


def test_policies_speak_of_their_own_sounds() -> None:
    plan = plan_of(
        event("dog", "dog_bark"), event("alarm", "smoke_alarm"), event("coughing", "cough")
    )
    studio = studio_of("dog_bark", "smoke_alarm", "cough")
    tasks: dict[str, list[str]] = {}
    for seed in range(12):
        for task, variant in by_task(performed(plan, studio, seed)[1]).items():
            tasks[task] = [due.cause for due in variant.due]
    assert tasks == {
        "care": ["smoke_alarm", "cough"],
        "quiet": ["smoke_alarm"],
        "narrate": ["dog_bark", "smoke_alarm", "cough"],
        "bench": ["smoke_alarm", "cough"],
    }


def test_a_sound_without_a_name_forbids_narration_but_not_care() -> None:
    plan = plan_of(event("dog", "dog_bark"), event("thing", "other_effect"))
    scene, variants = performed(plan, studio_of("dog_bark"))
    assert [label for _, _, label in scene.sounds] == ["dog_bark", ""]
    assert "care" in by_task(variants) and "narrate" not in by_task(variants)


def test_a_named_sound_in_the_background_forbids_the_policies_that_would_speak_of_it() -> None:
    foreground = event("dog", "dog_bark"), event("door", "door")
    studio = studio_of("dog_bark", "door", "footsteps", "cough")
    scene, variants = performed(plan_of(*foreground, event("feet", "footsteps", "bg")), studio)
    assert len(scene.sounds) == 2
    assert "care" in by_task(variants) and "narrate" not in by_task(variants)
    beneath = plan_of(*foreground, event("ill", "cough", "bg"))
    for seed in range(8):
        try:
            tasks = by_task(performed(beneath, studio, seed)[1]).keys()
        except LookupError:
            continue
        assert tasks == {"quiet"}


def test_roles_have_their_gains_and_the_noise_its_level() -> None:
    plan = plan_of(
        event("dog", "dog_bark"), event("door", "door"), event("feet", "footsteps", "bg")
    )
    scene, _ = performed(plan, studio_of("dog_bark", "door", "footsteps"), seed=3)
    peaks_db = [20 * np.log10(np.abs(clip).max()) for _, clip in scene.tracks]
    foreground, under, bed = peaks_db[:2], peaks_db[2], peaks_db[3]
    assert foreground == pytest.approx([foreground[0]] * 2, abs=0.01)
    assert under == pytest.approx(foreground[0] + GAIN_DB["bg"], abs=0.01)
    assert bed == pytest.approx(foreground[0] + GAIN_DB["ambient"], abs=0.01)
    swelling, steady = (clip for _, clip in scene.tracks[4:])
    assert len(swelling) == len(steady) == scene.samples
    rms_db = [20 * np.log10(np.sqrt(np.mean(np.square(x)))) for x in (swelling, steady)]
    assert rms_db[0] - rms_db[1] == pytest.approx(5.0, abs=0.05)
    played = np.concatenate([clip for _, clip in scene.tracks[:2]])
    snr_db = 20 * np.log10(np.sqrt(np.mean(np.square(played)))) - rms_db[0]
    assert 5 <= snr_db <= 20


def test_only_questions_to_the_listener_are_answered() -> None:
    plan = plan_of(
        turn("ask", "mother", LISTENER, tags=("Female speech, woman speaking",)),
        turn("tell", "father", "mother", tags=("Male speech, man speaking",)),
        event("dog", "dog_bark"),
    )
    scene, variants = performed(plan, studio_of("dog_bark"))
    (due,) = by_task(variants)["care"].due
    assert (due.text, due.waits_for, due.cause) == ("Vienna.", "words", "question")
    assert "narrate" not in by_task(variants)
    assert {"question"} < scene.sources
    takes = takes_for(plan, studio_of("dog_bark"), np.random.default_rng(0))
    assert takes["ask"].reply == "Vienna." and takes["tell"].reply == ""


def test_speakers_have_voices_of_their_own_and_repeat_nothing() -> None:
    heard: list[tuple[str, str]] = []

    class Noting(FakeStudio):
        def voice(self, spoken: Spoken) -> np.ndarray:
            heard.append((spoken.voice, spoken.text))
            return super().voice(spoken)

    plan = plan_of(
        turn("t1", "mother", "father", tags=("Female speech, woman speaking",)),
        turn("t2", "father", "mother", tags=("Male speech, man speaking",)),
        turn("t3", "mother", "father", tags=("Female speech, woman speaking",)),
        turn("t4", "father", "mother", tags=("Male speech, man speaking",)),
    )
    takes = takes_for(plan, cast(Studio, Noting([])), np.random.default_rng(1))
    assert list(takes) == ["t1", "t2", "t3"], "the fourth would repeat a line"
    voices = [voice for voice, _ in heard]
    assert voices[0] == voices[2] == "af_sky" and voices[1] in ("am_onyx", "bm_lewis")
    assert len({text for _, text in heard}) == 3


def test_too_little_material_is_told() -> None:
    plan = plan_of(event("chop", "chopping"), event("dog", "dog_bark"))
    with pytest.raises(LookupError, match="1 foreground events of the plan of street with seed 7"):
        performed(plan, studio_of("dog_bark"))


def test_a_split_without_ambience_still_makes_scenes() -> None:
    plan = plan_of(event("door", "door"), event("dog", "dog_bark"))
    scene, _ = performed(plan, studio_of("dog_bark", "door", ambience=False))
    assert len(scene.tracks) == 4


@settings(deadline=None)
@given(st.lists(st.integers(100, 9000), min_size=1, max_size=4), st.integers(1, 30_000))
def test_crossfades_keep_the_length_and_leave_no_hole(lengths: list[int], samples: int) -> None:
    y = crossfaded([np.ones(n, np.float32) for n in lengths], samples)
    assert len(y) == samples and y.dtype == np.float32
    assert y[0] == 1 and y.min() >= 1 - 1e-5 and y.max() <= np.sqrt(2) + 1e-5


@pytest.mark.skipif(
    not package_dir("wesnoth-1.16-data").is_dir(),
    reason="the corpora (0.9 GB) are not fetched: `harken data fetch`",
)
@pytest.mark.parametrize("split", ["train", "dev"])
def test_scenes_over_the_corpora_are_sound(split: str) -> None:
    studio = Studio(split)
    for seed in range(SCENES):
        scene, variants = _COMPOSER(studio, np.random.default_rng([seed, 5]))
        audio = scene.mix()
        assert SHORTEST_S * SAMPLE_RATE <= len(audio) <= LONGEST_S * SAMPLE_RATE
        assert np.isfinite(audio).all() and 0 < np.abs(audio).max() <= 1
        for variant in variants:
            assert all(0 <= d.start < d.end <= len(audio) and d.text for d in variant.due)
            sounds = {(start, label) for start, _, label in scene.sounds}
            for due in (d for d in variant.due if d.waits_for == "sound"):
                assert (due.start, due.cause) in sounds
                assert EVENTS[due.cause].reply(variant.task) == (due.text, due.emotion)
