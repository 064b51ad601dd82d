"""A run learns, survives being killed, takes in data that arrive, and is exported."""

import dataclasses
import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from harken.cli.train import app
from harken.decide.checkpoint import Checkpoint
from harken.errors import HarkenError
from harken.stream import profile_named
from harken.train.config import TrainConfig
from harken.train.export import export
from harken.train.loop import train
from harken.train.model import BaseParts, StreamModel
from harken.train.run import Run, run_folder

QUICK = TrainConfig(
    profile="tiny",
    steps=12,
    positions=256,
    log_steps=1,
    dev_steps=5,
    checkpoint_steps=4,
    threads=1,
    nice=0,
    drop_acoustic=0.3,
)

CHILD = """
import os, pickle, signal, sys
from harken.train.loop import train
run, config, data, parts, die_at = pickle.loads(sys.stdin.buffer.read())
def report(entry):
    if entry["step"] == die_at:
        os.kill(os.getpid(), signal.SIGKILL)
train(run, config, data, parts, report)
"""


def begun(folder: Path, config: TrainConfig, data: Path) -> Run:
    run = Run(folder)
    run.begin(config, data)
    return run


def logged(run: Run, kind: str) -> list[dict[str, Any]]:
    """Entries without what depends on the clock."""
    entries = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    clock = ("seconds", "positions_per_s", "peak_share")
    return [{k: v for k, v in e.items() if k not in clock} for e in entries if e["kind"] == kind]


