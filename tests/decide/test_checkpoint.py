"""A checkpoint comes back as it was saved, and a wrong one is refused in one line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save, save_file

from harken.decide.checkpoint import Calibration, Checkpoint
from harken.errors import HarkenError
from harken.stream import Profile, profile_named
from harken.stream.fingerprint import fields_of


@pytest.fixture
def small(tiny: Profile) -> Checkpoint:
    """A checkpoint of the tiny profile."""
    random = np.random.default_rng(0)
    hidden, rows = tiny.hidden, len(tiny.own_rows)
    shapes = {
        "controls.input": (rows, hidden),
        "controls.output": (rows, hidden),
        "sound.scores": (521, hidden),
        "sound.embedding": (1024, hidden),
        "sound.bias": (hidden,),
        "acoustic.weight": (2560, hidden),
        "acoustic.bias": (hidden,),
        "layers.0.qkv.lora_a": (hidden, 4),
    }
    tensors = {n: random.standard_normal(s).astype(np.float16) for n, s in shapes.items()}
    return Checkpoint(
        tiny,
        {n: t.astype(np.float32) for n, t in tensors.items()},
        Calibration(1.5, -0.25, {"care": 0.7}),
        {"steps": 12, "data": ["a", "b"]},
    )


def test_what_was_saved_comes_back(small: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    small.save(path)
    again = Checkpoint.load(path, small.profile)
    assert again.calibration == small.calibration and again.facts == small.facts
    assert again.tensors.keys() == small.tensors.keys()
    for name, tensor in small.tensors.items():
        found = again.tensors[name]
        assert found.dtype == np.float32
        is_fine = tensor.ndim == 1 or name.startswith("controls.")
        half_step = 0 if is_fine else np.abs(tensor).max(-1, keepdims=True) / 254
        assert (np.abs(found - tensor) <= 1.001 * half_step).all(), name
    assert [p.name for p in tmp_path.iterdir()] == ["small.safetensors"]
    other = tmp_path / "other"
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode, "whoever may read other files may read it"


def test_saved_again_it_is_the_same(small: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    small.tensors["layers.0.qkv.lora_a"][3] = 0  # a row without a step
    small.tensors["layers.0.qkv.lora_a"][4] *= 1e-6
    small.save(path)
    once = Checkpoint.load(path, small.profile)
    once.save(path)
    again = Checkpoint.load(path, small.profile)
    for name, tensor in once.tensors.items():
        np.testing.assert_allclose(again.tensors[name], tensor, rtol=1e-6, err_msg=name)


def test_an_older_file_holds_float16_alone(small: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    small.save(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    path.write_bytes(save({n: t.astype(np.float16) for n, t in small.tensors.items()}, metadata))
    again = Checkpoint.load(path, small.profile)
    for name, tensor in small.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], tensor)


@pytest.mark.parametrize("peaks", [None, 3])
def test_steps_without_their_peaks_are_refused(
    small: Checkpoint, tmp_path: Path, peaks: int | None
) -> None:
    """None at all, or of too few rows."""
    path, name = tmp_path / "small.safetensors", "layers.0.qkv.lora_a"
    small.save(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
        stored = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    peak = stored.pop(f"{name}.peak")
    if peaks:
        stored[f"{name}.peak"] = peak[:peaks]
    path.write_bytes(save(stored, metadata))
    with pytest.raises(HarkenError, match="is no readable Harken checkpoint"):
        Checkpoint.load(path, small.profile)


def test_another_profile_is_refused_by_the_differing_field(
    small: Checkpoint, tmp_path: Path
) -> None:
    path = tmp_path / "small.safetensors"
    small.save(path)
    with pytest.raises(HarkenError, match=r"checkpoint .*small.* field context is 256, here 512"):
        Checkpoint.load(path, replace(small.profile, context=512))
    with pytest.raises(HarkenError, match="was made for another profile"):
        Checkpoint.load(path, profile_named("mini"))


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.999])
def test_a_cut_checkpoint_is_refused(small: Checkpoint, tmp_path: Path, kept: float) -> None:
    path = tmp_path / "cut.safetensors"
    small.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(HarkenError, match=r"cut\.safetensors is no readable") as refused:
        Checkpoint.load(path, small.profile)
    assert "\n" not in str(refused.value)


def test_a_missing_checkpoint_is_refused(tmp_path: Path, tiny: Profile) -> None:
    with pytest.raises(HarkenError, match=r"no checkpoint at .*nowhere\.safetensors; give --model"):
        Checkpoint.load(tmp_path / "nowhere.safetensors", tiny)
    with pytest.raises(HarkenError, match="is no readable"):
        Checkpoint.load(tmp_path, tiny)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"profile": "{"},
        {"profile": "3", "calibration": "{}", "facts": "{}"},
        {"calibration": '{"temperature": 0}'},
        {"calibration": '{"heat": 1}'},
    ],
)
def test_a_safetensors_file_of_something_else_is_refused(
    small: Checkpoint, tmp_path: Path, metadata: dict[str, str]
) -> None:
    path = tmp_path / "other.safetensors"
    whole = {"profile": json.dumps(fields_of(small.profile)), "calibration": "{}", "facts": "{}"}
    save_file(small.tensors, path, whole | metadata if metadata else {})
    with pytest.raises(HarkenError) as refused:
        Checkpoint.load(path, small.profile)
    assert "\n" not in str(refused.value)


def test_a_missing_or_misshapen_tensor_is_named(small: Checkpoint, tmp_path: Path) -> None:
    without = {n: t for n, t in small.tensors.items() if n != "sound.bias"}
    with pytest.raises(HarkenError, match=r"sound\.bias of the checkpoint is missing"):
        replace(small, tensors=without)
    turned = small.tensors | {"controls.input": small.tensors["controls.input"].T}
    with pytest.raises(HarkenError, match=r"controls\.input .* is \[32, 15\].* needs \[15, 32\]"):
        replace(small, tensors=turned)


@pytest.mark.parametrize(
    ("temperature", "bias"), [(0.0, 0.0), (-1.0, 0.0), (float("nan"), 0.0), (1.0, float("inf"))]
)
def test_a_calibration_that_gives_no_probability_is_refused(
    temperature: float, bias: float
) -> None:
    with pytest.raises(HarkenError, match="temperature must be positive"):
        Calibration(temperature, bias)
