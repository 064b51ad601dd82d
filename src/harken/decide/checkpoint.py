"""A checkpoint: the trained difference to the pretrained parts, one safetensors file.

Tensors (float32 in memory), h = profile.hidden, c = len(profile.own_rows):
  controls.input [c, h], controls.output [c, h]      rows of the control ids
  sound.scores [521, h], sound.embedding [1024, h], sound.bias [h]
  acoustic.weight [2560, h], acoustic.bias [h]
  <matrix>.lora_a [k, rank], <matrix>.lora_b [rank, n]   as the decoder graph names them
On disk the rows of large matrices are int8, in steps of a 127th of <name>.peak, float16 [rows, 1],
their largest magnitude. All else is float16, and so were matrices in older files.
Metadata: the profile, calibration and operating points, the card's facts.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from harken.errors import HarkenError
from harken.stream import Profile
from harken.stream.fingerprint import check, fields_of

F32 = npt.NDArray[np.float32]
SOUND_CLASSES, SOUND_EMBEDDING, ACOUSTIC = 521, 1024, 2560
_PEAK, _STEPS = ".peak", 127
_FINE = ("controls.",)
"""Few rows, of which each decides much: they stay in float16."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """p = softmax(logits / temperature + bias of respond); thresholds by policy.

    to_words: what p(respond) must reach besides in a chunk that brings words, under every policy.
    stop_threshold: of p(stop), while our own voice plays.
    """

    temperature: float = 1.0
    respond_bias: float = 0.0
    thresholds: dict[str, float] = field(default_factory=dict)
    to_words: float = 0.0
    stop_threshold: float = 0.5

    def probabilities(self, logits: F32) -> F32:
        """float32 [n, decisions], silent and respond first, as calibrated probabilities."""
        scaled = logits / np.float32(self.temperature)
        scaled[:, 1] += np.float32(self.respond_bias)
        spread = np.exp(scaled - scaled.max(-1, keepdims=True))
        found: F32 = spread / spread.sum(-1, keepdims=True)
        return found

    def __post_init__(self) -> None:
        if not (0 < self.temperature < math.inf and math.isfinite(self.respond_bias)):
            raise HarkenError(
                f"a calibration cannot have temperature {self.temperature:g} and bias "
                f"{self.respond_bias:g}; the temperature must be positive, both finite"
            )


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Trained tensors by name (float32), calibration, and facts for people."""

    profile: Profile
    tensors: dict[str, F32]
    calibration: Calibration = Calibration()
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, shape in _shapes(self.profile).items():
            found = self.tensors[name].shape if name in self.tensors else None
            if found != shape:
                raise HarkenError(
                    f"tensor {name} of the checkpoint is {list(found) if found else 'missing'}, "
                    f"profile {self.profile.name} needs {list(shape)}; export it again"
                )

    def save(self, path: Path) -> None:
        """Write atomically.

        Raises:
            HarkenError: there is no room, or the folder cannot be written to.
        """
        metadata = {
            "profile": json.dumps(fields_of(self.profile)),
            "calibration": json.dumps(asdict(self.calibration)),
            "facts": json.dumps(self.facts),
        }
        stored: dict[str, npt.NDArray[Any]] = {}
        for name, tensor in sorted(self.tensors.items()):
            stored |= _stored(name, tensor)
        partial = path.with_suffix(".partial")
        try:
            partial.write_bytes(save(stored, metadata))  # save_file would keep it from other users
            partial.replace(path)
        except OSError as refused:
            raise HarkenError(
                f"cannot write the checkpoint {path} ({refused}); make room, or name another place"
            ) from refused

    @classmethod
    def load(cls, path: Path, profile: Profile) -> "Checkpoint":
        """Read a checkpoint for `profile`; one of another profile is refused by field."""
        if not path.exists():
            raise HarkenError(f"no checkpoint at {path}; give --model the path of a .safetensors")
        try:
            with safe_open(path, framework="numpy") as f:
                metadata = f.metadata() or {}
                found = {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118
            tensors = {k: _whole(k, found) for k in found if not k.endswith(_PEAK)}
            stored = json.loads(metadata["profile"])
            calibration = Calibration(**json.loads(metadata["calibration"]))
            facts = json.loads(metadata["facts"])
        except (SafetensorError, KeyError, ValueError, TypeError, OSError) as broken:
            raise HarkenError(
                f"{path} is no readable Harken checkpoint ({broken}); give --model a file made by "
                "`harken train export`"
            ) from broken
        check(stored, profile, f"checkpoint {path}")
        return cls(profile, tensors, calibration, facts)


def _whole(name: str, stored: Mapping[str, npt.NDArray[Any]]) -> F32:
    """A tensor from what a file holds; KeyError or ValueError where that is not whole."""
    tensor: F32 = stored[name].astype(np.float32)
    if stored[name].dtype == np.int8:
        tensor *= stored[name + _PEAK].astype(np.float32) / _STEPS
    return tensor


def _stored(name: str, tensor: F32) -> dict[str, npt.NDArray[Any]]:
    """What a file holds of a tensor, by name."""
    if tensor.ndim != 2 or name.startswith(_FINE):
        return {name: np.ascontiguousarray(tensor, np.float16)}
    peak = np.abs(tensor).max(1, keepdims=True).astype(np.float16)
    step = peak.astype(np.float32) / _STEPS
    steps = np.divide(tensor, step, out=np.zeros_like(tensor), where=step > 0)
    return {name: np.rint(steps).clip(-_STEPS, _STEPS).astype(np.int8), name + _PEAK: peak}


def _shapes(profile: Profile) -> dict[str, tuple[int, ...]]:
    """The tensors that every checkpoint of the profile has; LoRA is checked by the decoder."""
    hidden, rows = profile.hidden, len(profile.own_rows)
    return {
        "controls.input": (rows, hidden),
        "controls.output": (rows, hidden),
        "sound.scores": (SOUND_CLASSES, hidden),
        "sound.embedding": (SOUND_EMBEDDING, hidden),
        "sound.bias": (hidden,),
        "acoustic.weight": (ACOUSTIC, hidden),
        "acoustic.bias": (hidden,),
    }
