"""Which streams are shown, and their audio."""

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.soundflow.stats.examples import choose, data_url, read_audio


def row(features: str, task: str, replies: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{features}-{task}", "features": features, "task": task, "n_chunks": 50,
        "prefix": {"policy": "care", "instruction": ""}, "words": [], "sounds": [], "stops": [],
        "said": [[n, "Yes.", "normal", "question"] for n in range(replies)],
    } | more  # fmt: skip


def made(folder: Path, rows: Sequence[dict[str, Any]], kept: Sequence[str]) -> Path:
    (folder / "audio").mkdir(exist_ok=True)
    (folder / "streams.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    for name in kept:
        (folder / "audio" / f"{name}.flac").touch()
    return folder


def shown(folder: Path, examples: int) -> list[str]:
    return [example.row["id"] for example in choose(folder, examples)]


def test_tasks_take_turns_and_the_eventful_come_first(tmp_path: Path) -> None:
    rows = [row("a", "care"), row("b", "care", 3), row("c", "care", 2), row("d", "chat")]
    folder = made(tmp_path, rows, "abcd")
    assert shown(folder, 3) == ["b-care", "d-chat", "c-care"]
    assert shown(folder, 9) == ["b-care", "d-chat", "c-care", "a-care"]
    assert shown(folder, 0) == []


def test_no_stream_is_shown_twice(tmp_path: Path) -> None:
    rows = [row("a", "narrate", 3), row("a", "quiet", 2), row("b", "narrate", 1)]
    assert shown(made(tmp_path, rows, "ab"), 5) == ["b-narrate", "a-quiet"]


def test_a_task_with_one_stream_keeps_it(tmp_path: Path) -> None:
    rows = [row("a", "care", 3), row("b", "care", 1), row("c", "care"), row("a", "narrate", 2)]
    folder = made(tmp_path, rows, "abc")
    assert shown(folder, 2) == ["b-care", "a-narrate"]
    assert shown(folder, 1) == ["a-care"]


def test_those_that_can_be_played_come_first(tmp_path: Path) -> None:
    rows = [row("a", "care", 5), row("b", "care", 1), row("c", "chat", 5)]
    chosen = choose(made(tmp_path, rows, "b"), 3)
    assert [example.row["features"] for example in chosen] == ["b", "c", "a"]
    assert [example.audio for example in chosen] == [tmp_path / "audio" / "b.flac", None, None]


@pytest.mark.parametrize("kind", ["retold", "resound"])
def test_audio_that_is_not_what_is_heard_is_not_played(tmp_path: Path, kind: str) -> None:
    (example,) = choose(made(tmp_path, [row("a", "care") | {kind: True}], "a"), 3)
    assert example.audio is None


def test_many_streams_leave_the_best(tmp_path: Path) -> None:
    rows = [row(f"s{n:03}", "care", replies=n % 6) for n in range(200)]
    assert shown(made(tmp_path, rows, []), 2) == ["s005-care", "s011-care"]


def test_long_streams_are_shown_where_there_are_no_shorter_ones(tmp_path: Path) -> None:
    rows = [row("a", "care", 2, n_chunks=1500), row("b", "care", 1)]
    assert shown(made(tmp_path, rows, "ab"), 1) == ["b-care"]


def test_audio_survives_the_page(tmp_path: Path) -> None:
    tone = (np.sin(np.arange(16_000) / 16_000 * 2 * np.pi * 440) / 3).astype(np.float32)
    soundfile.write(tmp_path / "a.flac", tone, 16_000)
    url = data_url(read_audio(tmp_path / "a.flac"))
    head, _, body = url.partition(",")
    assert head == "data:audio/ogg;base64"
    decoded, rate = soundfile.read(io.BytesIO(base64.b64decode(body)))
    # libsndfile gives Opus at the rate that was encoded.
    assert rate == 16_000 and len(decoded) == len(tone)
    assert np.corrcoef(decoded, tone)[0, 1] > 0.95


def test_broken_and_foreign_audio_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_text("no audio")
    with pytest.raises(HarkenError, match=r"a\.flac cannot be read"):
        read_audio(tmp_path / "a.flac")
    soundfile.write(tmp_path / "b.flac", np.zeros((100, 2)), 8_000)
    with pytest.raises(HarkenError, match="8000 Hz and 2 channels"):
        read_audio(tmp_path / "b.flac")
