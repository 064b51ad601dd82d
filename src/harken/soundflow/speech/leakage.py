"""Our own voice in our own microphone: what the loudspeaker says comes back, later and thinner.

A listener that hears it must stay silent. A composer lays `leaked` over the stream from the moment
the reply begins to play.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harken.errors import HarkenError
from harken.soundflow.speech.channel import F32, Band, band_limited
from harken.soundflow.speech.far_field import convolved
from harken.soundflow.speech.rooms import Room, impulse_response, placed
from harken.stream import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Canceller:
    """An echo canceller, which knows what is played and takes the linear echo out.

    Attributes:
        attenuation_db: by how much, once it has adapted.
        residue_db: level of the loudspeaker's distortion against the linear echo; a linear
            canceller cannot take it out.
        adaptation_s: until then the attenuation grows evenly in decibels from none.
    """

    attenuation_db: float
    residue_db: float = -35.0
    adaptation_s: float = 0.0

    def __post_init__(self) -> None:
        if self.attenuation_db < 0 or self.adaptation_s < 0:
            raise HarkenError(f"{self} amplifies or adapts backwards: use 0 or more")


@dataclass(frozen=True, slots=True)
class Leakage:
    """The way from the loudspeaker to the microphone.

    Attributes:
        delay_s: of the sound device and the air together.
        gain_db: level in the microphone against what was played.
        band: of the loudspeaker.
        room: reflects the echo; None for a microphone right beside the loudspeaker.
        distance_m: between the two, used with a room alone.
        canceller: None when nothing takes the echo out.
    """

    delay_s: float
    gain_db: float
    band: Band = "small_speaker"
    room: Room | None = None
    distance_m: float = 0.3
    canceller: Canceller | None = None

    def __post_init__(self) -> None:
        if self.delay_s < 0:
            raise HarkenError(f"an echo {self.delay_s} s late would come first: use 0 or more")


def leaked(own: F32, leakage: Leakage, random: np.random.Generator) -> F32:
    """What the microphone hears of `own` float32[n] at 16 kHz: float32[delay + n + decay].

    The gain and the delay hold for the direct echo; equal seeds give equal echoes. Without a room
    there is no decay.
    """
    response = _response(leakage, random)
    played = np.pad(band_limited(own, leakage.band), (0, len(response) - 1))
    echo = convolved(played, response)
    if leakage.canceller is not None:
        residue = convolved(distortion(played), response)
        echo = _cancelled(echo, residue, leakage.canceller)
    delay = round(leakage.delay_s * SAMPLE_RATE)
    return np.asarray(np.pad(echo, (delay, 0)) * 10 ** (leakage.gain_db / 20), np.float32)


def overlaid(
    stream: F32, own: F32, start_sample: int, leakage: Leakage, random: np.random.Generator
) -> F32:
    """`stream` with the echo of `own`, which begins to play at `start_sample`; same length.

    Raises:
        HarkenError: the voice would begin before the stream.
    """
    if start_sample < 0:
        raise HarkenError(f"the voice cannot begin at sample {start_sample}: use 0 or more")
    echo = leaked(own, leakage, random)
    heard = stream.copy()
    room_for = heard[start_sample : start_sample + len(echo)]
    room_for += echo[: len(room_for)]
    return heard


def drawn_leakage(random: np.random.Generator) -> Leakage:
    """A device in a room; two in three have a canceller. Equal seeds give equal leakage."""
    room = Room((random.uniform(3, 7), random.uniform(2.5, 5), 2.5), random.uniform(0.15, 0.5))
    canceller = Canceller(
        attenuation_db=float(random.uniform(15, 40)),
        residue_db=float(random.uniform(-45, -25)),
        adaptation_s=float(random.uniform(0, 1.5)),
    )
    return Leakage(
        delay_s=float(random.uniform(0.02, 0.25)),
        gain_db=float(random.uniform(-30, -6)),
        band="small_speaker" if random.random() < 0.7 else "full",
        room=room,
        distance_m=float(random.uniform(0.1, 1.0)),
        canceller=canceller if random.random() < 2 / 3 else None,
    )


def distortion(x: F32) -> F32:
    """What a driven loudspeaker adds to `x`, without the part that is `x` itself.

    A cubic and a square law (third and second harmonic), made orthogonal to `x`, at the level
    of `x`.
    """
    peak = float(np.abs(x).max(initial=0.0))
    if peak == 0:
        return x
    unit = x.astype(np.float64) / peak
    bent = unit**3 + 0.5 * unit**2
    bent -= unit * float(bent @ unit) / float(unit @ unit)
    power = float(bent @ bent)
    if power == 0:
        return np.zeros_like(x)
    return np.asarray(bent * peak * np.sqrt(float(unit @ unit) / power), np.float32)


def _response(leakage: Leakage, random: np.random.Generator) -> F32:
    if leakage.room is None:
        return np.ones(1, np.float32)
    response = impulse_response(leakage.room, *placed(leakage.room, leakage.distance_m, random))
    # The way through the air is in the delay and the gain already.
    direct = int(np.abs(response).argmax())
    return np.asarray(response[direct:] / response[direct], np.float32)


def _cancelled(echo: F32, residue: F32, canceller: Canceller) -> F32:
    since_s = np.arange(len(echo)) / SAMPLE_RATE
    adapted = np.clip(since_s / max(canceller.adaptation_s, 1 / SAMPLE_RATE), 0, 1)
    linear = echo * 10 ** (-canceller.attenuation_db * adapted / 20)
    return np.asarray(linear + residue * 10 ** (canceller.residue_db / 20), np.float32)
