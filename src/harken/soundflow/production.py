"""A data folder is filled: streams in the order of their index, made in any order.

Which streams belong to the data set is decided by their order alone: the first so many, or the
first that together last so many hours. A stream made too early waits (`staging`) until all before
it are there, so the same data set results from any number of workers and from any interruption.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

import filelock

from harken.errors import HarkenError
from harken.soundflow.engine import Engine
from harken.soundflow.rows import chunks_in, gather, refusals
from harken.soundflow.staging import admit, clear, finished_rows
from harken.soundflow.writes import writes_below
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE

CHUNKS_PER_HOUR = 3600 * SAMPLE_RATE // CHUNK_SAMPLES
BYTES_PER_CHUNK = 8400
"""Features of 4105 half floats, and the rows."""
HANDOVER_S = 5.0
"""Workers of a build that was killed hold its lock until they notice, a moment later."""
MOST_REFUSED = 200
"""So many streams in a row without one that can be composed: there will be none."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much to make: the first `streams` indices, or as many as last `hours`."""

    first: int = 0
    streams: int | None = None
    hours: float | None = None

    def __post_init__(self) -> None:
        if (self.streams is None) == (self.hours is None):
            raise HarkenError("say how much to make: either a number of streams or of hours")
        if self.first < 0 or (self.streams or 0) < 0:
            raise HarkenError(f"streams {self.streams} from {self.first}: neither can be below 0")
        if self.hours is not None and not 0 < self.hours < float("inf"):
            raise HarkenError(f"hours is {self.hours}; give a number above 0")

    def reached(self, streams: int, chunks: int) -> bool:
        """Whether so many streams, refused ones among them, with so many chunks are enough."""
        if self.streams is not None:
            return streams >= self.streams
        return chunks >= self._chunks()

    def share(self, streams: int, chunks: int) -> float:
        """How much of it that is, 0 to 1."""
        done = chunks / self._chunks() if self.streams is None else streams / max(1, self.streams)
        return min(1.0, done)

    def _chunks(self) -> int:
        return round((self.hours or 0.0) * CHUNKS_PER_HOUR)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a build is.

    streams: in the data set or waiting, refused ones included; hours: how long they last; share:
    done of the amount, 0 to 1; rate: hours of stream made in one hour, 0 before the first; left_s:
    time left, None while unknown.
    """

    streams: int
    hours: float
    share: float
    rate: float
    left_s: float | None

    def said(self) -> str:
        """For people: `1.25 h of stream, 14 h an hour, 0:51:07 left`."""
        told = f"{self.hours:.2f} h of stream, {self.rate:.1f} h an hour"
        return (
            told if self.left_s is None else f"{told}, {timedelta(seconds=round(self.left_s))} left"
        )


@dataclass(frozen=True, slots=True)
class Production:
    """What to fill a data folder with.

    job: makes the stream of an index in `staging` and returns how many chunks it has, 0 when it is
    refused; name_of: the name of an index; claim: called when the folder is ours, before the first.
    """

    folder: Path
    staging: Path
    job: Callable[[int], int]
    name_of: Callable[[int], str]
    claim: Callable[[], None]


def produce(
    production: Production,
    amount: Amount,
    engine: Engine,
    progress: Callable[[Progress], None] | None = None,
    now_s: Callable[[], float] = time.monotonic,
) -> int:
    """Fill the folder and gather its list; what is there stays. Returns how many variants it holds.

    Raises:
        HarkenError: another build is at work in the folder, the disk is full, or no stream can be
            composed. What is finished stays, and the next call goes on with it.
    """
    folder = production.folder
    if folder.exists() and not folder.is_dir():
        raise HarkenError(f"{folder} is no folder; name one to build the data set in")
    with writes_below(folder):
        for kind in ("features", "lines"):
            (folder / kind).mkdir(exist_ok=True)
    with _alone(folder):
        with writes_below(folder):
            production.claim()
            clear(folder, keep=production.staging)
        _fill(production, amount, engine, progress, now_s)
        with writes_below(folder):
            clear(folder)
            return gather(folder)


def _fill(
    production: Production,
    amount: Amount,
    engine: Engine,
    progress: Callable[[Progress], None] | None,
    now_s: Callable[[], float],
) -> None:
    folder, staging, name_of = production.folder, production.staging, production.name_of
    made: dict[int, int] = {}  # chunks of what waits for an earlier one
    kept_streams = kept_chunks = in_vain = 0

    def lines(index: int) -> Path:
        return folder / "lines" / f"{name_of(index)}.json"

    def admit_next() -> None:
        """Admit what is whole and next in order."""
        nonlocal kept_streams, kept_chunks, in_vain
        while not amount.reached(kept_streams, kept_chunks):
            index = amount.first + kept_streams
            if index in made:
                chunks = made.pop(index)
                admit(staging, folder, name_of(index))
            elif lines(index).exists():
                chunks = chunks_in(lines(index))
            else:
                return
            kept_streams += 1
            kept_chunks += chunks
            in_vain = 0 if chunks else in_vain + 1
            if in_vain == MOST_REFUSED and amount.hours is not None:
                why, often = refusals(folder).most_common(1)[0]
                raise HarkenError(
                    f"{in_vain} streams in a row cannot be composed (most often: {why}, {often}); "
                    "choose other tasks or fetch more material with `harken data fetch`"
                )

    def unmade() -> Iterator[int]:
        """Indices to make; ends when what is made is enough, whatever lies between."""
        for index in count(amount.first):
            # What is made ends no earlier than the same amount without the gaps: enough.
            if amount.reached(kept_streams + len(made), kept_chunks + sum(made.values())):
                return
            if amount.streams is not None and index >= amount.first + amount.streams:
                return
            if index < amount.first + kept_streams or index in made or lines(index).exists():
                continue
            if waiting := finished_rows(staging, name_of(index)):
                made[index] = chunks_in(waiting)
                continue
            yield index

    with writes_below(folder):
        admit_next()
    began_s, before = now_s(), amount.share(kept_streams, kept_chunks)
    new_chunks = 0
    with closing(engine(production.job, unmade())) as results:
        for index, chunks in results:
            made[index] = chunks
            new_chunks += chunks
            with writes_below(folder):
                admit_next()
            if progress:
                streams, hours = kept_streams + len(made), kept_chunks + sum(made.values())
                share, spent_s = amount.share(streams, hours), max(1e-9, now_s() - began_s)
                progress(
                    Progress(
                        streams,
                        hours / CHUNKS_PER_HOUR,
                        share,
                        new_chunks / CHUNKS_PER_HOUR / (spent_s / 3600),
                        (1 - share) * spent_s / (share - before) if share > before else None,
                    )
                )
            if amount.reached(kept_streams, kept_chunks):
                break
    with writes_below(folder):
        admit_next()  # what was found finished from an earlier start


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other builds out of the folder.

    Raises:
        HarkenError: one is at work there.
    """
    lock = filelock.FileLock(folder / ".build.lock", timeout=HANDOVER_S)
    with writes_below(folder):
        try:
            lock.acquire()
        except filelock.Timeout as taken:
            raise HarkenError(
                f"another build is at work in {folder}; wait for it, or build into another folder"
            ) from taken
    try:
        yield
    finally:
        lock.release()
