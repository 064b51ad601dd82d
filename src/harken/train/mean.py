"""Two checkpoints as one: the mean of their weights.

Runs that began with the same weights and learnt from other data often lie in one valley of the
loss, and between them what each has learnt holds: Wortsman et al. 2022, "Model soups".
"""

from pathlib import Path

import numpy as np

from harken.decide.checkpoint import Calibration, Checkpoint
from harken.errors import HarkenError
from harken.stream import Profile


def mean(first: Path, second: Path, out: Path, profile: Profile) -> Checkpoint:
    """Write the mean of two checkpoints to `out`, float32 like theirs.

    LoRA is averaged factor by factor, which is the mean of the products only as far as the runs
    are near each other. The calibration is neutral: it is measured later, on dev sessions.

    Raises:
        HarkenError: one of them is no checkpoint of this profile, or `out` cannot be written.
    """
    if out.suffix != ".safetensors":
        raise HarkenError(f"{out} is no checkpoint's name; end it with .safetensors")
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
