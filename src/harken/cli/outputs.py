"""Files that a command writes at its end: told at its beginning when they cannot be."""

import os
from pathlib import Path

from harken.errors import HarkenError


def require_place(out: Path | None) -> Path | None:
    """The file to write, as it was given; refused before minutes of work, not after.

    Raises:
        HarkenError: its folder is not there or cannot be written to, or it is a folder itself.
    """
    if out is None:
        return None
    folder = out.absolute().parent
    if not folder.is_dir():
        raise HarkenError(f"there is no folder {out.parent} to write {out.name} to; make it first")
    if out.is_dir():
        raise HarkenError(f"{out} is a folder; give the name of a file in it")
    if not os.access(out if out.exists() else folder, os.W_OK):
        raise HarkenError(f"{out} cannot be written; give a place that can")
    return out
