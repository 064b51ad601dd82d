"""One shard: a tar of streams, written in one go and read from front to end, as through a pipe."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from harken.errors import HarkenError
from harken.soundflow.shards.index import Shard, Span
from harken.soundflow.shards.input import Listing, Name
from harken.soundflow.shards.stream import ShardStream, pack, unpack
from harken.stream import Profile

_HEADER_BYTES = 512  # of a member whose name fits into one tar header, as those of a stream do
_BROKEN = (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, AttributeError)


def write_shard(
    source: Listing,
    streams: list[Name],
    name: str,
    audio: bool,
    profile: Profile,
    file: BinaryIO | None,
) -> Shard:
    """Write streams of a data folder as one tar, or only hash it when `file` is None.

    Equal streams give equal bytes: there are no times and no owners.

    Raises:
        HarkenError: a stream cannot be read or packed.
    """
    sink: Any = _Sink(file)
    members: dict[str, dict[str, Span]] = {}
    variants, n_chunks = 0, 0
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for n, (split, id) in enumerate(streams):
            rows = source.rows(split, id)
            features, flac = source.features(id), source.flac(id) if audio else None
            packed = pack(id, rows, features, flac, (n, len(streams)), profile)
            members[id] = {}
            for extension, content in packed.items():
                header = tarfile.TarInfo(f"{id}.{extension}")
                header.size = len(content)
                members[id][extension] = (sink.tell() + _HEADER_BYTES, len(content))
                tar.addfile(header, io.BytesIO(content))
            variants += len(rows)
            n_chunks += rows[0]["n_chunks"]
    return Shard(
        name=name,
        split=streams[0][0],
        sha256=sink.digest.hexdigest(),
        size_bytes=sink.tell(),
        streams=len(streams),
        variants=variants,
        hours=round(n_chunks * profile.chunk_samples / profile.sample_rate / 3600, 6),
        members=members,
    )


def read_shard(file: BinaryIO, name: str, profile: Profile | None) -> Iterator[ShardStream]:
    """The streams of one shard from a file that is read once from front to end, as a pipe is.

    `name` is for messages; `profile` None takes shards of any.

    Raises:
        HarkenError: the shard is broken, ends early, or was made for another profile.
    """
    expected, count = 0, 1
    try:
        with tarfile.open(fileobj=file, mode="r|") as tar:
            for members in _by_stream(tar):
                stream, (at, count) = unpack(members, profile)
                if at != expected:
                    raise HarkenError(f"stream {expected} of {count} is missing")
                yield stream
                expected += 1
        if expected != count:
            raise HarkenError(f"it ends after {expected} of {count} streams")
    except (*_BROKEN, HarkenError) as broken:
        raise unusable(name, broken) from broken


def unusable(name: str, why: Exception) -> HarkenError:
    """The error that names a shard which is not what it should be."""
    return HarkenError(
        f"the shard {name} cannot be used: {why}; write it again, or fetch a whole copy"
    )


class _Sink:
    """A file that hashes and counts what is written to it."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self._size_bytes = 0
        self.digest = hashlib.sha256()

    def write(self, content: bytes) -> int:
        if self._file is not None:
            self._file.write(content)
        self.digest.update(content)
        self._size_bytes += len(content)
        return len(content)

    def tell(self) -> int:
        return self._size_bytes


def _by_stream(tar: tarfile.TarFile) -> Iterator[dict[str, bytes]]:
    """The members of each stream by extension: what stands behind the first dot."""
    current, members = "", dict[str, bytes]()
    for header in tar:
        content = tar.extractfile(header)
        if content is None:
            raise HarkenError(f"{header.name} is no file")
        id, _, extension = header.name.partition(".")
        if id != current and members:
            yield members
            members = {}
        current = id
        members[extension] = content.read()
    if members:
        yield members
