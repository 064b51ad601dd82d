"""The list of a data folder, and what was refused."""

from pathlib import Path
from typing import Any

import pytest

from harken.errors import HarkenError
from harken.soundflow.rows import UNNAMED, chunks_in, gather, refusals, rows, write_rows


def _row(id: str, n_chunks: int) -> dict[str, Any]:
    named = {"id": id, "features": id, "task": "care", "split": "train", "n_chunks": n_chunks}
    return named | {"prefix": {}, "words": [], "said": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lines").mkdir()
    (tmp_path / "refused").mkdir()
    return tmp_path


def test_rows_are_gathered_in_the_order_of_their_streams(folder: Path) -> None:
    write_rows(folder, "train-1-00002", [_row("c", 4)])
    write_rows(folder, "train-1-00001", [_row("a", 3), _row("敲门", 3)])
    assert gather(folder) == gather(folder) == 3
    assert [row["id"] for row in rows(folder)] == ["a", "敲门", "c"]
    assert sorted(p.name for p in folder.iterdir()) == ["lines", "refused", "streams.jsonl"]
    assert chunks_in(folder / "lines" / "train-1-00001.json") == 3


def test_a_folder_that_was_never_gathered_is_told(folder: Path) -> None:
    with pytest.raises(HarkenError, match="holds no streams"):
        list(rows(folder))


@pytest.mark.parametrize(
    ("line", "why"),
    [(b"\x97", "utf-8"), (b"{", "Expecting"), (b"7", "not iterable"), (b'{"id": 1}', "'task'")],
)
def test_a_broken_line_is_told_with_its_number(folder: Path, line: bytes, why: str) -> None:
    write_rows(folder, "train-1-00001", [_row("a", 3)])
    gather(folder)
    with (folder / "streams.jsonl").open("ab") as listed:
        listed.write(line + b"\n")
    with pytest.raises(HarkenError, match=f"line 2: no stream.*{why}"):
        list(rows(folder))


def test_an_empty_record_without_a_reason_counts_as_that(folder: Path) -> None:
    """Folders composed before reasons were kept."""
    write_rows(folder, "dev-1-00001", [])
    write_rows(folder, "dev-1-00002", [])
    (folder / "refused" / "dev-1-00002.json").write_text('{"reason": "no material"}', "utf-8")
    write_rows(folder, "dev-1-00003", [{"id": "a", "n_chunks": 3}])
    assert chunks_in(folder / "lines" / "dev-1-00001.json") == 0
    assert refusals(folder) == {UNNAMED: 1, "no material": 1}


def test_what_was_retold_or_resounded_to_nothing_is_not_refused(folder: Path) -> None:
    write_rows(folder, "train-retold-0-1", [])
    write_rows(folder, "train-1-00001-resound-0-0", [])
    assert not refusals(folder)


def test_a_reason_without_its_record_is_not_counted(folder: Path) -> None:
    """The build was killed between the two."""
    (folder / "refused" / "dev-1-00002.json").write_text('{"reason": "no material"}', "utf-8")
    assert not refusals(folder)


def test_what_cannot_be_written_is_told_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("a file in the place of the folder")
    with pytest.raises(HarkenError, match=f"cannot write to {tmp_path}: Not a directory"):
        write_rows(tmp_path, "train-1-00001", [_row("a", 3)])
    (tmp_path / "streams.jsonl").mkdir()
    with pytest.raises(HarkenError, match=f"cannot write to {tmp_path}: Is a directory"):
        gather(tmp_path)


def test_a_broken_stream_is_named_and_the_list_stays(folder: Path) -> None:
    write_rows(folder, "train-1-00001", [_row("a", 3)])
    gather(folder)
    (folder / "lines" / "train-1-00002.json").write_text("{garbage")
    with pytest.raises(HarkenError, match=r"train-1-00002\.json holds no stream"):
        gather(folder)
    assert [row["id"] for row in rows(folder)] == ["a"]
