"""The recognition check: what a voice said must be what it was told to say.

Each sentence is said, recognised by the project's Whisper and compared with its spoken form. Too
many errors reject it; after two more takes at other speeds the whole dialogue is dropped, because
one without a turn is another dialogue. Verdicts and sounds are cached by what was asked.
"""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from harken.parts.cache import cache_writes
from harken.soundflow.decode import SAMPLE_RATE_HZ, as_pcm16
from harken.soundflow.edits import edits
from harken.soundflow.speak import speech_dir
from harken.soundflow.speech.tts import Samples, Tts, VoiceFailed, check_sound, voice_of
from harken.soundflow.speech.written import Spoken, spoken_form

WORST_ERROR_RATE = 0.10
"""More errors than this share of the words (of the characters in Chinese) reject a take."""

SPEEDS = (1.0, 0.9, 1.1)
"""The speed of the first take and of each retry; the voice stays that of the dialogue."""

_NEEDED_BYTES = 50_000_000
_WINDOW_S, _SEARCHED_S = 26, 6  # Whisper hears 30 s; a longer clip is cut where it is quietest


class Reason(StrEnum):
    """Why a take was rejected and, after the last one, its dialogue dropped."""

    MISHEARD = "misheard"
    DIED = "died"
    SILENT = "silent"
    EMPTY = "empty"


class Ear(Protocol):
    """A recogniser. name: what it is, for the keys of the cache."""

    @property
    def name(self) -> str: ...

    def transcript(self, samples: Samples, language: str) -> str:
        """The words in float32[n] at 16 kHz."""
        ...


