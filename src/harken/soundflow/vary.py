"""The same sound somewhere else: another speed, tone and room, still the same thing.

Many categories have a handful of recordings. A listener that meets each of them a hundred times
learns the recording; these changes are the ones that a microphone elsewhere would make.
"""

import numpy as np
import numpy.typing as npt
import soxr

from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]

SPEED = 1.15
"""Up to so many times faster or slower; pitch moves along (about two semitones)."""
TONE_DB = 8.0
"""Up to so many decibels up or down in each octave."""
ROOM_SHARE = 0.4
"""How often a clip is put into a room."""
_OCTAVES_HZ = (62.5, 125, 250, 500, 1000, 2000, 4000, 8000)


def varied(x: F32, random: np.random.Generator) -> F32:
    """`x` float32[n] at 16 kHz at another speed, in another tone, sometimes in a room.

    The length changes with the speed; a room adds no tail, so a sound still ends where it ended.
    """
    rate = float(np.exp(random.uniform(-np.log(SPEED), np.log(SPEED))))
    y = soxr.resample(x, SAMPLE_RATE, SAMPLE_RATE * rate).astype(np.float32)
    y = toned(y, random.uniform(-TONE_DB, TONE_DB, len(_OCTAVES_HZ)))
    if random.random() < ROOM_SHARE:
        y = in_room(y, random.uniform(0.15, 0.6), random.uniform(0, 12), random)
    return y


def toned(x: F32, gains_db: npt.NDArray[np.float64]) -> F32:
    """`x` with a gain at 62.5 Hz and each octave above it, straight lines between them."""
    spectrum = np.fft.rfft(x)
    octave = np.log2(np.maximum(np.fft.rfftfreq(len(x), 1 / SAMPLE_RATE), _OCTAVES_HZ[0]))
    gain = 10 ** (np.interp(octave, np.log2(_OCTAVES_HZ), gains_db) / 20)
    y: F32 = np.fft.irfft(spectrum * gain, len(x)).astype(np.float32)
    return y


def in_room(x: F32, decay_s: float, direct_db: float, random: np.random.Generator) -> F32:
    """`x` with the reverberation of a room, cut to its own length.

    Exponentially decaying noise (Polack's model) that falls by 60 dB in `decay_s`, its energy
    `direct_db` below that of the direct sound.
    """
    t = np.arange(int(decay_s * SAMPLE_RATE)) / SAMPLE_RATE
    tail = random.normal(size=len(t)) * 10 ** (-3 * t / decay_s)
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.square(tail).sum())
    tail[0] += 1.0
    size = len(x) + len(tail)
    y: F32 = np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(tail, size), size)[: len(x)].astype(
        np.float32
    )
    return y
