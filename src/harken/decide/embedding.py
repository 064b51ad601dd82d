"""The decoder's own embedding table: 8-bit rows, turned into numbers where they are needed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError

F32 = npt.NDArray[np.float32]
BLOCK = 32
"""Numbers that share one scale in a row."""


class EmbeddingTable:
    """Rows of the pretrained table, read through a memory map: a session touches few of them."""

    def __init__(self, decoder: Path) -> None:
        """decoder: the folder of the converted part (embedding.int8.npy, embedding.scale.npy)."""
        try:
            self._values = np.load(decoder / "embedding.int8.npy", mmap_mode="r")
            self._scales = np.load(decoder / "embedding.scale.npy", mmap_mode="r")
        except (OSError, ValueError) as broken:
            raise HarkenError(
                f"the embedding table in {decoder} cannot be read ({broken}); delete the folder "
                f"{decoder} and run again"
            ) from broken

    @property
    def hidden(self) -> int:
        """Numbers in one row."""
        return int(self._values.shape[1])

    def rows(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> F32:
        """float32 [n, hidden], the rows of these ids."""
        at = np.asarray(ids, np.int64)
        blocks = self._values[at].astype(np.float32).reshape(len(at), -1, BLOCK)
        rows: F32 = (blocks * self._scales[at][:, :, None]).reshape(len(at), -1)
        return rows