@dataclass(frozen=True, slots=True)
class Take:
    """One way in which a sentence was said. reason: why it was rejected, None when accepted.

    error_rate is over the words of the spoken form (characters in Chinese), None when nothing
    was heard; detail: the failure of the voice model.
    """

    speed: float
    heard: str = ""
    error_rate: float | None = None
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Clip:
    """An accepted sentence: float32[n] at 16 kHz, and the takes of which the last is this one."""

    written: str
    spoken: Spoken
    takes: tuple[Take, ...]
    samples: Samples = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """All sentences of a dialogue in one voice."""

    language: str
    voice: str
    clips: tuple[Clip, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A dialogue that was given up. turn: which sentence, from 0; takes: how it failed."""

    turn: int
    written: str
    reason: Reason
    takes: tuple[Take, ...]


def speak_dialogue(
    turns: Sequence[str], language: str, *, tts: Tts, ear: Ear, name: str, voice: str = ""
) -> Dialogue | Dropped:
    """Say every turn in one voice, each checked by ear, or drop them all.

    Args:
        turns: the written sentences that one person says.
        language: `en` or `zh`.
        tts: the voice model.
        ear: who checks, `WhisperEar()` for the project's own.
        name: of the dialogue; the voice is drawn by it.
        voice: one that was chosen already, instead.

    Raises:
        HarkenError: the voice model or the recogniser has to be mended first.
    """
    voice = voice or voice_of(tts, language, name)
    clips: list[Clip] = []
    for turn, written in enumerate(turns):
        spoken = spoken_form(written, language)
        if not _units(spoken.text, language):
            return Dropped(turn, written, Reason.EMPTY, ())
        takes: list[Take] = []
        for speed in SPEEDS:
            take, samples = _checked(spoken.text, language, voice, speed, tts, ear)
            takes.append(take)
            if take.reason is None:
                clips.append(Clip(written, spoken, tuple(takes), samples))
                break
        else:
            return Dropped(turn, written, takes[-1].reason or Reason.MISHEARD, tuple(takes))
    return Dialogue(language, voice, tuple(clips))


def counted(results: Iterable[Dialogue | Dropped]) -> Counter[str]:
    """How many dialogues were `spoken` and `dropped: REASON`, and how many takes `take: REASON`."""
    counts: Counter[str] = Counter()
    for result in results:
        if isinstance(result, Dropped):
            counts[f"dropped: {result.reason}"] += 1
            takes = result.takes
        else:
            counts["spoken"] += 1
            takes = tuple(take for clip in result.clips for take in clip.takes)
        counts.update(f"take: {take.reason}" for take in takes if take.reason)
    return counts


def error_rate(wanted: str, heard: str, language: str) -> float:
    """Levenshtein distance over the length of `wanted`, in words (`en`) or characters (`zh`).

    Both are brought to spoken form without case and punctuation, Chinese to simplified characters.
    """
    truth, guess = _units(wanted, language), _units(heard, language)
    return edits(truth, guess) / max(1, len(truth))


def _units(text: str, language: str) -> list[str]:
    text = spoken_form(text, language).text.casefold()
    # Dots and apostrophes join (p.m., it's), hyphens part (twenty-four).
    text = "".join(c for c in text if c not in ".'\u2019")
    text = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text)
    if language == "zh":
        return list(_simplified()(text).replace(" ", ""))
    return text.split()


@lru_cache(maxsize=1)
def _simplified() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s").convert


def _checked(
    text: str, language: str, voice: str, speed: float, tts: Tts, ear: Ear
) -> tuple[Take, Samples]:
    asked = {"text": text, "lang": language, "voice": voice, "speed": speed}
    asked |= {"tts": tts.name, "ear": ear.name}
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]
    verdict = speech_dir() / "checked" / f"{digest}.json"
    kept = _kept(verdict)
    if kept is not None:
        return _judged(text, kept[0], language, speed), kept[1]
    try:
        said = check_sound(tts.say(text, language, voice, speed), f"{tts.name} {voice}", text)
    except VoiceFailed as error:
        # Not kept: a server may be back the next time.
        return Take(speed, reason=Reason(error.why), detail=str(error)), np.zeros(0, np.float32)
    if tts.rate_hz != SAMPLE_RATE_HZ:
        said = np.asarray(soxr.resample(said, tts.rate_hz, SAMPLE_RATE_HZ), np.float32)
    pcm = as_pcm16(said)
    samples = _as_float(pcm)
    take = _judged(text, ear.transcript(samples, language), language, speed)
    _keep(verdict, take, pcm, asked)
    return take, samples


def _judged(text: str, heard: str, language: str, speed: float) -> Take:
    rate = error_rate(text, heard, language)
    return Take(speed, heard, rate, Reason.MISHEARD if rate > WORST_ERROR_RATE else None)


def _kept(verdict: Path) -> tuple[str, Samples] | None:
    """What was heard in an earlier run and the sound; None when there is none, or it is torn.

    The verdict in the file is for people: it is made again from what was heard.
    """
    try:
        heard = json.loads(verdict.read_text("utf-8"))["take"]["heard"]
        pcm, _ = soundfile.read(verdict.with_suffix(".flac"), dtype="int16")
    except (OSError, ValueError, KeyError, TypeError, soundfile.LibsndfileError):
        return None
    return str(heard), _as_float(pcm)


def _keep(verdict: Path, take: Take, pcm: NDArray[np.int16], asked: dict[str, Any]) -> None:
    with cache_writes(verdict.parent, _NEEDED_BYTES):
        verdict.parent.mkdir(parents=True, exist_ok=True)
        sound = verdict.with_name(f".{verdict.stem}.{os.getpid()}.flac")
        soundfile.write(sound, pcm, SAMPLE_RATE_HZ, subtype="PCM_16")
        os.replace(sound, verdict.with_suffix(".flac"))
        # The verdict comes last: where it is, the sound is there.
        partial = verdict.with_name(f".{verdict.stem}.{os.getpid()}.json")
        described = asked | {"take": asdict(take)}
        partial.write_text(json.dumps(described, ensure_ascii=False), "utf-8")
        os.replace(partial, verdict)


def _as_float(pcm: NDArray[np.int16]) -> Samples:
    return pcm.astype(np.float32) / np.float32(32768)


@dataclass(frozen=True, slots=True)
class WhisperEar:
    """The project's Whisper over whole clips; the weights are loaded at the first one."""

    name: str = "whisper-base"

    def transcript(self, samples: Samples, language: str) -> str:
        """The words in float32[n] at 16 kHz; clips longer than a window are cut where quiet."""
        recogniser = _recogniser()
        words: list[str] = []
        for piece in _windows(samples):
            heard = recogniser.transcribe(recogniser.encode(piece), language)
            words.append("".join(word.text for word in heard.words))
        return " ".join(words).strip()


@lru_cache(maxsize=1)
def _recogniser() -> Any:
    from harken.parts.fetch import ensure
    from harken.perceive.recogniser import Recogniser

    return Recogniser(ensure("whisper"))


def _windows(samples: Samples) -> list[Samples]:
    pieces: list[Samples] = []
    frame = SAMPLE_RATE_HZ // 50
    while len(samples) > _WINDOW_S * SAMPLE_RATE_HZ:
        searched = samples[(_WINDOW_S - _SEARCHED_S) * SAMPLE_RATE_HZ : _WINDOW_S * SAMPLE_RATE_HZ]
        quietest = int(np.square(searched.reshape(-1, frame)).sum(axis=1).argmin())
        cut = (_WINDOW_S - _SEARCHED_S) * SAMPLE_RATE_HZ + quietest * frame + frame // 2
        pieces.append(samples[:cut])
        samples = samples[cut:]
    return [*pieces, samples]
