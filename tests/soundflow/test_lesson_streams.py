"""Streams of a lesson: the taught sound gets its reply, everything else what it always got."""

from pathlib import Path

import numpy as np
import pytest
from tests.soundflow.needs import needs_corpora

from harken.perceive.percept import Percept
from harken.soundflow import sources
from harken.soundflow.engine import local
from harken.soundflow.events import EVENTS
from harken.soundflow.ground.generator import RECIPES
from harken.soundflow.lesson import CAUSE, Lesson
from harken.soundflow.lesson_streams import (
    LONGEST_S,
    HomeStudio,
    alike,
    compose_sounds,
    move_replies,
    taught_scene,
)
from harken.soundflow.rows import rows
from harken.soundflow.scene import RECOGNISABLE_SAMPLES
from harken.soundflow.sound_tasks import background, count, events, tell_when
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE, chunk_of_end


@pytest.fixture(autouse=True)
def no_corpora(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here is the lesson of somebody who fetched none, unless a test says so."""
    monkeypatch.setattr(sources, "has_recordings", lambda: False)


def clip(seed: int, seconds: float = 0.8) -> np.ndarray:
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (np.sin(2 * np.pi * random.uniform(600, 900) * t) * np.exp(-2 * t)).astype(np.float32)


def lesson(*policies: str, seconds: float = 0.8, not_rehearsed: tuple[str, ...] = ()) -> Lesson:
    taught, held_out = ([clip(s, seconds) for s in seeds] for seeds in (range(4), range(4, 6)))
    return Lesson(
        "flap", "The cat is back.", "happy", policies or ("care",), tuple(taught), tuple(held_out),
        (), not_rehearsed,
    )  # fmt: skip


def quick_ears(audio: np.ndarray) -> list[Percept]:
    """The level of each chunk in the place of what the ears would make of it."""
    chunks = np.pad(audio, (0, -len(audio) % CHUNK_SAMPLES)).reshape(-1, CHUNK_SAMPLES)
    return [
        Percept(
            n, np.full(1545, np.abs(c).max(), np.float16), np.zeros(2560, np.float16), (), 0.0, 0.0
        )
        for n, c in enumerate(chunks)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_the_taught_sound_is_due_its_reply_and_others_theirs(seed: int) -> None:
    studio = HomeStudio(lesson("care", "narrate"), "train")
    scene, variants = taught_scene(studio, np.random.default_rng(seed))
    audio = scene.mix()
    assert np.isfinite(audio).all() and np.abs(audio).max() <= 1
    spans = [(a, b) for a, b, label in scene.sounds if not label]
    by_policy = {v.prefix.policy: v for v in variants}
    assert {"care", "narrate"} <= by_policy.keys()
    for policy in ("care", "narrate"):
        variant = by_policy[policy]
        assert variant.task == CAUSE
        taught = [d for d in variant.due if d.cause == CAUSE]
        assert taught and all((d.text, d.emotion) == ("The cat is back.", "happy") for d in taught)
        for d in taught:
            assert d.start in {a for a, _ in spans} and d.end - d.start <= RECOGNISABLE_SAMPLES
        others = [d for d in variant.due if d.cause != CAUSE]
        assert [(d.text, d.emotion) for d in others] == [
            EVENTS[d.cause].reply(policy) for d in others
        ]
    if "quiet" in by_policy:
        assert by_policy["quiet"].task == "quiet", "what it does there is to stay"
        assert CAUSE not in {d.cause for d in by_policy["quiet"].due}


def test_a_long_sound_still_fits_and_is_answered_before_it_ends() -> None:
    studio = HomeStudio(lesson(seconds=20.0), "train")
    scene, (variant, *_) = taught_scene(studio, np.random.default_rng(0))
    start, end, _ = scene.sounds[0]
    assert end - start <= 1.2 * LONGEST_S * SAMPLE_RATE
    assert variant.due[0].end == start + RECOGNISABLE_SAMPLES < end


def test_held_out_recordings_are_never_in_training_streams() -> None:
    told = lesson()
    for split, mine in (("train", told.taught), ("dev", told.held_out)):
        studio, random = HomeStudio(told, split), np.random.default_rng(0)
        assert studio.lesson.clips(split) is mine
        lengths = {len(c) for c in mine}
        assert len(studio.taught(random)) == pytest.approx(lengths.pop(), rel=0.2)


@pytest.mark.parametrize("composer", [events, background, count, tell_when])
def test_the_composers_of_sounds_work_without_corpora(composer: object) -> None:
    told = lesson(not_rehearsed=("doorbell", "ambience_machine"))
    studio = HomeStudio(told, "train")
    assert "doorbell" not in studio.labels and "smoke_alarm" in studio.labels
    for seed in range(8):
        scene, variants = composer(studio, np.random.default_rng(seed))  # type: ignore[operator]
        assert variants and np.isfinite(scene.mix()).all()
        assert "doorbell" not in {label for *_, label in scene.sounds}


@needs_corpora
def test_recordings_are_rehearsed_where_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "has_recordings", lambda: True)
    told = lesson(not_rehearsed=("doorbell", "music"))
    splits = {split: HomeStudio(told, split) for split in ("train", "dev")}
    assert len(splits["train"].labels) > len(made_labels(told))
    heard: dict[str, set[str]] = {}
    for split, studio in splits.items():
        assert not {"doorbell", "music"} & set(studio.labels)
        heard[split] = set()
        for seed in range(12):
            for composer in (events, background, count, tell_when):
                scene, _ = composer(studio, np.random.default_rng(seed))
                assert np.isfinite(scene.mix()).all()
                heard[split] |= scene.sources
        recorded = {s for s in heard[split] if not s.startswith("made:")}
        assert 0.3 < len(recorded) / len(heard[split]) < 1
    both = {s for s in heard["train"] & heard["dev"] if not s.startswith("made:")}
    assert not both, "what judges is never learnt from"


def made_labels(told: Lesson) -> list[str]:
    """What a studio without corpora can play."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sources, "has_recordings", lambda: False)
        return HomeStudio(told, "train").labels


def test_streams_are_composed_once_and_replies_are_moved(tmp_path: Path) -> None:
    lesson().save(tmp_path)
    shares = ((CAUSE, 1.0),)

    def compose() -> int:
        return compose_sounds(tmp_path, "train", 4, engine=local(1), shares=shares, hear=quick_ears)

    kept = compose()
    assert kept >= 4 == len(list((tmp_path / "features").iterdir()))
    written = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("train-*.*")}
    assert compose() == kept
    assert written == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("train-*.*")}
    for row in rows(tmp_path):
        taught = [s for s in row["said"] if s[3] == CAUSE]
        ends = sorted(b for _, b, _, cause in row["due"] if cause == CAUSE)
        assert [c for c, *_ in taught] == [chunk_of_end(b) for b in ends]

    with_moved = move_replies(tmp_path)
    moved = [r for r in rows(tmp_path) if r["id"].endswith("-moved")]
    assert len(moved) == with_moved - kept > 0
    assert all(r["unjudged"] and r["task"] == CAUSE for r in moved)
    assert move_replies(tmp_path) == with_moved


@pytest.mark.slow
@pytest.mark.parametrize("name", ["siren_wail", "steam_whistle", "drips"])
def test_a_sound_is_like_what_the_sound_ear_takes_it_for(name: str) -> None:
    (recipe,) = (r for r in RECIPES if r.name == name)
    found = alike([recipe.make(np.random.default_rng(100 + n), 1.2) for n in range(4)])
    assert recipe.label in found
    assert not {"rain_storm", "glass_break", "doorbell"} & set(found)
