"""The shards of a data folder inside it, made again whenever the folder has grown.

    shards/            finished, with its index; `.made-of` tells of which list
    .shards-<hash>/    the shards of the list with that hash, not complete yet

Which streams share a shard depends on all of them, so new streams change every shard. The new ones
are written beside the old, which stay until all are there: it takes the room of both for a while.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from harken.parts.cache import sha256_of
from harken.soundflow.shards.folder import write_shards
from harken.soundflow.shards.index import ShardIndex
from harken.soundflow.writes import writes_below

SHARDS, MADE_OF = "shards", ".made-of"


def renew_shards(
    folder: Path,
    *,
    streams_per_shard: int = 100,
    progress: Callable[[int, int], None] | None = None,
) -> ShardIndex:
    """Bring `folder/shards` to what the folder lists; interrupted, the next call goes on.

    Args:
        folder: a data folder with its list.
        streams_per_shard: how many streams, with all their variants, go into one.
        progress: called as `progress(shards done, all)` after each.

    Raises:
        HarkenError: what `write_shards` raises. The shards that were there stay as they are, also
            those in `folder/shards` that something else has written.
    """
    out = folder / SHARDS
    with writes_below(folder):
        listed = folder / "streams.jsonl"
        made_of = sha256_of(listed)[:16] if listed.exists() else ""
        fresh = folder / f".{SHARDS}-{made_of}"
        for left in folder.glob(f".{SHARDS}-*"):
            if left != fresh:
                shutil.rmtree(left)
    mark = out / MADE_OF
    if out.exists() and (not mark.exists() or mark.read_text("utf-8") == made_of):
        return write_shards(folder, out, streams_per_shard=streams_per_shard, progress=progress)
    index = write_shards(folder, fresh, streams_per_shard=streams_per_shard, progress=progress)
    with writes_below(folder):
        (fresh / MADE_OF).write_text(made_of, "utf-8")
        if out.exists():
            out.rename(folder / f".{SHARDS}-replaced")
        fresh.rename(out)
        shutil.rmtree(folder / f".{SHARDS}-replaced", ignore_errors=True)
    return index
