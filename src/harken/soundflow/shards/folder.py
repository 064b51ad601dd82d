"""Data folders as tar shards that WebDataset and plain `tarfile` read, and back.

    harken-{split}-{n:06d}.tar   streams, their members side by side (`stream`)
    index.json                   hashes, hours, and the place of every member (`index`)

The same folder gives the same bytes. A shard gets its name when it is complete and on the disk,
the index when all shards are, so whatever is interrupted can be begun again: `write_shards`
keeps each shard that is what it would write, and makes the others.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import filelock

from harken.errors import HarkenError
from harken.parts.cache import place, sha256_of
from harken.soundflow.shards.index import Shard, ShardIndex, read_index, write_index
from harken.soundflow.shards.input import Listing, Name, listing
from harken.soundflow.shards.stream import ShardStream, unpack
from harken.soundflow.shards.tar import read_shard, unusable, write_shard
from harken.soundflow.writes import writes_below
from harken.stream import Profile
from harken.stream.fingerprint import fields_of
from harken.stream.profile import MINI

SHARDS = "harken-*-*.tar"
"""The files of a folder that are finished shards."""

Packing = Callable[[BinaryIO | None], Shard]
"""Writes one shard to a file, or only computes what would be written."""


def write_shards(
    folder: Path,
    out: Path,
    *,
    streams_per_shard: int,
    audio: bool = True,
    profile: Profile = MINI,
    progress: Callable[[int, int], None] | None = None,
) -> ShardIndex:
    """Write the streams of a data folder into shards below `out`; interrupted, it goes on.

    Args:
        folder: made by `harken data build`.
        out: made if it is not there; it may hold nothing but these shards.
        streams_per_shard: how many streams, with all their variants, go into one.
        audio: also the sound, where the folder kept it.
        profile: whose ears heard the streams.
        progress: called as `progress(shards done, all)` after each.

    Raises:
        HarkenError: no such folder, a stream that cannot be packed, shards of something else in
            `out`, another process writing there, or no room; finished shards stay as they are.
    """
    if streams_per_shard < 1:
        raise HarkenError(f"streams_per_shard is {streams_per_shard}; a shard needs at least 1")
    with listing(folder) as source, writes_below(out), _alone(out):
        planned = _planned(source, streams_per_shard)
        _refuse_others(out, planned)
        shards = []
        for name, streams in planned.items():
            path = out / name
            packing = partial(write_shard, source, streams, path.name, audio, profile)
            shards.append(_finished(path, packing))
            if progress:
                progress(len(shards), len(planned))
        index = ShardIndex(fields_of(profile), streams_per_shard, audio, tuple(shards))
        write_index(out, index, profile)
        return index


def read_shards(
    out: Path,
    *,
    split: str | None = None,
    names: Sequence[str] | None = None,
    profile: Profile = MINI,
) -> Iterator[ShardStream]:
    """Every stream of the shards in a folder, one after the other; no index is needed.

    Args:
        out: the folder.
        split: only `train` or `dev`; all when left out.
        names: of the shards to read, in that order; all in the order of their names when left out.
        profile: what they must have been made for.

    Raises:
        HarkenError: there is no shard, one is broken, or one was made for another profile; the
            message names it.
    """
    found = sorted(path.name for path in out.glob(f"harken-{split or '*'}-*.tar"))
    if not found and names is None:
        raise HarkenError(f"{out} holds no shards{f' of {split}' if split else ''}")
    for name in found if names is None else names:
        try:
            with (out / name).open("rb") as file:
                yield from read_shard(file, str(out / name), profile)
        except OSError as missing:
            raise HarkenError(f"the shard {out / name} cannot be read ({missing})") from missing


def open_stream(out: Path, id: str, *, profile: Profile = MINI) -> ShardStream:
    """One stream, read through the index without the rest of its shard.

    Raises:
        HarkenError: no index, no such stream, a broken shard, or another profile.
    """
    shard = read_index(out, profile).shard_of(id)
    path = out / shard.name
    members: dict[str, bytes] = {}
    try:
        with path.open("rb") as file:
            for name, (start, size) in shard.members[id].items():
                file.seek(start)
                members[name] = file.read(size)
        stream, _ = unpack(members, profile)
    except (OSError, ValueError, KeyError, TypeError, HarkenError) as broken:
        raise unusable(str(path), broken) from broken
    if stream.id != id:
        raise unusable(str(path), HarkenError(f"where {id} should be, it holds {stream.id}"))
    return stream


def _planned(source: Listing, streams_per_shard: int) -> dict[str, list[Name]]:
    """The streams of every shard by its name."""
    planned = {}
    for split, group in groupby(source.names(), key=lambda key: key[0]):
        streams = list(group)
        for n, start in enumerate(range(0, len(streams), streams_per_shard)):
            shard = f"harken-{split}-{n:06d}.tar"
            planned[shard] = streams[start : start + streams_per_shard]
    return planned


def _refuse_others(out: Path, planned: Iterable[str]) -> None:
    names = set(planned)
    for path in sorted(out.glob(SHARDS)):
        if path.name not in names:
            raise HarkenError(
                f"{path} is no shard of these streams, {len(names)} with these settings; write "
                "to an empty folder"
            )


def _finished(path: Path, packing: Packing) -> Shard:
    """The shard at `path`: kept when it is what it should be, else written."""
    if path.exists():
        expected = packing(None)
        if sha256_of(path) == expected.sha256:
            return expected
        if _is_whole(path):
            raise HarkenError(
                f"{path} holds other streams, or the same with other settings; write to an empty "
                "folder"
            )
    unfinished = path.with_name(f".{path.name}.partial")
    try:
        with unfinished.open("wb") as file:
            shard = packing(file)
        place(unfinished, path)
    except Exception:
        # What is half written may be what fills the disk.
        unfinished.unlink(missing_ok=True)
        raise
    return shard


def _is_whole(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return sum(1 for _ in read_shard(file, str(path), None)) > 0
    except HarkenError:
        return False


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Two writers would tear each other's unfinished files."""
    try:
        with filelock.FileLock(out / ".lock", timeout=0):
            for left in out.glob(".*.partial"):
                left.unlink()
            yield
    except filelock.Timeout as taken:
        raise HarkenError(
            f"another process writes shards to {out}; wait for it or take another folder"
        ) from taken
