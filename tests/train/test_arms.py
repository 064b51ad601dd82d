"""An arm is trained once, its random beginning is random, and its scores are those of the loop."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from harken.errors import HarkenError
from harken.stream import profile_named
from harken.train.arms import MEASURES, WHATS, dev_scores, train_arm
from harken.train.config import TrainConfig
from harken.train.examples import read_records
from harken.train.model import BaseParts, StreamModel
from harken.train.run import Run

CONFIG = TrainConfig(
    profile="tiny",
    steps=3,
    positions=256,
    log_steps=1,
    dev_steps=100,
    threads=1,
    nice=0,
    compute="float32",
)


def test_scores_of_single_streams_add_up_to_those_of_the_loop(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data, run = write_streams(12), Run(tmp_path / "run")
    assert train_arm(run, CONFIG, data, tiny_parts) == 3
    entries = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    [loop] = [e for e in entries if e["kind"] == "dev"]
    scores = dev_scores(run, tiny_parts, 48)
    assert set(scores) == {r.id for r in read_records(data).of("dev")}
    total = np.sum(list(scores.values()), axis=0)
    assert MEASURES["dev loss"](total) == pytest.approx(loop["dev_loss"], abs=2e-4)
    assert MEASURES["balanced accuracy"](total) == pytest.approx(
        loop["balanced_accuracy"], abs=1e-4
    )
    for what, name in (("text", "loss of text"), ("silent", "loss of silence")):
        assert MEASURES[name](total) == pytest.approx(loop["all"][what]["loss"], abs=2e-4)
        assert total[3 * WHATS.index(what)] == loop["all"][what]["n"]
    # Several rows at once, as the bootstrap asks for them.
    both = np.stack([total, 2 * total])
    assert MEASURES["dev loss"](both) == pytest.approx([MEASURES["dev loss"](total)] * 2)


def test_what_is_done_is_not_done_again(
    tiny_parts: BaseParts, write_streams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, run = write_streams(12), Run(tmp_path / "run")
    train_arm(run, CONFIG, data, tiny_parts)
    first = dev_scores(run, tiny_parts, 2)
    assert len(first) == 2
    reports: list[object] = []
    with monkeypatch.context() as patched:
        patched.setattr("harken.train.arms.StreamModel", None)
        patched.setattr("harken.train.arms.train", None)
        assert train_arm(run, CONFIG, data, tiny_parts, report=reports.append) == 3
        again = dev_scores(run, tiny_parts, 2)
    assert not reports and all(np.array_equal(again[n], row) for n, row in first.items())
    assert len(dev_scores(run, tiny_parts, 3)) == 3, "of more streams they are measured anew"


def test_a_random_beginning_has_rows_of_the_same_length_and_nothing_else_changed(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data = write_streams(12)
    config = replace(CONFIG, steps=1, lr_rows=1e-12, lr_lora=1e-12, lr_dense=1e-12, lr_output=1e-12)
    run = Run(tmp_path / "random")
    train_arm(run, config, data, tiny_parts, beginning="random")
    saved = run.load()
    assert saved is not None and saved.progress.step == 1
    named = dict(StreamModel(profile_named("tiny"), tiny_parts, seed=0).named_parameters())
    for name, tensor in saved.tensors.items():
        if name != "sound.scores":
            torch.testing.assert_close(tensor, named[name].detach(), atol=1e-6, rtol=0)
    drawn, meant = saved.tensors["sound.scores"], named["sound.scores"].detach()
    torch.testing.assert_close(drawn.norm(dim=1), meant.norm(dim=1))
    assert torch.cosine_similarity(drawn, meant).abs().mean() < 0.3


def test_a_kill_before_the_run_began_leaves_no_run_that_begins_with_names(
    tiny_parts: BaseParts, write_streams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, run = write_streams(12), Run(tmp_path / "run")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "begin", killed)
        with pytest.raises(KeyboardInterrupt):
            train_arm(run, CONFIG, data, tiny_parts, beginning="random")
    assert not run.exists
    whole = Run(tmp_path / "whole")
    for one in (run, whole):
        train_arm(one, CONFIG, data, tiny_parts, beginning="random")
    ours, other = run.load(), whole.load()
    assert ours is not None and other is not None
    assert all(torch.equal(t, other.tensors[n]) for n, t in ours.tensors.items())


def test_scores_need_a_state_and_streams_of_dev(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data, run = write_streams(3), Run(tmp_path / "run")
    run.begin(CONFIG, data)
    with pytest.raises(HarkenError, match="no state yet"):
        dev_scores(run, tiny_parts, 4)
    train_arm(run, CONFIG, data, tiny_parts)
    with pytest.raises(HarkenError, match="no stream of the split dev"):
        dev_scores(run, tiny_parts, 4)
