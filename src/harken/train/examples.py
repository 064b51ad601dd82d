"""Training streams on disk: a data folder's records, and a record as a document to learn from.

A data folder holds `streams.jsonl`, one stream a line, and `features/<name>.npz` with what the
frozen ears delivered: sound float16 [chunks, 1545] and acoustic float16 [chunks, 2560].
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.features import F16, require_chunks, stored_features
from harken.soundflow.rows import LIST
from harken.soundflow.shards.stream import timeline_of
from harken.stream import Stream, Timeline, Vocabulary, write

F32 = npt.NDArray[np.float32]
Split = Literal["train", "dev"]


@dataclass(frozen=True, slots=True)
class Record:
    """One stream: its timeline, and the file of its features.

    unjudged: chunks whose decision is there to be read and not to be learnt; strays: chunks whose
    decision and response are. asks_aloud: whether a response is due to what was said, so that the
    words ear is needed. as_before: probabilities of the decisions of every chunk that are to stay
    as they are, in place of the decision itself; none where it is learnt.
    """

    id: str
    task: str
    split: Split
    timeline: Timeline
    features: Path
    unjudged: tuple[int, ...] = ()
    strays: tuple[int, ...] = ()
    asks_aloud: bool = True
    as_before: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Records:
    """The streams in the first `size_bytes` of a data folder's list, which may still grow."""

    all: tuple[Record, ...]
    size_bytes: int

    def of(self, split: Split) -> tuple[Record, ...]:
        """The records of one split, in the order of the file."""
        return tuple(r for r in self.all if r.split == split)


@dataclass(frozen=True, slots=True)
class Document:
    """One stream as it is learnt from.

    ids int64 [n]; said bool [n], the positions to predict; audio int64 [chunks * positions], where
    the ears' embeddings go; sound, acoustic: features by chunk; as_before float32 [chunks,
    decisions], or None where the decisions are what was written.
    """

    id: str
    task: str
    ids: npt.NDArray[np.int64]
    said: npt.NDArray[np.bool_]
    audio: npt.NDArray[np.int64]
    sound: F16
    acoustic: F16
    as_before: F32 | None = None

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Written:
    """One stream as it was written: how long it is, before its features are read."""

    record: Record
    stream: Stream

    def __len__(self) -> int:
        return len(self.stream.ids)


def read_records(folder: Path, size_bytes: int | None = None) -> Records:
    """The records of a data folder; `size_bytes` reads only what was there at that time.

    A last line without its end is still being written and left out.
    """
    path = folder / LIST
    try:
        with path.open("rb") as f:
            content = f.read() if size_bytes is None else f.read(size_bytes)
    except OSError as missing:
        raise HarkenError(
            f"no training data at {path} ({missing.strerror}); give a folder made by "
            "`harken data build`"
        ) from missing
    if size_bytes is not None and len(content) < size_bytes:
        raise HarkenError(
            f"{path} shrank from {size_bytes} to {len(content)} bytes since this run began; "
            "start a new run"
        )
    content = content[: content.rfind(b"\n") + 1]
    records = [
        _record(line, folder, f"{path}, line {n}")
        for n, line in enumerate(content.split(b"\n"), start=1)
        if line.strip()
    ]
    return Records(tuple(records), len(content))


def load_document(
    record: Record, vocabulary: Vocabulary, *, without_words: bool = False
) -> Document:
    """`written` and `with_features` at once."""
    return with_features(written(record, vocabulary, without_words=without_words))


def written(record: Record, vocabulary: Vocabulary, *, without_words: bool = False) -> Written:
    """Write the stream of a record, as if no word had been recognised where `without_words` asks
    for it."""
    timeline = replace(record.timeline, heard=()) if without_words else record.timeline
    return Written(record, write(timeline, vocabulary))


def with_features(document: Written) -> Document:
    """Read the features of a stream.

    Raises:
        HarkenError: the features are missing, or not those of this stream.
    """
    record, stream = document.record, document.stream
    sound, acoustic = stored_features(record.features, record.id)
    require_chunks(record.timeline.n_chunks, sound, acoustic, record.id)
    return Document(
        id=record.id,
        task=record.task,
        ids=stream.ids.astype(np.int64),
        said=_learnt(stream, record.unjudged, record.strays),
        audio=np.flatnonzero(stream.audio_mask),
        sound=np.asarray(sound, np.float16),
        acoustic=np.asarray(acoustic, np.float16),
        as_before=np.array(record.as_before, np.float32) if record.as_before else None,
    )


def _learnt(
    stream: Stream, unjudged: tuple[int, ...], strays: tuple[int, ...]
) -> npt.NDArray[np.bool_]:
    """bool [n]: what is to be predicted, without the decisions of the chunks `unjudged` and
    without all that was decided and said at the chunks `strays`."""
    mask = stream.loss_mask
    decisions = np.flatnonzero(mask & np.isin(stream.ids, stream.profile.decision_ids))
    mask[decisions[list(unjudged)]] = False
    ends = [*decisions[1:], len(mask)]
    for chunk in strays:
        mask[decisions[chunk] : ends[chunk]] = False
    return mask


def _record(line: bytes, folder: Path, where: str) -> Record:
    try:
        raw = json.loads(line)
        if raw["split"] not in ("train", "dev"):
            raise HarkenError(f"split is {raw['split']!r}, not train or dev")
        unjudged, strays = tuple(raw.get("unjudged", ())), tuple(raw.get("strays", ()))
        if not all(0 <= chunk < raw["n_chunks"] for chunk in (*unjudged, *strays)):
            raise HarkenError(
                f"unjudged {list(unjudged)} or strays {list(strays)} is outside its "
                f"{raw['n_chunks']} chunks"
            )
        as_before = tuple(tuple(map(float, each)) for each in raw.get("as_before", ()))
        if as_before and len(as_before) != raw["n_chunks"]:
            raise HarkenError(f"as_before has {len(as_before)} of {raw['n_chunks']} chunks")
        return Record(
            id=str(raw["id"]),
            task=str(raw["task"]),
            split=raw["split"],
            timeline=timeline_of(raw),
            features=folder / "features" / f"{raw['features']}.npz",
            unjudged=unjudged,
            strays=strays,
            asks_aloud=_asks_aloud(raw),
            as_before=as_before,
        )
    except (ValueError, KeyError, TypeError, HarkenError) as broken:
        why = f"lacks {broken}" if isinstance(broken, KeyError) else str(broken)
        raise HarkenError(f"{where}: no training stream: {why}; compose the data again") from broken


def _asks_aloud(raw: dict[str, Any]) -> bool:
    if "due" not in raw:
        return True
    return bool(raw["stops"]) or any(what != "sound" for _, _, what, _ in raw["due"])
