"""Lhotse manifests and Lhotse Shar: whatever Lhotse has prepared, Harken reads.

Entries are parsed one by one by Lhotse's own `deserialize_item` rather than by its lazy sets, which
end at the first broken line. A recording that a shell command or a URL would produce is refused: a
manifest is data and runs nothing.

Kind and labels: a supervision with text is `speech`; one with `genres` in `custom` is `music`, one
with `labels` or `label` there an `event`; the rest, and a recording without supervision, is
`noise`. `custom` may also hold `kind`, `license` or `licence`, `attribution`, `translation` and
`translation_language`.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from harken.errors import HarkenError
from harken.soundflow.readers.record import (
    KINDS,
    Audio,
    Corpus,
    Kind,
    Reason,
    Recorded,
    Refused,
    Word,
)
from harken.soundflow.readers.tables import json_lines

LHOTSE = Corpus(
    name="lhotse",
    licence="",
    attribution="",
    homepage="https://lhotse.readthedocs.io",
    layout="*cuts*.jsonl.gz, or *recordings*.jsonl.gz with *supervisions*.jsonl.gz",
)
SHAR = Corpus(
    name="shar",
    licence="",
    attribution="",
    homepage="https://lhotse.readthedocs.io/en/latest/datasets.html",
    layout="cuts.000000.jsonl.gz with recording.000000.tar, …",
)
_WORD_TOLERANCE_S = 0.05
_LANGUAGES = {"english": "en", "chinese": "zh", "mandarin": "zh", "german": "de", "french": "fr"}


@dataclass(frozen=True)
class _Origin:
    """What the records of one manifest share."""

    corpus: Corpus
    licence: str
    split: str


def read_lhotse(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """Lhotse manifests: one record a supervision, or a cut or recording without any.

    Cuts are read where there are some, else recordings with the supervisions of the same name.
    Paths are relative to `folder`. The split is what follows the kind of manifest in the name of
    the file (`librispeech_cuts_train-clean-100.jsonl.gz`).

    Raises:
        HarkenError: there is no manifest.
    """
    cuts, recordings = (_manifests(folder, kind) for kind in ("cuts", "recordings"))
    if not cuts and not recordings:
        raise HarkenError(f"{folder} holds no Lhotse manifest: expected {LHOTSE.layout}")
    for path in cuts:
        origin = _Origin(LHOTSE, licence or "", _split_of(path, "cuts"))
        for item in _items(path):
            if isinstance(item, Refused):
                yield item
            else:
                yield from _cut_records(item, _file_audio(item, folder), origin)
    for path in [] if cuts else recordings:
        yield from _recording_records(path, folder, licence or "")


def read_shar(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """Lhotse Shar: one record a supervision, its audio a member of `recording.NNNNNN.tar`.

    Raises:
        HarkenError: there is no shard of cuts.
    """
    shards = sorted(folder.glob("cuts.*.jsonl*"))
    if not shards:
        raise HarkenError(f"{folder} holds no Lhotse Shar: expected {SHAR.layout}")
    origin = _Origin(SHAR, licence or "", "")
    for shard in shards:
        number = shard.name.split(".")[1]
        members = _members(folder / f"recording.{number}.tar")
        for item in _items(shard):
            if isinstance(item, Refused):
                yield item
                continue
            cut_id = str(getattr(item, "id", ""))
            # Shar stores what the cut plays, so the audio begins with the cut.
            absent = Audio(folder / f"recording.{number}.tar", container="tar", member=cut_id)
            yield from _cut_records(item, members.get(cut_id, absent), origin)


def _items(path: Path) -> Iterator[Any]:
    """The Lhotse objects of a manifest; `Refused` for a line that is none."""
    from lhotse.serialization import deserialize_item

    for row in json_lines(path):
        if isinstance(row, Refused):
            yield row
            continue
        try:
            yield deserialize_item(row.fields)
        except Exception as error:  # Lhotse raises what comes: AssertionError, KeyError, …
            yield Refused(Reason.MALFORMED, row.place, f"{type(error).__name__}: {error}")


def _cut_records(cut: Any, audio: Audio | Refused, origin: _Origin) -> Iterator[Recorded | Refused]:
    from lhotse import MonoCut, MultiCut

    if not isinstance(cut, MonoCut | MultiCut):
        detail = f"a {type(cut).__name__} is not one stretch of one recording"
        yield Refused(Reason.MALFORMED, str(getattr(cut, "id", "?")), detail)
    elif isinstance(audio, Refused):
        yield audio
    elif not cut.supervisions:
        stretch = replace(audio, duration_s=cut.duration)
        yield from _record(cut.id, stretch, cut.custom, None, origin)
    else:
        for supervision in cut.supervisions:
            stretch = replace(
                audio,
                start_s=round(audio.start_s + supervision.start, 8),
                duration_s=supervision.duration,
            )
            yield from _record(supervision.id, stretch, cut.custom, supervision, origin)


def _recording_records(path: Path, folder: Path, licence: str) -> Iterator[Recorded | Refused]:
    origin = _Origin(LHOTSE, licence, _split_of(path, "recordings"))
    supervisions: dict[str, list[Any]] = {}
    partner = path.with_name(path.name.replace("recordings", "supervisions"))
    for item in _items(partner) if partner.is_file() else ():
        if isinstance(item, Refused):
            yield item
        else:
            supervisions.setdefault(item.recording_id, []).append(item)
    for recording in _items(path):
        if isinstance(recording, Refused):
            yield recording
            continue
        audio = _source(recording, folder, recording.id)
        said = supervisions.pop(recording.id, [])
        if isinstance(audio, Refused):
            yield audio
        elif not said:
            yield from _record(recording.id, audio, None, None, origin)
        else:
            for supervision in said:
                stretch = replace(audio, start_s=supervision.start, duration_s=supervision.duration)
                yield from _record(supervision.id, stretch, None, supervision, origin)
    for orphans in supervisions.values():
        for supervision in orphans:
            detail = f"no recording {supervision.recording_id}"
            yield Refused(Reason.UNREADABLE, supervision.id, detail)


def _record(
    local_id: str,
    audio: Audio,
    custom_of_cut: Mapping[str, Any] | None,
    supervision: Any,
    origin: _Origin,
) -> Iterator[Recorded | Refused]:
    custom = {**(custom_of_cut or {}), **(getattr(supervision, "custom", None) or {})}
    text = getattr(supervision, "text", None)
    genres, labels = _names(custom.get("genres")), _names(custom.get("labels", custom.get("label")))
    implied = (
        "speech" if text is not None else "music" if genres else "event" if labels else "noise"
    )
    kind = custom.get("kind", implied)
    if kind not in KINDS:
        yield Refused(Reason.MALFORMED, local_id, f"kind {kind!r} is none of {', '.join(KINDS)}")
        return
    language = str(getattr(supervision, "language", None) or "")
    yield Recorded(
        id=f"{origin.corpus.name}/{local_id}",
        kind=cast(Kind, kind),
        corpus=origin.corpus.name,
        licence=str(custom.get("license") or custom.get("licence") or origin.licence),
        attribution=str(custom.get("attribution") or ""),
        audio=audio,
        labels=genres or labels,
        text=text,
        language=_LANGUAGES.get(language.lower(), language),
        translation=str(custom.get("translation") or ""),
        translation_language=str(custom.get("translation_language") or ""),
        speaker=str(getattr(supervision, "speaker", None) or ""),
        split=origin.split,
        words=_words(supervision, audio),
    )


def _words(supervision: Any, audio: Audio) -> tuple[Word, ...]:
    """The word alignment, counted from the beginning of the stretch.

    Lhotse counts it from the beginning of the recording and leaves it so when a cut is taken. In
    Shar that beginning may be lost; then the words fall outside their stretch and are dropped.
    """
    items = (getattr(supervision, "alignment", None) or {}).get("word", ())
    words = tuple(
        Word(
            item.symbol,
            round(item.start - audio.start_s, 8),
            round(item.start + item.duration - audio.start_s, 8),
        )
        for item in items
        if item.symbol
    )
    last_s = (audio.duration_s or 0.0) + _WORD_TOLERANCE_S
    inside = all(word.start_s >= -_WORD_TOLERANCE_S and word.end_s <= last_s for word in words)
    return words if inside else ()


def _file_audio(cut: Any, folder: Path) -> Audio | Refused:
    recording = getattr(cut, "recording", None)
    if recording is None:
        return Refused(Reason.UNREADABLE, str(getattr(cut, "id", "?")), "a cut without recording")
    found = _source(recording, folder, cut.id)
    return found if isinstance(found, Refused) else replace(found, start_s=cut.start)


def _source(recording: Any, folder: Path, place: str) -> Audio | Refused:
    kinds = {source.type for source in recording.sources}
    if kinds != {"file"} or len(recording.sources) > 1:
        detail = (
            f"its {len(recording.sources)} sources are {', '.join(sorted(kinds))}, not one file"
        )
        return Refused(Reason.UNREADABLE, place, detail)
    return Audio(folder / recording.sources[0].source)  # an absolute path stays as it is


def _members(tar: Path) -> dict[str, Audio]:
    """The recordings of a shard by cut id; those behind a cut in the file are not there."""
    found: dict[str, Audio] = {}
    try:
        with tarfile.open(tar, "r:") as file:
            for info in file:
                name = Path(info.name)
                if name.suffix in (".json", ".nodata", ".nometa"):
                    continue
                found[str(name.with_suffix(""))] = Audio(
                    tar,
                    container="tar",
                    member=info.name,
                    offset_bytes=info.offset_data,
                    size_bytes=info.size,
                )
    except (tarfile.TarError, OSError):
        pass  # what is missing is refused as unreadable, record by record
    return found


def _manifests(folder: Path, kind: str) -> list[Path]:
    found = [*folder.glob(f"*{kind}*.jsonl"), *folder.glob(f"*{kind}*.jsonl.gz")]
    return sorted(found)


def _split_of(path: Path, kind: str) -> str:
    name = path.name.removesuffix(".gz").removesuffix(".jsonl")
    return name.rpartition(kind)[2].strip("_-.")


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(one) for one in value or ())
