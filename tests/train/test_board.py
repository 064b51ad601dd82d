"""Events for TensorBoard say what the log says, each point once."""

import dataclasses
import struct
import sys
from pathlib import Path

import pytest

from harken.train.board import FOLDER, board, scalars
from harken.train.config import TrainConfig
from harken.train.loop import train
from harken.train.model import BaseParts
from harken.train.run import Run

SHORT = TrainConfig(
    profile="tiny",
    steps=3,
    positions=256,
    log_steps=1,
    dev_steps=2,
    checkpoint_steps=2,
    threads=1,
    nice=0,
    compute="float32",
)


def points(run: Run) -> list[tuple[str, int, float]]:
    """(tag, step, value) of every event: records of length, checksum, message, checksum."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    found = []
    for path in sorted((run.folder / FOLDER).iterdir()):
        content, at = path.read_bytes(), 0
        while at < len(content):
            (size,) = struct.unpack_from("<Q", content, at)
            event = event_pb2.Event.FromString(content[at + 12 : at + 12 + size])
            found += [(v.tag, event.step, v.simple_value) for v in event.summary.value]
            at += 16 + size
    return found


def test_a_resumed_run_shows_every_point_once(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data, run = write_streams(12), Run(tmp_path / "run")
    run.begin(SHORT, data)
    train(run, SHORT, data, tiny_parts)
    more = dataclasses.replace(SHORT, steps=5)
    train(run, more, data, tiny_parts)

    shown = points(run)
    where = [(tag, step) for tag, step, _ in shown]
    assert len(where) == len(set(where))
    assert {step for tag, step in where if tag == "train/text/loss"} == {1, 2, 3, 4, 5}
    assert {step for tag, step in where if tag == "dev/dev_loss"} == {2, 3, 4, 5}
    tags = {tag for tag, _ in where}
    assert {"train.alarm/respond/rate", "dev.chat/silent/loss", "train/positions_per_s"} <= tags
    shares = [value for tag, _, value in shown if tag == "train/peak_share"]
    assert len(shares) == 5 and all(0 <= share <= 1 for share in shares)


def test_an_entry_becomes_its_figures() -> None:
    score = {"n": 2, "loss": 0.5, "rate": 1.0}
    entry = {
        "kind": "dev",
        "step": 7,
        "dev_loss": 0.4,
        "all": {"text": score},
        "tasks": {"count": {"text": score}},
    }
    assert dict(scalars(entry)) == {
        "dev/dev_loss": 0.4,
        "dev/text/loss": 0.5,
        "dev/text/rate": 1.0,
        "dev.count/text/loss": 0.5,
        "dev.count/text/rate": 1.0,
    }


def test_without_the_package_there_are_no_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with board(tmp_path) as write:
        write({"kind": "train", "step": 1})
    assert not list(tmp_path.iterdir())
