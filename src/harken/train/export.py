"""A run as a checkpoint: the trained difference alone, for any backend."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from harken.decide.checkpoint import Calibration, Checkpoint
from harken.errors import HarkenError
from harken.stream import profile_named
from harken.train.run import Run

Which = Literal["best", "newest"]


def export(run: Run, path: Path, which: Which = "best") -> Checkpoint:
    """Write the run's best (on dev) or newest state to a .safetensors file.

    The calibration is neutral: it is measured later, on dev sessions.
    """
    if path.suffix != ".safetensors":
        raise HarkenError(f"{path} is no checkpoint's name; end it with .safetensors")
    config, data = run.describe()
    if config.adapt == "full":
        raise HarkenError(
            f"run {run.folder.name} changed the decoder itself (adapt 'full'), and a checkpoint "
            "holds only what stands beside it; train with adapt 'lora' to export"
        )
    facts: dict[str, Any] = {"run": run.folder.name, "data": data.name}
    if start := run.start():
        facts["start"] = start
    best = run.load_best() if which == "best" else None
    if best is not None:
        tensors, found = best
        facts |= found
    else:
        saved = run.load()
        if saved is None:
            raise HarkenError(
                f"run {run.folder.name} has saved no state yet; wait for its first, or resume it"
            )
        tensors = saved.tensors
        facts |= {"step": saved.progress.step, "positions": saved.progress.positions}
    arrays = {
        name.removeprefix("decoder."): tensor.detach().numpy().astype(np.float32)
        for name, tensor in tensors.items()
    }
    checkpoint = Checkpoint(profile_named(config.profile), arrays, Calibration(), facts)
    checkpoint.save(path)
    return checkpoint
