"""The list of a data folder: one variant of a stream a line, gathered from complete streams.

`lines/<name>.json` holds the rows of one stream, all or none; `streams.jsonl` all rows in the order
of the names. What a row holds is told in `harken.soundflow.build`. A stream that could not be
composed has no rows, and its reason in `refused/<name>.json`: {"reason", "detail"}.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harken.errors import HarkenError
from harken.parts.cache import place
from harken.soundflow.manifest import SPLITS
from harken.soundflow.writes import writes_below

STREAM_NAME = re.compile(rf"({'|'.join(SPLITS)})-\d+-\d{{5,}}")
"""Name of a composed stream; retold and resounded ones carry more behind it."""

LIST = "streams.jsonl"
"""The list of a data folder."""

UNNAMED = "no reason recorded"
"""The reason of streams refused before reasons were kept."""


def write_rows(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """Put rows where `gather` finds them, all or none.

    Raises:
        HarkenError: they cannot be written.
    """
    partial = folder / "lines" / f"{name}.partial"
    with writes_below(folder):
        partial.write_text(rows_text(rows), "utf-8")
        partial.replace(folder / "lines" / f"{name}.json")


def write_retold(
    folder: Path,
    name: str,
    originals: Iterable[dict[str, Any]],
    tell: Callable[[dict[str, Any]], dict[str, Any] | None],
) -> None:
    """Write what `tell` makes of rows to train on; what it gives None for is left out."""
    told = [
        new | {"id": f"{row['id']}-{name}", "retold": True}
        for row in originals
        if (new := tell(row))
    ]
    write_rows(folder, f"train-{name}", told)


def rows_text(rows: list[dict[str, Any]]) -> str:
    """The text of the file that holds the rows of one stream."""
    return json.dumps(rows, ensure_ascii=False)


def chunks_in(lines: Path) -> int:
    """How many chunks the stream of these rows has; 0 when it was refused."""
    return max((row["n_chunks"] for row in rows_in(lines)), default=0)


def rows_in(lines: Path) -> list[dict[str, Any]]:
    """The rows of one complete stream.

    Raises:
        HarkenError: it cannot be read.
    """
    try:
        found: list[dict[str, Any]] = json.loads(lines.read_text("utf-8"))
    except (OSError, ValueError) as broken:
        raise HarkenError(
            f"{lines} holds no stream ({broken}); remove it and build the data again"
        ) from broken
    return found


def gather(folder: Path) -> int:
    """Write `streams.jsonl` from every complete stream, in the order of their names.

    Reads the whole folder: call it when streams are complete, not while they are made.

    Raises:
        HarkenError: a stream is broken, or the list cannot be written.
    """
    partial = folder / f"{LIST}.partial"
    kept = 0
    with writes_below(folder):
        with partial.open("w", encoding="utf-8") as out:
            for lines in sorted((folder / "lines").glob("*.json")):
                for row in rows_in(lines):
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
                    kept += 1
        place(partial, folder / LIST)
    return kept


def to_train_on(
    folder: Path, tasks: Collection[str], only: Collection[str], without: Collection[str]
) -> list[dict[str, Any]]:
    """The training rows of these tasks, or of those in `only`, that have none of the keys
    `without`, also those that `gather` has not listed yet.

    Raises:
        HarkenError: `only` names another task, or there is no such row.
    """
    if unknown := set(only) - set(tasks):
        raise HarkenError(f"task {min(unknown)!r} takes no part; choose from {', '.join(tasks)}")
    tasks = only or tasks
    found = [
        row
        for path in sorted((folder / "lines").glob("train-*.json"))
        for row in rows_in(path)
        if row["task"] in tasks and not set(without) & row.keys()
    ]
    if not found:
        raise HarkenError(
            f"{folder} holds no stream to train on of {', '.join(sorted(tasks))}; compose some "
            "with `harken data build`"
        )
    return found


def refusals(folder: Path) -> Counter[str]:
    """How many streams of a data folder could not be composed, by reason."""
    counted: Counter[str] = Counter()
    empty = len(rows_text([]))
    for lines in (folder / "lines").glob("*.json"):
        if STREAM_NAME.fullmatch(lines.stem) and lines.stat().st_size == empty:
            counted[_reason(folder / "refused" / lines.name)] += 1
    return counted


def _reason(record: Path) -> str:
    if not record.exists():
        return UNNAMED
    return str(json.loads(record.read_text("utf-8"))["reason"])


def rows(data: Path) -> Iterator[dict[str, Any]]:
    """The variants of a data folder.

    Raises:
        HarkenError: it is none, or a line of its list is broken.
    """
    listed = data / LIST
    try:
        lines = listed.open("rb")
    except OSError as missing:
        raise no_list(data, missing) from missing
    with lines:
        for number, line in enumerate(lines, start=1):
            yield row_of(line, f"{listed}, line {number}")


def row_of(
    line: bytes, where: str, needs: Sequence[str] = ("id", "task", "n_chunks")
) -> dict[str, Any]:
    """A line of a list as a row; `where` is named in errors.

    Raises:
        HarkenError: it is no JSON object, or lacks one of `needs`.
    """
    try:
        row: dict[str, Any] = json.loads(line)
        lacking = [key for key in needs if key not in row]
    except (ValueError, TypeError) as broken:
        raise HarkenError(f"{where}: no stream ({broken}); compose the data again") from broken
    if lacking:
        raise HarkenError(f"{where}: no stream (it lacks {lacking[0]!r}); compose the data again")
    return row


def no_list(data: Path, missing: OSError) -> HarkenError:
    """What is said of a folder that is no data folder."""
    return HarkenError(
        f"{data} holds no {LIST} ({missing.strerror}); make one with `harken data build`"
    )
