"""Impulse responses of shoebox rooms by the image-source method.

Allen and Berkley 1979, "Image method for efficiently simulating small-room acoustics". All walls
absorb alike, so a room is its size and its reverberation time. Sabine and Eyring as in Kuttruff,
"Room Acoustics", chapter 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from harken.errors import HarkenError
from harken.stream import SAMPLE_RATE

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Point = tuple[float, float, float]

SOUND_M_PER_S = 343.0
"""Speed of sound in air at 20 degrees."""
LONGEST_RT60_S = 1.2
"""The number of images grows with the cube of the time."""

_SABINE = 24 * np.log(10) / SOUND_M_PER_S
_FINER = 4  # images are placed on a grid of 64 kHz, 0.01 ms off at most
_HIGH_PASS_HZ = 50.0  # reflections without a sign add up to a pressure at rest, which air does not
_DIRECT_S = 0.0025
_WALL_M = 0.3
_TRIES = 2000


@dataclass(frozen=True, slots=True)
class Room:
    """A shoebox room. size_m: length, width, height; rt60_s: the time of a decay by 60 dB."""

    size_m: Point
    rt60_s: float

    def __post_init__(self) -> None:
        if min(self.size_m) < 3 * _WALL_M:
            raise HarkenError(f"a room of {self.size_m} m is too small: at least {3 * _WALL_M} m")
        if not 0 < self.rt60_s <= LONGEST_RT60_S:
            raise HarkenError(
                f"a reverberation of {self.rt60_s} s is out of range: up to {LONGEST_RT60_S} s"
            )
        if self.absorption >= 1:
            raise HarkenError(
                f"no walls make a room of {self.size_m} m as dry as {self.rt60_s} s: "
                f"at least {sabine_s(self.size_m, 1.0):.2f} s"
            )

    @property
    def absorption(self) -> float:
        """The share of energy that each wall takes, by Sabine's formula turned round.

        Images in a shoebox decay more slowly than Eyring says: rays along the long axis meet
        few walls.
        """
        return _sabine_absorption(self.size_m, self.rt60_s)

    @property
    def critical_m(self) -> float:
        """Where direct and reverberant sound are equally strong, for a source without direction."""
        return float(0.057 * np.sqrt(np.prod(self.size_m) / self.rt60_s))


def sabine_s(size_m: Point, absorption: float) -> float:
    """Reverberation time by Sabine: 0.161 V / (S a)."""
    volume, surface = _volume_and_surface(size_m)
    return float(_SABINE * volume / (surface * absorption))


def impulse_response(room: Room, source_m: Point, microphone_m: Point) -> F32:
    """What a microphone hears of a unit impulse, float32[n] at 16 kHz.

    The direct sound arrives after distance / 343 s with 1 / distance (in metres); the response
    ends when the room has decayed by 60 dB.
    """
    delay_s = float(np.linalg.norm(np.subtract(source_m, microphone_m))) / SOUND_M_PER_S
    length = int((delay_s + room.rt60_s) * SAMPLE_RATE) + 1
    rate = SAMPLE_RATE * _FINER
    farthest_m = length / SAMPLE_RATE * SOUND_M_PER_S
    axes = [
        _images(size, source, microphone, farthest_m)
        for size, source, microphone in zip(room.size_m, source_m, microphone_m, strict=True)
    ]
    (x, x_walls), (y, y_walls), (z, z_walls) = axes
    reflected = np.sqrt(1 - room.absorption)
    plane = np.square(y)[:, None] + np.square(z)
    plane_gain = reflected ** (y_walls[:, None] + z_walls)
    fine = np.zeros(length * _FINER)
    for offset, walls in zip(x, x_walls, strict=True):
        away_m = np.sqrt(plane + offset**2)
        at = np.rint(away_m * (rate / SOUND_M_PER_S)).astype(np.int64)
        near = at < fine.size
        gain = plane_gain[near] * reflected**walls / np.maximum(away_m[near], 0.01)
        fine += np.bincount(at[near], gain, fine.size)
    response = soxr.resample(fine * _FINER, rate, SAMPLE_RATE)[:length]
    return _without_rest(response)


def placed(room: Room, distance_m: float, random: np.random.Generator) -> tuple[Point, Point]:
    """A source and a microphone so far from each other, both off the walls.

    Raises:
        HarkenError: the room is too small for the distance.
    """
    low, high = np.full(3, _WALL_M), np.asarray(room.size_m) - _WALL_M
    for _ in range(_TRIES):
        microphone = random.uniform(low, high)
        direction = random.normal(size=3) * (1, 1, 0.3)  # people are at about one height
        source = microphone + distance_m * direction / np.linalg.norm(direction)
        if (source >= low).all() and (source <= high).all():
            return _point(source), _point(microphone)
    raise HarkenError(f"nobody can be {distance_m} m away in a room of {room.size_m} m: enlarge it")


def balanced(response: F32, delay_s: float, direct_to_reverberant_db: float) -> F32:
    """`response` with its reverberation at so many decibels below the direct sound.

    The direct sound is what arrives within 2.5 ms of `delay_s`.
    """
    direct_end = int((delay_s + _DIRECT_S) * SAMPLE_RATE) + 1
    direct = float(np.square(response[:direct_end], dtype=np.float64).sum())
    rest = float(np.square(response[direct_end:], dtype=np.float64).sum())
    if rest == 0:
        return response
    gain = np.sqrt(direct / rest) * 10 ** (-direct_to_reverberant_db / 20)
    return np.concatenate([response[:direct_end], response[direct_end:] * np.float32(gain)])


def _sabine_absorption(size_m: Point, rt60_s: float) -> float:
    volume, surface = _volume_and_surface(size_m)
    return float(_SABINE * volume / (surface * rt60_s))


def _images(
    size: float, source: float, microphone: float, farthest_m: float
) -> tuple[F64, NDArray[np.int64]]:
    """Offsets of the images along one axis, and at how many walls each was reflected."""
    count = int(np.ceil(farthest_m / (2 * size))) + 1
    n = np.arange(-count, count + 1)
    offsets = np.concatenate([source + 2 * n * size, -source + 2 * n * size]) - microphone
    walls = np.concatenate([2 * np.abs(n), np.abs(n) + np.abs(n - 1)])
    near = np.abs(offsets) <= farthest_m
    return offsets[near], walls[near]


def _without_rest(response: F64) -> F32:
    """Second-order Butterworth high-pass, as a causal frequency response."""
    size = 2 * len(response)
    s = 1j * np.fft.rfftfreq(size, 1 / SAMPLE_RATE) / _HIGH_PASS_HZ
    kept = np.fft.irfft(np.fft.rfft(response, size) * s**2 / (s**2 + np.sqrt(2) * s + 1), size)
    return np.asarray(kept[: len(response)], np.float32)


def _volume_and_surface(size_m: Point) -> tuple[float, float]:
    a, b, c = size_m
    return a * b * c, 2 * (a * b + b * c + a * c)


def _point(values: F64) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z
