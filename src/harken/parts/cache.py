"""The user's cache: where parts lie, and what its failures mean to the user."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from harken.errors import HarkenError

BLOCK_BYTES = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}


def cache_dir() -> Path:
    """Return the folder of everything Harken downloads or derives; it may not exist yet.

    ``HARKEN_CACHE`` when set, else the platform's user cache folder ``harken``.
    """
    chosen = os.environ.get("HARKEN_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_cache_path("harken")


def part_dir(part_name: str) -> Path:
    """Return the folder in which the files of one part lie."""
    return cache_dir() / "parts" / part_name


def incoming_dir(part_name: str) -> Path:
    """Return the folder of one part's unfinished downloads, kept until the part is complete."""
    return cache_dir() / "parts" / ".incoming" / part_name


def readable_bytes(size_bytes: int) -> str:
    """Return a size for people, in decimal megabytes."""
    return f"{size_bytes / 1e6:.1f} MB"


@contextmanager
def cache_writes(folder: Path, needed_bytes: int) -> Iterator[None]:
    """Turn a failing write below ``folder`` into one line that names the fix.

    Args:
        folder: the folder that is written to.
        needed_bytes: how much room the whole job needs, named when the disk is full.

    Raises:
        HarkenError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        # What failed, when the system tells: a file in place of a folder is found by its name.
        place = error.filename or folder
        if error.errno in _FULL:
            raise _no_room(folder, needed_bytes, error.strerror) from error
        raise HarkenError(
            f"cannot write to the cache {folder}: {error.strerror or error} ({place}); "
            "set HARKEN_CACHE to a folder you can write to"
        ) from error


def require_room(folder: Path, needed_bytes: int) -> None:
    """Check before a download that the disk of ``folder`` has room for it.

    Raises:
        HarkenError: less than ``needed_bytes`` are free.
    """
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise _no_room(folder, needed_bytes, f"{readable_bytes(free_bytes)} free")


def _no_room(folder: Path, needed_bytes: int, why: str | None) -> HarkenError:
    return HarkenError(
        f"no room in the cache {folder} ({why}): {readable_bytes(needed_bytes)} are needed; "
        "free that much or set HARKEN_CACHE to a folder on another disk"
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 lower-case hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def place(finished: Path, destination: Path) -> None:
    """Move a finished file to its final name so that a reader sees all of it or none.

    The bytes reach the disk before the name does: a power cut leaves no half file
    under the final name.
    """
    with finished.open("rb+") as file:
        os.fsync(file.fileno())
    destination.parent.mkdir(parents=True, exist_ok=True)
    os.replace(finished, destination)
