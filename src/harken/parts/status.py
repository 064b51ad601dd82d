"""What the cache holds of a part, file by file and as a whole."""

from enum import Enum

from harken.parts.cache import incoming_dir, part_dir, sha256_of
from harken.parts.catalogue import Part, PartFile, find_part
from harken.parts.record import is_verified, read_record, remember

BY_HAND = "placed by hand"


class State(Enum):
    """What a look at the cache tells about a part, without hashing."""

    ABSENT = "absent"
    PARTIAL = "partial"
    PRESENT = "unverified"
    VERIFIED = "verified"


def state(name: str) -> State:
    """Return the state of a part in the cache; nothing is hashed or fetched.

    Raises:
        HarkenError: no such part.
    """
    part = find_part(name)
    there = [(part_dir(part.name) / file.name).is_file() for file in part.files]
    if all(there):
        verified = all(trusted(part, file) for file in part.files)
        return State.VERIFIED if verified else State.PRESENT
    unfinished = incoming_dir(part.name).exists()
    return State.PARTIAL if any(there) or unfinished else State.ABSENT


def sources(name: str) -> tuple[str, ...]:
    """Return where the verified files of a part came from, each once; empty when unknown.

    Raises:
        HarkenError: no such part.
    """
    part = find_part(name)
    record = read_record(part.name)
    return tuple(
        dict.fromkeys(
            source
            for file in part.files
            if trusted(part, file)
            for source in record[file.name].sources
        )
    )


def trusted(part: Part, file: PartFile) -> bool:
    """Whether the file was verified and not touched since; nothing is hashed."""
    entry = read_record(part.name).get(file.name)
    return is_verified(entry, part_dir(part.name) / file.name, file.sha256)


def remember_in_place(part: Part, file: PartFile) -> None:
    """Record that the file in its place was found to be good, keeping its known source."""
    entry = read_record(part.name).get(file.name)
    known = entry.sources if entry and entry.sha256 == file.sha256 else (BY_HAND,)
    remember(part.name, part_dir(part.name) / file.name, file.sha256, known)


def fault_of(part: Part, file: PartFile, *, trust_record: bool) -> str | None:
    """Return what is wrong with a file in its place, "" when it is absent, None when good."""
    path = part_dir(part.name) / file.name
    if trust_record and trusted(part, file):
        return None
    if not path.is_file():
        return ""
    try:
        found = sha256_of(path)
    except OSError as error:
        return f"the file there cannot be read ({error.strerror})"
    if found == file.sha256:
        remember_in_place(part, file)
        return None
    return f"the file there has sha256 {found} instead of {file.sha256}"
