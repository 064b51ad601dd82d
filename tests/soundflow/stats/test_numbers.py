"""The figures of a data folder: what is counted once for a stream, what for every variant."""

import json
from pathlib import Path
from typing import Any

import pytest

from harken.errors import HarkenError
from harken.soundflow.manifest import listed_clips
from harken.soundflow.stats.counts import counts
from harken.soundflow.stats.numbers import (
    MADE,
    NOT_LISTED,
    SPOKEN,
    SoundCount,
    numbers,
    source_name,
    words_in,
)

CLIP = next(clip for clip in listed_clips() if clip.package == "sonic-pi-samples")


def row(features: str, n: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{features}-{n}", "features": features, "task": "care", "split": "train",
        "n_chunks": 25, "words": [[3, " A dog"], [4, " a DOG,"]],
        "said": [[5, "Yes.", "normal", "question"]], "sounds": [[0, 9, "dog_bark"], [9, 12, ""]],
        "sources": [CLIP.id, "made:beep", "made:knock", "question"],
    } | more  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        row("a", 0),
        row("a", 1, task="quiet", said=[]),
        row("a", 2, task="translate", retold=True, words=[[3, "再见"]]),
        row("b", 0, resound=True, n_chunks=50, words=[], sources=[CLIP.id, "gone/1"]),
        row("c", 0, split="dev", sounds=[], words=[], sources=[]),
    ]
    (tmp_path / "streams.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    return tmp_path


def test_variants_are_summed_as_by_counts(folder: Path) -> None:
    found = numbers(folder)
    assert found.by_task == counts(folder)
    assert (found.variants, found.retold, found.imagined, found.replies) == (5, 1, 1, 4)
    assert found.splits == {"dev": 1, "train": 4}
    assert found.hours == pytest.approx((4 * 25 + 50) * 0.4 / 3600)


def test_streams_and_their_sounds_are_counted_once(folder: Path) -> None:
    found = numbers(folder)
    assert found.streams == 3
    assert found.chunks == {25: 2, 50: 1}
    assert found.stream_hours == pytest.approx(100 * 0.4 / 3600)
    assert found.sounds == (SoundCount("", 2, 0), SoundCount("dog_bark", 1, 1))


def test_words_are_counted_once_for_what_was_heard(folder: Path) -> None:
    assert numbers(folder).words == {"a": 2, "dog": 2, "再": 1, "见": 1}


def test_sources_come_with_version_licence_and_use(folder: Path) -> None:
    found = {source.name: source for source in numbers(folder).sources}
    package = found["sonic-pi-samples"]
    assert (package.version, package.licence) == ("3.2.2~repack-8", CLIP.licence)
    assert (package.clips, package.streams) == (1, 2)
    assert (found[MADE].clips, found[MADE].streams) == (0, 1)
    assert found[SPOKEN].licence == found[MADE].licence == "Apache-2.0"
    assert found["gone"].licence == NOT_LISTED
    assert found["hsk-sentences-audio"].licence == "CC-BY-SA-4.0"


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "streams.jsonl").touch()
    with pytest.raises(HarkenError, match=r"holds no stream; .*harken data build"):
        numbers(tmp_path)


def test_words_of_any_language_and_names_of_sources() -> None:
    assert words_in("Don't, 再见! It\u2019s né 7 a_b") == [
        "don't", "再", "见", "it\u2019s", "né", "a", "b",
    ]  # fmt: skip
    assert source_name("scratch/12/3") == "scratch"
    assert source_name("made:beep") == MADE
    assert source_name("order_count") == SPOKEN
