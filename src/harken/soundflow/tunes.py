"""Tunes played by rule, with an instrument and a pace that are known.

A tune wanders over a major pentatonic scale, a note a beat and sometimes two in one. Slow is 48 to
66 beats a minute, fast 150 to 190: what lies between is neither. Equal generators play equal tunes.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

BEATS_PER_MINUTE = {"slow": (48.0, 66.0), "fast": (150.0, 190.0)}

_SCALE = (0, 2, 4, 7, 9)
"""The major pentatonic scale in semitones: no two of its notes clash."""
_STEPS = (-2, -1, -1, 0, 1, 1, 2)
_DOUBLED_SHARE = 0.25
_FADE_S = 0.01


def tune(instrument: str, pace: str, seconds: float, random: np.random.Generator) -> F32:
    """A melody, float32 [round(seconds * 16000)] with a peak of 1.

    Args:
        instrument: one of `TIMBRES`.
        pace: "slow" or "fast".
        seconds: how long it plays.
        random: decides the melody, the key and the details of the sound.
    """
    sound = TIMBRES[instrument]
    beat_s = 60 / random.uniform(*BEATS_PER_MINUTE[pace])
    base_hz = float(random.uniform(220, 440))
    samples = round(seconds * SAMPLE_RATE)
    y = np.zeros(samples + 4 * SAMPLE_RATE)
    at_s, degree = 0.0, int(random.integers(0, 8))
    while at_s < seconds:
        parts = 2 if random.random() < _DOUBLED_SHARE else 1
        for _ in range(parts):
            degree = int(np.clip(degree + random.choice(_STEPS), 0, 10))
            octave, step = divmod(degree, len(_SCALE))
            pitch_hz = base_hz * 2 ** (octave + _SCALE[step] / 12)
            note = sound(pitch_hz, beat_s / parts, random) * random.uniform(0.7, 1)
            start = int(at_s * SAMPLE_RATE)
            end = min(len(y), start + len(note))
            y[start:end] += note[: end - start]
            at_s += beat_s / parts
    y = y[:samples]
    fade = int(_FADE_S * SAMPLE_RATE)
    y[samples - fade :] *= np.linspace(1, 0, fade)
    played: F32 = (y / np.abs(y).max()).astype(np.float32)
    return played


def _time(seconds: float) -> F64:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _music_box(pitch_hz: float, _: float, random: np.random.Generator) -> F64:
    """A clamped steel tongue: its second mode 6.27 times as high, both ringing on."""
    t = _time(1.6)
    pitch_hz *= 2
    tongue = np.sin(2 * np.pi * pitch_hz * t) * np.exp(-3.2 * t)
    high = min(6.27 * pitch_hz, 7500.0)
    return tongue + 0.25 * np.sin(2 * np.pi * high * t) * np.exp(-14 * t)


def _plucked(pitch_hz: float, _: float, random: np.random.Generator) -> F64:
    """A plucked string (Karplus and Strong 1983): noise in a loop that averages neighbours."""
    period = int(SAMPLE_RATE / pitch_hz)
    loop = random.uniform(-1, 1, period)
    rounds = []
    for _round in range(int(1.6 * SAMPLE_RATE / period)):
        rounds.append(loop)
        loop = 0.498 * (loop + np.roll(loop, 1))
    return np.concatenate(rounds)


def _organ(pitch_hz: float, seconds: float, random: np.random.Generator) -> F64:
    """Pipes an octave and a twelfth apart that sound as long as the key is held."""
    t = _time(seconds)
    pipes = np.zeros(len(t))
    for multiple, loudness in ((1, 1.0), (2, 0.6), (3, 0.35), (4, 0.3), (6, 0.15), (8, 0.1)):
        if multiple * pitch_hz < SAMPLE_RATE / 2:
            pipes += loudness * np.sin(2 * np.pi * multiple * pitch_hz * t)
    return pipes * _held(t, 0.02)


def _flute(pitch_hz: float, seconds: float, random: np.random.Generator) -> F64:
    """A tone with little above it, a slow vibrato, and breath."""
    t = _time(seconds)
    vibrato = 0.004 * np.sin(2 * np.pi * random.uniform(4.5, 5.5) * t) * np.minimum(1, 3 * t)
    phase = 2 * np.pi * 2 * pitch_hz * np.cumsum(1 + vibrato) / SAMPLE_RATE
    tone = np.sin(phase) + 0.2 * np.sin(2 * phase) + 0.06 * np.sin(3 * phase)
    return (tone + 0.04 * random.normal(size=len(t))) * _held(t, 0.06)


def _held(t: F64, edge_s: float) -> F64:
    """Soft ends."""
    edges: F64 = np.minimum(1, np.minimum(t, t[::-1]) / edge_s)
    return edges


TIMBRES: dict[str, Callable[[float, float, np.random.Generator], F64]] = {
    "a music box": _music_box,
    "a plucked string": _plucked,
    "an organ": _organ,
    "a flute": _flute,
}
"""One note by pitch in hertz and length in seconds, by the name of what plays it."""
