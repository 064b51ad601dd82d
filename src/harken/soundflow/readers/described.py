"""Audio that a table describes: a folder with a metadata file, and saved Hugging Face data sets.

Both name their columns as they like, so the usual names of each field are known here:

    audio      `path`, `file`, `file_name`, `filename`, `audio`, `audio_path`
    text       `text`, `sentence`, `transcript`, `transcription`
    labels     `label`, `labels`, `category`, `sound` (several are separated by commas)
    language   `language`, `lang`, `locale`
    licence    `licence`, `license`
    others     `id`, `kind`, `attribution`, `translation`, `english`, `translation_language`,
               `speaker`, `speaker_id`, `client_id`, `split`, `start_s`, `duration_s`
    turns      `conversations` (`from`, `value`) or `messages` (`role`, `content`)

The kind is the `kind` column, else `text` for turns, `speech` for a row with text, `event` for one
with labels and `noise` for the rest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from harken.errors import HarkenError
from harken.soundflow.readers.audio import saved_data_set
from harken.soundflow.readers.dialogues import role_turns
from harken.soundflow.readers.record import (
    KINDS,
    Audio,
    Corpus,
    Kind,
    Reason,
    Recorded,
    Refused,
    Turn,
)
from harken.soundflow.readers.tables import Row, delimited, json_lines

FOLDER = Corpus(
    name="folder",
    licence="",
    attribution="",
    homepage="",
    layout="metadata.jsonl or metadata.csv beside the audio (path, label or text, …, licence)",
)
HUGGING_FACE = Corpus(
    name="huggingface",
    licence="",
    attribution="",
    homepage="https://huggingface.co/docs/datasets",
    layout="what Dataset.save_to_disk or DatasetDict.save_to_disk writes",
)
_AUDIO_NAMES = ("path", "file", "file_name", "filename", "audio", "audio_path")
_TEXT_NAMES = ("text", "sentence", "transcript", "transcription")
_LABEL_NAMES = ("label", "labels", "category", "sound")
_SPEAKER_NAMES = ("speaker", "speaker_id", "client_id")


def read_folder(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """A folder with audio and `*.jsonl` or `*.csv` files that describe it, one record a row.

    Paths are relative to the file that names them; one that leaves the folder is refused. Without
    an `id` column the path is the id.

    Raises:
        HarkenError: there is no such file.
    """
    tables = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz"), *folder.glob("*.csv")])
    if not tables:
        raise HarkenError(f"{folder} has no metadata: expected {FOLDER.layout}")
    for table in tables:
        rows = delimited(table, ()) if table.suffix == ".csv" else json_lines(table)
        for row in rows:
            yield row if isinstance(row, Refused) else _from_folder(row, folder, licence)


def _from_folder(row: Row, folder: Path, licence: str | None) -> Recorded | Refused:
    fields = row.fields
    name = _first(fields, _AUDIO_NAMES)
    audio = None
    if name:
        # By the name alone: a link inside the folder may well lead out of it.
        path = Path(os.path.normpath(folder / str(name)))
        if not path.is_relative_to(os.path.normpath(folder)):
            return Refused(Reason.MALFORMED, row.place, f"{name} lies outside the folder")
        audio = Audio(path)
    own_id = next((one for one in (fields.get("id"), name) if one not in (None, "")), row.place)
    return _described(f"{FOLDER.name}/{own_id}", FOLDER.name, row, audio, licence or "", "")


def read_hugging_face(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """A data set saved to disk with the `datasets` library (Arrow), one record a row.

    The audio stays in the data set: the record points at its cell. Without an audio column, the
    file that a column names is taken, relative to the folder. Licence and attribution are the data
    set's own (`info.license`, `info.homepage`) where a row states none. Class labels become names.

    Raises:
        HarkenError: the folder holds no saved data set.
    """
    import datasets

    data = saved_data_set(folder)
    parts = data.items() if isinstance(data, datasets.DatasetDict) else [("", data)]
    for split, part in parts:
        audio_column = next(
            (name for name, kind in part.features.items() if isinstance(kind, datasets.Audio)), ""
        )
        # A column of class labels, or of lists of them.
        kinds = {name: getattr(kind, "feature", kind) for name, kind in part.features.items()}
        names_of = {
            name: kind.names
            for name, kind in kinds.items()
            if isinstance(kind, datasets.ClassLabel)
        }
        stated = str(part.info.license or "") or licence or ""
        by = str(part.info.homepage or part.info.citation or folder.name)
        # The audio is not read along: its bytes would be copied for every row.
        light = part.remove_columns([audio_column]) if audio_column else part
        for number, fields in enumerate(light):
            for column, names in names_of.items():
                value = fields.get(column)
                numbers = value if isinstance(value, list) else [-1 if value is None else value]
                fields[column] = [names[one] for one in numbers if one >= 0]  # -1 stands for none
            row = Row(f"{split or 'data'}#{number}", {"split": split, **fields})
            own_id = number if fields.get("id") in (None, "") else fields["id"]
            audio = _in_data_set(folder, split, audio_column, number, fields)
            yield _described(
                f"{HUGGING_FACE.name}/{folder.name}/{split or 'data'}/{own_id}",
                HUGGING_FACE.name,
                row,
                audio,
                stated,
                by,
            )


def _in_data_set(
    folder: Path, split: str, column: str, number: int, fields: Mapping[str, Any]
) -> Audio | None:
    """A cell of the audio column (saving a data set puts the bytes there), or a named file."""
    if column:
        return Audio(folder, container="arrow", member=f"{split}/{column}/{number}")
    name = _first(fields, _AUDIO_NAMES)
    return Audio(folder / name) if isinstance(name, str) and name else None


def _described(
    record_id: str, corpus: str, row: Row, audio: Audio | None, licence: str, attribution: str
) -> Recorded | Refused:
    fields = row.fields
    text = _first(fields, _TEXT_NAMES)
    has_text = any(fields.get(name) is not None for name in _TEXT_NAMES)
    labels = _labels(_first(fields, _LABEL_NAMES))
    try:
        turns = _turns(fields)
        span = _span(audio, fields)
    except (KeyError, TypeError, ValueError) as error:
        return Refused(Reason.MALFORMED, row.place, f"{type(error).__name__}: {error}")
    implied = "text" if turns else "speech" if text else "event" if labels else "noise"
    if has_text and not text and not labels:
        implied = "speech"  # a column of texts with nothing in it: an empty transcript
    kind = fields.get("kind") or implied
    if kind not in KINDS:
        return Refused(Reason.MALFORMED, row.place, f"kind {kind!r} is none of {', '.join(KINDS)}")
    english = str(fields.get("english") or "")
    return Recorded(
        id=record_id,
        kind=cast(Kind, kind),
        corpus=corpus,
        licence=str(_first(fields, ("licence", "license")) or licence),
        attribution=str(fields.get("attribution") or attribution),
        audio=None if kind == "text" else span,
        labels=labels,
        text=str(text) if text or (kind == "speech" and has_text) else None,
        language=str(_first(fields, ("language", "lang", "locale"))),
        translation=english or str(fields.get("translation") or ""),
        translation_language="en" if english else str(fields.get("translation_language") or ""),
        speaker=str(_first(fields, _SPEAKER_NAMES)),
        split=str(fields.get("split") or ""),
        turns=turns,
    )


def _turns(fields: Mapping[str, Any]) -> tuple[Turn, ...]:
    if fields.get("messages"):
        return role_turns(fields["messages"], "role", "content")
    if fields.get("conversations"):
        return role_turns(fields["conversations"], "from", "value")
    return ()


def _span(audio: Audio | None, fields: Mapping[str, Any]) -> Audio | None:
    if audio is None:
        return None
    start, duration = fields.get("start_s"), fields.get("duration_s")
    return Audio(
        audio.path,
        start_s=float(start or 0.0),
        duration_s=None if duration in (None, "") else float(duration),
        container=audio.container,
        member=audio.member,
    )


def _labels(value: Any) -> tuple[str, ...]:
    named = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(str(one).strip() for one in named if str(one).strip())


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these fields that holds something, else an empty text."""
    return next((fields[name] for name in names if fields.get(name) not in (None, "", [])), "")
