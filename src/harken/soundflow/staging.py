"""Where streams wait until all before them are made; what is in the data folder is whole.

    .making/<kind>/<stream>/         one finished stream: files under the names of `PLACES`
    .making/<kind>/<stream>.<pid>/   one that a process is at work on

A stream is finished when its folder gets its name, and belongs to the data set when its rows lie
in `lines/`, which is the last of its files to be moved. A kill between two moves leaves the rest
here, and the next start goes on with it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harken.parts.cache import place
from harken.soundflow.rows import STREAM_NAME
from harken.soundflow.writes import writes_below

STAGING = ".making"

FEATURES, AUDIO, REFUSAL, ROWS = "features.npz", "audio.flac", "refusal.json", "rows.json"

PLACES = {
    FEATURES: ("features", ".npz"),
    AUDIO: ("audio", ".flac"),
    REFUSAL: ("refused", ".json"),
    ROWS: ("lines", ".json"),
}
"""Folder and ending of every file of a stream in the data set, in the order they are moved."""


def staging_folder(folder: Path, kind: str) -> Path:
    """Where streams of one kind wait below a data folder; `kind` tells their settings."""
    return folder / STAGING / kind


@contextmanager
def at_work(staging: Path, name: str) -> Iterator[Path]:
    """A folder for the files of one stream, which is finished when the block ends without error.

    Raises:
        HarkenError: the disk is full or cannot be written to; nothing of the stream is left.
    """
    unfinished, finished = staging / f"{name}.{os.getpid()}", staging / name
    with writes_below(staging.parent.parent):
        try:
            unfinished.mkdir(parents=True, exist_ok=True)
            yield unfinished
            # Who has finished the same stream already has written the same bytes.
            if not finished.exists():
                unfinished.rename(finished)
        finally:
            # What is half written may be what fills the disk.
            shutil.rmtree(unfinished, ignore_errors=True)


def finished_rows(staging: Path, name: str) -> Path | None:
    """The rows of a stream that waits here, or None if it is not finished."""
    rows = staging / name / ROWS
    return rows if rows.exists() else None


def admit(staging: Path, folder: Path, name: str) -> None:
    """Move a finished stream into the data set; interrupted and repeated, it is moved whole."""
    waiting = staging / name
    for file, (kind, ending) in PLACES.items():
        if (waiting / file).exists():
            place(waiting / file, folder / kind / f"{name}{ending}")
    waiting.rmdir()


def clear(folder: Path, keep: Path | None = None) -> None:
    """Remove what was left unfinished in a data folder that nobody builds.

    `keep`: where finished streams stay. Partial files of earlier versions go as well, those of
    streams that others write into the same folder (`retell`, `resound`) stay.
    """
    for staging in _entries(folder / STAGING):
        for stream in _entries(staging):
            if staging != keep or not STREAM_NAME.fullmatch(stream.name):
                shutil.rmtree(stream, ignore_errors=True)
            elif (folder / "lines" / f"{stream.name}.json").exists():
                shutil.rmtree(stream, ignore_errors=True)  # killed after its last move
        with suppress(OSError):
            staging.rmdir()
    with suppress(OSError):
        (folder / STAGING).rmdir()
    for kind in ("features", "lines"):
        for partial in (folder / kind).glob("*.partial"):
            if STREAM_NAME.fullmatch(partial.stem):
                partial.unlink(missing_ok=True)
    (folder / "streams.jsonl.partial").unlink(missing_ok=True)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
