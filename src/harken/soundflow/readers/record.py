"""One record of a corpus, whatever the corpus: a stretch of audio or a written conversation.

Readers yield `Recorded`, or `Refused` for an entry that is too broken to become one. What a record
lacks by itself is said by `flaw`; whether its audio can be read is found out in `reading`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

Kind = Literal["event", "speech", "music", "noise", "text"]
KINDS: tuple[Kind, ...] = ("event", "speech", "music", "noise", "text")
Role = Literal["user", "assistant", "system"]
Container = Literal["file", "tar", "arrow"]


class Reason(StrEnum):
    """Why an entry of a corpus is refused."""

    MALFORMED = "malformed"  # the entry cannot be parsed, or a field is missing
    DUPLICATE_ID = "duplicate id"
    MISSING_LICENCE = "missing licence"  # neither the corpus nor the caller states one
    EMPTY_TEXT = "empty text"  # a transcript or a turn without a word
    NO_LABEL = "no label"  # an event that nobody named
    UNREADABLE = "unreadable"  # the audio is missing or no decoder knows it
    LOW_RATE = "low rate"
    ZERO_LENGTH = "zero length"
    OUT_OF_RANGE = "out of range"  # the segment ends behind the end of its file


@dataclass(frozen=True)
class Refused:
    """An entry that is left out: why, where it stands, and what exactly was found there."""

    reason: Reason
    place: str
    detail: str = ""


@dataclass(frozen=True)
class Audio:
    """Where a stretch of audio lies; nothing is read yet (`audio.probe`, `audio.load`).

    Attributes:
        path: the audio file, the tar file, or the folder of a saved Arrow data set.
        start_s: where the stretch begins in the recording.
        duration_s: its length; None means up to the end.
        container: what `path` is.
        member: name inside a tar file; `SPLIT/COLUMN/ROW` inside an Arrow data set.
        offset_bytes: where the member's bytes begin in a tar file.
        size_bytes: how many they are.
    """

    path: Path
    start_s: float = 0.0
    duration_s: float | None = None
    container: Container = "file"
    member: str = ""
    offset_bytes: int = 0
    size_bytes: int = 0


@dataclass(frozen=True)
class Turn:
    """One turn of a conversation, with its recording where there is one."""

    role: Role
    text: str
    audio: Audio | None = None


@dataclass(frozen=True)
class Word:
    """A word and when it is said, in seconds from the beginning of the record's audio."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Corpus:
    """What is the same for every record of a corpus.

    Attributes:
        name: key in `table.READERS` and first part of every id.
        licence: licence of the entries that state none; empty where the corpus states none.
        attribution: whom to name.
        homepage: where the corpus is described and handed out.
        layout: what is expected in the folder, in a few words.
    """

    name: str
    licence: str
    attribution: str
    homepage: str
    layout: str


@dataclass(frozen=True)
class Recorded:
    """One record: what is heard or written, what is known of it, and under which terms.

    Attributes:
        id: `CORPUS/…`, the same on every machine.
        kind: `event` (a sound), `speech`, `music`, `noise` (background) or `text`.
        corpus: name of the corpus.
        licence: SPDX id, URL or words of the corpus; never empty in a record that is kept.
        attribution: whom to name for this record.
        audio: where the audio lies; None for `text`.
        labels: what sounds, in the words of the corpus.
        text: the transcript; None where the corpus has none for this kind of entry.
        language: language of `text` or of the turns, BCP 47 (`en`, `zh-CN`); may be empty.
        translation: `text` in another language, else empty.
        translation_language: which one.
        speaker: who speaks, as the corpus names them.
        split: `train`, `dev`, `test` or what the corpus calls it; may be empty.
        seconds: duration; None until the audio has been looked at.
        turns: the conversation of a `text` record.
        words: when each word of `text` is said, where the corpus has an alignment.
    """

    id: str
    kind: Kind
    corpus: str
    licence: str
    attribution: str
    audio: Audio | None = None
    labels: tuple[str, ...] = ()
    text: str | None = None
    language: str = ""
    translation: str = ""
    translation_language: str = ""
    speaker: str = ""
    split: str = ""
    seconds: float | None = None
    turns: tuple[Turn, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def english(self) -> str:
        """The English translation, empty where the translation is in another language."""
        return self.translation if self.translation_language.split("-")[0] == "en" else ""


def flaw(record: Recorded) -> Refused | None:
    """What is wrong with a record by itself, without a look at its audio; None if nothing is."""
    if not record.licence.strip():
        return Refused(Reason.MISSING_LICENCE, record.id)
    if record.kind == "text":
        return _flaw_of_turns(record)
    if record.audio is None:
        return Refused(Reason.MALFORMED, record.id, f"{record.kind} without audio")
    if record.text is not None and not record.text.strip():
        return Refused(Reason.EMPTY_TEXT, record.id)
    if record.kind == "event" and not any(label.strip() for label in record.labels):
        return Refused(Reason.NO_LABEL, record.id)
    return _flaw_of_span(record.id, record.audio)


def _flaw_of_turns(record: Recorded) -> Refused | None:
    if not record.turns:
        return Refused(Reason.EMPTY_TEXT, record.id, "no turn")
    for number, turn in enumerate(record.turns, 1):
        if not turn.text.strip():
            return Refused(Reason.EMPTY_TEXT, record.id, f"turn {number} ({turn.role})")
    return None


def _flaw_of_span(record_id: str, audio: Audio) -> Refused | None:
    duration_s = math.inf if audio.duration_s is None else audio.duration_s
    if math.isnan(audio.start_s) or math.isnan(duration_s) or audio.start_s < 0:
        return Refused(
            Reason.OUT_OF_RANGE, record_id, f"start {audio.start_s} s, duration {duration_s} s"
        )
    if duration_s <= 0:
        return Refused(Reason.ZERO_LENGTH, record_id, f"duration {duration_s} s")
    return None
