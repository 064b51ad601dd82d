"""Rows of the files in which corpora describe themselves; a broken row costs that row alone."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from harken.errors import HarkenError
from harken.soundflow.readers.record import Reason, Refused

# What reading a gzip file raises that was not written or fetched to its end.
_TORN = (EOFError, OSError, zlib.error)


@dataclass(frozen=True)
class Row:
    """The fields of one row, and where it stands (`FILE:LINE`)."""

    place: str
    fields: dict[str, Any]


def json_lines(path: Path) -> Iterator[Row | Refused]:
    """The objects of a JSON Lines file, gzipped or not; empty lines are skipped."""
    number = 0
    with _opened(path) as file:
        try:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _parsed(line, f"{path.name}:{number}")
        except _TORN as error:
            yield Refused(Reason.MALFORMED, f"{path.name}:{number + 1}", str(error))


def json_objects(path: Path) -> Iterator[Row | Refused]:
    """The objects of a JSON Lines file or of one JSON array: `.json` is used for both."""
    with _opened(path) as file:
        first = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return json_items(path, "item") if first == b"[" else json_lines(path)


def json_items(path: Path, prefix: str) -> Iterator[Row | Refused]:
    """The objects of an array inside a large JSON file, one at a time (`ijson` prefixes).

    Fractions are Decimal. Broken JSON ends the array: what stands behind it cannot be found.
    """
    import ijson

    number = 0
    with _opened(path) as file:
        try:
            for number, fields in enumerate(ijson.items(file, prefix), 1):
                place = f"{path.name}#{number}"
                if isinstance(fields, dict):
                    yield Row(place, fields)
                else:
                    yield Refused(Reason.MALFORMED, place, "not a JSON object")
        except (ijson.JSONError, UnicodeDecodeError, *_TORN) as error:
            yield Refused(Reason.MALFORMED, f"{path.name}#{number + 1}", str(error))


def json_members(path: Path) -> Iterator[Row | Refused]:
    """The members of one large JSON object; each row has the fields `key` and `value`."""
    import ijson

    key = ""
    with _opened(path) as file:
        try:
            for key, value in ijson.kvitems(file, ""):
                yield Row(f"{path.name}#{key}", {"key": key, "value": value})
        except (ijson.JSONError, UnicodeDecodeError, *_TORN) as error:
            yield Refused(Reason.MALFORMED, f"{path.name} after {key!r}", str(error))


def delimited(
    path: Path,
    needed: Collection[str],
    delimiter: str = ",",
    quoted: bool = True,
    escape: str | None = None,
) -> Iterator[Row | Refused]:
    """The rows of a CSV or TSV file with a header, gzipped or not.

    Args:
        needed: columns without which a row is malformed.
        delimiter: what stands between two fields.
        quoted: whether quotes group a field; Common Voice has stray ones.
        escape: what takes the meaning from the character behind it.

    Raises:
        HarkenError: the header lacks a needed column.
    """
    with _opened(path) as file:
        text = (line.decode("utf-8-sig", errors="replace") for line in file)
        reader = csv.DictReader(
            text,
            delimiter=delimiter,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            escapechar=escape,
        )
        missing = [name for name in needed if name not in (reader.fieldnames or ())]
        if missing:
            raise HarkenError(
                f"{path} has no column {', '.join(missing)}: its header is "
                f"{', '.join(reader.fieldnames or ['empty'])}"
            )
        while True:
            try:
                fields = next(reader, None)
            except csv.Error as error:
                yield Refused(Reason.MALFORMED, f"{path.name}:{reader.line_num}", str(error))
                continue
            except _TORN as error:
                yield Refused(Reason.MALFORMED, f"{path.name}:{reader.line_num + 1}", str(error))
                return
            if fields is None:
                return
            place = f"{path.name}:{reader.line_num}"
            lacking = [name for name in needed if fields[name] is None]
            if lacking:
                yield Refused(Reason.MALFORMED, place, f"no {', '.join(lacking)}")
            else:
                yield Row(place, {name: value or "" for name, value in fields.items() if name})


def parquet_rows(path: Path) -> Iterator[Row | Refused]:
    """The rows of a Parquet file, in batches; a file that is none is one refusal."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for fields in batch.to_pylist():
                    yield Row(f"{path.name}#{number}", fields)
                    number += 1
    except (pa.ArrowInvalid, OSError) as error:
        yield Refused(Reason.MALFORMED, f"{path.name}#{number}", str(error))


def object_rows(
    folder: Path, leave_out: Collection[str] = ()
) -> Iterator[tuple[Path, Row | Refused]]:
    """The rows of all JSON, JSON Lines and Parquet files under a folder, each with its file.

    Hidden files and folders and the files named in `leave_out` are passed over.
    """
    for path in sorted(folder.rglob("*")):
        name = path.name.removesuffix(".gz")
        inside = path.relative_to(folder).parts
        if path.name in leave_out or any(part.startswith(".") for part in inside):
            continue
        if not path.is_file():
            continue
        if name.endswith((".jsonl", ".json")):
            rows = json_objects(path)
        elif name.endswith(".parquet"):
            rows = parquet_rows(path)
        else:
            continue
        for row in rows:
            yield path, row


def _parsed(line: bytes, place: str) -> Row | Refused:
    try:
        fields = json.loads(line)
    except ValueError as error:  # broken JSON, and bytes that are no UTF-8
        return Refused(Reason.MALFORMED, place, str(error))
    if isinstance(fields, dict):
        return Row(place, fields)
    return Refused(Reason.MALFORMED, place, "not a JSON object")


def _opened(path: Path) -> IO[bytes]:
    try:
        if path.suffix == ".gz":
            return cast(IO[bytes], gzip.open(path, "rb"))
        return path.open("rb")
    except OSError as error:
        raise HarkenError(f"cannot read {path}: {error}") from error
