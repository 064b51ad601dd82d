"""What compositions differ in: shares, cleaned sounds, scenes without their plan."""

from collections import Counter
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from tests.soundflow import tiny_streams

from harken.errors import HarkenError
from harken.soundflow.build import Means
from harken.soundflow.compositions import (
    COMPOSITIONS,
    CleanedStudio,
    compose,
    means_of,
    shares_of,
    without_plan,
)
from harken.soundflow.events import EVENTS
from harken.soundflow.ground.labels import classes_of
from harken.soundflow.plan import SPEECH, GrammarPlanner
from harken.soundflow.recipe import load_recipe
from harken.soundflow.rows import rows
from harken.soundflow.studio import Studio
from harken.stream import SAMPLE_RATE

LABELS = ["bell_gong", "cough", "dog_bark", "knock"]


class Shelf:
    """A studio of which nothing but its labels is asked."""

    labels = LABELS


def test_the_mix_is_the_default_one_but_for_unasked_sounds() -> None:
    default = dict(load_recipe("default").tasks)
    for composition in COMPOSITIONS.values():
        shares = dict(shares_of(composition))
        unasked = shares.pop("events", 0.0) + shares.pop("planned", 0.0)
        assert unasked == pytest.approx(default["events"])
        assert shares == {n: s for n, s in default.items() if n not in ("events", "planned")}
    assert shares_of(COMPOSITIONS["plain"]) == load_recipe("default").tasks
    assert shares_of(COMPOSITIONS["planned"]) == shares_of(COMPOSITIONS["concatenated"])


def test_each_composition_changes_what_it_says() -> None:
    plain, at_random, cleaned = (
        means_of(COMPOSITIONS[n]) for n in ("plain", "concatenated", "cleaned")
    )
    changed = {n for n, c in at_random.composers.items() if c is not plain.composers[n]}
    assert changed == {"planned"} and at_random.studio is plain.studio
    assert cleaned.composers == plain.composers and cleaned.studio is not plain.studio


@pytest.mark.parametrize("seed", range(12))
def test_without_its_plan_a_scene_has_as_much_of_anything_in_any_order(seed: int) -> None:
    plan = GrammarPlanner().plan(seed)
    found = without_plan(plan, cast(Studio, Shelf()), np.random.default_rng(seed))
    kinds = [
        Counter((e.role == "ambient", e.label == SPEECH) for e in p.events) for p in (plan, found)
    ]
    assert kinds[0] == kinds[1] and not found.orders
    ambient = [e for e in plan.events if e.role == "ambient"]
    assert list(found.events[: len(ambient)]) == ambient
    others = found.events[len(ambient) :]
    assert {e.role for e in others} == {"fg"}
    assert all(e.label in (*LABELS, SPEECH) for e in others)
    sounds = [e for e in others if e.label != SPEECH]
    assert all(e.query == EVENTS[e.label].name for e in sounds), "it is looked for by its own name"
    assert all(e.accept_tags == classes_of(e.label) for e in sounds)
    assert sorted(e.speaker for e in others) == sorted(
        e.speaker for e in plan.events[len(ambient) :]
    )


def test_cleaned_sounds_lose_their_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    t = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    beep = (0.5 * np.sin(2 * np.pi * 600 * t)).astype(np.float32)
    paused = np.concatenate([beep, np.zeros(SAMPLE_RATE, np.float32), beep])
    clips = iter([paused, np.zeros(4000, np.float32)])
    monkeypatch.setattr(Studio, "event", lambda self, label, random: (next(clips), "package/x"))
    studio = CleanedStudio.__new__(CleanedStudio)
    random = np.random.default_rng(0)
    clip, source = studio.event("beep", random)
    assert source == "package/x" and len(clip) < len(paused) - SAMPLE_RATE // 2
    assert len(studio.event("beep", random)[0]) == 4000, "of silence nothing would be left"


def test_a_split_is_composed_with_its_sound_and_goes_on(tmp_path: Path) -> None:
    tiny = tiny_streams.MEANS
    composers = {n: tiny.composers["chat"] for n, _ in load_recipe("default").tasks}
    made_with = Means(composers | {"events": tiny.composers["events"]}, tiny.studio, tiny.hear)
    for streams in (3, 8):
        compose("plain", tmp_path, "train", streams, made_with=made_with)
    compose("plain", tmp_path, "dev", 4, made_with=made_with)
    found = list(rows(tmp_path))
    assert {r["split"] for r in found} == {"train", "dev"}
    assert all((tmp_path / "audio" / f"{r['features']}.flac").exists() for r in found)
    assert len(list((tmp_path / "lines").glob("train-*"))) == 8
    with pytest.raises(HarkenError, match="no composition 'odd'; choose from plain"):
        compose("odd", tmp_path, "train", 1)
