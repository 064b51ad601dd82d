"""From composers to training data: mix, let the real ears hear, put what is due on its chunk.

The folder of a data set:
    features/<id>.npz    sound float16 [chunks, 1545], acoustic float16 [chunks, 2560]
    streams.jsonl        one variant a line: prefix, recognised words, sounds in the foreground
                         (start and end sample, label), responses with their chunk;
                         `unjudged` (`retime`) lists chunks whose decision is not learnt,
                         `strays` (`stray`) those with all that is said; `as_before`
                         (`harken.train.kept`) has the probabilities of every chunk's decisions
                         that are to stay; `counts` tells what a planned stream found, made and
                         left out
    lines/<id>.json      the same rows by stream; none for a stream that could not be composed
    refused/<id>.json    why not: {"reason", "detail", "task"}
    audio/<id>.flac      the mixes, if they are kept
    recipes.json         for every seed of a split, the tasks and shares it was built with
    shards/              the same as tar shards, if they are asked for (`shards.renewal`)

`production` tells which streams belong to it, and what a kill leaves.
"""

import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from harken.errors import HarkenError
from harken.perceive.percept import Percept
from harken.perceive.perception import Perception
from harken.soundflow.alarm_tasks import spoken_of_once
from harken.soundflow.composing import Composer
from harken.soundflow.engine import Engine, local
from harken.soundflow.manifest import SPLITS
from harken.soundflow.planned import planned
from harken.soundflow.production import Amount, Production, Progress, produce
from harken.soundflow.recipe import Recipe, Shares, record_recipe
from harken.soundflow.rows import rows_text
from harken.soundflow.scene import F32, Due, Scene, Variant
from harken.soundflow.speech import error_rate
from harken.soundflow.staging import AUDIO, FEATURES, REFUSAL, ROWS, at_work, staging_folder
from harken.soundflow.studio import Studio
from harken.soundflow.tasks import COMPOSERS
from harken.soundflow.texts import is_chinese
from harken.soundflow.unrepeated import unrepeated
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE, chunk_of_end

COMMIT_SAMPLES = int(1.6 * SAMPLE_RATE)
"""The words ear commits the last word of an utterance within this time."""
LOST_RATE = 0.5
"""An order of which so large a share of the words was misheard cannot be followed."""


class Refused(Exception):
    """A stream cannot be made of what was drawn: it is dropped, and counted under this reason."""

    reason = "refused"


class Unheard(Refused):
    """The words ear did not hear an utterance that something depends on."""

    reason = "words not heard"


class NoText(Refused):
    """A reply without words: left out, the stream would teach silence where a reply is due."""

    reason = "empty text"


class NoSound(Refused):
    """A stream of no samples."""

    reason = "zero length"


@dataclass(frozen=True, slots=True)
class Means:
    """What streams are made with: composers by task, the material of a split, and the ears."""

    composers: Mapping[str, Composer]
    studio: Callable[[str], Studio]
    hear: Callable[[F32], list[Percept]]


@dataclass(frozen=True, slots=True)
class Job:
    """One stream to be made; equal jobs give equal streams."""

    staging: Path
    split: str
    seed: int
    index: int
    keep_audio: bool
    tasks: Shares

    @property
    def name(self) -> str:
        return f"{self.split}-{self.seed}-{self.index:05d}"


def build_recipe(
    recipe: Recipe,
    folder: Path,
    *,
    hours: float | None = None,
    streams: int | None = None,
    engine: Engine | None = None,
    first: int = 0,
    keep_audio: bool = False,
    progress: Callable[[Progress], None] | None = None,
    made_with: Means | None = None,
) -> int:
    """Fill `folder` by a recipe until so much is there; interrupted, the next call goes on.

    Args:
        recipe: tasks, shares, split, seed.
        folder: made if it is not there.
        hours: of stream, counted once however many variants it has; the recipe's own if neither
            this nor `streams` is given.
        streams: so many instead, refused ones (`rows.refusals`) among them.
        engine: who makes the streams; one process if left out. The result is the same with any.
        first: index of the first stream.
        keep_audio: also the mixes as FLAC.
        progress: called after every stream.
        made_with: other composers, material or ears.

    Returns:
        How many variants the folder holds.

    Raises:
        HarkenError: no amount, or both; the folder holds streams of this split and seed by
            another recipe; another build is at work there; the disk is full; missing material.
    """
    if hours is None and streams is None:
        hours = recipe.hours
        if hours is None:
            raise HarkenError(
                f"the recipe {recipe.name!r} has no hours; give hours or a number of streams"
            )
    settings = [recipe.split, recipe.seed, keep_audio, recipe.tasks]
    settings += [recipe.ways] if recipe.ways else []
    kind = sha256(json.dumps(settings).encode()).hexdigest()[:16]
    staging = staging_folder(folder, kind)
    template = Job(staging, recipe.split, recipe.seed, 0, keep_audio, recipe.tasks)
    production = Production(
        folder,
        staging,
        partial(_make_index, template, made_with or means(recipe)),
        lambda index: replace(template, index=index).name,
        lambda: record_recipe(folder, recipe),
    )
    return produce(production, Amount(first, streams, hours), engine or local(1), progress)


