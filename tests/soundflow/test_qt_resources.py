import struct
import zlib
from pathlib import Path, PurePosixPath

import pytest
import zstandard

from harken.errors import HarkenError
from harken.soundflow.qt_resources import resource_files

PLAIN, ZLIB, ZSTD = 0, 1, 4


def write_rcc(path: Path, files: dict[str, tuple[bytes, int]], version: int = 3) -> Path:
    """A container with one folder `sounds` that holds `files` (content and compression)."""
    names, name_offsets = b"", []
    for name in ("sounds", *files):
        name_offsets.append(len(names))
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    payloads, payload_offsets = b"", []
    for content, how in files.values():
        packed = {
            PLAIN: content,
            ZLIB: struct.pack(">I", len(content)) + zlib.compress(content),
            ZSTD: zstandard.ZstdCompressor().compress(content),
        }[how]
        payload_offsets.append(len(payloads))
        payloads += struct.pack(">I", len(packed)) + packed
    stamp = b"" if version < 2 else bytes(8)
    tree = struct.pack(">IHII", 0, 2, 1, 1) + stamp
    tree += struct.pack(">IHII", name_offsets[0], 2, len(files), 2) + stamp
    for offset, payload, (_, how) in zip(
        name_offsets[1:], payload_offsets, files.values(), strict=True
    ):
        tree += struct.pack(">IHHHI", offset, how, 0, 0, payload) + stamp
    header_size = 20
    header = b"qres" + struct.pack(
        ">IIII",
        version,
        header_size,
        header_size + len(tree),
        header_size + len(tree) + len(payloads),
    )
    path.write_bytes(header + tree + payloads + names)
    return path


@pytest.mark.parametrize("version", [1, 2, 3])
def test_files_come_out_whatever_their_compression(tmp_path: Path, version: int) -> None:
    files = {"a.ogg": (b"plain", PLAIN), "bé.wav": (b"z" * 99, ZLIB), "c.txt": (b"s" * 99, ZSTD)}
    rcc = write_rcc(tmp_path / "x.rcc", files, version)
    expected = {PurePosixPath("sounds", name): content for name, (content, _) in files.items()}
    assert dict(resource_files(rcc)) == expected


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.rcc"
    path.write_bytes(b"OggS" + bytes(40))
    with pytest.raises(HarkenError, match="no Qt resource file"):
        list(resource_files(path))


@pytest.mark.parametrize("kept", [6, 30, 90])
def test_a_cut_container_is_refused(tmp_path: Path, kept: int) -> None:
    rcc = write_rcc(tmp_path / "x.rcc", {"a.ogg": (b"plain" * 20, PLAIN)})
    rcc.write_bytes(rcc.read_bytes()[:kept])
    with pytest.raises(HarkenError, match="broken"):
        list(resource_files(rcc))


@pytest.mark.parametrize("name", ["..", "../../etc/passwd", "/a"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    rcc = write_rcc(tmp_path / "x.rcc", {name: (b"x", PLAIN)})
    with pytest.raises(HarkenError, match="broken or hostile"):
        list(resource_files(rcc))


def test_broken_compressed_content_is_refused(tmp_path: Path) -> None:
    rcc = write_rcc(tmp_path / "x.rcc", {"a.ogg": (b"plain", PLAIN)})
    content = bytearray(rcc.read_bytes())
    content[20 + 2 * 22 + 5] = ZSTD  # the file's flags, after the root and the folder
    rcc.write_bytes(bytes(content))
    with pytest.raises(HarkenError, match="broken"):
        list(resource_files(rcc))
