"""Getting the models ready for a command, with visible progress on stderr at first use."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from harken.cli.parts import PartBars
from harken.parts import ensure, find_part
from harken.parts.cache import part_dir, readable_bytes

if TYPE_CHECKING:  # they load the runtimes, which a refused option should not wait for
    from harken.decide.batched_listener import BatchedListener
    from harken.decide.onnx_listener import OnnxListener
    from harken.perceive.perception import Perception

_LOADING_DECODER = "loading the decoder (the first time it is converted, which takes a minute)"
_PARTS_OF_EAR = {"sound": ("yamnet",), "acoustic": ("whisper",), "words": ("whisper", "silero")}


def ready_perception(ears: Iterable[str]) -> "Perception":
    """The ears, their parts fetched and converted if need be."""
    wanted = tuple(ears)
    _fetch(part for ear in wanted for part in _PARTS_OF_EAR.get(ear, ()))
    with _working("loading the ears"):
        from harken.perceive.perception import Perception

        return Perception(wanted)


def ready_listener(model: Path | None) -> "OnnxListener":
    """The listener of a checkpoint, the decoder fetched and converted if need be."""
    from harken.decide.model import load_listener

    _fetch(["decoder"])
    with _working(_LOADING_DECODER):
        return load_listener(model)


def ready_batched_listener(model: Path | None) -> "BatchedListener":
    """The same for many sessions at a time."""
    from harken.decide.model import load_batched_listener

    _fetch(["decoder"])
    with _working(_LOADING_DECODER):
        return load_batched_listener(model)


def _fetch(names: Iterable[str]) -> None:
    with PartBars() as bars:
        for name in dict.fromkeys(names):
            if not part_dir(name).exists():
                size = readable_bytes(find_part(name).bytes)
                Console(stderr=True).print(f"harken: fetching part {name} ({size}), once")
            ensure(name, progress=bars.report)


def _working(what: str) -> AbstractContextManager[object]:
    """A spinner on a terminal, nothing elsewhere."""
    return Console(stderr=True).status(what)
