"""The mean of two checkpoints: halfway between them, refused where they do not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harken.cli.train import app
from harken.decide.checkpoint import Calibration, Checkpoint
from harken.decide.model import shipped_checkpoint
from harken.errors import HarkenError
from harken.stream import Profile
from harken.train.mean import mean


def test_the_mean_lies_halfway_and_is_not_calibrated(mini: Profile, tmp_path: Path) -> None:
    one = Checkpoint.load(shipped_checkpoint(), mini)
    moved = {name: tensor + 0.5 for name, tensor in one.tensors.items()}
    replace(one, tensors=moved, facts={"run": "moved"}).save(tmp_path / "moved.safetensors")
    out = tmp_path / "mean.safetensors"
    run = CliRunner().invoke(
        app, ["mean", str(shipped_checkpoint()), str(tmp_path / "moved.safetensors"), str(out)]
    )
    assert run.exit_code == 0, run.output
    found = Checkpoint.load(out, mini)
    for name, tensor in one.tensors.items():
        assert np.allclose(found.tensors[name], tensor + 0.25, atol=5e-3), name
    assert found.calibration == Calibration()
    assert found.facts == {"mean": [one.facts, {"run": "moved"}]}


def test_checkpoints_that_learnt_different_weights_have_no_mean(
    mini: Profile, tmp_path: Path
) -> None:
    one = Checkpoint.load(shipped_checkpoint(), mini)
    lora = next(name for name in one.tensors if name.startswith("layers"))
    fewer = {name: tensor for name, tensor in one.tensors.items() if name != lora}
    replace(one, tensors=fewer).save(tmp_path / "fewer.safetensors")
    with pytest.raises(HarkenError, match="learnt different weights"):
        mean(shipped_checkpoint(), tmp_path / "fewer.safetensors", tmp_path / "o.safetensors", mini)
    with pytest.raises(HarkenError, match=r"end it with \.safetensors"):
        mean(shipped_checkpoint(), shipped_checkpoint(), tmp_path / "mean.onnx", mini)
