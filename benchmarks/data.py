"""How fast data is made, and in how much memory; run it with nothing else on the machine.

    python benchmarks/data.py [--json OUT]    about a quarter of an hour
    python benchmarks/data.py --quick         about one, to see that it works

Needs the corpora and the speech (`harken data fetch`, `harken data speak`) and the parts. Every
measurement is a process of its own with one thread a library. Speeds count processor time of all
its threads, so that a busy machine spoils them little; the ratio of workers counts time that
passed, and needs two idle cores.

composition: `build_recipe` from decoded recordings, everything but the ears: what is drawn or
planned, mixed, placed on its chunk and written. In place of the ears something that costs nothing
hears each reply's evidence at its end. The start of a worker is a line of its own.
cleaning: the six operators on real recordings of sounds that last 1 s to 10 s.
memory: the peak of a process that composes from the corpora once, 4, 16 and 64 times over. Every
copy has an id and a path of its own, so that nothing kept by either is kept once for all copies.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import typer
from grown_corpora import corpora_of, grow
from rich.console import Console
from rich.table import Table

from harken.cli.app import run
from harken.perceive.percept import HeardWord, Percept
from harken.soundflow import sources
from harken.soundflow.build import Means, build_recipe, means
from harken.soundflow.clean import clean
from harken.soundflow.composing import Composer
from harken.soundflow.engine import local
from harken.soundflow.production import Progress
from harken.soundflow.recipe import Recipe, load_recipe
from harken.soundflow.scene import F32, Due, Scene, Variant
from harken.soundflow.studio import Studio
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE, chunk_of_end

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
CLIP_S = (1.0, 10.0)
SEED = 20
_SOUND, _ACOUSTIC = np.zeros(1545, np.float16), np.zeros(2560, np.float16)

Made = TypeVar("Made")


@dataclass(frozen=True)
class Sizes:
    """How much is measured: streams for each line, and clips to clean."""

    composed: int
    planned: int
    heard: int
    cleaned: int
    remembered: int
    times: tuple[int, ...]
    for_workers: int
    heard_for_workers: int


FULL = Sizes(400, 200, 24, 1000, 200, (1, 4, 16, 64), 400, 24)
QUICK = Sizes(40, 10, 2, 60, 20, (1, 4), 40, 4)


@dataclass(frozen=True)
class Figure:
    """One line of the table; at_least or at_most is its target, if it has one."""

    name: str
    value: float
    n: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""

    @property
    def is_met(self) -> bool | None:
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.value <= self.at_most if self.at_most is not None else None


@dataclass(frozen=True)
class Spent:
    """What a process did: seconds of audio made, processor and passed seconds, peak memory.

    start_s: processor time before the first stream, not in cpu_s. n: streams or clips.
    """

    n: int
    audio_s: float
    cpu_s: float
    wall_s: float
    start_s: float
    peak_mb: float

    @property
    def times_real_time(self) -> float:
        """Seconds of audio a second of one core, which are hours of audio a core-hour as well."""
        return self.audio_s / self.cpu_s

    @property
    def amount(self) -> str:
        return f"{self.n}, {self.audio_s / 3600:.2f} h"


def main(
    quick: Annotated[bool, typer.Option(help="A small part of it, to see that it works.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write it here.")] = None,
) -> None:
    # Before the processes start: libraries read it when they are loaded.
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    figures = list(_figures(QUICK if quick else FULL))
    table = Table("figure", "value", "target", "met", "of")
    for figure in figures:
        value = f"{figure.value:.3g}" if figure.value < 100 else f"{figure.value:.0f}"
        met = {True: "yes", False: "no", None: ""}[figure.is_met]
        table.add_row(figure.name, value, figure.target, met, figure.n)
    Console().print(table)
    if json_file:
        lines = [asdict(figure) | {"met": figure.is_met} for figure in figures]
        said = {"quick": quick, "cores": os.cpu_count(), "figures": lines}
        json_file.write_text(json.dumps(said, indent=1) + "\n", "utf-8")


def _figures(sizes: Sizes) -> Iterator[Figure]:
    default = load_recipe("default")
    planned = Recipe("planned", default.seed, default.split, (("planned", 1.0),))
    hours = "hours of stream a core-hour"
    composed = _alone(compose, default, sizes.composed)
    yield Figure(f"composition, {hours}", composed.times_real_time, composed.amount, 60)
    yield Figure("the same, hours an hour that passed", composed.audio_s / composed.wall_s, "")
    yield Figure("start of a worker, s of processor", composed.start_s, "1")
    scenes = _alone(compose, planned, sizes.planned)
    yield Figure(
        f"composition of planned scenes, {hours}", scenes.times_real_time, scenes.amount, 60
    )
    heard = _alone(compose, default, sizes.heard, ears=True)
    yield Figure(f"composition and the ears, {hours}", heard.times_real_time, heard.amount)
    cleaned = _alone(clean_clips, sizes.cleaned)
    yield Figure("cleaning, times real time a core", cleaned.times_real_time, cleaned.amount, 150)
    for times in sizes.times:
        with tempfile.TemporaryDirectory() as made:
            cache = Path(made)
            _alone(grow, cache, times)
            of = f"corpora x {times}"
            peak = _alone(compose, default, sizes.remembered, cache=cache)
            yield Figure(f"{of}: peak memory, MB", peak.peak_mb, peak.amount, at_most=1000)
            yield Figure(f"{of}: {hours}", peak.times_real_time, peak.amount)
            peak = _alone(compose, default, sizes.heard, ears=True, cache=cache)
            name = f"{of}: peak memory with the ears, MB"
            yield Figure(name, peak.peak_mb, peak.amount, at_most=1000)
    for ears, streams in ((False, sizes.for_workers), (True, sizes.heard_for_workers)):
        one, two = (_alone(hours_an_hour, default, streams, n, ears=ears) for n in (1, 2))
        what = "composition and the ears" if ears else "composition"
        yield Figure(f"{what}: 2 workers / 1 worker", two / one, f"{streams}, {streams}")


def compose(
    recipe: Recipe, streams: int, *, ears: bool = False, cache: Path | None = None
) -> Spent:
    """Streams of a recipe made in this process, from the corpora of `cache` if it is given."""
    made_with, hours = means() if ears else unheard(), 0.0

    def note(at: Progress) -> None:
        nonlocal hours
        hours = at.hours

    with corpora_of(cache), tempfile.TemporaryDirectory() as folder:
        made_with.studio(recipe.split)
        made_with.hear(np.zeros(CHUNK_SAMPLES, np.float32))
        start_s, began_s = time.process_time(), time.perf_counter()
        build_recipe(
            recipe,
            Path(folder),
            streams=streams,
            engine=_here,
            progress=note,
            made_with=made_with,
        )
        cpu_s, wall_s = time.process_time() - start_s, time.perf_counter() - began_s
    return Spent(streams, 3600 * hours, cpu_s, wall_s, start_s, _peak_mb())


def clean_clips(most: int) -> Spent:
    """Recordings of sounds cleaned in this process, decoded before."""
    low, high = CLIP_S
    clips = [clip for clip in sources.clips("train", "event") if low <= clip.seconds <= high]
    random.Random(SEED).shuffle(clips)
    loaded = [sources.load(clip) for clip in clips[:most]]
    clean(loaded[0])
    start_s, began_s = time.process_time(), time.perf_counter()
    for samples in loaded:
        clean(samples)
    cpu_s, wall_s = time.process_time() - start_s, time.perf_counter() - began_s
    audio_s = sum(map(len, loaded)) / SAMPLE_RATE
    return Spent(len(loaded), audio_s, cpu_s, wall_s, start_s, _peak_mb())


def hours_an_hour(recipe: Recipe, streams: int, workers: int, *, ears: bool) -> float:
    """Hours of stream an hour that passes, from the first stream on: all workers have started."""
    marks: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        build_recipe(
            recipe,
            Path(folder),
            streams=streams,
            engine=local(workers),
            progress=lambda at: marks.append((time.perf_counter(), at.hours)),
            made_with=means() if ears else unheard(),
        )
    (began_s, first), (ended_s, last) = marks[0], marks[-1]
    return (last - first) * 3600 / (ended_s - began_s)


def unheard() -> Means:
    """What streams are made with, but for the ears: evidence is heard where it ends, at no cost.

    The composer leaves what is due for the hearing that follows it, in a list of their own.
    """
    due: list[Due] = []
    real = means()
    composers = {name: partial(_noting, made, due) for name, made in real.composers.items()}
    return Means(composers, real.studio, partial(_as_due, due))


def _noting(
    composer: Composer, due: list[Due], studio: Studio, random: np.random.Generator
) -> tuple[Scene, list[Variant]]:
    scene, variants = composer(studio, random)
    due[:] = [d for v in variants for d in (*v.due, *((v.stop,) if v.stop else ()))]
    return scene, variants


def _as_due(due: list[Due], audio: F32) -> list[Percept]:
    chunks = -(-len(audio) // CHUNK_SAMPLES)
    words: dict[int, tuple[HeardWord, ...]] = {}
    for one in due:
        if one.waits_for != "sound":
            words[chunk_of_end(one.end)] = (HeardWord(" heard", one.end, "en"),)
    return [Percept(c, _SOUND, _ACOUSTIC, words.get(c, ()), -60.0, 0.0) for c in range(chunks)]


def _here(
    job: Callable[[int], Made], indices: Iterable[int]
) -> Generator[tuple[int, Made], None, None]:
    """The engine of this process alone."""
    return ((index, job(index)) for index in indices)


def _alone(measure: Callable[..., Made], *of: Any, **ways: Any) -> Made:
    """What a function returns in a new process, which inherits nothing but the environment."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(measure, *of, **ways).result()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(run(partial(typer.run, main), "data"))
