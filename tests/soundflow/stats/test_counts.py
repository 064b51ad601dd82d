"""What is told of a data folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from harken.errors import HarkenError
from harken.soundflow.stats.counts import counts, counts_by_subtask, timeline


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    row: dict[str, Any] = {
        "id": "dev-1-00001-0",
        "task": "count",
        "split": "dev",
        "n_chunks": 90,
        "prefix": {"policy": "care", "instruction": "Count the barks."},
        "words": [[3, " Quiet,"], [4, " Rex!"]],
        "said": [[5, "One.", "normal", "dog_bark"], [9, "Two.", "happy", "dog_bark"]],
        "sources": ["dog", "talk"],
    }
    retold = row | {"id": "dev-1-00001-0-retold", "retold": True, "said": []}
    lines = [json.dumps(r) + "\n" for r in (row, retold)]
    (tmp_path / "streams.jsonl").write_text("".join(lines), "utf-8")
    return tmp_path


def test_streams_hours_and_replies_are_counted_by_task(folder: Path) -> None:
    [(key, found)] = counts(folder).items()
    assert key == ("dev", "count")
    assert (found.variants, found.retold, found.replies.total()) == (2, 1, 2)
    assert found.hours == pytest.approx(2 * 90 * 0.4 / 3600)
    assert found.commonest == "One., Two."


def test_every_subtask_is_counted_also_those_of_which_there_is_nothing(folder: Path) -> None:
    found = {subtask.name: counted for subtask, counted in counts_by_subtask(folder)}
    assert len(found) == 28
    assert found["count_sounds"].variants == 2 and found["count_sounds"].replies.total() == 2
    assert sum(counted.variants for counted in found.values()) == 2


def test_a_stream_reads_as_a_timeline(folder: Path) -> None:
    assert list(timeline(folder, "dev-1-00001-0")) == [
        "dev-1-00001-0: count, dev, 36.0 s",
        "policy care, told 'Count the barks.'",
        "   1.6 s  words  Quiet,",
        "   2.0 s  words  Rex!",
        "   2.4 s  reply  One.  <- dog_bark",
        "   4.0 s  reply  Two. (happy)  <- dog_bark",
        "made of dog, talk",
    ]


def test_an_unknown_stream_and_an_empty_folder_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match=r"'dog'.*dev-1-00001-0"):
        list(timeline(folder, "dog"))
    with pytest.raises(HarkenError, match="harken data build"):
        counts(tmp_path / "nothing")
