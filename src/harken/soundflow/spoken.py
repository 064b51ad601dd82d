"""Spoken lines for training: the starter pack, and those that are made here from a list of texts.

`data/spoken.jsonl` holds orders, questions with answers, facts with matching recall questions,
stops, backchannels and talk that is not addressed to us. Each line is said in two voices and
speeds, chosen by a hash of its text, so that every machine makes the same speech.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path

import soundfile

from harken.errors import HarkenError
from harken.soundflow.corpora import Progress, corpora_dir, data_text
from harken.soundflow.speak import planned_file, synthesised_file, training_voices

TAKES = 2
"""How often each line is said, each time in another voice."""

_SPEED_STEPS = 31  # 0.85, 0.86, … 1.15
_DEV_ONE_IN = 10


@dataclass(frozen=True)
class SpokenClip:
    """One synthetic utterance.

    Attributes:
        path: the sound, 16 kHz.
        split: `train` or `dev`; all takes of one text are in the same.
        kind: `order_count`, `order_when`, `question`, `fact`, `stop`, `sentence`, …
        language: `en` or `zh`.
        text: what is said.
        other: the translation of a `sentence`, the answer to a `question`, the reply to a
            `recall` (with `{name}` or `{sound}` to fill in) or to a `fact`; else empty.
        voice: name of the Kokoro voice.
        seconds: duration.
    """

    path: Path
    split: str
    kind: str
    language: str
    text: str
    other: str
    voice: str
    seconds: float


@dataclass(frozen=True)
class Line:
    """A text to be said, with its kind, its language, and its answer or translation."""

    kind: str
    language: str
    text: str
    other: str


@dataclass(frozen=True)
class Take:
    """One way to say a line."""

    line: Line
    voice: str
    speed: float
    split: str


@cache
def lines() -> tuple[Line, ...]:
    """The lines of `data/spoken.jsonl`, in its order."""
    rows = (json.loads(row) for row in data_text("spoken.jsonl").splitlines())
    return tuple(Line(row["kind"], row["lang"], row["text"], row.get("other", "")) for row in rows)


def planned_takes() -> list[Take]:
    """All takes, the first of every line before the second of any, kinds taking turns.

    A run that is cut short has then made some of every kind.
    """
    by_kind: dict[tuple[str, str], list[Line]] = {}
    for line in lines():
        by_kind.setdefault((line.kind, line.language), []).append(line)
    in_turns = [line for row in zip_longest(*by_kind.values()) for line in row if line is not None]
    return [_take(line, number) for number in range(TAKES) for line in in_turns]


def make_speech(progress: Progress | None = None) -> list[SpokenClip]:
    """Synthesise every planned take that is not there yet; about an hour of one core.

    Interrupted at any point, the next call continues. Needs the parts `kokoro` and
    `kokoro-voices` and the extra `train`.
    """
    takes = planned_takes()
    for done, take in enumerate(takes):
        if progress is not None:
            progress(done, len(takes), take.line.text)
        synthesised_file(take.line.text, take.line.language, take.voice, take.speed)
    if progress is not None:
        progress(len(takes), len(takes), "all lines are spoken")
    return made_speech()


def made_speech() -> list[SpokenClip]:
    """The planned takes that were synthesised, in the order of the plan."""
    return [clip for take in planned_takes() for clip in _if_made(take)]


def starter_pack() -> list[SpokenClip]:
    """The utterances of the unpacked starter pack in the order of their numbers; none without it.

    Raises:
        HarkenError: one of its descriptions is broken.
    """
    folder = corpora_dir() / "speech"
    return [_described_clip(path) for path in sorted(folder.glob("[!.]*.json"))]


def _take(line: Line, number: int) -> Take:
    digest = hashlib.sha256(line.text.encode()).digest()
    voices = training_voices(line.language)
    # An odd step between takes never comes back to the same voice within two.
    voice = voices[(int.from_bytes(digest[:4]) + number * (1 + digest[8] % 5)) % len(voices)]
    speed = 0.85 + 0.01 * ((digest[4] + 11 * number) % _SPEED_STEPS)
    split = "dev" if int.from_bytes(digest[5:8]) % _DEV_ONE_IN == 0 else "train"
    return Take(line, voice, round(speed, 2), split)


def _if_made(take: Take) -> Iterator[SpokenClip]:
    line = take.line
    path = planned_file(line.text, line.language, take.voice, take.speed)
    if path.is_file():
        yield SpokenClip(
            path=path,
            split=take.split,
            kind=line.kind,
            language=line.language,
            text=line.text,
            other=line.other,
            voice=take.voice,
            seconds=round(soundfile.info(path).duration, 3),
        )


def _described_clip(path: Path) -> SpokenClip:
    try:
        described = json.loads(path.read_text("utf-8"))
        return SpokenClip(
            path=path.parent / described["file"],
            split=described["split"],
            kind=described["kind"],
            language=described["lang"],
            text=described["text"],
            other=described.get("other", ""),
            voice=described["voice"],
            seconds=float(described["seconds"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise HarkenError(
            f"the description {path} is broken ({error!r}): unpack the pack again"
        ) from error
