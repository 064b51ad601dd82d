"""`index.json` of a folder of shards: what lies where, so that one stream can be read alone."""

import json
import os
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from harken.errors import HarkenError
from harken.parts.cache import place
from harken.soundflow.shards.stream import FORMAT
from harken.stream import Profile
from harken.stream.fingerprint import check, fingerprint

INDEX = "index.json"

Span = tuple[int, int]
"""First byte of a member's content inside the shard, and its size in bytes."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard.

    Attributes:
        name: of its file, `harken-train-000000.tar`.
        sha256, size_bytes: of the file.
        streams, variants, hours: how much is in it.
        members: by stream and extension, where its bytes lie.
    """

    name: str
    split: str
    sha256: str
    size_bytes: int
    streams: int
    variants: int
    hours: float
    members: dict[str, dict[str, Span]]


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """All shards of a folder, made for one profile (its fields, as JSON)."""

    profile: dict[str, Any]
    streams_per_shard: int
    audio: bool
    shards: tuple[Shard, ...]

    @property
    def hours(self) -> float:
        """Duration of all streams."""
        return sum(shard.hours for shard in self.shards)

    def shard_of(self, id: str) -> Shard:
        """The shard that holds a stream.

        Raises:
            HarkenError: none does.
        """
        for shard in self.shards:
            if id in shard.members:
                return shard
        raise HarkenError(f"no shard holds a stream {id!r}; `ids` of the index lists those there")

    @property
    def ids(self) -> tuple[str, ...]:
        """Every stream, in the order of the shards."""
        return tuple(id for shard in self.shards for id in shard.members)


def write_index(out: Path, index: ShardIndex, profile: Profile) -> None:
    """Write the index all or not at all; one line a shard, so that a person can read it."""
    head = {
        "format": FORMAT,
        "fingerprint": fingerprint(profile),
        "profile": index.profile,
        "streams_per_shard": index.streams_per_shard,
        "audio": index.audio,
        "streams": sum(shard.streams for shard in index.shards),
        "variants": sum(shard.variants for shard in index.shards),
        "hours": round(index.hours, 6),
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    shards = ",\n".join(json.dumps(asdict(shard)) for shard in index.shards)
    partial = out / f".{INDEX}.partial"
    partial.write_text(
        "{\n" + ",\n".join(lines) + ',\n"shards": [\n' + shards + "\n]\n}\n", "utf-8"
    )
    place(partial, out / INDEX)


def read_index(out: Path, profile: Profile) -> ShardIndex:
    """The index of a folder of shards.

    Raises:
        HarkenError: there is none, it cannot be read, or it was made for another profile.
    """
    path = out / INDEX
    try:
        stat = os.stat(path)
        index = _loaded(path, stat.st_mtime_ns, stat.st_size)
    except FileNotFoundError as missing:
        raise HarkenError(
            f"{out} holds no {INDEX}: its shards are unfinished; write them again to go on"
        ) from missing
    except (OSError, ValueError, KeyError, TypeError) as broken:
        raise HarkenError(
            f"the index {path} cannot be read ({broken!r}); write the shards again"
        ) from broken
    check(index.profile, profile, str(path))
    return index


@lru_cache(maxsize=4)
def _loaded(path: Path, _mtime_ns: int, _size_bytes: int) -> ShardIndex:
    """A big index is parsed once, not for every stream that is read."""
    raw = json.loads(path.read_text("utf-8"))
    if raw["format"] != FORMAT:
        raise HarkenError(f"{path} has format {raw['format']}, this version reads {FORMAT}")
    return ShardIndex(
        raw["profile"],
        int(raw["streams_per_shard"]),
        bool(raw["audio"]),
        tuple(_shard(each) for each in raw["shards"]),
    )


def _shard(raw: dict[str, Any]) -> Shard:
    members = {
        id: {name: (int(span[0]), int(span[1])) for name, span in spans.items()}
        for id, spans in raw["members"].items()
    }
    return Shard(**(raw | {"members": members}))
