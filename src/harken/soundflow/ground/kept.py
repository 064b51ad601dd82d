"""What grounding worked out once, kept in the cache under what it was worked out from.

A kept value is the computed one, bit by bit, so that a result never depends on what is kept.
"""

import hashlib
import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harken.parts.cache import cache_dir, cache_writes

F32 = npt.NDArray[np.float32]

_NEEDED_BYTES = 100_000_000


def kept(kind: str, *content: bytes, make: Callable[[], F32]) -> F32:
    """The array that `make` gives, made once for each content.

    Args:
        kind: of the value, and what made it: a folder below `grounding` in the cache.
        content: everything that the value depends on.

    Raises:
        HarkenError: the disk is full or cannot be written to.
    """
    digest = hashlib.sha256()
    for part in content:
        digest.update(len(part).to_bytes(8, "little") + part)
    name = digest.hexdigest()[:32]
    path = cache_dir() / "grounding" / kind / name[:2] / f"{name}.npy"
    try:
        return np.asarray(np.load(path), np.float32)
    except (OSError, ValueError, EOFError):
        value = np.asarray(make(), np.float32)
    with cache_writes(path.parent, _NEEDED_BYTES):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{name}.{os.getpid()}.npy")
        np.save(partial, value)
        os.replace(partial, path)
    return value
