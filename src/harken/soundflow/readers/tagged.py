"""Sounds and music with labels: AudioSet, ESC-50, FSD50K and FMA. Lhotse has no recipe for them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from harken.errors import HarkenError
from harken.soundflow.readers.record import Audio, Corpus, Reason, Recorded, Refused
from harken.soundflow.readers.tables import Row, delimited

AUDIOSET = Corpus(
    name="audioset",
    licence="CC-BY-4.0 (labels; the audio under the terms of its uploaders)",
    attribution="AudioSet (Google), uploaders of YouTube",
    homepage="https://research.google.com/audioset",
    layout="*_segments.csv, class_labels_indices.csv and audio named by YouTube id",
)
ESC50 = Corpus(
    name="esc50",
    licence="CC-BY-NC-3.0",
    attribution="ESC-50 (K. J. Piczak)",
    homepage="https://github.com/karolpiczak/ESC-50",
    layout="meta/esc50.csv and audio/*.wav",
)
FSD50K = Corpus(
    name="fsd50k",
    licence="CC-BY-4.0",
    attribution="FSD50K (E. Fonseca et al.)",
    homepage="https://zenodo.org/records/4060432",
    layout="FSD50K.ground_truth/dev.csv, eval.csv and FSD50K.dev_audio, FSD50K.eval_audio",
)
FMA = Corpus(
    name="fma",
    licence="",
    attribution="FMA (M. Defferrard et al.)",
    homepage="https://github.com/mdeff/fma",
    layout="fma_metadata/tracks.csv and fma_small, fma_medium, fma_large or fma_full",
)
_AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".webm"}


def read_audioset(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """AudioSet: one record a row of a segments file, with its display names as labels.

    The corpus hands out no audio, so file names differ; found anywhere in `folder` are the id alone
    or behind a `Y`, and the id with start, or start and end, in seconds or milliseconds
    (`ID_30.000.wav`, `ID_30_40.flac`, `ID_30000_40000.wav`). A file holds the segment, not the
    whole video. Rows without a file are refused as unreadable: many videos are gone.

    Raises:
        HarkenError: a table is missing.
    """
    segment_tables = sorted(folder.rglob("*_segments.csv"))
    names = next(iter(sorted(folder.rglob("class_labels_indices.csv"))), None)
    if not segment_tables or names is None:
        raise HarkenError(f"{folder} holds no AudioSet: expected {AUDIOSET.layout}")
    label_of = {
        row.fields["mid"]: row.fields["display_name"]
        for row in delimited(names, ("mid", "display_name"))
        if not isinstance(row, Refused)
    }
    files = {
        path.stem: path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in _AUDIO_SUFFIXES
    }
    for table in segment_tables:
        split = table.stem.removesuffix("_segments")
        for row in _segments(table):
            if isinstance(row, Refused):
                yield row
                continue
            video, start_s, end_s = (row.fields[name] for name in ("video", "start_s", "end_s"))
            stems = _audioset_stems(video, start_s, end_s)
            found = next((files[stem] for stem in stems if stem in files), None)
            yield Recorded(
                id=f"{AUDIOSET.name}/{video}_{start_s:g}",
                kind="event",
                corpus=AUDIOSET.name,
                licence=licence or AUDIOSET.licence,
                attribution=f"{AUDIOSET.attribution}: https://youtu.be/{video}",
                audio=Audio(found or folder / split / f"{video}.wav"),
                labels=tuple(label_of.get(mid, mid) for mid in row.fields["mids"]),
                split=split,
            )


def _segments(table: Path) -> Iterator[Row | Refused]:
    """The rows behind the comment lines: `YTID, start, end, "mid,mid"`."""
    with table.open(encoding="utf-8", errors="replace", newline="") as file:
        for number, cells in enumerate(csv.reader(file, skipinitialspace=True), 1):
            if not cells or cells[0].startswith("#"):
                continue
            place = f"{table.name}:{number}"
            try:
                video, start, end, mids = cells
                fields: dict[str, Any] = {
                    "video": video,
                    "start_s": float(start),
                    "end_s": float(end),
                    "mids": [mid for mid in mids.split(",") if mid],
                }
            except ValueError as error:
                yield Refused(Reason.MALFORMED, place, str(error))
                continue
            yield Row(place, fields)


def _audioset_stems(video: str, start_s: float, end_s: float) -> list[str]:
    start_ms, end_ms = round(start_s * 1000), round(end_s * 1000)
    ends = [
        "",
        f"_{start_s:.3f}",
        f"_{start_s:g}",
        f"_{start_s:g}_{end_s:g}",
        f"_{start_s:.3f}_{end_s:.3f}",
        f"_{start_ms}",
        f"_{start_ms}_{end_ms}",
    ]
    return [prefix + video + end for end in ends for prefix in ("", "Y")]


def read_esc50(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """ESC-50: one record a clip; the split is its fold (`fold1` to `fold5`).

    Clips of the subset ESC-10 are CC-BY-3.0, the others CC-BY-NC-3.0, as the corpus states.

    Raises:
        HarkenError: the table is missing.
    """
    root = folder if (folder / "meta").is_dir() else folder / "ESC-50-master"
    table = root / "meta" / "esc50.csv"
    if not table.is_file():
        raise HarkenError(f"{folder} holds no ESC-50: expected {ESC50.layout}")
    for row in delimited(table, ("filename", "fold", "category", "esc10", "src_file")):
        if isinstance(row, Refused):
            yield row
            continue
        fields = row.fields
        stated = "CC-BY-3.0" if fields["esc10"] == "True" else ESC50.licence
        yield Recorded(
            id=f"{ESC50.name}/{Path(fields['filename']).stem}",
            kind="event",
            corpus=ESC50.name,
            licence=licence or stated,
            attribution=f"{ESC50.attribution}: https://freesound.org/s/{fields['src_file']}",
            audio=Audio(root / "audio" / fields["filename"]),
            labels=(fields["category"],) if fields["category"] else (),
            split=f"fold{fields['fold']}",
        )


def read_fsd50k(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """FSD50K: one record a clip, its labels from the most special to the most general.

    Licence and uploader of each clip come from `FSD50K.metadata/*_clips_info_FSD50K.json`; without
    these files the licence of the whole data set is taken. The split `val` becomes `dev`.

    Raises:
        HarkenError: there is no table.
    """
    tables = [folder / "FSD50K.ground_truth" / f"{part}.csv" for part in ("dev", "eval")]
    if not any(table.is_file() for table in tables):
        raise HarkenError(f"{folder} holds no FSD50K: expected {FSD50K.layout}")
    for table in tables:
        if not table.is_file():
            continue
        clips = _clips_info(folder / "FSD50K.metadata" / f"{table.stem}_clips_info_FSD50K.json")
        for row in delimited(table, ("fname", "labels")):
            if isinstance(row, Refused):
                yield row
                continue
            clip = row.fields["fname"]
            known = clips.get(clip, {})
            named = f"{known.get('title', clip)} by {known.get('uploader', 'its uploader')}"
            split = row.fields.get("split") or "test"  # only the table of dev has splits
            yield Recorded(
                id=f"{FSD50K.name}/{clip}",
                kind="event",
                corpus=FSD50K.name,
                licence=known.get("license") or licence or FSD50K.licence,
                attribution=f"{FSD50K.attribution}: {named}, https://freesound.org/s/{clip}",
                audio=Audio(folder / f"FSD50K.{table.stem}_audio" / f"{clip}.wav"),
                labels=tuple(label for label in row.fields["labels"].split(",") if label),
                split="dev" if split == "val" else split,
            )


def _clips_info(path: Path) -> dict[str, dict[str, Any]]:
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise HarkenError(f"{path} is no JSON ({error}): fetch FSD50K.metadata again") from error


def read_fma(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """FMA: one record an MP3 file; labels are the top genre and the other genres.

    Every track has a licence of its own, which wins over the given one. Files without a row in
    `tracks.csv` are refused as malformed. The split `training` becomes `train`, `validation` `dev`.

    Raises:
        HarkenError: the metadata or the audio is missing.
    """
    tracks, genres = (folder / "fma_metadata" / name for name in ("tracks.csv", "genres.csv"))
    roots = [folder / f"fma_{size}" for size in ("small", "medium", "large", "full")]
    if not tracks.is_file() or not any(root.is_dir() for root in roots):
        raise HarkenError(f"{folder} holds no FMA: expected {FMA.layout}")
    genre_of: dict[str, str] = {}
    if genres.is_file():
        rows = delimited(genres, ("genre_id", "title"))
        genre_of = {
            row.fields["genre_id"]: row.fields["title"]
            for row in rows
            if not isinstance(row, Refused)
        }
    known = _tracks(tracks)
    new = partial(Recorded, kind="music", corpus=FMA.name)
    seen: set[str] = set()
    for path in (path for root in roots for path in sorted(root.glob("*/*.mp3"))):
        if path.name in seen:  # the subsets contain each other
            continue
        seen.add(path.name)
        track = known.get(path.stem.lstrip("0"))
        if track is None:
            yield Refused(Reason.MALFORMED, path.name, "not in tracks.csv")
            continue
        numbers = track["track/genres"].strip("[]").replace(" ", "").split(",")
        names = [track["track/genre_top"], *(genre_of.get(n, "") for n in numbers)]
        by = f"{track['track/title']} by {track['artist/name']}"
        yield new(
            id=f"{FMA.name}/{path.stem}",
            licence=track["track/license"] or licence or FMA.licence,
            attribution=f"{FMA.attribution}: {by}",
            audio=Audio(path),
            labels=tuple(dict.fromkeys(name for name in names if name)),
            language=track.get("track/language_code", ""),
            split={"training": "train", "validation": "dev"}.get(
                track["set/split"], track["set/split"]
            ),
        )


def _tracks(path: Path) -> dict[str, dict[str, str]]:
    """The rows of `tracks.csv` by track id; its header has two lines (group and name)."""
    needed = ("set/split", "track/genre_top", "track/genres", "track/license", "track/title")
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.reader(file)
        groups, names = next(reader, []), next(reader, [])
        columns = [f"{group}/{name}" for group, name in zip(groups, names, strict=False)]
        lacking = [name for name in (*needed, "artist/name") if name not in columns]
        if lacking:
            raise HarkenError(f"{path} has no column {lacking[0]}: fetch fma_metadata again")
        return {
            cells[0]: dict(zip(columns, cells, strict=True))
            for cells in reader
            if len(cells) == len(columns) and cells[0].isdigit()
        }
