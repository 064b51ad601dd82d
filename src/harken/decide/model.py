"""Which listener a session gets: the shipped checkpoint, or one the user names."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from harken.decide.batched_listener import BatchedListener
from harken.decide.checkpoint import Calibration, Checkpoint
from harken.decide.onnx_listener import OnnxListener
from harken.decide.rule import OperatingPoint
from harken.errors import HarkenError
from harken.parts.convert import converted
from harken.stream.profile import MINI

_UNCALIBRATED = 0.5


def shipped_checkpoint() -> Path:
    """The checkpoint that comes with the package.

    Raises:
        HarkenError: this installation carries none.
    """
    path = Path(str(files("harken"))) / "checkpoints" / "mini.safetensors"
    if not path.is_file():
        raise HarkenError(
            f"this installation carries no checkpoint ({path} is missing); install the released "
            "package, or give --model the path of a .safetensors"
        )
    return path


def load_listener(
    model: Path | None = None, *, threads: int = 2, calibration: Calibration | None = None
) -> OnnxListener:
    """The listener of a checkpoint, the shipped one by default; converts the decoder if needed.

    calibration: instead of the checkpoint's own.

    Raises:
        HarkenError: no such checkpoint, one of another profile, or a part that cannot be had.
    """
    # The checkpoint first: it is refused in a blink, the decoder takes a second to load.
    checkpoint = Checkpoint.load(model or shipped_checkpoint(), MINI)
    if calibration:
        checkpoint = replace(checkpoint, calibration=calibration)
    return OnnxListener(converted("decoder"), checkpoint, threads=threads)


def load_batched_listener(model: Path | None = None, *, threads: int = 2) -> BatchedListener:
    """As `load_listener`, for many sessions at a time."""
    checkpoint = Checkpoint.load(model or shipped_checkpoint(), MINI)
    return BatchedListener(converted("decoder"), checkpoint, threads=threads)


def operating_point(
    checkpoint: Checkpoint, policy: str, threshold: float | None = None
) -> OperatingPoint:
    """The thresholds of a session: the user's, else what the checkpoint found for the policy."""
    calibration = checkpoint.calibration
    stop = calibration.stop_threshold
    if threshold is not None:
        return OperatingPoint(respond=threshold, stop=stop)
    found = calibration.thresholds.get(policy, _UNCALIBRATED)
    return OperatingPoint(respond=found, stop=stop, to_words=calibration.to_words)
