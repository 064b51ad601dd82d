"""A plan becomes a scene: what has material is placed as planned, and what is due follows."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.soundflow.needs import needs_corpora

from harken.errors import HarkenError
from harken.soundflow.composing import Composer
from harken.soundflow.events import EVENTS
from harken.soundflow.ground import Dropped, Ground, Grounded, Grounding, Left
from harken.soundflow.plan import LISTENER, SPEECH, Plan, PlannedEvent
from harken.soundflow.planned import (
    GAIN_DB,
    SHORTEST_S,
    Options,
    PlannedScene,
    from_plan,
    place_events,
    planned,
)
from harken.soundflow.planned_talk import Take, Talk
from harken.soundflow.scene import Variant
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE

SCENES = 4
"""Of each split over the fetched corpora."""

_ASKED, _TOLD = "What is the capital of Austria?", "The match is about to begin."
_COMPOSER: Composer = planned


class FakeStudio:
    """Lines of three voices, recorded talk, and perhaps a place."""

    split = "train"

    def __init__(self, *, ambience: bool = True) -> None:
        self._ambience = ambience

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


def studio_of(*, ambience: bool = True) -> Studio:
    return cast(Studio, FakeStudio(ambience=ambience))


def ground_of(*labels: str) -> Ground:
    """Tones for the events of these labels; nothing for others."""

    def ground(plan: Plan, random: np.random.Generator) -> Grounding:
        sounds, left = [], []
        for event in plan.events:
            if event.label in labels:
                clip = tone(random.uniform(0.6, 1.6))
                sounds.append(
                    Grounded(event, clip, f"package/{event.label}", False, "CC0", "Some", ())
                )
            elif event.label != SPEECH:
                left.append(Left(event, Dropped.NO_GENERATOR, ()))
        return Grounding(plan, tuple(sounds), tuple(left))

    return ground


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


PLAIN = Options(far_share=0, television_share=0, silence_share=0)


def performed(
    plan: Plan, ground: Ground, seed: int = 0, *, options: Options = PLAIN, ambience: bool = True
) -> tuple[PlannedScene, list[Variant]]:
    studio = studio_of(ambience=ambience)
    random = np.random.default_rng(seed)
    scene, variants = from_plan(plan, studio, random, options=options, ground=ground)
    assert isinstance(scene, PlannedScene)
    return scene, variants


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


@given(hand_made(), st.integers(0, 99), st.sets(st.integers(0, 11)))
def test_pauses_orders_and_talk_are_kept_whatever_is_missing(
    plan: Plan, seed: int, missing: set[int]
) -> None:
    random = np.random.default_rng(seed)
    takes = {
        e.name: Take(tone(random.uniform(0.1, 6)), "s", "Vienna.", tone(random.uniform(0, 2)))
        if e.label == SPEECH and e.addressed_to == LISTENER
        else Take(tone(random.uniform(0.1, 6)), "s")
        for n, e in enumerate(plan.events[1:])
        if n not in missing
    }
    placed = place_events(plan, takes, random)
    spans = {e.name: (start, start + len(take.clip)) for e, take, start in placed}
    assert spans.keys() <= takes.keys()
    assert all(0 <= start < end <= PLAIN.longest_s * SAMPLE_RATE for start, end in spans.values())
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


@settings(max_examples=8)
@given(hand_made(), st.integers(0, 99))
def test_a_scene_lists_its_foreground_and_what_is_due_lies_in_it(plan: Plan, seed: int) -> None:
    ground = ground_of("dog_bark", "cough", "door", "other_effect")
    try:
        scene, variants = performed(plan, ground, seed, options=Options())
    except LookupError as refused:
        unclear = any(e.label == "cough" and e.role == "bg" for e in plan.events)
        assert unclear or "foreground events" in str(refused)
        return
    assert SHORTEST_S * SAMPLE_RATE <= scene.samples <= PLAIN.longest_s * SAMPLE_RATE
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
    again, same = performed(plan, ground, seed, options=Options())
    assert same == variants and np.array_equal(again.mix(), audio)


def test_policies_speak_of_their_own_sounds() -> None:
    plan = plan_of(
        event("dog", "dog_bark"), event("alarm", "smoke_alarm"), event("coughing", "cough")
    )
    ground = ground_of("dog_bark", "smoke_alarm", "cough")
    tasks: dict[str, list[str]] = {}
    for seed in range(12):
        for task, variant in by_task(performed(plan, ground, seed)[1]).items():
            tasks[task] = [due.cause for due in variant.due]
    assert tasks == {
        "care": ["smoke_alarm", "cough"],
        "quiet": ["smoke_alarm"],
        "narrate": ["dog_bark", "smoke_alarm", "cough"],
        "bench": ["smoke_alarm", "cough"],
    }


def test_a_sound_without_a_name_forbids_narration_but_not_care() -> None:
    plan = plan_of(event("dog", "dog_bark"), event("thing", "other_effect"))
    scene, variants = performed(plan, ground_of("dog_bark", "other_effect"))
    assert [label for _, _, label in scene.sounds] == ["dog_bark", ""]
    assert "care" in by_task(variants) and "narrate" not in by_task(variants)


def test_a_named_sound_in_the_background_forbids_the_policies_that_would_speak_of_it() -> None:
    foreground = event("dog", "dog_bark"), event("door", "door")
    ground = ground_of("dog_bark", "door", "footsteps", "cough")
    scene, variants = performed(plan_of(*foreground, event("feet", "footsteps", "bg")), ground)
    assert len(scene.sounds) == 2
    assert "care" in by_task(variants) and "narrate" not in by_task(variants)
    beneath = plan_of(*foreground, event("ill", "cough", "bg"))
    for seed in range(8):
        try:
            tasks = by_task(performed(beneath, ground, seed)[1]).keys()
        except LookupError:
            continue
        assert tasks == {"quiet"}


def test_roles_have_their_gains_and_the_noise_its_level() -> None:
    plan = plan_of(
        event("dog", "dog_bark"), event("door", "door"), event("feet", "footsteps", "bg")
    )
    scene, _ = performed(plan, ground_of("dog_bark", "door", "footsteps"), seed=3)
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
    scene, variants = performed(plan, ground_of("dog_bark"))
    (due,) = by_task(variants)["care"].due
    assert (due.text, due.waits_for, due.cause) == ("Vienna.", "words", "question")
    assert "narrate" not in by_task(variants)
    assert {"question"} < scene.sources


def test_too_little_material_is_told() -> None:
    plan = plan_of(event("chop", "chopping"), event("dog", "dog_bark"))
    with pytest.raises(
        LookupError, match=r"1 foreground .* of street with seed 7 .*no generator makes it 2"
    ):
        performed(plan, ground_of("dog_bark"))


def test_a_split_without_ambience_still_makes_scenes() -> None:
    plan = plan_of(event("door", "door"), event("dog", "dog_bark"))
    scene, _ = performed(plan, ground_of("dog_bark", "door"), ambience=False)
    assert len(scene.tracks) == 4


def test_what_came_of_the_plan_is_counted() -> None:
    plan = plan_of(event("dog", "dog_bark"), event("door", "door"), event("chop", "chopping"))
    scene, _ = performed(plan, ground_of("dog_bark", "door"))
    assert scene.plan == plan
    assert scene.counts["recorded"] == 2
    assert scene.counts[f"left: {Dropped.NO_GENERATOR}"] == 2, "the ambience and the chopping"


def test_background_talk_sounds_farther_off_than_it_is_recorded() -> None:
    plan = plan_of(
        event("dog", "dog_bark"), event("door", "door"), turn("tell", "a", "b", role="bg")
    )
    ground = ground_of("dog_bark", "door")
    near, _ = performed(plan, ground, options=PLAIN)
    far, _ = performed(plan, ground, options=Options(1 * 60.0, far_share=1, television_share=0))
    assert (near.counts["heard from afar"], far.counts["heard from afar"]) == (0, 1)
    dry, wet = near.tracks[2][1], far.tracks[2][1]
    assert len(dry) == len(wet)
    assert 20 * np.log10(np.abs(wet).max() / np.abs(dry).max()) == pytest.approx(0, abs=0.5)
    assert np.corrcoef(dry, wet)[0, 1] < 0.95


def test_a_television_runs_indoors_unless_somebody_asks_us_something() -> None:
    options = Options(television_share=1)
    sounds = (event("dog", "dog_bark"), event("door", "door"))
    ground = ground_of("dog_bark", "door")

    def runs(plan: Plan) -> bool:
        scene, _ = performed(plan, ground, options=options)
        assert ("package/recorded" in scene.sources) == (scene.counts["television"] == 1)
        return scene.counts["television"] == 1

    indoors = replace(plan_of(*sounds), scene="kitchen")
    assert runs(indoors)
    assert not runs(plan_of(*sounds)), "in the street"
    asking = (*indoors.events, turn("ask", "a", LISTENER))
    assert not runs(replace(indoors, events=asking))


def test_a_long_silence_is_one_pause_of_at_least_eight_seconds_more() -> None:
    plan = plan_of(*(event(f"e{n}", "door", start_after=(0.5, 1.0)) for n in range(5)))
    for seed in range(6):
        scene, _ = performed(
            plan, ground_of("door"), seed, options=replace(PLAIN, longest_s=120.0, silence_share=1)
        )
        pauses = [(b[0] - a[1]) / SAMPLE_RATE for a, b in pairwise(scene.sounds)]
        assert sorted(pauses)[:-1] == [pytest.approx(0.75, abs=0.3)] * 3
        assert 8.5 <= max(pauses) <= 41.1


def test_a_plan_of_minutes_is_played_whole_where_it_may_be() -> None:
    far_apart = [event(f"e{n}", "door", start_after=(15.0, 30.0)) for n in range(14)]
    plan = plan_of(*far_apart)
    short, _ = performed(plan, ground_of("door"))
    long, _ = performed(plan, ground_of("door"), options=replace(PLAIN, longest_s=600.0))
    assert short.samples <= 60 * SAMPLE_RATE and len(long.sounds) == 14 > len(short.sounds)
    assert 14 * 15 <= long.samples / SAMPLE_RATE <= 600


@pytest.mark.parametrize("longest_s", [10.0, 601.0])
def test_lengths_and_shares_out_of_range_are_refused(longest_s: float) -> None:
    with pytest.raises(HarkenError, match="give 20 to 600 s"):
        Options(longest_s=longest_s)
    with pytest.raises(HarkenError, match="leak_share is 10; give 0 to 1"):
        Options(leak_share=10)


def test_our_own_reply_is_marked_and_leaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(plan: Plan, *_: object) -> Talk:
        own = tone(1.5)
        turns = {e.name: Take(tone(1.0), "question", "Vienna.", own) for e in plan.events[2:3]}
        return Talk(turns, Counter())

    monkeypatch.setattr("harken.soundflow.planned.talk_of", talk)
    plan = plan_of(event("dog", "dog_bark"), turn("ask", "a", LISTENER), event("d2", "dog_bark"))
    scene, variants = performed(plan, ground_of("dog_bark"), options=replace(PLAIN, leak_share=1))
    (due,) = (d for d in variants[0].due if d.cause == "question")
    start, end = variants[0].own_voice
    assert start == due.end + 1.8 * SAMPLE_RATE and end - start == 1.5 * SAMPLE_RATE
    assert scene.sounds[1][0] >= end, "nothing comes in the foreground while we reply"
    assert scene.counts["own voice leaks"] == 1
    echo = [clip for at, clip in scene.tracks if at == start]
    assert len(echo) == 1 and 0 < np.abs(echo[0]).max() < np.abs(scene.tracks[0][1]).max()
    deaf, _ = performed(plan, ground_of("dog_bark"), options=replace(PLAIN, leak_share=0))
    assert not [at for at, _ in deaf.tracks if at == start]


@needs_corpora
@pytest.mark.parametrize("split", ["train", "dev"])
def test_scenes_over_the_corpora_are_sound(split: str) -> None:
    studio = Studio(split)
    for seed in range(SCENES):
        scene, variants = _COMPOSER(studio, np.random.default_rng([seed, 5]))
        audio = scene.mix()
        assert SHORTEST_S * SAMPLE_RATE <= len(audio) <= PLAIN.longest_s * SAMPLE_RATE
        assert np.isfinite(audio).all() and 0 < np.abs(audio).max() <= 1
        for variant in variants:
            assert all(0 <= d.start < d.end <= len(audio) and d.text for d in variant.due)
            sounds = {(start, label) for start, _, label in scene.sounds}
            for due in (d for d in variant.due if d.waits_for == "sound"):
                assert (due.start, due.cause) in sounds
                assert EVENTS[due.cause].reply(variant.task) == (due.text, due.emotion)
