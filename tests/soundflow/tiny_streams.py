"""Streams of a few chunks, composed and heard in milliseconds, to test how a folder is filled.

As a program it fills a folder and tells every step: tiny_streams.py FOLDER ENGINE WORKERS CHUNKS.
"""

import sys
from pathlib import Path

import numpy as np

from harken.perceive.percept import HeardWord, Percept
from harken.soundflow.build import Means, build_recipe
from harken.soundflow.engine import engine_of
from harken.soundflow.production import CHUNKS_PER_HOUR, Progress
from harken.soundflow.recipe import Recipe
from harken.soundflow.scene import F32, Due, Scene, Variant, sound_due
from harken.stream import CHUNK_SAMPLES, Prefix

RECIPE = Recipe("tiny", 3, "train", (("events", 0.7), ("chat", 0.3)))


def events(studio: str, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    scene = Scene(random, CHUNK_SAMPLES * int(random.integers(2, 6)))
    scene.lay(random.normal(size=4000).astype(np.float32), -40)
    if random.random() < 0.2:
        raise LookupError(f"no bell in split {studio}")
    start, end = scene.place(random.normal(size=3000).astype(np.float32), -6, "made:bell", "bell")
    due = (sound_due(start, end, ("I hear a bell.", "normal"), "bell"),)
    return scene, [Variant("events", Prefix("narrate"), due), Variant("events", Prefix(), ())]


def chat(studio: str, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    scene = Scene(random, CHUNK_SAMPLES * 4)
    scene.lay(random.normal(size=4000).astype(np.float32), -40)
    due = Due(0, CHUNK_SAMPLES, "words", "Paris.", "normal", "question")
    return scene, [Variant("chat", Prefix(), (due,))]


def hear(audio: F32) -> list[Percept]:
    """The first samples of a chunk as its features; words where the mix begins above zero."""
    chunks = np.pad(audio, (0, -len(audio) % CHUNK_SAMPLES)).reshape(-1, CHUNK_SAMPLES)
    return [
        Percept(
            n,
            chunk[:1545].astype(np.float16),
            chunk[-2560:].astype(np.float16),
            (HeardWord(" Hello?", CHUNK_SAMPLES, "en"),) if n == 0 and chunk[0] > 0 else (),
            -40.0,
            0.0,
        )
        for n, chunk in enumerate(chunks)
    ]


def studio(split: str) -> str:
    return split


MEANS = Means({"events": events, "chat": chat}, studio, hear)  # type: ignore[dict-item, arg-type]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a data folder but the lock."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".build.lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def main(folder: str, engine: str, workers: str, chunks: str) -> None:
    def tell(at: Progress) -> None:
        print(f"made {at.streams}", flush=True)

    print("ready", flush=True)
    kept = build_recipe(
        RECIPE,
        Path(folder),
        hours=int(chunks) / CHUNKS_PER_HOUR,
        engine=engine_of(engine, int(workers)),
        progress=tell,
        made_with=MEANS,
    )
    print(f"kept {kept}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