def means(recipe: Recipe | None = None) -> Means:
    """The composers as a recipe wants them, the material and the ears of Harken."""
    composers = {name: composer for name, (composer, _) in COMPOSERS.items()}
    if recipe:
        composers["planned"] = partial(planned, options=recipe.planned)
        if recipe.once:
            composers = {n: partial(spoken_of_once, c) for n, c in composers.items()}
    return Means(composers, _studio, heard)


def make(job: Job, made_with: Means) -> int:
    """Compose, hear and write one stream to `job.staging`; how many chunks it has.

    A stream that cannot be made leaves its reason and no rows, and has 0 chunks: the next index
    fills its place, and its record keeps it from being tried again.

    Raises:
        HarkenError: it cannot be written.
    """
    random = np.random.default_rng([job.seed, job.index, SPLITS.index(job.split)])
    names, weights = [n for n, _ in job.tasks], np.array([share for _, share in job.tasks])
    task = names[int(random.choice(len(names), p=weights / weights.sum()))]
    try:
        files, chunks = _composed(job, made_with.composers[task], made_with, random)
    except (Refused, LookupError) as missing:
        record = {"reason": _reason(missing), "detail": str(missing), "task": task}
        files = {REFUSAL: json.dumps(record, ensure_ascii=False).encode(), ROWS: b"[]"}
        chunks = 0
    with at_work(job.staging, job.name) as unfinished:
        for name, content in files.items():
            (unfinished / name).write_bytes(content)
    return chunks


def _reason(missing: Exception) -> str:
    if isinstance(missing, Refused):
        return missing.reason
    # A KeyError is as likely a mistake of a composer: it should be seen under its own name.
    return "no material" if type(missing) is LookupError else type(missing).__name__


def _make_index(template: Job, made_with: Means, index: int) -> int:
    return make(replace(template, index=index), made_with)


def _composed(
    job: Job, composer: Composer, made_with: Means, random: np.random.Generator
) -> tuple[dict[str, bytes], int]:
    """The files of one stream, and its chunks."""
    scene, variants = composer(made_with.studio(job.split), random)
    if not scene.samples:
        raise NoSound(f"the scene of {job.name}")
    audio = scene.mix()
    percepts = made_with.hear(audio)
    variants = [replace(v, due=unrepeated(v.due, percepts)) for v in variants]
    placed = [(v, place(v.due, percepts), _stopped(v.stop, percepts)) for v in variants]
    features = io.BytesIO()
    np.savez(
        features,
        sound=np.stack([p.sound for p in percepts]),
        acoustic=np.stack([p.acoustic for p in percepts]),
    )
    files = {FEATURES: features.getvalue()}
    if job.keep_audio:
        flac = io.BytesIO()
        soundfile.write(flac, audio, SAMPLE_RATE, format="FLAC")
        files[AUDIO] = flac.getvalue()
    rows = [
        _row(job, n, scene, variant, percepts, said, stops)
        for n, (variant, said, stops) in enumerate(placed)
    ]
    if not rows:
        raise LookupError("the composer gave no variant")
    return files | {ROWS: rows_text(rows).encode()}, len(percepts)


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
        **({"counts": dict(sorted(scene.counts.items()))} if scene.counts else {}),
    }


def heard(audio: F32) -> list[Percept]:
    """Percepts of a whole waveform, its last chunk padded with zeros."""
    padded = np.pad(audio, (0, -len(audio) % CHUNK_SAMPLES))
    return list(_perception().hear_all(padded.reshape(-1, CHUNK_SAMPLES)))


def place(due: tuple[Due, ...], percepts: list[Percept]) -> list[list[Any]]:
    """[chunk, text, emotion, cause] of every response, on the chunk where its evidence is heard.

    A response that would share a chunk with an earlier one moves to the next.

    Raises:
        Refused: words that a response depends on were not heard, or it has no text.
    """
    said: dict[int, list[Any]] = {}
    ordered = sorted(due, key=lambda d: d.end)
    for n, d in enumerate(ordered):
        if d.waits_for != "each" and not d.text.strip():
            raise NoText(d.cause)
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
            if not batches or _is_lost(d.spoken, "".join(text for _, text in batches)):
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


def _is_lost(spoken: str, heard: str) -> bool:
    """Whether of an order so little was heard that nobody could follow it."""
    language = "zh" if is_chinese(spoken) else "en"
    return bool(spoken) and error_rate(spoken, heard, language) >= LOST_RATE


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
