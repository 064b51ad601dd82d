"""How a folder is filled: the same bytes from any number of workers and through any kill."""

import errno
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
from tests.soundflow.tiny_streams import MEANS, RECIPE, tree

from harken.errors import HarkenError
from harken.soundflow import production
from harken.soundflow.build import build_recipe
from harken.soundflow.engine import local
from harken.soundflow.production import CHUNKS_PER_HOUR, Amount, Progress
from harken.soundflow.rows import refusals, rows

PROGRAM = Path(__file__).with_name("tiny_streams.py")
Job = Callable[[int], int]
Results = Generator[tuple[int, int], None, None]


def backwards(window: int) -> Callable[[Job, Iterable[int]], Results]:
    """An engine in this process that ends every few jobs in the opposite order."""

    def run(job: Job, indices: Iterable[int]) -> Results:
        waiting: list[int] = []
        left = iter(indices)
        while True:
            while len(waiting) < window and (index := next(left, None)) is not None:
                waiting.append(index)
            if not waiting:
                return
            last = waiting.pop()
            yield last, job(last)

    return run


def filled(folder: Path, **settings: object) -> dict[str, bytes]:
    amount = {"streams": 30} if not {"streams", "hours"} & settings.keys() else {}
    given = {"engine": backwards(1), "made_with": MEANS} | amount | settings
    build_recipe(RECIPE, folder, **given)  # type: ignore[arg-type]
    return tree(folder)


def hours(chunks: float) -> float:
    return chunks / CHUNKS_PER_HOUR


def lengths(folder: Path) -> list[int]:
    files = sorted((folder / "lines").glob("*.json"))
    return [max((row["n_chunks"] for row in json.loads(f.read_text("utf-8"))), default=0)
            for f in files]  # fmt: skip


def whole(folder: Path) -> None:
    """Every stream in the folder is complete."""
    for lines in (folder / "lines").glob("*.json"):
        for row in json.loads(lines.read_text("utf-8")):
            with np.load(folder / "features" / f"{row['features']}.npz") as stored:
                assert stored["sound"].shape == (row["n_chunks"], 1545)
                assert stored["acoustic"].shape == (row["n_chunks"], 2560)


@pytest.mark.parametrize("amount", [{"streams": 25}, {"hours": hours(50)}])
def test_the_order_in_which_streams_end_changes_nothing(
    tmp_path: Path, amount: dict[str, float]
) -> None:
    reference = filled(tmp_path / "a", **amount)
    assert filled(tmp_path / "b", engine=backwards(7), **amount) == reference
    assert filled(tmp_path / "c", engine=local(2), **amount) == reference


def test_hours_keep_the_first_streams_that_last_so_long(tmp_path: Path) -> None:
    filled(tmp_path, hours=hours(40), engine=backwards(9))
    made = lengths(tmp_path)
    assert sum(made) >= 40 > sum(made[:-1])
    assert not (tmp_path / ".making").exists()


def test_more_is_added_to_what_is_there_and_less_takes_nothing_away(tmp_path: Path) -> None:
    reference = filled(tmp_path / "a", hours=hours(60))
    filled(tmp_path / "b", hours=hours(20))
    assert filled(tmp_path / "b", hours=hours(60), engine=backwards(5)) == reference
    assert filled(tmp_path / "b", hours=hours(5)) == reference


def test_a_folder_with_gaps_is_completed(tmp_path: Path) -> None:
    """As a killed build of the first version left them: no record, perhaps torn features."""
    reference = filled(tmp_path)
    for index in (4, 11):
        (tmp_path / "lines" / f"train-3-{index:05d}.json").unlink()
        (tmp_path / "features" / f"train-3-{index:05d}.npz").unlink(missing_ok=True)
        (tmp_path / "features" / f"train-3-{index:05d}.partial").write_bytes(b"PK")
    (tmp_path / "streams.jsonl.partial").write_text("{")
    other = tmp_path / "lines" / "train-3-00001-resound-0-0.partial"
    other.write_text("somebody else is writing this")
    made = filled(tmp_path)
    assert made.pop(str(other.relative_to(tmp_path)))
    assert made == reference


