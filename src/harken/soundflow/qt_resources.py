"""Reads files out of a Qt resource file (`.rcc`), where gcompris keeps its sounds.

The container is a tree of entries, a block of payloads and a block of UTF-16 names, all
big-endian (Qt source, `src/corelib/io/qresource.cpp`). Payloads are plain, zlib or zstandard.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from harken.errors import HarkenError

_MAGIC = b"qres"
_COMPRESSED_ZLIB = 0x01
_DIRECTORY = 0x02
_COMPRESSED_ZSTD = 0x04


def resource_files(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield the path inside the container and the content of every file in it.

    Raises:
        HarkenError: the file is no Qt resource file, is cut short, or names a file outside itself.
    """
    try:
        content = path.read_bytes()
        if content[:4] != _MAGIC:
            raise HarkenError(f"{path} is no Qt resource file (it does not begin with 'qres')")
        version, tree, payloads, names = struct.unpack_from(">IIII", content, 4)
        # From version 2 an entry ends with an 8-byte time stamp.
        container = _Container(content, 14 if version < 2 else 22, tree, payloads, names)
        yield from container.walk(0, PurePosixPath())
    except (struct.error, zlib.error, UnicodeDecodeError, IndexError, RecursionError) as error:
        raise HarkenError(f"the Qt resource file {path} is broken: {error}") from error


class _Container:
    def __init__(self, content: bytes, entry_size: int, tree: int, payloads: int, names: int):
        self._content = content
        self._entry_size = entry_size
        self._tree = tree
        self._payloads = payloads
        self._names = names

    def walk(self, entry: int, folder: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
        at = self._tree + entry * self._entry_size
        name_offset, flags = struct.unpack_from(">IH", self._content, at)
        path = folder / self._name(name_offset) if entry else folder
        if flags & _DIRECTORY:
            count, first_child = struct.unpack_from(">II", self._content, at + 6)
            for child in range(first_child, first_child + count):
                yield from self.walk(child, path)
            return
        (payload_offset,) = struct.unpack_from(">I", self._content, at + 10)
        yield path, self._payload(payload_offset, flags)

    def _name(self, offset: int) -> str:
        at = self._names + offset
        (length,) = struct.unpack_from(">H", self._content, at)
        # Two bytes of length and four of hash come before the letters.
        name = self._content[at + 6 : at + 6 + 2 * length].decode("utf-16-be")
        if name in ("", ".", "..") or "/" in name:
            raise HarkenError(f"a Qt resource file names a file {name!r}: it is broken or hostile")
        return name

    def _payload(self, offset: int, flags: int) -> bytes:
        at = self._payloads + offset
        (size,) = struct.unpack_from(">I", self._content, at)
        payload = self._content[at + 4 : at + 4 + size]
        if len(payload) != size:
            raise struct.error(f"a payload of {size} bytes is cut short")
        if flags & _COMPRESSED_ZLIB:
            return zlib.decompress(payload[4:])
        if flags & _COMPRESSED_ZSTD:
            return _zstd(payload)
        return payload


def _zstd(payload: bytes) -> bytes:
    import zstandard

    try:
        return zstandard.ZstdDecompressor().decompress(payload)
    except zstandard.ZstdError as error:
        raise zlib.error(str(error)) from error
