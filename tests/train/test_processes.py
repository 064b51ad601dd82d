"""Two processes over gloo do what one does; one process without any package is as it was."""

import dataclasses
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harken.errors import HarkenError
from harken.train.config import TrainConfig
from harken.train.loop import train
from harken.train.model import BaseParts
from harken.train.processes import ALONE, join
from harken.train.run import Run

pytest.importorskip("accelerate", reason="several processes need accelerate (extra train)")

STEPS = TrainConfig(
    profile="tiny",
    steps=5,
    positions=256,
    log_steps=1,
    dev_steps=3,
    checkpoint_steps=2,
    threads=1,
    nice=0,
    drop_acoustic=0.3,
    compute="float32",
    clip=100.0,  # above every norm: a gradient of the wrong size would show
)

CHILD = """
import os, pickle, signal, sys
from harken.train.loop import train
from harken.train.processes import join
run, config, data, parts, stop_at = pickle.load(open(sys.argv[1], "rb"))
processes = join(config)
def report(entry):
    print(f"step {entry['step']}")
    if entry["step"] == stop_at:
        os.kill(os.getpid(), signal.SIGTERM)
train(run, config, data, parts, report, processes)
processes.leave()
"""


def two_processes(tmp_path: Path, *what: object) -> list[str]:
    """Trains in two processes; what each printed."""
    (tmp_path / "what").write_bytes(pickle.dumps(what))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": "2",
        "ACCELERATE_USE_CPU": "true",
        "OMP_NUM_THREADS": "1",
    }
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "what")],
            env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    told = [child.communicate() for child in children]
    for child, (_, err) in zip(children, told, strict=True):
        assert child.returncode == 0, err
    return [out for out, _ in told]


def figures(run: Run) -> list[tuple[float, ...]]:
    """Losses of every entry of the log, by what was predicted, and norms of gradients."""
    entries = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    return [
        (
            e["step"],
            e["positions"],
            e.get("gradient_norm", 0.0),
            *(n for score in e["all"].values() for n in score.values()),
        )
        for e in entries
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sharding", "adapt", "first", "then"),
    [
        ("none", "lora", 2, 1),
        ("fsdp2", "lora", 2, 1),
        ("fsdp2", "full", 1, 2),
        ("zero2", "lora", 2, 0),  # its moments are not kept: it goes through at once
    ],
)
def test_two_processes_equal_one(
    tiny_parts: BaseParts,
    write_streams,
    tmp_path: Path,
    sharding: str,
    adapt: str,
    first: int,
    then: int,
) -> None:
    """A run that changes from two processes to one, or back, is the run of one."""
    if sharding == "zero2":
        pytest.importorskip("deepspeed", reason="ZeRO-2 needs DeepSpeed, which no extra installs")
    data, alone = write_streams(12), dataclasses.replace(STEPS, adapt=adapt)
    one, changing = Run(tmp_path / "one"), Run(tmp_path / "changing")
    for run in (one, changing):
        run.begin(alone, data)
    train(one, alone, data, tiny_parts)

    together = dataclasses.replace(alone, sharding=sharding)
    phases = ((first, 2), (then, None)) if then else ((first, None),)
    for count, stop_at in phases:
        if count == 2:
            told = two_processes(tmp_path, changing, together, data, tiny_parts, stop_at)
            assert "step" in told[0] and "step" not in told[1], "the first alone reports"
        else:

            def report(entry: dict[str, Any], stop_at: int | None = stop_at) -> None:
                if entry["step"] == stop_at:
                    os.kill(os.getpid(), signal.SIGTERM)

            train(changing, alone, data, tiny_parts, report)
        saved = changing.load()
        assert saved is not None and saved.progress.step in ((2, 3) if stop_at else (5,))

    expected, got = figures(one), figures(changing)
    assert len(got) == len(expected) > 5
    for a, b in zip(expected, got, strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-4, atol=2e-4)
    whole = one.load()
    assert whole is not None and saved.tensors.keys() == whole.tensors.keys()
    for name, tensor in whole.tensors.items():
        torch.testing.assert_close(saved.tensors[name], tensor, rtol=1e-4, atol=2e-5, msg=name)


def test_what_several_processes_need_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert join(STEPS, {}) is ALONE
    sharded = dataclasses.replace(STEPS, sharding="fsdp2")
    with pytest.raises(HarkenError, match="one process runs; start several"):
        join(sharded, {})
    with pytest.raises(HarkenError, match="sharding is 'some'; choose none or fsdp2 or zero2"):
        dataclasses.replace(STEPS, sharding="some")
    monkeypatch.setitem(sys.modules, "deepspeed", None)
    with pytest.raises(HarkenError, match="needs DeepSpeed; install it with `pip install deepsp"):
        join(dataclasses.replace(STEPS, sharding="zero2"), {"LOCAL_RANK": "0"})
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(HarkenError, match="need accelerate; install it with `pip install 'harken"):
        join(STEPS, {"LOCAL_RANK": "0"})