def test_a_run_begins_with_what_another_has_learnt(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data = write_streams(12)
    first = begun(tmp_path / "first", QUICK, data)
    train(first, QUICK, data, tiny_parts)
    learnt = first.load()
    assert learnt is not None

    second = Run(tmp_path / "second")
    second.begin(QUICK, data, first)
    start = second.load()
    assert start is not None and start.progress.step == 0
    assert all(torch.equal(start.tensors[n], t) for n, t in learnt.tensors.items())
    outcome = train(second, QUICK, data, tiny_parts)
    assert outcome.finished
    assert logged(second, "dev")[0]["dev_loss"] < logged(first, "dev")[0]["dev_loss"]


def test_a_run_begins_with_a_checkpoint_and_tells_so(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data = write_streams(12)
    first = begun(tmp_path / "first", QUICK, data)
    train(first, QUICK, data, tiny_parts)
    learnt = export(first, tmp_path / "first.safetensors", "newest")

    second = Run(tmp_path / "second")
    second.begin(QUICK, data, Checkpoint.load(tmp_path / "first.safetensors", learnt.profile))
    train(second, QUICK, data, tiny_parts)
    assert logged(second, "dev")[0]["dev_loss"] < logged(first, "dev")[0]["dev_loss"]
    again = export(second, tmp_path / "second.safetensors")
    assert again.facts["start"]["run"] == "first"


def test_a_run_cannot_begin_with_one_that_learnt_nothing(write_streams, tmp_path: Path) -> None:
    data = write_streams(2)
    with pytest.raises(HarkenError, match=r"nowhere.*train that run first"):
        Run(tmp_path / "second").begin(QUICK, data, Run(tmp_path / "nowhere"))
    assert not (tmp_path / "second").exists()


def test_a_killed_run_continues_as_if_it_had_not_been(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data = write_streams(12)
    whole = begun(tmp_path / "whole", QUICK, data)
    train(whole, QUICK, data, tiny_parts)

    killed = begun(tmp_path / "killed", QUICK, data)
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=pickle.dumps((killed, QUICK, data, tiny_parts, 7)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    saved = killed.load()
    assert saved is not None and saved.progress.step == 4
    outcome = train(killed, QUICK, data, tiny_parts)

    assert outcome.finished and outcome.progress.step == 12
    assert logged(killed, "train") == logged(whole, "train")
    assert logged(killed, "dev") == logged(whole, "dev")
    one, other = whole.load(), killed.load()
    assert one is not None and other is not None
    assert one.progress.at == other.progress.at
    for name, tensor in one.tensors.items():
        assert torch.equal(tensor, other.tensors[name]), name


def test_a_run_learns_what_it_is_shown(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data = write_streams(40)
    config = dataclasses.replace(
        QUICK,
        steps=120,
        lr_lora=4e-3,
        lr_rows=1e-2,
        lr_dense=2e-3,
        lr_output=1e-2,
        drop_acoustic=0.0,
        dev_steps=120,
    )
    run = begun(tmp_path / "run", config, data)
    train(run, config, data, tiny_parts)
    first, last = logged(run, "train")[0]["all"], logged(run, "train")[-1]["all"]
    assert last["text"]["loss"] < 0.5 * first["text"]["loss"]
    assert logged(run, "dev")[-1]["balanced_accuracy"] > 0.8


def test_sigterm_saves_and_ends(tiny_parts: BaseParts, write_streams, tmp_path: Path) -> None:
    data = write_streams()
    run = begun(tmp_path / "run", QUICK, data)
    before = signal.getsignal(signal.SIGTERM)

    def report(entry: dict[str, Any]) -> None:
        if entry["step"] == 6:
            os.kill(os.getpid(), signal.SIGTERM)

    outcome = train(run, QUICK, data, tiny_parts, report)
    saved = run.load()
    assert not outcome.finished and saved is not None
    assert saved.progress.step == outcome.progress.step in (6, 7)
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_stopped_run_ends_its_command_as_ctrl_c_does(
    tiny_parts: BaseParts, write_streams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(BaseParts, "shipped", lambda: tiny_parts)
    begun(run_folder("mine"), QUICK, write_streams())

    def stop(entry: dict[str, Any]) -> None:
        if entry["step"] == 6:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as stopping:
        stopping.setattr("harken.cli.train._print_entry", stop)
        stopped = CliRunner().invoke(app, ["resume", "mine"])
    assert stopped.exit_code == 130 and "`harken train resume mine`" in stopped.output
    whole = CliRunner().invoke(app, ["resume", "mine"])
    assert whole.exit_code == 0 and "step 12" in whole.output and "finished" in whole.output


def test_streams_that_arrive_join_the_next_epoch(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data = write_streams(8)
    seen: dict[int, int] = {}
    more = False
    config = dataclasses.replace(QUICK, steps=20, dev_steps=100)
    run = begun(tmp_path / "run", config, data)

    def report(entry: dict[str, Any]) -> None:
        nonlocal more
        seen[entry["epoch"]] = seen.get(entry["epoch"], 0) + 1
        if not more:
            more = True
            write_streams(24, data, first=8)

    train(run, config, data, tiny_parts, report)
    assert seen[1] >= 3 * seen[0]


def test_a_time_budget_ends_a_run(tiny_parts: BaseParts, write_streams, tmp_path: Path) -> None:
    data = write_streams()
    config = dataclasses.replace(QUICK, steps=None, minutes=1e-9)
    outcome = train(begun(tmp_path / "run", config, data), config, data, tiny_parts)
    assert outcome.finished and outcome.progress.step == 1


def test_the_share_of_the_peak_is_never_above_one(
    tiny_parts: BaseParts, write_streams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peak that was measured beside other work is far too low."""
    monkeypatch.setattr("harken.train.loop.matmul_flops", lambda dtype, device: 1.0)
    data = write_streams()
    config = dataclasses.replace(QUICK, steps=3)
    shares: list[float] = []

    def report(entry: dict[str, Any]) -> None:
        shares.extend([entry["peak_share"]] if "peak_share" in entry else [])

    train(begun(tmp_path / "run", config, data), config, data, tiny_parts, report)
    assert shares[0] == 1.0 and len(shares) == 3 and all(0 < s <= 1 for s in shares)


def test_a_run_becomes_a_checkpoint_of_its_numbers(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data, profile = write_streams(), profile_named("tiny")
    run = begun(tmp_path / "run", QUICK, data)
    train(run, QUICK, data, tiny_parts)
    out = tmp_path / "made.safetensors"
    export(run, out, "newest")
    loaded, saved = Checkpoint.load(out, profile), run.load()
    assert saved is not None and loaded.facts["step"] == 12
    model = StreamModel(profile, tiny_parts, seed=0)
    assert loaded.tensors.keys() == model.checkpoint_tensors().keys()
    for name, tensor in saved.tensors.items():
        trained = tensor.numpy()
        stored = loaded.tensors[name.removeprefix("decoder.")]
        # Steps of the rows of matrices, else float16.
        half_step = np.abs(trained).max(-1, keepdims=True) / 254 if trained.ndim == 2 else 0
        assert (np.abs(stored - trained) <= 1.001 * half_step + 1e-3 * np.abs(trained)).all(), name
    best = export(run, out, "best")
    assert best.facts["dev"]["all"]["silent"]["n"] > 0


def test_mistakes_are_told_in_one_line(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data = write_streams()
    run = begun(tmp_path / "run", QUICK, data)
    with pytest.raises(HarkenError, match="already lives"):
        run.begin(QUICK, data)
    with pytest.raises(HarkenError, match="no state yet"):
        export(run, tmp_path / "x.safetensors")
    with pytest.raises(HarkenError, match="no training data"):
        train(run, QUICK, tmp_path / "nowhere", tiny_parts)
    with pytest.raises(HarkenError, match="cannot name a run"):
        run_folder("../x")
    with pytest.raises(HarkenError, match="no run at"):
        Run(tmp_path / "other").describe()
    (run.folder / "state.pt").write_bytes(b"broken")
    with pytest.raises(HarkenError, match="cannot be read"):
        train(run, QUICK, data, tiny_parts)
    assert run.describe() == (QUICK, data)
