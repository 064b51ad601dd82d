"""Corpora many times their size, to see what a worker remembers of them (`benchmarks/data.py`)."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

from harken.parts.cache import cache_dir
from harken.soundflow import manifest
from harken.soundflow.corpora import corpora_dir
from harken.soundflow.screen import read_verdicts, verdicts_path

LISTS = "lists"
"""Folder of a grown cache: the lists that ship with Harken, as long as its corpora."""


def grow(cache: Path, times: int) -> None:
    """Make a cache whose corpora are this user's so many times over.

    Links to every package under other names, and lists of them. Synthetic speech and texts stay
    as they are: they are written for Harken, not collected.
    """
    verdicts = [asdict(verdict) for verdict in read_verdicts(verdicts_path()).values()]
    listed = _rows(gzip.decompress(manifest._data("manifest.csv.gz")))
    noted = _rows(manifest._data("clip_notes.csv"))
    _link(cache, cache_dir(), without="corpora")
    _link(cache / "corpora", corpora_dir(), without="decoded")
    _link(cache / "corpora" / "decoded", corpora_dir() / "decoded")
    for package in {row["package"] for row in listed}:
        for n in range(1, times):
            (cache / "corpora" / f"{package}~{n}").symlink_to(corpora_dir() / package)
    (cache / LISTS).mkdir()
    manifest_csv = _csv(_copied(row, n) for n in range(times) for row in listed)
    (cache / LISTS / "manifest.csv.gz").write_bytes(gzip.compress(manifest_csv, 1))
    notes_csv = _csv(_copied(row, n) for n in range(times) for row in noted)
    (cache / LISTS / "clip_notes.csv").write_bytes(notes_csv)
    judged: list[dict[str, Any]] = []
    for n in range(times):
        new = {_id(row): _id(_copied(row, n)) for row in listed} | {"": ""}
        judged += [v | {key: new[v[key]] for key in ("clip_id", "copy_of")} for v in verdicts]
    with corpora_of(cache):
        verdicts_path().unlink(missing_ok=True)  # a link, when nothing was added
        verdicts_path().write_bytes(_csv(judged))


@contextmanager
def corpora_of(cache: Path | None) -> Iterator[None]:
    """Take the corpora and the lists of a cache that `grow` made; the user's own if None."""
    if cache is None:
        yield
        return
    with (
        patch.dict(os.environ, HARKEN_CACHE=str(cache)),
        patch.object(manifest, "_data", lambda name: (cache / LISTS / name).read_bytes()),
    ):
        yield


def _copied(row: dict[str, str], n: int) -> dict[str, str]:
    return row | {"package": f"{row['package']}~{n}"} if n else row


def _id(row: dict[str, str]) -> str:
    return manifest.clip_id(row["package"], row["path"])


def _link(folder: Path, to: Path, without: str = "") -> None:
    """A folder of links to all that another one holds."""
    folder.mkdir(exist_ok=True)
    for entry in to.iterdir():
        if entry.name != without:
            (folder / entry.name).symlink_to(entry)


def _rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode())))


def _csv(rows: Iterable[dict[str, Any]]) -> bytes:
    kept = list(rows)
    text = io.StringIO()
    table = csv.DictWriter(text, list(kept[0]))
    table.writeheader()
    table.writerows(kept)
    return text.getvalue().encode()
