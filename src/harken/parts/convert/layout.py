"""Weights files laid out as the shipped graphs expect them.

`scripts/make_graphs.py` decides names, types, shapes and offsets; conversion only fills them in,
so that everybody's converted part has the same bytes.
"""

import json
import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError

Array = npt.NDArray[Any]
CHECKPOINT = "checkpoint"
"""The location of tensors that a checkpoint brings at load time."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The external tensors of one graph: name -> (type, shape, offset), and the file's size."""

    graph: str
    file: str
    size: int
    tensors: dict[str, tuple[str, tuple[int, ...], int]]
    from_checkpoint: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, graph: str) -> "Layout":
        """The layout of a shipped graph: "decoder", "head" or "acoustic"."""
        raw = json.loads(graph_file(f"{graph}.layout.json"))
        tensors, later = {}, {}
        for name, t in raw["tensors"].items():
            if t["file"] == CHECKPOINT:
                later[name] = tuple(t["shape"])
            else:
                tensors[name] = (t["type"], tuple(t["shape"]), t["offset"])
        return cls(graph, raw["file"], raw["bytes"], tensors, later)


def graph_file(name: str) -> bytes:
    """The bytes of a file that ships in `harken/parts/graphs`."""
    return (files("harken.parts") / "graphs" / name).read_bytes()


class WeightsWriter:
    """Fills one weights file in any order; used in a `with`, whose end refuses a file with holes.

    A disk that is full shows as `OSError`, which `harken.parts.cache.cache_writes` explains.
    """

    def __init__(self, layout: Layout, folder: Path) -> None:
        self._layout = layout
        self._missing = set(layout.tensors)
        self._file = (folder / layout.file).open("xb")

    def __enter__(self) -> "WeightsWriter":
        self._file.truncate(self._layout.size)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if error is None:
                self._finish()

    def put(self, name: str, values: Array) -> None:
        """Write one tensor; its type and shape must be those of the graph."""
        kind, shape, offset = self._layout.tensors[name]
        if values.shape != shape or values.dtype != np.dtype(kind):
            raise HarkenError(
                f"tensor {name} of graph {self._layout.graph} should be {kind}{list(shape)}, the "
                f"part holds {values.dtype}{list(values.shape)}; fetch the part again"
            )
        self._file.seek(offset)
        self._file.write(np.ascontiguousarray(values).data)
        self._missing.discard(name)

    def _finish(self) -> None:
        if self._missing:
            raise HarkenError(
                f"the part lacks {len(self._missing)} tensors of graph {self._layout.graph}, first "
                f"{min(self._missing)}; fetch the part again"
            )
        self._file.flush()
        os.fsync(self._file.fileno())
