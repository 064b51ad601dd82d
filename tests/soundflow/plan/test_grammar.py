"""The offline planner: every seed gives a valid plan, and the plans are of many kinds."""

import json
from collections import Counter
from dataclasses import asdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.soundflow.plan.test_scenes import small

from harken.errors import HarkenError
from harken.soundflow.events import EVENTS
from harken.soundflow.plan.answer import read_json
from harken.soundflow.plan.grammar import GrammarPlanner
from harken.soundflow.plan.plan import EVERYONE, LISTENER, ONESELF, SPEECH, Plan, faults
from harken.soundflow.plan.scenes import read_scenes, scene_book

PLANNER = GrammarPlanner()
COUNTED_PLANS = 1200


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return [PLANNER.plan(seed) for seed in range(COUNTED_PLANS)]


@given(st.integers())
def test_every_seed_gives_one_valid_plan(seed: int) -> None:
    plan = PLANNER.plan(seed)
    assert faults(plan, scene_book().rules) == ()
    assert plan == GrammarPlanner().plan(seed)
    assert plan.seed == seed and plan.planner == f"grammar {scene_book().fingerprint}"


@given(st.integers())
def test_causes_come_first_and_are_there(seed: int) -> None:
    plan = PLANNER.plan(seed)
    sounds = {s.name: s for s in scene_book().scenes[plan.scene].sounds}
    names = [e.name for e in plan.events]
    for place, name in enumerate(names):
        sound = sounds.get(name)
        if sound is None:
            continue
        assert set(sound.needs) <= set(names[:place]), name
        assert not set(sound.after) & set(names[place:]), name
        assert not set(sound.apart) & set(names), name
        for earlier in (*sound.needs, *sound.after):
            assert earlier not in names or (earlier, name) in plan.orders


@given(st.integers())
def test_talk_is_an_exchange_of_people_of_the_scene(seed: int) -> None:
    plan = PLANNER.plan(seed)
    talk = [e for e in plan.events if e.label == SPEECH]
    people = scene_book().people.keys()
    for turn in talk:
        assert turn.speaker in people
        assert turn.addressed_to in people | {LISTENER, EVERYONE, ONESELF}
    for turn, reply in pairwise(talk):
        assert turn.addressed_to in people or reply.start_after[0] >= 2, "no time to be answered"
        if turn.addressed_to in people:
            assert (reply.speaker, reply.addressed_to) == (turn.addressed_to, turn.speaker)
        assert plan.events.index(reply) == plan.events.index(turn) + 1
        if turn.role == "bg":
            latest_end_s = turn.start_after[1] + turn.rough_duration_s
            assert reply.start_after[0] >= latest_end_s, "both would talk at once"


def test_a_plan_survives_json(plans: list[Plan]) -> None:
    for plan in plans[:50]:
        assert read_json(Plan, json.dumps(asdict(plan))) == plan


def test_all_scenes_are_about_as_frequent(plans: list[Plan]) -> None:
    counts = Counter(p.scene for p in plans)
    assert counts.keys() == scene_book().scenes.keys()
    even = COUNTED_PLANS / len(counts)
    assert min(counts.values()) > 0.6 * even and max(counts.values()) < 1.5 * even


def test_all_lengths_and_roles_occur(plans: list[Plan]) -> None:
    lengths = Counter(len(p.events) for p in plans)
    assert set(lengths) == set(range(3, 16))
    assert max(lengths.values()) < 0.2 * COUNTED_PLANS
    roles = Counter(e.role for p in plans for e in p.events)
    assert roles["fg"] > roles["bg"] > 0.05 * roles.total()


def test_labels_are_many_and_none_prevails(plans: list[Plan]) -> None:
    counts = Counter(e.label for p in plans for e in p.events)
    assert len(counts.keys() & EVENTS.keys()) >= 0.9 * len(EVENTS)
    sounds = counts.total() - counts[SPEECH]
    assert 0.1 < counts[SPEECH] / counts.total() < 0.3
    assert max(n for label, n in counts.items() if label != SPEECH) < 0.1 * sounds


def test_every_sound_and_every_ambience_of_the_book_is_drawn(plans: list[Plan]) -> None:
    drawn = {(p.scene, e.name) for p in plans for e in p.events}
    known = {
        (scene.name, entry.name)
        for scene in scene_book().scenes.values()
        for entry in (*scene.sounds, *scene.ambient)
    }
    assert known <= drawn


def test_talk_to_the_listener_and_to_others_both_occur(plans: list[Plan]) -> None:
    to = Counter(e.addressed_to for p in plans for e in p.events if e.label == SPEECH)
    assert to[LISTENER] > 0.03 * to.total()
    assert to.total() - to[LISTENER] - to[EVERYONE] - to[ONESELF] > 0.5 * to.total()


def test_query_and_caption_tell_of_the_same_thing(plans: list[Plan]) -> None:
    told = {
        e.query.startswith(size) == (f"A {size} dog" in e.description)
        for p in plans
        for e in p.events
        if p.scene == "home" and e.label == "dog_bark"
        for size in ("small", "large")
    }
    assert told == {True}


def test_occurrences_are_numbered_as_they_come(plans: list[Plan]) -> None:
    for plan in plans:
        names = [e.name for e in plan.events]
        for name in names:
            if name.endswith("_3") and not name.startswith("talk"):
                assert names.index(name[:-2]) < names.index(f"{name[:-1]}2") < names.index(name)


def test_only_the_scenes_asked_for_are_drawn() -> None:
    planner = GrammarPlanner(["farm", "train"])
    assert {planner.plan(seed).scene for seed in range(40)} == {"farm", "train"}
    with pytest.raises(HarkenError, match="no scene 'moon' to plan in; choose from home"):
        GrammarPlanner(["moon"])


def test_a_book_too_poor_for_a_plan_is_told() -> None:
    book = small()
    book["scenes"][0]["sounds"].pop()
    planner = GrammarPlanner(book=read_scenes(json.dumps(book)))
    with pytest.raises(HarkenError, match="number of events: 2 events are not within 3 to 15"):
        for seed in range(40):
            planner.plan(seed)
