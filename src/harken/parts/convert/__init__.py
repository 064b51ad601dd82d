"""Parts in the form that runs here, made once from the pretrained files and checked by hash."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import filelock

from harken.errors import HarkenError
from harken.parts.cache import cache_dir, cache_writes, require_room, sha256_of
from harken.parts.convert.layout import graph_file
from harken.parts.fetch import ensure

_RECORD = "converted.json"
_NEEDED_BYTES = {"decoder": 720_000_000, "acoustic": 14_000_000}


def converted(name: str) -> Path:
    """The folder of a converted part, "decoder" or "acoustic"; converts at the first call.

    Interrupted at any point, the next call starts clean: a folder appears only when complete.

    Raises:
        HarkenError: the part cannot be had or read, or the cache cannot be written.
    """
    folder = cache_dir() / "converted" / name
    wanted = _wanted(name)
    if _is_current(folder, wanted):
        return folder
    work = folder.with_name(f".{name}.partial")
    with cache_writes(folder.parent, _NEEDED_BYTES[name]):
        folder.parent.mkdir(parents=True, exist_ok=True)
        # The system releases the lock of a killed process; what it left is then nobody's.
        with filelock.FileLock(folder.with_name(f".{name}.lock")):
            if _is_current(folder, wanted):  # another process did it meanwhile
                return folder
            for old in (work, folder):
                if old.exists():
                    shutil.rmtree(old)
            require_room(folder.parent, _NEEDED_BYTES[name])
            work.mkdir()
            try:
                _CONVERTERS[name](work)
                made = {p.name: sha256_of(p) for p in sorted(work.iterdir())}
                _refuse_surprises(name, made)
                (work / _RECORD).write_text(json.dumps(made, indent=1))
                work.rename(folder)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return folder


def verify_converted(name: str) -> None:
    """Hash a converted part again; a changed file is refused by name."""
    folder = converted(name)
    record = json.loads((folder / _RECORD).read_text())
    for file, sha256 in record.items():
        if sha256_of(folder / file) != sha256:
            raise HarkenError(
                f"{folder / file} is damaged; delete the folder {folder} and run again"
            )


def _convert_decoder(work: Path) -> None:
    from harken.parts.convert.decoder import convert_decoder

    convert_decoder(next(ensure("decoder").glob("*.gguf")), work)
    for graph in ("decoder.onnx", "head.onnx"):
        (work / graph).write_bytes(graph_file(graph))


def _convert_acoustic(work: Path) -> None:
    from harken.parts.convert.acoustic import convert_acoustic

    convert_acoustic(ensure("whisper") / "model.bin", work)
    (work / "acoustic.onnx").write_bytes(graph_file("acoustic.onnx"))


_CONVERTERS: dict[str, Callable[[Path], None]] = {
    "decoder": _convert_decoder,
    "acoustic": _convert_acoustic,
}


def _wanted(name: str) -> dict[str, str]:
    """File -> sha256 of everything the conversion should give; new graphs give new hashes."""
    hashes: dict[str, dict[str, str]] = json.loads(graph_file("converted.sha256.json"))
    if name not in hashes:
        raise HarkenError(f"nothing is converted as {name!r}; choose {', '.join(sorted(hashes))}")
    return hashes[name]


def _is_current(folder: Path, wanted: dict[str, str]) -> bool:
    try:
        record = json.loads((folder / _RECORD).read_text())
    except (OSError, ValueError):
        return False
    return bool(record == wanted) and all((folder / file).is_file() for file in wanted)


def _refuse_surprises(name: str, made: dict[str, str]) -> None:
    for file, expected in _wanted(name).items():
        if made.get(file) != expected:
            raise HarkenError(
                f"converting {name} gave {file} with sha256 {made.get(file, 'nothing')[:16]}…, "
                f"expected {expected[:16]}…; run `harken parts verify` and try again, or report it"
            )
