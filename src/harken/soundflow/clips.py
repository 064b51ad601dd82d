"""Recordings on disk: their descriptions as JSON lines, beside them columns to choose by.

A worker must not hold a description of every recording of a large corpus. What it keeps of one are
the columns, mapped from the file, and row numbers; a `Clip` is read when it is asked for. A folder:

    lines.jsonl    one recording a line: the fields of `Clip`, the path inside the corpora
    columns        where its line starts and ends, duration, split, kind, label, language;
                   32 bytes a recording
    words.json     the words that the numbers of the last four columns stand for
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.manifest import Clip

Rows = npt.NDArray[np.int32]

_NAMED = ("split", "kind", "label", "language")
_COLUMNS = np.dtype(
    [("start", "i8"), ("end", "i8"), ("seconds", "f8"), *((name, "u2") for name in _NAMED)]
)


class Clips(Sequence[Clip]):
    """Recordings that are read as they are wanted: 4 bytes each, and the columns of all."""

    def __init__(self, table: _Table, rows: Rows) -> None:
        self._table, self._rows = table, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Clip: ...
    @overload
    def __getitem__(self, place: slice) -> Clips: ...
    def __getitem__(self, place: int | slice) -> Clip | Clips:
        if isinstance(place, slice):
            return Clips(self._table, self._rows[place])
        return self._table.clip(int(self._rows[place]))

    def __add__(self, more: Clips) -> Clips:
        """These, then those of the same corpora."""
        return Clips(self._table, np.concatenate([self._rows, more._rows]))

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """The durations, float64 [n]."""
        durations: npt.NDArray[np.float64] = self._column("seconds")
        return durations

    def among(self, column: str, words: Collection[str]) -> Clips:
        """Those whose `split`, `kind`, `label` or `language` is one of these words."""
        return self.at(np.isin(self._column(column), self._table.numbers(column, words)))

    def at(self, chosen: npt.NDArray[np.bool_]) -> Clips:
        """Those where `chosen`, bool [n], is true."""
        return Clips(self._table, self._rows[chosen])

    def where(self, fits: Callable[[Clip], bool]) -> Clips:
        """Those that fit; every description is read once."""
        return self.at(np.fromiter(map(fits, self), np.bool_, len(self)))

    def by_label(self) -> dict[str, Clips]:
        """They by their labels, labels in the order of their first recordings."""
        numbers, first = np.unique(self._column("label"), return_index=True)
        words = self._table.words["label"]
        ordered = [words[number] for number in numbers[np.argsort(first)]]
        return {word: self.among("label", [word]) for word in ordered}

    def _column(self, name: str) -> Any:
        return self._table.columns[name][self._rows]


class _Table:
    """An open folder."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._root = root
        self._lines = os.open(folder / "lines.jsonl", os.O_RDONLY)
        weakref.finalize(self, os.close, self._lines)
        # A mapped file takes no memory that others could not have; an empty one cannot be mapped.
        columns = folder / "columns"
        is_empty = not columns.stat().st_size
        self.columns = np.zeros(0, _COLUMNS) if is_empty else np.memmap(columns, _COLUMNS, "r")
        self.words: Mapping[str, list[str]] = json.loads((folder / "words.json").read_text("utf-8"))

    def clip(self, row: int) -> Clip:
        start, end = int(self.columns["start"][row]), int(self.columns["end"][row])
        # Unlike a seek, this may be done by processes that inherited the file.
        identity, path, *others = json.loads(os.pread(self._lines, end - start, start))
        return Clip(identity, self._root / path, *others)

    def numbers(self, column: str, words: Collection[str]) -> list[int]:
        return [number for number, word in enumerate(self.words[column]) if word in words]


def read_clips(folder: Path, root: Path) -> Clips:
    """All recordings of a folder that `write_clips` filled, in its order.

    Args:
        folder: may not change while it is read.
        root: what the paths of the recordings start from.

    Raises:
        HarkenError: the folder is broken.
    """
    try:
        table = _Table(folder, root)
    except (OSError, ValueError) as broken:
        raise HarkenError(f"the list {folder} is broken ({broken}); delete it") from broken
    return Clips(table, np.arange(len(table.columns), dtype=np.int32))


def write_clips(folder: Path, root: Path, clips: Iterable[Clip]) -> None:
    """Describe recordings in an empty folder; none of them is held."""
    words: dict[str, dict[str, int]] = {name: {} for name in _NAMED}
    with (folder / "lines.jsonl").open("wb") as lines, (folder / "columns").open("wb") as columns:
        for clip in clips:
            columns.write(np.array(_row(clip, root, lines, words), _COLUMNS).tobytes())
    listed = json.dumps({name: list(known) for name, known in words.items()}, ensure_ascii=False)
    (folder / "words.json").write_text(listed, "utf-8")


def _row(clip: Clip, root: Path, lines: Any, words: dict[str, dict[str, int]]) -> tuple[Any, ...]:
    identity, path, *others = astuple(clip)
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    line = json.dumps([identity, str(inside), *others], ensure_ascii=False).encode()
    start = lines.tell()
    lines.write(line + b"\n")
    numbers = (words[n].setdefault(getattr(clip, n), len(words[n])) for n in _NAMED)
    return start, start + len(line), clip.seconds, *numbers
