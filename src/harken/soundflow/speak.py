"""Synthetic speech: a sentence in, 16 kHz samples out, each sentence synthesised once.

The voice model is Kokoro-82M (`harken.respond.kokoro`).
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from harken.errors import HarkenError
from harken.parts.cache import cache_dir, cache_writes
from harken.parts.fetch import ensure
from harken.parts.kokoro_voices import VOICE_SHA256
from harken.respond.kokoro import ACCENTS, kokoro_model, voices_archive
from harken.respond.kokoro import synthesise as kokoro_samples
from harken.soundflow.decode import SAMPLE_RATE_HZ, Samples, as_pcm16, load_cached

JUDGE_VOICES = frozenset({"af_nova", "am_puck", "bf_alice", "bm_daniel", "zf_xiaoni", "zm_yunxia"})
"""Voices that no training data may contain: they speak in the split `test` alone."""

SPEEDS = (0.5, 2.0)
"""Slowest and fastest speed relative to the voice's own."""

_NEEDED_BYTES = 50_000_000
_QUIETEST_PEAK = 1e-3


@cache
def training_voices(language: str) -> tuple[str, ...]:
    """The voices of `en` or `zh` that training data may be made with, in alphabetical order.

    Raises:
        HarkenError: another language.
    """
    return tuple(name for name in _voices(language) if name not in JUDGE_VOICES)


@cache
def judge_voices(language: str) -> tuple[str, ...]:
    """As `training_voices`, but those of the split `test`."""
    return tuple(name for name in _voices(language) if name in JUDGE_VOICES)


def _voices(language: str) -> list[str]:
    prefixes = {"en": ("a", "b"), "zh": ("z",)}.get(language)
    if prefixes is None:
        raise HarkenError(f"no voice speaks {language!r} here: choose en or zh")
    return [name for name in sorted(VOICE_SHA256) if name.startswith(prefixes)]


def synthesise(text: str, language: str, voice: str, speed: float = 1.0) -> Samples:
    """Say `text` and return float32 `[n]` at 16 kHz, from the cache if it was said before.

    Args:
        text: what to say, in written form.
        language: `en` or `zh`.
        voice: one of `training_voices(language)`.
        speed: 0.5 to 2 times the voice's own.

    Raises:
        HarkenError: an empty text, an unknown or held-out voice, a speed out of range, a missing
            extra, or a text that comes out silent.
    """
    return load_cached(synthesised_file(text, language, voice, speed))


def synthesised_file(
    text: str, language: str, voice: str, speed: float = 1.0, *, judging: bool = False
) -> Path:
    """As `synthesise`, but the FLAC file in the cache; a JSON beside it says what it holds.

    judging: in one of `judge_voices(language)` instead.
    """
    path = planned_file(text, language, voice, speed, judging=judging)
    if not path.is_file():
        described = _description(text, language, voice, speed)
        _write(path, _say(text, language, voice, round(speed, 3)), described)
    return path


def planned_file(
    text: str, language: str, voice: str, speed: float = 1.0, *, judging: bool = False
) -> Path:
    """Where `synthesised_file` puts that sentence, whether it was synthesised or not."""
    if not text.strip():
        raise HarkenError("there is nothing to say: the text is empty")
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise HarkenError(f"speed {speed} is out of range: choose {SPEEDS[0]} to {SPEEDS[1]}")
    voices = judge_voices(language) if judging else training_voices(language)
    if voice in JUDGE_VOICES and not judging:
        raise HarkenError(f"the voice {voice} is kept for judging: choose another one")
    if voice not in voices:
        known = ", ".join(voices)
        raise HarkenError(f"unknown voice {voice!r} for {language}: choose from {known}")
    described = json.dumps(_description(text, language, voice, speed), sort_keys=True)
    return speech_dir() / f"{hashlib.sha256(described.encode()).hexdigest()[:24]}.flac"


def _description(text: str, language: str, voice: str, speed: float) -> dict[str, str | float]:
    return {"text": text, "lang": language, "voice": voice, "speed": round(speed, 3)}


def fetch_voices() -> None:
    """Have at hand all that speaks, before several processes want it at once.

    Raises:
        HarkenError: a part cannot be fetched, or the cache cannot be written.
    """
    ensure("kokoro")
    voices_archive()


def speech_dir() -> Path:
    """Where synthesised sentences are kept."""
    return cache_dir() / "speech"


def _write(path: Path, samples: Samples, described: dict[str, str | float]) -> None:
    described = described | {"file": path.name, "seconds": round(len(samples) / SAMPLE_RATE_HZ, 3)}
    with cache_writes(path.parent, _NEEDED_BYTES):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.stem}.{os.getpid()}.flac")
        soundfile.write(partial, as_pcm16(samples), SAMPLE_RATE_HZ, subtype="PCM_16")
        path.with_suffix(".json").write_text(json.dumps(described, ensure_ascii=False), "utf-8")
        # The sound comes last: where it is, the description is complete.
        os.replace(partial, path)


def _say(text: str, language: str, voice: str, speed: float) -> Samples:
    # One thread: speech is made in the background of other work.
    model = kokoro_model(threads=1, published=True)
    said, rate_hz = kokoro_samples(model, text, language, voice, speed, ACCENTS.get(voice[0], ""))
    if said.size == 0 or not np.isfinite(said).all() or np.abs(said).max() < _QUIETEST_PEAK:
        raise HarkenError(f"{voice} cannot say {text!r}: write it in words")
    return np.asarray(soxr.resample(said, rate_hz, SAMPLE_RATE_HZ), dtype=np.float32)
