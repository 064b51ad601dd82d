"""The list of a data folder: one variant of a stream a line, gathered from complete streams.

`lines/<name>.json` holds the rows of one stream, all or none; `streams.jsonl` all rows in the order
of the names. What a row holds is told in `harken.soundflow.build`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harken.errors import HarkenError


def write_rows(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """Put rows where `gather` finds them, all or none."""
    partial = folder / "lines" / f"{name}.partial"
    partial.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    partial.replace(folder / "lines" / f"{name}.json")


def gather(folder: Path) -> int:
    """Write `streams.jsonl` from every complete stream, in the order of their names."""
    partial = folder / "streams.jsonl.partial"
    kept = 0
    with partial.open("w", encoding="utf-8") as out:
        for lines in sorted((folder / "lines").glob("*.json")):
            for row in json.loads(lines.read_text("utf-8")):
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
                kept += 1
    partial.replace(folder / "streams.jsonl")
    return kept


def rows(data: Path) -> Iterator[dict[str, Any]]:
    """The variants of a data folder.

    Raises:
        HarkenError: it is none.
    """
    listed = data / "streams.jsonl"
    if not listed.exists():
        raise HarkenError(f"{data} holds no streams.jsonl; make one with `harken data build`")
    with listed.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
