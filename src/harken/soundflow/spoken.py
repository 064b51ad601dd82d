"""Spoken lines for training: the starter pack, and those that are made here from a list of texts.

`data/spoken.jsonl` holds orders, questions with answers, facts with matching recall questions,
stops, backchannels and talk that is not addressed to us. Each line is said in two voices and
speeds, chosen by a hash of its text, so that every machine makes the same speech.

The split `test` says the lines of dev once more, in the voices that are kept for judging.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import zip_longest
from pathlib import Path

import soundfile

from harken.errors import HarkenError
from harken.soundflow.corpora import corpora_dir, data_text
from harken.soundflow.engine import engine_of
from harken.soundflow.speak import (
    fetch_voices,
    judge_voices,
    planned_file,
    synthesised_file,
    training_voices,
)

TAKES = 2
"""How often each line is said, each time in another voice."""

_SPEED_STEPS = 31  # 0.85, 0.86, … 1.15
_DEV_ONE_IN = 10


@dataclass(frozen=True)
class SpokenClip:
    """One synthetic utterance.

    Attributes:
        path: the sound, 16 kHz.
        split: `train`, `dev` or `test`; no text of `train` is in another.
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


@cache
def planned_takes() -> tuple[Take, ...]:
    """All takes, the first of every line before the second of any, kinds taking turns."""
    by_kind: dict[tuple[str, str], list[Line]] = {}
    for line in lines():
        by_kind.setdefault((line.kind, line.language), []).append(line)
    in_turns = [line for row in zip_longest(*by_kind.values()) for line in row if line is not None]
    return tuple(_take(line, number) for number in range(TAKES) for line in in_turns)


def test_takes() -> tuple[Take, ...]:
    """Every line of dev, those of the starter pack too, `TAKES` times in the voices for judging."""
    packed = (Line(c.kind, c.language, c.text, c.other) for c in starter_pack() if c.split == "dev")
    made = (take.line for take in planned_takes() if take.split == "dev")
    by_text = {(line.kind, line.text): line for line in (*packed, *made)}
    return tuple(_judged(line, number) for line in by_text.values() for number in range(TAKES))


def made_in_order() -> list[Take]:
    """The planned takes in the order in which they are made.

    One take of every dev line comes first: with them alone everything can be judged. The others
    follow as they are planned, so that a run cut short has made some of every kind.
    """
    takes = planned_takes()
    first, again = takes[: len(takes) // TAKES], takes[len(takes) // TAKES :]
    return [*sorted(first, key=lambda take: take.split != "dev"), *again]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where synthesis is: takes that are there, of how many, and how many an hour are made.

    rate: 0 before the first.
    """

    done: int
    total: int
    rate: float = 0.0

    @property
    def share(self) -> float:
        """How much is there, 0 to 1."""
        return self.done / max(1, self.total)

    def said(self) -> str:
        """For people: `412 of 3156 takes, 1300 an hour, 2:06:40 left`."""
        told = f"{self.done} of {self.total} takes"
        if not self.rate:
            return told
        left = timedelta(seconds=round((self.total - self.done) / self.rate * 3600))
        return f"{told}, {self.rate:.0f} an hour, {left} left"


def make_speech(
    progress: Callable[[Progress], None] | None = None, workers: int = 1, *, test: bool = False
) -> list[SpokenClip]:
    """Synthesise every planned take that is not there yet; about an hour of one core.

    Needs the parts `kokoro` and `kokoro-voices` and the extra `train`.

    Args:
        progress: called at the start and after every take.
        test: the takes of the split `test` instead, of which there are few.
        workers: processes, each with a voice model on one thread (0.6 GB).

    Raises:
        HarkenError: no worker, a missing part or extra, or the cache cannot be written. What was
            made stays, and the next call goes on with the rest.
    """
    takes = test_takes() if test else made_in_order()
    make_takes(takes, progress, workers)
    return made_speech(takes)


def make_takes(
    takes: Sequence[Take],
    progress: Callable[[Progress], None] | None = None,
    workers: int = 1,
    now_s: Callable[[], float] = time.monotonic,
) -> None:
    """Synthesise those of the takes that are not there yet.

    Every take goes to one worker alone and every file appears whole, so neither the number of
    workers nor a kill shows in what is made. Arguments and errors are those of `make_speech`.
    """
    engine = engine_of("local", workers)
    missing = [take for take in takes if not _file(take).is_file()]
    told = progress or (lambda _: None)
    there = len(takes) - len(missing)
    told(Progress(there, len(takes)))
    if not missing:
        return
    fetch_voices()
    began_s = now_s()
    with closing(engine(_make, missing)) as results:
        for made, _ in enumerate(results, 1):
            rate = made / max(1e-9, now_s() - began_s) * 3600
            told(Progress(there + made, len(takes), rate))


def _make(take: Take) -> None:
    line, judging = take.line, take.split == "test"
    synthesised_file(line.text, line.language, take.voice, take.speed, judging=judging)


def _file(take: Take) -> Path:
    line, judging = take.line, take.split == "test"
    return planned_file(line.text, line.language, take.voice, take.speed, judging=judging)


def made_speech(takes: Sequence[Take]) -> list[SpokenClip]:
    """Those of the takes that were synthesised."""
    return [clip for take in takes for clip in _if_made(take)]


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


def _judged(line: Line, number: int) -> Take:
    digest = hashlib.sha256(line.text.encode()).digest()
    voices = judge_voices(line.language)
    voice = voices[(digest[0] + number) % len(voices)]
    return Take(line, voice, round(0.85 + 0.01 * (digest[4] % _SPEED_STEPS), 2), "test")


def _if_made(take: Take) -> Iterator[SpokenClip]:
    line, path = take.line, _file(take)
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
