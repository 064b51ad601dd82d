"""Teaching one new sound: the shipped model, some hundred steps at a low rate, a new delta.

What to learn from is composed by `harken.soundflow.lesson_streams` and `lesson_talk`; this module
puts it together in one folder, runs the one loop over it, and writes the checkpoint. Everything is
kept under the hash of the lesson, so the same call goes on where it was killed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from harken.decide.checkpoint import Checkpoint
from harken.decide.listener import Listener
from harken.errors import HarkenError
from harken.parts.cache import cache_dir, sha256_of
from harken.soundflow import sources
from harken.soundflow.engine import Engine
from harken.soundflow.lesson import CAUSE, Lesson
from harken.soundflow.lesson_streams import compose_sounds, move_replies
from harken.soundflow.lesson_talk import Voice, compose_talk, speaking
from harken.soundflow.production import Progress
from harken.soundflow.resound import resound
from harken.soundflow.rows import gather, rows, write_rows
from harken.train.config import TrainConfig
from harken.train.export import export
from harken.train.kept import answer_itself, keep
from harken.train.loop import Report, train
from harken.train.model import BaseParts
from harken.train.run import Run, run_folder

Told = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""

TALK = {
    "others_talking": 36, "chat": 30, "transcribe": 14, "translate": 14, "remember": 12,
    "tell_when": 16,
}  # fmt: skip
TALK_HELD_OUT = {"others_talking": 8, "chat": 6}
SHARE = 0.45
"""How much of what is learnt from is the lesson; the rest is rehearsal."""
MOST_REHEARSED = 400
"""Streams of a user's own data folder."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is composed: streams of sounds, and talk by task, to train on and held out."""

    streams: int = 250
    streams_held_out: int = 32
    talk: Mapping[str, int] = field(default_factory=lambda: TALK)
    talk_held_out: Mapping[str, int] = field(default_factory=lambda: TALK_HELD_OUT)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a lesson is at work in the user's cache: its streams, and its run."""

    folder: Path
    run: Run

    @classmethod
    def of(cls, lesson: Lesson, start: Path, data: Path | None = None) -> "Desk":
        """The place of a lesson that begins with a checkpoint, and rehearses a data folder."""
        told = [
            lesson.digest, sha256_of(start), str(data.absolute()) if data else "",
            str(sources.has_recordings()),
        ]  # fmt: skip
        key = sha256("\n".join(told).encode()).hexdigest()[:12]
        name = f"{lesson.name}-{key}"
        return cls(cache_dir() / "lessons" / name, Run(run_folder(f"teach-{name}")))


def compose_lesson(
    lesson: Lesson,
    folder: Path,
    plan: Plan,
    *,
    engine: Engine,
    told: Told = lambda *_: None,
    voice: Callable[[Path], Voice] = speaking,
) -> None:
    """Compose everything that a lesson is learnt from and judged by; goes on where it was killed.

    engine: who composes. voice: what speech sounds like to the sound ear, given the folder.
    """
    lesson.save(folder)
    for split, count in (("train", plan.streams), ("dev", plan.streams_held_out)):

        def progress(at: Progress, count: int = count, split: str = split) -> None:
            told(f"composing ({split})", min(at.streams, count), count)

        compose_sounds(folder, split, count, engine=engine, progress=progress)
    move_replies(folder)
    resound(
        folder, 1, only=("care", "narrate", "quiet", "count", "tell_when"),
        progress=lambda done, total: told("imagining other sounds", done, total),
    )  # fmt: skip
    _forget(folder, lesson.alike)
    told("talk", 0, 1)
    spoken = voice(folder)
    compose_talk(folder, "train", dict(plan.talk), spoken)
    compose_talk(folder, "dev", dict(plan.talk_held_out), spoken)
    told("talk", 1, 1)


def rehearse(folder: Path, data: Path) -> int:
    """Also learn from streams of another data folder; how many variants were taken.

    Raises:
        HarkenError: it is no data folder, or holds nothing to train on.
    """
    found = [row for row in rows(data) if row["split"] == "train"]
    if not found:
        raise HarkenError(f"{data} holds no stream of the split train; compose some first")
    step = -(-len(found) // MOST_REHEARSED)
    features = (data / "features").absolute()
    # `retold`: nothing is made of them once more.
    own = [{"id": f"rehearsed-{r['id']}", "features": str(features / r["features"])} for r in found]
    taken = [
        row | new | {"retold": True} for row, new in list(zip(found, own, strict=True))[::step]
    ]
    # Written once: what is left out of it later (`keep`) stays left out.
    if not (folder / "lines" / "train-rehearsed.json").exists():
        write_rows(folder, "train-rehearsed", taken)
    gather(folder)
    return len(taken)


def learn(
    lesson: Lesson,
    desk: Desk,
    out: Path,
    *,
    start: Checkpoint,
    listener: Callable[[], Listener],
    config: TrainConfig,
    parts: BaseParts,
    told: Told = lambda *_: None,
    report: Report = lambda _: None,
) -> Checkpoint | None:
    """Learn a composed lesson and write the checkpoint to `out`; None when it was interrupted.

    start: the checkpoint to begin with, whose calibration is kept; listener: that checkpoint, to
    answer for itself. config: steps or minutes of a run that goes on count, the rest is its own.
    """
    folder, run = desk.folder, desk.run
    answer_itself(folder, listener, lambda n, of: told("its own translations", n, of))
    keep(
        folder, start, parts, lesson=CAUSE, compute=config.compute, positions=config.positions,
        told=lambda n, of: told("what it does now", n, of),
    )  # fmt: skip
    if run.exists:
        begun, _ = run.describe()
        config = replace(begun, minutes=config.minutes, steps=config.steps)
    else:
        tasks = {row["task"] for row in rows(folder) if row["split"] == "train"} - {CAUSE}
        weight = SHARE / (1 - SHARE) * max(1, len(tasks))
        config = replace(config, task_weights={CAUSE: weight})
        run.begin(config, folder, start)
    outcome = train(run, config, folder, parts, report)
    if not outcome.finished:
        return None
    taught: dict[str, Any] = {
        "name": lesson.name, "say": lesson.text, "emotion": lesson.emotion,
        "policies": list(lesson.policies), "clips": len(lesson.taught),
    }  # fmt: skip
    learnt = export(run, run.folder / "newest.safetensors", "newest")
    # The loss weighs a response as it did before, so the old calibration holds.
    learnt = replace(
        learnt, calibration=start.calibration, facts={**learnt.facts, "taught": taught}
    )
    learnt.save(out)
    return learnt


def lesson_config(minutes: float, steps: int | None, compute: str) -> TrainConfig:
    """A low rate, and what the ears mean stays as it is: so much is learnt already that a few
    hundred steps must not undo."""
    return TrainConfig(
        minutes=minutes, steps=steps, compute=compute, trained=("controls", "decoder"),
        lr_lora=1e-4, lr_rows=5e-4, lr_output=3e-5, warmup=0.05, dev_steps=10**6,
        checkpoint_minutes=1.0, other_weight=1.0,
    )  # fmt: skip


def _forget(folder: Path, labels: tuple[str, ...]) -> None:
    """Take streams with sounds that the taught one is taken for out of a folder."""
    names = {r["features"] for r in rows(folder) if {n for *_, n in r["sounds"]} & set(labels)}
    for name in names:
        write_rows(folder, name, [])
    if names:
        gather(folder)