def test_every_finished_stream_of_a_failed_build_is_used_again(tmp_path: Path) -> None:
    """The first index fails when all others are made: they wait, and are not made again."""
    reference = filled(tmp_path / "a", streams=6)
    calls: list[int] = []

    def engine(fail: bool) -> Callable[[Job, Iterable[int]], Results]:
        def run(job: Job, indices: Iterable[int]) -> Results:
            for index in reversed(list(indices)):
                if fail and index == 0:
                    raise HarkenError("no room")
                calls.append(index)
                yield index, job(index)

        return run

    with pytest.raises(HarkenError, match="no room"):
        filled(tmp_path / "b", streams=6, engine=engine(True))
    assert not list((tmp_path / "b" / "lines").iterdir())
    assert filled(tmp_path / "b", streams=6, engine=engine(False)) == reference
    assert calls == [5, 4, 3, 2, 1, 0]


def test_killed_at_any_moment_it_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    chunks, draw = 900, random.Random(5)
    reference = filled(tmp_path / "a", hours=hours(chunks))
    folder = tmp_path / "b"
    command = [sys.executable, PROGRAM, folder, "local", "3", str(chunks)]
    before = -1
    for round in range(10):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            for _ in range(draw.choice([0, 1, 2, 5, 8])):
                process.stdout.readline()
            try:
                process.wait(timeout=draw.uniform(0, 0.03))
            except subprocess.TimeoutExpired:
                process.kill()
            # The pipe ends when the last worker has ended.
            out, err = process.communicate(timeout=60)
        assert process.returncode == -9, (round, err)
        assert b"kept" not in out
        if folder.exists():
            whole(folder)
            made = len(list((folder / "lines").glob("*.json"))) if round else 0
            assert made >= before
            before = made
    assert 0 < before < len(lengths(tmp_path / "a"))
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert tree(folder) == reference
    assert len({row["id"] for row in rows(folder)}) == len(list(rows(folder)))


def test_a_second_build_in_the_same_folder_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(production, "HANDOVER_S", 0.0)
    with (
        filelock.FileLock(tmp_path / ".build.lock"),
        pytest.raises(HarkenError, match="another build is at work in") as raised,
    ):
        filled(tmp_path)
    assert str(tmp_path) in str(raised.value)
    assert filled(tmp_path)


