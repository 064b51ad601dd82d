"""Writes that fail say where, and what to do about it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harken.errors import HarkenError
from harken.parts.cache import readable_bytes


@contextmanager
def writes_below(out: Path) -> Iterator[None]:
    """Make the folder, and turn a failing write below it into one line that names the fix.

    Raises:
        HarkenError: the disk is full, or the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        free = _free_bytes(out)
        raise HarkenError(
            f"cannot write to {out}: {error.strerror or error} ({free} free); free some room or "
            "take another disk, then run it again: what is finished is kept"
        ) from error


def _free_bytes(out: Path) -> str:
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    return readable_bytes(shutil.disk_usage(there).free)
