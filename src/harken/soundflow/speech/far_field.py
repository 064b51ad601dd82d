"""A sound from across the room: what distance, room, band, microphone and codec make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from harken.errors import HarkenError
from harken.soundflow.speech.channel import (
    F32,
    Band,
    Codec,
    band_limited,
    clipped,
    coded,
    with_noise,
)
from harken.soundflow.speech.rooms import (
    SOUND_M_PER_S,
    Room,
    balanced,
    impulse_response,
    placed,
)

FARTHEST_M = 6.0
"""The largest distance that `drawn_distance` draws."""

_NEAREST_M = 0.3
_PLAIN_SHARE = 0.7  # how often there is no codec and no band


@dataclass(frozen=True, slots=True)
class Distance:
    """Where a sound is and through what it is heard.

    Attributes:
        room: its size and reverberation.
        distance_m: from the source to the microphone.
        direct_to_reverberant_db: energy of the first 2.5 ms against what follows; None leaves it
            as the room makes it.
        band: of the device that transmits or plays.
        codec: of the line.
        noise_dbfs: of the microphone itself; None for no noise.
        overdrive_db: by how much the converter cuts the peaks; 0 cuts nothing.
    """

    room: Room
    distance_m: float
    direct_to_reverberant_db: float | None = None
    band: Band = "full"
    codec: Codec = "none"
    noise_dbfs: float | None = None
    overdrive_db: float = 0.0

    def __post_init__(self) -> None:
        if not self.distance_m > 0:
            raise HarkenError(f"a distance of {self.distance_m} m is none: use more than 0")


def drawn_distance(random: np.random.Generator) -> Distance:
    """A room of a home or an office and a place in it; equal seeds give equal distances.

    The balance is that of a source without direction, which falls with the distance over the
    room's critical distance, give or take the direction in which one speaks.
    """
    length_m, width_m = random.uniform(2.5, 8.0), random.uniform(2.5, 6.0)
    room = Room((length_m, width_m, random.uniform(2.3, 3.2)), random.uniform(0.15, 0.7))
    # Half of the shorter wall is always to be had, wherever the microphone stands.
    farthest_m = min(FARTHEST_M, 0.7 * max(length_m, width_m))
    distance_m = float(np.exp(random.uniform(np.log(_NEAREST_M), np.log(farthest_m))))
    balance_db = 20 * np.log10(room.critical_m / distance_m) + random.normal(2.0, 2.0)
    is_plain = random.random() < _PLAIN_SHARE
    bands: tuple[Band, ...] = get_args(Band)
    codecs: tuple[Codec, ...] = get_args(Codec)
    band = bands[0 if is_plain else random.integers(len(bands))]
    codec = codecs[0 if is_plain else random.integers(len(codecs))]
    return Distance(
        room=room,
        distance_m=distance_m,
        direct_to_reverberant_db=float(balance_db),
        band=band,
        codec=codec,
        noise_dbfs=float(random.uniform(-85, -60)),
        overdrive_db=float(random.uniform(1, 6)) if random.random() < 0.05 else 0.0,
    )


def heard_from(x: F32, distance: Distance, random: np.random.Generator) -> F32:
    """`x` float32[n] at 16 kHz as a microphone hears it from there, in the same length.

    The direct sound comes distance / 343 s later and 1 / distance (in metres) as strong; the
    reverberation after the end of `x` is cut. `random` places source and microphone in the room
    and makes the noise.

    Raises:
        HarkenError: the room is too small for the distance.
    """
    source, microphone = placed(distance.room, distance.distance_m, random)
    response = impulse_response(distance.room, source, microphone)
    if distance.direct_to_reverberant_db is not None:
        delay_s = distance.distance_m / SOUND_M_PER_S
        response = balanced(response, delay_s, distance.direct_to_reverberant_db)
    y = band_limited(convolved(x, response), distance.band)
    if distance.noise_dbfs is not None:
        y = with_noise(y, distance.noise_dbfs, random)
    return coded(clipped(y, distance.overdrive_db), distance.codec)


def convolved(x: F32, response: F32) -> F32:
    """`x` through an impulse response, cut to the length of `x`."""
    size = len(x) + len(response)
    spectrum = np.fft.rfft(x, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(x)], np.float32)
