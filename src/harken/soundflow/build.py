"""From composers to training data: mix, let the real ears hear, put what is due on its chunk.

The folder of a data set:
    features/<id>.npz    sound float16 [chunks, 1545], acoustic float16 [chunks, 2560]
    streams.jsonl        one variant a line: prefix, recognised words, sounds in the foreground
                         (start and end sample, label), responses with their chunk;
                         `unjudged` (`retime`) lists chunks whose decision is not learnt
                         responses with their chunk;
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from harken.errors import HarkenError
from harken.perceive.percept import Percept
from harken.perceive.perception import Perception
from harken.soundflow.rows import gather, write_rows
from harken.soundflow.scene import Due, Scene, Variant
from harken.soundflow.studio import Studio
from harken.soundflow.tasks import COMPOSERS
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE, chunk_of_end

COMMIT_SAMPLES = int(1.6 * SAMPLE_RATE)
"""The words ear commits the last word of an utterance within this time."""


class Unheard(Exception):
    """The words ear did not hear an utterance that something depends on: the stream is dropped."""


@dataclass(frozen=True, slots=True)
class Job:
    """One stream to be made; equal jobs give equal streams."""

    folder: Path
    split: str
    seed: int
    index: int
    keep_audio: bool
    only: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.split}-{self.seed}-{self.index:05d}"


def build(
    folder: Path,
    *,
    split: str,
    streams: int,
    seed: int,
    workers: int = 1,
    first: int = 0,
    keep_audio: bool = False,
    only: tuple[str, ...] = (),
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Make `streams` streams into `folder`; those that exist are kept. Returns how many exist.

    `only`: names of tasks to choose from; all when empty.
    """
    if unknown := set(only) - COMPOSERS.keys():
        raise HarkenError(f"no task {min(unknown)!r}; choose from {', '.join(COMPOSERS)}")
    (folder / "features").mkdir(parents=True, exist_ok=True)
    (folder / "lines").mkdir(exist_ok=True)
    if keep_audio:
        (folder / "audio").mkdir(exist_ok=True)
    jobs = [Job(folder, split, seed, i, keep_audio, only) for i in range(first, first + streams)]
    todo = [j for j in jobs if not (folder / "lines" / f"{j.name}.json").exists()]
    with ProcessPoolExecutor(workers) as pool:
        for done, _ in enumerate(pool.map(make, todo), start=1):
            if progress:
                progress(done, len(todo))
            if done % 20 == 0:
                gather(folder)
    return gather(folder)


def make(job: Job) -> None:
    """Compose, hear and write one stream; a stream that cannot be made leaves an empty record."""
    rows: list[dict[str, Any]] = []
    # Another seed fills the place of a stream that cannot be made; its empty record keeps it from
    # being tried again.
    with suppress(Unheard, LookupError):
        rows = list(_rows(job))
    write_rows(job.folder, job.name, rows)


def _rows(job: Job) -> Iterator[dict[str, Any]]:
    random = np.random.default_rng([job.seed, job.index, job.split == "dev"])
    names = [n for n in COMPOSERS if n in job.only or not job.only]
    shares = np.array([COMPOSERS[n][1] for n in names])
    if not shares.any():
        shares = np.ones(len(names))
    composer = COMPOSERS[names[int(random.choice(len(names), p=shares / shares.sum()))]][0]
    scene, variants = composer(_studio(job.split), random)
    audio = scene.mix()
    percepts = heard(audio)
    placed = [(v, place(v.due, percepts), _stopped(v.stop, percepts)) for v in variants]
    features = job.folder / "features" / f"{job.name}.npz"
    partial = features.with_suffix(".partial")
    with partial.open("wb") as f:
        np.savez(
            f,
            sound=np.stack([p.sound for p in percepts]),
            acoustic=np.stack([p.acoustic for p in percepts]),
        )
    partial.replace(features)
    if job.keep_audio:
        soundfile.write(job.folder / "audio" / f"{job.name}.flac", audio, SAMPLE_RATE)
    for n, (variant, said, stops) in enumerate(placed):
        yield _row(job, n, scene, variant, percepts, said, stops)


def _stopped(stop: Due | None, percepts: list[Percept]) -> list[int]:
    """The chunk in which it was heard that our voice should stop, if it was told so."""
    return [chunk for chunk, *_ in place((stop,), percepts)] if stop else []


def _row(
    job: Job,
    n: int,
    scene: Scene,
    variant: Variant,
    percepts: list[Percept],
    said: list[Any],
    stops: list[int],
) -> dict[str, Any]:
    first, last = (at // CHUNK_SAMPLES for at in variant.own_voice)
    playing = range(first, min([last, *stops, len(percepts) - 1]) + 1) if last else range(0)
    return {
        "id": f"{job.name}-{n}",
        "features": job.name,
        "task": variant.task,
        "split": job.split,
        "n_chunks": len(percepts),
        "prefix": {"policy": variant.prefix.policy, "instruction": variant.prefix.instruction},
        "words": [[p.chunk, p.text] for p in percepts if p.text],
        "said": said,
        "sounds": scene.sounds,
        "due": [[d.start, d.end, d.waits_for, d.cause] for d in variant.due],
        "playing": list(playing),
        "stops": stops,
        "sources": sorted(scene.sources),
    }


def heard(audio: np.ndarray[Any, np.dtype[np.float32]]) -> list[Percept]:
    """Percepts of a whole waveform, its last chunk padded with zeros."""
    padded = np.pad(audio, (0, -len(audio) % CHUNK_SAMPLES))
    return list(_perception().hear_all(padded.reshape(-1, CHUNK_SAMPLES)))


def place(due: tuple[Due, ...], percepts: list[Percept]) -> list[list[Any]]:
    """[chunk, text, emotion, cause] of every response, on the chunk where its evidence is heard.

    A response that would share a chunk with an earlier one moves to the next.
    """
    said: dict[int, list[Any]] = {}
    ordered = sorted(due, key=lambda d: d.end)
    for n, d in enumerate(ordered):
        later = [x.start for x in ordered[n + 1 :] if x.waits_for != "sound"]
        limit = min([d.end + COMMIT_SAMPLES, *later])
        batches = [
            (p.chunk, p.text)
            for p in percepts
            if p.text and d.start // CHUNK_SAMPLES <= p.chunk <= limit // CHUNK_SAMPLES
        ]
        if d.waits_for == "each":
            answers = [(c, text.strip()) for c, text in batches]
        elif d.waits_for == "words":
            if not batches:
                raise Unheard(d.cause)
            answers = [(batches[-1][0], d.text)]
        else:
            answers = [(chunk_of_end(d.end), d.text)]
        for chunk, text in answers:
            while chunk in said:
                chunk += 1
            if chunk < len(percepts) and text:
                said[chunk] = [chunk, text, d.emotion, d.cause]
    return [said[c] for c in sorted(said)]


@lru_cache(maxsize=2)
def _studio(split: str) -> Studio:
    return Studio(split)


@lru_cache(maxsize=1)
def _perception() -> Perception:
    try:
        os.nice(5)
    except OSError as refused:  # pragma: no cover - depends on the host
        raise HarkenError(f"cannot lower the priority of a worker ({refused})") from refused
    return Perception()
