"""What was verified: spares hashing half a gigabyte at every start.

A part's folder holds ``.verified.json``: for each file the SHA-256 it was found to have,
and the size and modification time it had then. A file that was touched since is hashed
again; a lost or unreadable record costs time and nothing else.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from harken.parts.cache import part_dir

_FILE_NAME = ".verified.json"


@dataclass(frozen=True)
class Verified:
    """A file's state when its hash was last taken, and where its bytes came from."""

    sha256: str
    bytes: int
    mtime_ns: int
    sources: tuple[str, ...]


def read_record(part_name: str) -> dict[str, Verified]:
    """Return what was verified in a part's folder, by file name; empty when unknown."""
    try:
        entries = json.loads((part_dir(part_name) / _FILE_NAME).read_text(encoding="utf-8"))
        return {
            name: Verified(**{**entry, "sources": tuple(entry["sources"])})
            for name, entry in entries.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return {}


def remember(part_name: str, path: Path, sha256: str, sources: tuple[str, ...]) -> None:
    """Record that ``path`` was found to have that hash.

    A cache that cannot be written (an image, a shared folder) is no error here: the file
    is good, it will only be hashed again next time.
    """
    state = path.stat()
    entries = read_record(part_name)
    entries[path.name] = Verified(sha256, state.st_size, state.st_mtime_ns, sources)
    record_path = part_dir(part_name) / _FILE_NAME
    draft_path = record_path.with_suffix(".draft")
    text = json.dumps({name: asdict(entry) for name, entry in entries.items()}, indent=1)
    try:
        draft_path.write_text(text, encoding="utf-8")
        draft_path.replace(record_path)
    except OSError:
        return


def is_verified(entry: Verified | None, path: Path, sha256: str) -> bool:
    """Whether ``path`` is still the file whose hash was found to be ``sha256``."""
    if entry is None or entry.sha256 != sha256:
        return False
    try:
        state = path.stat()
    except OSError:
        return False
    return (state.st_size, state.st_mtime_ns) == (entry.bytes, entry.mtime_ns)
