"""Whisper's log-mel front end in numpy, shared by the words ear and the acoustic ear.

Constants and formulas: `log_mel_spectrogram` of openai/whisper (audio.py): 16 kHz, a periodic Hann
window of 400 samples, a hop of 160, 80 mel bands of the Slaney scale with area normalisation.
The only departure: nothing is padded to 30 s, and the clamp is a step of its own, because a
streaming window is clamped by its own maximum.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from harken.errors import HarkenError

SAMPLE_RATE_HZ = 16_000
FFT_SAMPLES = 400
HOP_SAMPLES = 160
MEL_BANDS = 80

Float32 = NDArray[np.float32]

_POWER_FLOOR = np.float32(1e-10)
_HALF_WINDOW = FFT_SAMPLES // 2
_BLOCK_FRAMES = 16
_CLAMP_RANGE = np.float32(8.0)  # in log10 power: 80 dB below the loudest bin


def log_mel(samples: Float32) -> Float32:
    """Raw log10 mel power of `samples`.

    Args:
        samples: float32[n] at 16 kHz in -1..1, n > 200.

    Returns:
        float32[80, n // 160]; frame i is centred on sample 160 * i, both ends reflected.

    Raises:
        HarkenError: `samples` is not one-dimensional or is too short to reflect.
    """
    if samples.ndim != 1 or samples.shape[0] <= _HALF_WINDOW:
        raise HarkenError(
            f"log-mel needs one channel of more than {_HALF_WINDOW} samples, got shape "
            f"{samples.shape}: downmix the audio or give a longer window"
        )
    frame_count = samples.shape[0] // HOP_SAMPLES
    padded = np.pad(samples.astype(np.float32, copy=False), _HALF_WINDOW, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES)[::HOP_SAMPLES]
    spectrum = np.fft.rfft(frames[:frame_count] * _window(), axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.log10(np.maximum(_mel_power(power), _POWER_FLOOR)).T


def clamp_normalise(mel: Float32) -> Float32:
    """Limit `mel` float32[80, frames] to 8 below its own maximum and scale it: `(x + 4) / 4`."""
    floor = mel.max() - _CLAMP_RANGE
    clamped: Float32 = (np.maximum(mel, floor) + np.float32(4.0)) / np.float32(4.0)
    return clamped


def _mel_power(power: Float32) -> Float32:
    """float32[frames, 80] of float32[frames, 201], in blocks too small for BLAS to thread.

    OpenBLAS would wake all cores for this tiny product and let them spin: measured, that doubled
    the processor time of the whole words ear.
    """
    frame_count = power.shape[0]
    block_count = -(-frame_count // _BLOCK_FRAMES)
    padded = np.zeros((block_count * _BLOCK_FRAMES, power.shape[1]), np.float32)
    padded[:frame_count] = power
    blocks = padded.reshape(block_count, _BLOCK_FRAMES, power.shape[1])
    product: Float32 = np.matmul(blocks, _mel_filters().T)
    mel_power: Float32 = product.reshape(-1, MEL_BANDS)
    return mel_power[:frame_count]


@lru_cache(maxsize=1)
def _window() -> Float32:
    phase = np.arange(FFT_SAMPLES) * (2.0 * np.pi / FFT_SAMPLES)
    window: Float32 = np.asarray(0.5 - 0.5 * np.cos(phase), dtype=np.float32)
    return window


@lru_cache(maxsize=1)
def _mel_filters() -> Float32:
    """float32[80, 201]: triangles on the Slaney mel scale, each of unit area.

    Slaney's Auditory Toolbox, as `librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)`.
    """
    bin_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, FFT_SAMPLES // 2 + 1)
    top_mel = _hz_to_mel(SAMPLE_RATE_HZ / 2)
    edge_hz = _mel_to_hz(np.linspace(0.0, top_mel, MEL_BANDS + 2))
    widths = np.diff(edge_hz)
    offsets = edge_hz[:, None] - bin_hz[None, :]
    rising = -offsets[:-2] / widths[:-1, None]
    falling = offsets[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    triangles *= (2.0 / (edge_hz[2:] - edge_hz[:-2]))[:, None]
    return triangles.astype(np.float32)


# The Slaney scale is linear to 1 kHz (15 mels of 200/3 Hz), then logarithmic: 27 steps to 6.4 kHz.
_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_KNEE_HZ = 1000.0
_KNEE_MEL = _KNEE_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = float(np.log(6.4)) / 27.0


def _hz_to_mel(hz: float) -> float:
    if hz < _KNEE_HZ:
        return hz / _LINEAR_HZ_PER_MEL
    return _KNEE_MEL + float(np.log(hz / _KNEE_HZ)) / _LOG_STEP


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mel * _LINEAR_HZ_PER_MEL
    curved = _KNEE_HZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL))
    return np.where(mel >= _KNEE_MEL, curved, linear)
