"""Read a corpus: the good records one by one, and how many were refused for which reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from harken.errors import HarkenError
from harken.soundflow.readers.audio import Probe, probe
from harken.soundflow.readers.record import Audio, Reason, Recorded, Refused, flaw
from harken.soundflow.readers.table import READERS, Reader

LOWEST_RATE_HZ = 8_000  # the telephone's: below it, consonants and most sounds are lost
# A decoder may count a few milliseconds less than a table, and tables round.
_END_TOLERANCE_S = 0.05
_EXAMPLES = 3


@dataclass
class Reading:
    """One pass over a corpus; iterate it for the good records, then look at the counts.

    Every iteration begins anew, counts included.

    Attributes:
        reader: the corpus and the function that reads it.
        folder: where it lies.
        licence: given by the caller for entries that state none.
        splits: only records of these splits; all when None. The others are not counted.
        lowest_rate_hz: audio below this sampling rate is refused.
        kept: how many records were yielded.
        refused: how many entries were refused, by reason.
        examples: the first few refused entries of each reason.
    """

    reader: Reader
    folder: Path
    licence: str | None = None
    splits: frozenset[str] | None = None
    lowest_rate_hz: int = LOWEST_RATE_HZ
    kept: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    examples: dict[Reason, list[Refused]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Recorded]:
        self.kept, self.refused, self.examples = 0, Counter(), {}
        seen: set[str] = set()
        # The stretches of one recording follow each other: its header is read once.
        header: tuple[Audio, Probe] | None = None
        for entry in self.reader.read(self.folder, self.licence):
            if (
                isinstance(entry, Recorded)
                and self.splits is not None
                and entry.split not in self.splits
            ):
                continue
            judged = _judged_alone(entry, seen)
            if isinstance(judged, Recorded) and judged.audio is not None:
                audio = judged.audio
                whole = replace(audio, start_s=0.0, duration_s=None)
                if header is None or header[0] != whole:
                    looked = _looked_at(whole, judged.id)
                    header = None if isinstance(looked, Refused) else (whole, looked)
                else:
                    looked = header[1]
                judged = _judged_by_audio(judged, audio, looked, self.lowest_rate_hz)
            elif isinstance(judged, Recorded):
                judged = _judged_by_turns(judged, self.lowest_rate_hz)
            if isinstance(judged, Refused):
                self._count(judged)
            else:
                seen.add(judged.id)
                self.kept += 1
                yield judged

    def summary(self) -> str:
        """One line: what was kept, and what was refused for which reason."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.refused.most_common())
        left = f"; refused: {reasons}" if reasons else ""
        return f"{self.reader.corpus.name}: {self.kept} records{left}"

    def _count(self, refused: Refused) -> None:
        self.refused[refused.reason] += 1
        examples = self.examples.setdefault(refused.reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(refused)


def read_corpus(
    name: str,
    folder: Path,
    licence: str | None = None,
    splits: Collection[str] | None = None,
    lowest_rate_hz: int = LOWEST_RATE_HZ,
) -> Reading:
    """Read the corpus `name` in `folder`; nothing is read before the result is iterated.

    Every yielded record has a licence, an id of its own and, unless it is text alone, audio whose
    header was read: `seconds` is set.

    Args:
        name: a key of `table.READERS`.
        folder: the corpus as it is handed out and unpacked (`docs/sources.md`).
        licence: for entries that state none; stands in for the licence of the whole corpus.
        splits: only these, by the names the records have; all when left out.
        lowest_rate_hz: audio below this sampling rate is refused.

    Raises:
        HarkenError: an unknown name, a missing folder, or (when iterated) another layout.
    """
    if name not in READERS:
        raise HarkenError(f"unknown corpus {name!r}: choose from {', '.join(READERS)}")
    if not folder.is_dir():
        raise HarkenError(f"{folder} is no folder: name the one that holds {name}")
    if isinstance(splits, str):
        raise HarkenError(f"splits must be a collection: write [{splits!r}]")
    return Reading(
        reader=READERS[name],
        folder=folder,
        licence=licence,
        splits=None if splits is None else frozenset(splits),
        lowest_rate_hz=lowest_rate_hz,
    )


def _judged_alone(entry: Recorded | Refused, seen: set[str]) -> Recorded | Refused:
    if isinstance(entry, Refused):
        return entry
    if entry.id in seen:
        return Refused(Reason.DUPLICATE_ID, entry.id)
    return flaw(entry) or entry


def _looked_at(audio: Audio, place: str) -> Probe | Refused:
    try:
        return probe(audio)
    except HarkenError as error:
        return Refused(Reason.UNREADABLE, place, str(error))


def _judged_by_audio(
    record: Recorded, audio: Audio, looked: Probe | Refused, lowest_rate_hz: int
) -> Recorded | Refused:
    """The record with its duration, or what is wrong with its audio."""
    if isinstance(looked, Refused):
        return replace(looked, place=record.id)
    start_s, duration_s = audio.start_s, audio.duration_s
    if looked.seconds <= 0:
        return Refused(Reason.ZERO_LENGTH, record.id, "no samples")
    if looked.rate_hz < lowest_rate_hz:
        return Refused(Reason.LOW_RATE, record.id, f"{looked.rate_hz} Hz")
    end_s = start_s + (duration_s or 0.0)
    if start_s >= looked.seconds or end_s > looked.seconds + _END_TOLERANCE_S:
        detail = f"{start_s:g} to {end_s:g} s of a recording of {looked.seconds:g} s"
        return Refused(Reason.OUT_OF_RANGE, record.id, detail)
    left_s = looked.seconds - start_s
    return replace(record, seconds=left_s if duration_s is None else min(duration_s, left_s))


def _judged_by_turns(record: Recorded, lowest_rate_hz: int) -> Recorded | Refused:
    """A conversation with the duration of its recorded turns; None where none is recorded."""
    seconds: float | None = None
    for turn in record.turns:
        if turn.audio is None:
            continue
        looked = _looked_at(turn.audio, record.id)
        judged = _judged_by_audio(record, turn.audio, looked, lowest_rate_hz)
        if isinstance(judged, Refused):
            return judged
        seconds = (seconds or 0.0) + (judged.seconds or 0.0)
    return replace(record, seconds=seconds)
