"""Checkpoints made of checkpoints: halfway, weaker, refused where it cannot be."""

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
from harken.train.mix import mean, weakened


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


def test_a_weakened_checkpoint_moves_the_decoder_less_and_hears_as_before(
    mini: Profile, tmp_path: Path
) -> None:
    whole, out = Checkpoint.load(shipped_checkpoint(), mini), tmp_path / "weak.safetensors"
    run = CliRunner().invoke(
        app, ["weaken", str(shipped_checkpoint()), str(out), "--strength", "0.5"]
    )
    assert run.exit_code == 0, run.output
    found = Checkpoint.load(out, mini)
    a, b = "layers.3.down.lora_a", "layers.3.down.lora_b"
    moved, moved_before = found.tensors[a] @ found.tensors[b], whole.tensors[a] @ whole.tensors[b]
    assert np.allclose(moved, moved_before / 2, atol=1e-3 * np.abs(moved_before).max())
    for name in ("sound.scores", "acoustic.weight", "controls.output"):
        assert np.allclose(found.tensors[name], whole.tensors[name], atol=1e-3), name
    assert found.calibration == Calibration()
    assert found.facts == {"weakened": whole.facts, "strength": 0.5}
    with pytest.raises(HarkenError, match=r"strength is 1\.5; it must be in 0 to 1"):
        weakened(shipped_checkpoint(), 1.5, out, mini)
