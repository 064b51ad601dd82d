"""Streams whose replies are read aloud over what follows."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.aloud import all_aloud, aloud, read_aloud
from harken.stream import CHUNK_SAMPLES


def captions(**changed: Any) -> dict[str, Any]:
    """Captions are asked for, written for two sentences and ended."""
    return {
        "id": "train-1-00001-0",
        "task": "transcribe",
        "n_chunks": 40,
        "prefix": {"policy": "care", "instruction": ""},
        "words": [[2, " Captions,"], [3, " please."], [9, " He is not here."], [10, " Today."],
                  [12, " That is"], [13, " enough."]],
        "sounds": [],
        "said": [[3, "Okay.", "normal", "order"], [9, "He is not here.", "normal", "transcript"],
                 [10, "Today.", "normal", "transcript"], [13, "Okay.", "normal", "stop"]],
        "due": [[1 * CHUNK_SAMPLES, 3 * CHUNK_SAMPLES, "words", "order"],
                [11 * CHUNK_SAMPLES, 13 * CHUNK_SAMPLES, "words", "stop"]],
        "playing": [],
        "stops": [],
    } | changed  # fmt: skip


def heard(row: dict[str, Any]) -> list[set[int]]:
    found = [aloud(row, np.random.default_rng(seed), share=1) for seed in range(100)]
    return [set(new["playing"]) for new in found if new]


def test_our_voice_is_heard_behind_a_reply_and_over_the_words_of_the_next() -> None:
    plays = heard(captions())
    assert len(plays) == 100
    assert not any(chunk <= 3 for each in plays for chunk in each), "not before the first reply"
    assert all(each & {4, 5} for each in plays)
    assert any(10 in each for each in plays), "the words of a caption, while the last is read out"
    assert all(max(each) < 25 for each in plays), "the last reply ends"


def test_a_longer_text_is_heard_longer_and_no_longer_than_the_stream() -> None:
    long_text = "It is a quarter past seven, and the sun has just gone down."

    def mean_length(text: str, **changed: Any) -> float:
        row = captions(said=[[3, text, "normal", "question"]], **changed)
        return float(np.mean([len(each) for each in heard(row)]))

    assert 1 <= mean_length("Yes.") < 4
    assert 7 < mean_length(long_text) < 14
    assert mean_length(long_text, n_chunks=8) <= 4


@pytest.mark.parametrize(("cause", "is_cut"), [("question", True), ("transcript", False)])
def test_another_reply_takes_its_place_and_a_caption_waits(cause: str, is_cut: bool) -> None:
    long = "This sentence goes on for a very long time, and nobody knows when it will end at all."
    row = captions(said=[[3, long, "normal", cause], [6, "Yes.", "normal", cause]])
    assert all((max(each) < 6 + 6) == is_cut for each in heard(row))


def test_what_ends_an_order_is_said_into_silence() -> None:
    assert not any(each & {12, 13} for each in heard(captions()))


@pytest.mark.parametrize(
    "changed", [{"playing": [3]}, {"stops": [3]}, {"said": []}, {"said": [[39, "Hm.", "n", "x"]]}]
)
def test_no_copy_where_the_voice_plays_already_or_nothing_is_heard(changed: Any) -> None:
    assert heard(captions(**changed)) == []


def test_some_streams_have_a_copy_of_the_same_replies(tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    rows = [captions(id=f"train-1-{n:05}-0", split="train") for n in range(60)]
    (tmp_path / "lines" / "train-1-00000.json").write_text(json.dumps(rows))
    kept = read_aloud(tmp_path, seed=1)
    listed = [json.loads(line) for line in (tmp_path / "streams.jsonl").read_text().splitlines()]
    copies = [row for row in listed if row["playing"]]
    assert kept == len(listed) == 60 + len(copies) and 15 < len(copies) < 45
    assert all(row["said"] == rows[0]["said"] and row["retold"] for row in copies)
    assert read_aloud(tmp_path, seed=1) == kept, "the same seed again writes the same"
    with pytest.raises(HarkenError, match=r"'x' takes no part.*transcribe.*long"):
        read_aloud(tmp_path, only=("x",))


def test_all_streams_with_replies_are_heard_aloud_under_another_id() -> None:
    rows = [captions(), captions(said=[]), captions(playing=[3])]
    first, *rest = all_aloud(rows)
    assert first["playing"] and first["id"] == "train-1-00001-0-aloud"
    assert rest == rows[1:] and all_aloud(rows[::-1])[-1] == first
