"""`harken teach`: some thirty recordings of a new sound, and the reply it should get."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from harken.cli.app import EXIT_INTERRUPTED
from harken.cli.outputs import require_place
from harken.cli.train import require_torch
from harken.errors import HarkenError
from harken.stream import POLICIES
from harken.stream.policy import DEFAULT_POLICY
from harken.stream.profile import EMOTIONS, MINI

if TYPE_CHECKING:
    from harken.soundflow.lesson import Lesson
    from harken.train.teach import Desk

PARTS = ("yamnet", "whisper", "silero", "decoder")
TAUGHT_SESSIONS, OTHER_SESSIONS = 16, 14
"""Held-out sessions of the report."""


def teach(
    folder: Annotated[
        Path, typer.Argument(help="A folder with some 30 recordings of the sound, one in each.")
    ],
    say: Annotated[str, typer.Option(help="The reply it should get.")],
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help=f"When it is due, repeatable, of {', '.join(POLICIES)}; {DEFAULT_POLICY} by "
            "default."
        ),
    ] = None,
    emotion: Annotated[
        str, typer.Option(help=f"Of the reply, of {', '.join(EMOTIONS)}.")
    ] = "normal",
    out: Annotated[
        Path | None,
        typer.Option(help="The checkpoint to write; by default the folder's name here."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Begin with this checkpoint, not with the shipped one.")
    ] = None,
    rehearse: Annotated[
        Path | None,
        typer.Option(help="A data folder (`harken data build`) to learn from as well."),
    ] = None,
    minutes: Annotated[float, typer.Option(help="Training time.")] = 15.0,
    steps: Annotated[
        int | None, typer.Option(help="End training after so many steps.", min=1)
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that compose.", min=1)] = 2,
) -> None:
    """Teach one new sound and its reply; the same command goes on where it was stopped."""
    require_torch("teaching")
    from harken.decide.checkpoint import Checkpoint
    from harken.decide.model import shipped_checkpoint
    from harken.soundflow.lesson import lesson_name, read_lesson
    from harken.soundflow.rows import rows
    from harken.train.config import TrainConfig

    out = out or Path(f"{lesson_name(folder)}.safetensors")
    lesson = read_lesson(folder, say, policies=policy or [DEFAULT_POLICY], emotion=emotion)
    start = model or shipped_checkpoint()
    checkpoint = Checkpoint.load(start, MINI)
    _require_place(out, start)
    # Said now, not when everything is composed.
    TrainConfig(minutes=minutes, steps=steps)
    if rehearse:
        next(rows(rehearse), None)
    _tell(lesson)
    _fetch_parts()
    from harken.soundflow.lesson_streams import alike
    from harken.train.teach import Desk

    lesson = replace(lesson, alike=alike(lesson.taught))
    desk = Desk.of(lesson, start, rehearse)
    if not _learnt(lesson, desk, out, start, checkpoint, rehearse, minutes, steps, workers):
        typer.echo("stopped; the same command goes on from here")
        raise typer.Exit(EXIT_INTERRUPTED)
    for line in _report(lesson, desk, start, out):
        typer.echo(line)
    typer.echo(f"use it: harken listen --model {out} --policy {lesson.policies[0]} RECORDING")


def _learnt(
    lesson: "Lesson",
    desk: "Desk",
    out: Path,
    start: Path,
    checkpoint: Any,
    data: Path | None,
    minutes: float,
    steps: int | None,
    workers: int,
) -> bool:
    """Compose and train, with progress; whether it came to its end."""
    from harken.decide.model import load_listener
    from harken.soundflow.engine import local
    from harken.train.compute import fastest
    from harken.train.model import BaseParts
    from harken.train.teach import Plan, compose_lesson, learn, lesson_config, rehearse

    config = lesson_config(minutes, steps, fastest())
    with _Bars() as bars:
        # Workers are forked: they must not inherit a runtime with threads.
        compose_lesson(lesson, desk.folder, Plan(), engine=local(workers), told=bars.told)
        if data:
            rehearse(desk.folder, data)
        learnt = learn(
            lesson,
            desk,
            out,
            start=checkpoint,
            listener=lambda: load_listener(start),
            config=config,
            parts=BaseParts.shipped(),
            told=bars.told,
            report=bars.trained,
        )
    return learnt is not None


def _report(lesson: "Lesson", desk: "Desk", start: Path, out: Path) -> list[str]:
    """What held-out sessions say before and after."""
    from harken.decide.model import load_listener
    from harken.evals.streams import cases
    from harken.evals.taught import chosen, report, sessions

    held_out = chosen(cases(desk.folder, "dev"), TAUGHT_SESSIONS, OTHER_SESSIONS)
    with Console(stderr=True).status("judging by held-out recordings"):
        before = sessions(held_out, load_listener(start))
        after = sessions(held_out, load_listener(out))
    return report(before, after, lesson.text)


class _Bars:
    """A bar for each thing that is being done, on stderr."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description:30}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[more]}"),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Bars":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def told(self, what: str, done: float, total: float, more: str = "") -> None:
        """So much of something is done."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total, more="")
        self._bars.update(self._tasks[what], completed=done, total=total, more=more)

    def trained(self, entry: Mapping[str, Any]) -> None:
        """An entry of the training log."""
        scores = entry["all"]
        more = [f"{what} {scores[what]['rate']:.0%}" for what in ("respond", "silent", "text")
                if what in scores]  # fmt: skip
        self.told("training", entry["done"], 1.0, f"step {entry['step']}: {', '.join(more)}")


def _tell(lesson: "Lesson") -> None:
    """Which recordings are used, which are not, and whether others can be rehearsed."""
    from harken.soundflow.sources import has_recordings

    taught, held_out = len(lesson.taught), len(lesson.held_out)
    typer.echo(f"{taught} recordings to learn from, {held_out} held out to judge by")
    for each in lesson.refused:
        typer.echo(f"not used: {each.file}: {each.reason}", err=True)
    if lesson.refused:
        typer.echo(f"not used: {len(lesson.refused)} files in all", err=True)
    if not has_recordings():
        typer.echo(
            "no recordings of other sounds are fetched: what is known of real ones is lost in "
            "part; run `harken data fetch` (0.9 GB) first to rehearse them",
            err=True,
        )


def _fetch_parts() -> None:
    from harken.cli.parts import PartBars
    from harken.parts import ensure
    from harken.parts.convert import converted

    with PartBars() as bars:
        for part in PARTS:
            ensure(part, progress=bars.report)
    for part in ("acoustic", "decoder"):
        converted(part)


def _require_place(out: Path, start: Path) -> None:
    """Told before half an hour of work, not after."""
    if out.suffix != ".safetensors":
        raise HarkenError(f"{out} is no checkpoint's name; end it with .safetensors")
    require_place(out)
    if out.absolute() == start.absolute():
        raise HarkenError(f"{out} is what the lesson begins with; give --out another name")