class Disk:
    """Takes so many more writes, then is full until it is `mended`; what was begun is cut off."""

    def __init__(self, patch: pytest.MonkeyPatch, writes: int) -> None:
        self.left = writes
        for owner, name in (
            (Path, "write_bytes"), (Path, "write_text"), (Path, "mkdir"),
            (os, "fsync"), (os, "replace"), (os, "rename"),
        ):  # fmt: skip
            patch.setattr(owner, name, self._limited(getattr(owner, name), name))

    def _limited(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left >= 0:
                return real(*given, **named)
            if name in ("write_bytes", "write_text"):
                real(given[0], given[1][: len(given[1]) // 2], *given[2:], **named)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        return call


def test_a_full_disk_at_any_write_is_one_line_and_damages_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = filled(tmp_path / "a", streams=12)
    draw = random.Random(8)
    for round, writes in enumerate([0, 1, 2, 3, 4, *(draw.randrange(5, 130) for _ in range(25))]):
        folder = tmp_path / f"b{round}"
        with monkeypatch.context() as patch:
            disk = Disk(patch, writes)
            with pytest.raises(HarkenError, match=r"No space left .* free some room") as raised:
                filled(folder, streams=12, engine=backwards(draw.choice([1, 4])))
            assert disk.left < 0
        assert f"cannot write to {folder}:" in str(raised.value)
        assert "\n" not in str(raised.value)
        if folder.exists():
            whole(folder)
            lines = {k: v for k, v in tree(folder).items() if k.startswith("lines/")}
            assert lines.items() <= reference.items()
        assert filled(folder, streams=12) == reference


def test_a_write_that_the_system_refuses_ends_the_workers_and_is_told(tmp_path: Path) -> None:
    """The limit is real and reaches the workers: no file may be larger than 30 kB."""
    reference = filled(tmp_path / "a", hours=hours(60))
    folder = tmp_path / "b"
    command = [sys.executable, PROGRAM, folder, "local", "2", "60"]
    limited = "import os, resource, sys; " \
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)); " \
        "os.execv(sys.argv[1], sys.argv[1:])"  # fmt: skip
    failed = subprocess.run(
        [sys.executable, "-c", limited, *command], capture_output=True, check=False, timeout=120
    )
    assert failed.returncode == 1
    assert f"HarkenError: cannot write to {folder}: File too large".encode() in failed.stderr
    whole(folder)
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert tree(folder) == reference


def test_refused_streams_are_counted_by_reason(tmp_path: Path) -> None:
    filled(tmp_path, streams=60)
    refused = refusals(tmp_path)
    assert set(refused) == {"words not heard", "no material"}
    assert refused.total() == lengths(tmp_path).count(0)
    records = [json.loads(p.read_text("utf-8")) for p in (tmp_path / "refused").iterdir()]
    assert len(records) == refused.total()
    assert {(r["task"], r["reason"], r["detail"]) for r in records} == {
        ("events", "no material", "no bell in split train"),
        ("chat", "words not heard", "question"),
    }


def test_hours_that_nothing_can_fill_are_told(tmp_path: Path) -> None:
    def refuse(index: int) -> int:
        (tmp_path / ".making" / "x" / f"train-1-{index:05d}").mkdir(parents=True)
        (tmp_path / ".making" / "x" / f"train-1-{index:05d}" / "rows.json").write_text("[]")
        return 0

    with pytest.raises(HarkenError, match=r"cannot be composed \(most often: no reason recorded"):
        production.produce(
            production.Production(
                tmp_path,
                tmp_path / ".making" / "x",
                refuse,
                lambda index: f"train-1-{index:05d}",
                lambda: None,
            ),
            Amount(hours=1),
            backwards(1),  # type: ignore[arg-type]
        )


def test_progress_tells_the_rate_and_the_time_left(tmp_path: Path) -> None:
    clock = iter(range(0, 1000, 10))
    seen: list[Progress] = []

    def produced(index: int) -> int:
        waiting = tmp_path / ".making" / "x" / f"train-1-{index:05d}"
        waiting.mkdir(parents=True)
        (waiting / "rows.json").write_text(json.dumps([{"n_chunks": 90}]))
        return 90

    production.produce(
        production.Production(
            tmp_path,
            tmp_path / ".making" / "x",
            produced,
            lambda index: f"train-1-{index:05d}",
            lambda: None,
        ),
        Amount(hours=0.04),
        backwards(1),  # type: ignore[arg-type]
        seen.append,
        lambda: float(next(clock)),
    )
    # 36 s of stream every 10 s: 3.6 times real time; a quarter of the amount each.
    assert [at.streams for at in seen] == [1, 2, 3, 4]
    assert [at.rate for at in seen] == pytest.approx([3.6] * 4)
    assert [at.left_s for at in seen] == pytest.approx([30, 20, 10, 0])
    assert seen[-1].hours == pytest.approx(0.04)
    assert [at.share for at in seen] == pytest.approx([0.25, 0.5, 0.75, 1])
    assert seen[0].said() == "0.01 h of stream, 3.6 h an hour, 0:00:30 left"
    assert Progress(0, 0.0, 0.0, 0.0, None).said() == "0.00 h of stream, 0.0 h an hour"


@pytest.mark.parametrize(
    ("amount", "named"),
    [
        ({}, "either a number of streams or of hours"),
        ({"streams": 3, "hours": 1.0}, "either a number of streams or of hours"),
        ({"hours": 0.0}, "hours is 0.0"),
        ({"hours": float("nan")}, "hours is nan"),
        ({"streams": -1}, "below 0"),
        ({"streams": 1, "first": -1}, "below 0"),
    ],
)
def test_an_amount_that_is_none_is_told(amount: dict[str, float], named: str) -> None:
    with pytest.raises(HarkenError, match=named):
        Amount(**amount)  # type: ignore[arg-type]
