"""The list of recordings in the corpus packages, as it ships with Harken.

`data/manifest.csv.gz` has one row a recording; `data/clip_notes.csv` corrects rows whose label,
taken from a file name by whoever packed the sounds, is not what one hears.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from harken.errors import HarkenError
from harken.soundflow.corpora import corpora_dir

SPLITS = ("train", "dev", "test")
"""`test` has the recordings of `dev`, in new streams, and speech of its own (`spoken`)."""
KINDS = ("event", "speech", "speech_notext")
UNLABELLED = "other_effect"
"""The label of sounds which nobody named."""


# The Asterisk prompts describe in brackets what is heard but not said: "at [@]", "(beep)".
_ASIDE = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>|\.\.\.|[“”]")


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of a corpus package.

    Attributes:
        id: the package and a hash of the path inside it; the same on every machine.
        path: the original file, whatever its format.
        split: `train` or `dev`; speech is split by message across languages.
        kind: `event` (a sound), `speech` with a transcript, or `speech_notext` without.
        label: what sounds (`dog_bark`, …); for speech `speech`, `word` or `letter_or_syllable`.
        language: BCP 47-like code of the speech, empty for sounds.
        text: the transcript of `speech`, never empty there, and empty for everything else.
        english: the English translation of `text` where one is known, else empty.
        seconds: duration.
        licence: licence of the recording, as its package states it.
    """

    id: str
    path: Path
    package: str
    split: str
    kind: str
    label: str
    language: str
    text: str
    english: str
    seconds: float
    licence: str


@dataclass(frozen=True, slots=True)
class Note:
    """A correction of one manifest row, found by listening.

    `label` replaces the row's label; an empty one means that the clip is not used at all.
    """

    label: str
    reason: str


def clip_id(package: str, path: str) -> str:
    """The id of the recording at `path` inside `package`."""
    return f"{package}/{hashlib.sha256(path.encode()).hexdigest()[:12]}"


@cache
def notes() -> dict[str, Note]:
    """The corrections by clip id.

    Raises:
        HarkenError: a row of `clip_notes.csv` has an action other than `drop` and `relabel`.
    """
    text = _data("clip_notes.csv").decode()
    found: dict[str, Note] = {}
    for row in csv.DictReader(io.StringIO(text)):
        if row["action"] not in ("drop", "relabel"):
            raise HarkenError(
                f"clip_notes.csv: action {row['action']!r} for {row['path']} is unknown: "
                "use drop or relabel"
            )
        if (row["action"] == "drop") != (row["label"] == ""):
            raise HarkenError(f"clip_notes.csv: only relabel takes a label ({row['path']})")
        found[clip_id(row["package"], row["path"])] = Note(row["label"], row["reason"])
    return found


def recorded(split: str) -> str:
    """The split whose recordings a split is made with."""
    return "dev" if split == "test" else split


def each_listed() -> Iterator[Clip]:
    """The rows of the manifest, uncorrected, in its order; no file is looked at."""
    root = corpora_dir()
    with _unpacked() as packed, io.TextIOWrapper(packed, "utf-8", newline="") as text:
        for row in csv.DictReader(text):
            yield _clip(row, root)


def listed_clips() -> list[Clip]:
    """All that `each_listed` gives."""
    return list(each_listed())


def manifest_hash() -> str:
    """Twelve hex digits that change when the manifest does."""
    with _unpacked() as rows:
        return hashlib.file_digest(rows, "sha256").hexdigest()[:12]


def notes_hash() -> str:
    """Twelve hex digits that change when the corrections do."""
    return hashlib.sha256(_data("clip_notes.csv")).hexdigest()[:12]


def _unpacked() -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=io.BytesIO(_data("manifest.csv.gz")))


def _data(name: str) -> bytes:
    return resources.files("harken.soundflow").joinpath("data", name).read_bytes()


def _clip(row: dict[str, str], root: Path) -> Clip:
    text, english = (_spoken(row["package"], row[column]) for column in ("text", "english"))
    # The "text" of single words and letters is the file's name, often in another language.
    is_transcribed = row["kind"] == "speech" and row["label"] == "speech" and text != ""
    kind = "speech_notext" if row["kind"] == "speech" and not is_transcribed else row["kind"]
    return Clip(
        id=clip_id(row["package"], row["path"]),
        path=root / row["package"] / row["path"],
        package=row["package"],
        split=row["split"],
        kind=kind,
        label=row["label"],
        language=row["lang"],
        text=text if is_transcribed else "",
        english=english if is_transcribed else "",
        seconds=float(row["seconds"]),
        licence=row["licence"],
    )


def _spoken(package: str, text: str) -> str:
    """The part of a transcript that is said."""
    if package.startswith("asterisk-"):
        text = _ASIDE.sub(" ", text)
    return " ".join(text.split())
