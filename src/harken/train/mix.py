"""Checkpoints made of checkpoints, without training: a mean, or one whose LoRA is weakened.

Runs that began with the same weights and learnt from other data often lie in one valley of the
loss, and between them what each has learnt holds (Wortsman et al. 2022, "Model soups"); so does,
between the pretrained decoder and the trained one, some of what either knows (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models"). Calibrations are neutral: they are measured later, on dev
sessions.
"""

from pathlib import Path

import numpy as np

from harken.decide.checkpoint import Calibration, Checkpoint
from harken.errors import HarkenError
from harken.stream import Profile


def mean(first: Path, second: Path, out: Path, profile: Profile) -> Checkpoint:
    """Write the mean of two checkpoints to `out`, float32 like theirs.

    LoRA is averaged factor by factor, which is the mean of the products only as far as the runs
    are near each other.

    Raises:
        HarkenError: one of them is no checkpoint of this profile, or `out` cannot be written.
    """
    _require_name(out)
    one, other = Checkpoint.load(first, profile), Checkpoint.load(second, profile)
    if one.tensors.keys() != other.tensors.keys():
        raise HarkenError(
            f"{first} and {second} learnt different weights; take two runs of one configuration"
        )
    tensors = {
        name: np.float32(0.5) * (tensor + other.tensors[name])
        for name, tensor in one.tensors.items()
    }
    checkpoint = Checkpoint(profile, tensors, Calibration(), {"mean": [one.facts, other.facts]})
    checkpoint.save(out)
    return checkpoint


def weakened(checkpoint: Path, strength: float, out: Path, profile: Profile) -> Checkpoint:
    """Write a checkpoint whose LoRA products are `strength` (0 to 1) times what they were to `out`.

    At 0 the decoder is the pretrained one, under adapters and control rows that were trained.

    Raises:
        HarkenError: it is no checkpoint of this profile, or `out` cannot be written.
    """
    _require_name(out)
    if not 0 <= strength <= 1:
        raise HarkenError(f"strength is {strength:g}; it must be in 0 to 1")
    whole = Checkpoint.load(checkpoint, profile)
    tensors = {
        name: np.float32(strength) * tensor if name.endswith(".lora_b") else tensor
        for name, tensor in whole.tensors.items()
    }
    facts = {"weakened": whole.facts, "strength": strength}
    weaker = Checkpoint(profile, tensors, Calibration(), facts)
    weaker.save(out)
    return weaker


def _require_name(out: Path) -> None:
    if out.suffix != ".safetensors":
        raise HarkenError(f"{out} is no checkpoint's name; end it with .safetensors")
