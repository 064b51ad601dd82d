"""Shards inside a data folder: they follow it when it grows, and are whole at every moment."""

import errno
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.soundflow.tiny_streams import MEANS, RECIPE

from harken.errors import HarkenError
from harken.soundflow.build import build_recipe
from harken.soundflow.rows import gather, rows, write_rows
from harken.soundflow.shards.folder import read_shards
from harken.soundflow.shards.renewal import renew_shards

# Ends itself, as a kill would, at the file operation of that number.
RENEW_AND_DIE = """
import os, signal, sys
from pathlib import Path
from harken.soundflow.shards.renewal import renew_shards
operations = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}
left = int(sys.argv[2])
def count(event, _):
    global left
    left -= event in operations
    if left == 0 and event in operations:
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
renew_shards(Path(sys.argv[1]), streams_per_shard=2)
"""


def grown(folder: Path, streams: int) -> Path:
    build_recipe(RECIPE, folder, streams=streams, made_with=MEANS)
    return folder


def renewed(folder: Path) -> dict[str, bytes]:
    renew_shards(folder, streams_per_shard=2)
    assert not list(folder.glob(".shards-*"))
    return packed(folder)


def packed(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (folder / "shards").iterdir() if p.name != ".lock"}


def test_they_follow_a_folder_that_grows(tmp_path: Path) -> None:
    folder = grown(tmp_path / "a", 5)
    first = renewed(folder)
    times = {p.name: p.stat().st_mtime_ns for p in (folder / "shards").glob("*.tar")}
    assert renewed(folder) == first
    assert times == {p.name: p.stat().st_mtime_ns for p in (folder / "shards").glob("*.tar")}
    second = renewed(grown(folder, 11))
    assert second != first
    assert second == renewed(grown(tmp_path / "b", 11))
    listed = {row["features"] for row in rows(folder)}
    assert {stream.id for stream in read_shards(folder / "shards")} == listed


def test_killed_at_any_moment_there_are_whole_shards_and_the_next_run_ends_alike(
    tmp_path: Path,
) -> None:
    start = grown(tmp_path / "start", 5)
    old = renewed(start)
    grown(start, 9)
    new = renewed(shutil.copytree(start, tmp_path / "undisturbed"))
    draw, ended = random.Random(4), 0
    for round, at in enumerate([*draw.sample(range(1, 70), 7), 10_000]):
        folder = shutil.copytree(start, tmp_path / str(round))
        command = [sys.executable, "-c", RENEW_AND_DIE, folder, str(at)]
        process = subprocess.run(command, capture_output=True, check=False, timeout=120)
        assert process.returncode in (0, -9), process.stderr
        ended += process.returncode == 0
        if (folder / "shards").exists():
            assert packed(folder) in (old, new), at
        assert renewed(folder) == new, at
    assert 1 <= ended < 4


def test_a_full_disk_leaves_the_shards_that_were_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = grown(tmp_path / "a", 5)
    old = renewed(folder)
    grown(folder, 9)
    real, synced = os.fsync, list[Any]()

    def full(file: Any) -> None:
        synced.append(file)
        if len(synced) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file)

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(HarkenError, match="No space left") as told:
            renew_shards(folder, streams_per_shard=2)
    assert f"cannot write to {folder}" in str(told.value)
    assert packed(folder) == old
    assert renewed(folder) == renewed(grown(tmp_path / "b", 9))


def test_a_source_without_a_licence_is_refused_and_the_old_shards_stay(tmp_path: Path) -> None:
    folder = grown(tmp_path / "a", 5)
    old = renewed(folder)
    row = next(rows(folder)) | {"sources": [{"id": "found", "kind": "recording"}]}
    write_rows(folder, "train-found", [row])
    gather(folder)
    with pytest.raises(HarkenError, match="source 'found' has no licence"):
        renew_shards(folder, streams_per_shard=2)
    assert packed(folder) == old


def test_what_something_else_wrote_there_is_left_alone(tmp_path: Path) -> None:
    folder = grown(tmp_path / "a", 5)
    (folder / "shards").mkdir()
    (folder / "shards" / "harken-train-000099.tar").write_text("mine")
    with pytest.raises(HarkenError, match="write to an empty folder"):
        renew_shards(folder, streams_per_shard=2)
    assert packed(folder) == {"harken-train-000099.tar": b"mine"}


def test_a_folder_that_lists_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="harken data build"):
        renew_shards(tmp_path)
