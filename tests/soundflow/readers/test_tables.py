import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.readers.record import Reason, Refused
from harken.soundflow.readers.tables import (
    Row,
    delimited,
    json_items,
    json_lines,
    json_members,
    json_objects,
    object_rows,
    parquet_rows,
)

Write = Callable[..., Path]


def outcome(rows: list[Row | Refused]) -> list[object]:
    return [row.fields if isinstance(row, Row) else row.reason for row in rows]


def test_a_broken_line_costs_that_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n\n{"a": \n[2]\n\xff\xfe\n{"a": 3}\n')
    rows = list(json_lines(path))
    bad = Reason.MALFORMED
    assert outcome(rows) == [{"a": 1}, bad, bad, bad, {"a": 3}]
    assert rows[-1] == Row("a.jsonl:6", {"a": 3})
    assert isinstance(rows[1], Refused)
    assert rows[1].place == "a.jsonl:3"


def test_a_torn_gzip_file_ends_in_a_refusal(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    whole = gzip.compress(b"".join(b'{"n": %d}\n' % n for n in range(9_999)))
    path.write_bytes(whole[: len(whole) // 2])
    rows = list(json_lines(path))
    assert len(rows) > 100
    assert [row.reason for row in rows if isinstance(row, Refused)] == [Reason.MALFORMED]
    assert isinstance(rows[-1], Refused)


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": 2}]', '{"a": 1}\n{"a": 2}\n'])
def test_json_is_an_array_or_lines(tmp_path: Path, put: Write, text: str) -> None:
    assert outcome(list(json_objects(put(tmp_path / "a.json", text)))) == [{"a": 1}, {"a": 2}]


def test_an_array_inside_a_large_object_is_streamed_until_it_breaks(
    tmp_path: Path, put: Write
) -> None:
    path = put(tmp_path / "a.json", '{"v": "1", "audios": [{"x": 1.5}, 7, {"x": 2}, {"x": ')
    rows = outcome(list(json_items(path, "audios.item")))
    assert rows == [{"x": 1.5}, Reason.MALFORMED, {"x": 2}, Reason.MALFORMED]


def test_members_of_a_large_object(tmp_path: Path, put: Write) -> None:
    path = put(tmp_path / "a.json", '{"Q1": {"a": 1}, "Q2": {"a": 2}, "Q3"')
    rows = outcome(list(json_members(path)))
    assert rows == [
        {"key": "Q1", "value": {"a": 1}},
        {"key": "Q2", "value": {"a": 2}},
        Reason.MALFORMED,
    ]


def test_a_short_row_lacks_a_needed_column_only_where_it_is_needed(
    tmp_path: Path, put: Write
) -> None:
    path = put(tmp_path / "a.tsv", '\ufeffpath\tsaid\tmore\n1\tone "\tx\n2\n3\tthree\n')
    rows = list(delimited(path, ("path", "said"), delimiter="\t", quoted=False))
    assert outcome(rows) == [
        {"path": "1", "said": 'one "', "more": "x"},
        Reason.MALFORMED,
        {"path": "3", "said": "three", "more": ""},
    ]


def test_a_header_without_a_needed_column_is_told(tmp_path: Path, put: Write) -> None:
    with pytest.raises(HarkenError, match=r"a\.csv has no column label: its header is path, text"):
        list(delimited(put(tmp_path / "a.csv", "path,text\n"), ("path", "label")))


def test_parquet_rows_and_a_file_that_is_none(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"q": ["a", "b"]}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no")
    assert outcome(list(parquet_rows(tmp_path / "a.parquet"))) == [{"q": "a"}, {"q": "b"}]
    assert outcome(list(parquet_rows(tmp_path / "b.parquet"))) == [Reason.MALFORMED]


def test_all_tables_of_a_folder_but_hidden_and_named_ones(tmp_path: Path, put: Write) -> None:
    put(tmp_path / "b" / "x.jsonl", '{"a": 2}')
    put(tmp_path / "a.json", '[{"a": 1}]')
    put(tmp_path / ".cache" / "y.jsonl", '{"a": 3}')
    put(tmp_path / "whole.jsonl", '{"a": 4}')
    put(tmp_path / "README.md", "{}")
    found = [(path.name, row.fields) for path, row in object_rows(tmp_path, {"whole.jsonl"})]
    assert found == [("a.json", {"a": 1}), ("x.jsonl", {"a": 2})]


@settings(max_examples=50)
@given(values=st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none())))
def test_what_is_written_as_lines_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, values: list[dict[str, object]]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    assert outcome(list(json_lines(path))) == values
