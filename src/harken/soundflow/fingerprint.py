"""Recognises the same recording in another file: another codec, level, trim or sample rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harken.soundflow.decode import SAMPLE_RATE_HZ, Samples

_BANDS = 32
_SLICES = 32
_FFT_SIZE = 512
_HOP = 160
_LOWEST_HZ = 80.0
_HIGHEST_HZ = 7_000.0
_SOUNDING_DB = 25.0
_FLOOR_DB = 40.0

MIN_COSINE = 0.96
"""Two fingerprints at least this alike are taken for one recording (see docs/data.md)."""
MAX_DURATION_RATIO = 1.06
"""Recordings whose sounding parts differ more in duration are never taken for one."""


@dataclass(frozen=True)
class Fingerprint:
    """What a recording is compared by.

    Attributes:
        shape: unit vector `[32 slices * 32 bands]`, the spectrogram of the sounding part.
        sounding_s: duration of that part.
    """

    shape: NDArray[np.float32]
    sounding_s: float


def fingerprint(samples: Samples) -> Fingerprint:
    """The spectrogram of a recording, coarse and free of its level.

    The sounding part lies between the first and the last frame within 25 dB of the loudest. Its
    energies in 32 logarithmic bands from 80 Hz to 7 kHz are averaged in 32 equal slices, taken
    in decibels, floored 40 dB below the loudest, and their mean is subtracted. Level, codec, and
    silence at both ends then hardly matter.
    """
    energies = _band_energies(samples)
    loudness = energies.sum(axis=1)
    sounding = np.flatnonzero(loudness >= loudness.max() * 10 ** (-_SOUNDING_DB / 10))
    energies = energies[sounding[0] : sounding[-1] + 1]
    edges = np.linspace(0, len(energies), _SLICES + 1)
    slices = np.stack(
        [
            energies[int(low) : max(int(low) + 1, int(np.ceil(high)))].mean(axis=0)
            for low, high in pairwise(edges)
        ]
    )
    decibels = 10 * np.log10(slices + 1e-20)
    decibels = np.maximum(decibels, decibels.max() - _FLOOR_DB)
    centred = (decibels - decibels.mean()).ravel()
    norm = float(np.linalg.norm(centred))
    shape = np.asarray(centred / norm if norm > 0 else centred, dtype=np.float32)
    return Fingerprint(shape, len(energies) * _HOP / SAMPLE_RATE_HZ)


def same_recording_groups(fingerprints: Sequence[Fingerprint]) -> list[list[int]]:
    """Indices of recordings that are copies of one another, only groups of two or more.

    Every member is like at least one other member of its group. Groups and members are in order.
    """
    if not fingerprints:
        return []
    shapes = np.stack([one.shape for one in fingerprints])
    durations_s = np.array([one.sounding_s for one in fingerprints])
    leader = list(range(len(fingerprints)))
    for index in range(1, len(fingerprints)):
        ratio = durations_s[:index] / durations_s[index]
        close = np.maximum(ratio, 1 / ratio) <= MAX_DURATION_RATIO
        alike = shapes[:index] @ shapes[index] >= MIN_COSINE
        for other in np.flatnonzero(close & alike):
            first, second = sorted((_root(leader, int(other)), _root(leader, index)))
            leader[second] = first
    groups: dict[int, list[int]] = {}
    for index in range(len(leader)):
        groups.setdefault(_root(leader, index), []).append(index)
    return [members for members in groups.values() if len(members) > 1]


def _root(leader: list[int], index: int) -> int:
    while leader[index] != index:
        index = leader[index]
    return index


def _band_energies(samples: Samples) -> NDArray[np.float64]:
    """Energies `[frames, 32]` of Hann windows of 32 ms every 10 ms."""
    padded = np.pad(samples, (0, max(0, _FFT_SIZE - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SIZE)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_FFT_SIZE), axis=1)) ** 2
    edges_hz = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1)
    low_bins = np.floor(edges_hz[:-1] * _FFT_SIZE / SAMPLE_RATE_HZ).astype(int)
    high_bins = np.maximum(np.ceil(edges_hz[1:] * _FFT_SIZE / SAMPLE_RATE_HZ).astype(int), 1)
    # Neighbouring low bands may share a bin: they only need to be the same for both recordings.
    sums = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, axis=1)], axis=1)
    return np.asarray(sums[:, np.maximum(high_bins, low_bins + 1)] - sums[:, low_bins])
