"""Files and folders that a command writes: told at its beginning when they cannot be."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
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


def require_folder(folder: Path | None) -> Path | None:
    """The folder to write to, as it was given; made where it is not there.

    Raises:
        HarkenError: it cannot be made or written to.
    """
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarkenError(f"{folder} cannot be made ({error.strerror}); give a folder") from error
    if not os.access(folder, os.W_OK):
        raise HarkenError(f"{folder} cannot be written to; give a folder that can")
    return folder


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """What writes the file; a failure is one line.

    Raises:
        HarkenError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise HarkenError(
            f"cannot write {out} ({error.strerror or error}); make room, or name another place"
        ) from error
