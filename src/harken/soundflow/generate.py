"""Sounds made by rule for categories that recordings lack: alarms, sirens, doorbells, knocks.

Each function returns float32 [n] at 16 kHz with a peak of 1; `random` decides its details.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]


def _time(seconds: float) -> npt.NDArray[np.float64]:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _peak(x: npt.NDArray[np.float64]) -> F32:
    y: F32 = (x / max(1e-9, float(np.abs(x).max()))).astype(np.float32)
    return y


def _pause(seconds: float) -> npt.NDArray[np.float64]:
    return np.zeros(int(seconds * SAMPLE_RATE))


def smoke_alarm(random: np.random.Generator) -> F32:
    """Temporal-three pattern (ISO 8201): three half-second tones near 3.1 kHz, then a pause."""
    pitch = random.uniform(2900, 3400)
    t = _time(0.5)
    tone = np.sign(np.sin(2 * np.pi * pitch * t)) * 0.5 + np.sin(2 * np.pi * pitch * t)
    edge = np.minimum(1, np.minimum(t, t[::-1]) * 200)
    beep = tone * edge
    gap = _pause(0.5)
    return _peak(np.concatenate([beep, gap, beep, gap, beep, _pause(1.0)]))


def siren(random: np.random.Generator) -> F32:
    """A wail, a yelp or a two-tone horn of 3 to 5 s with two harmonics."""
    t = _time(random.uniform(3, 5))
    low, high = random.uniform(500, 700), random.uniform(1200, 1600)
    style = random.integers(3)
    if style == 2:
        pitch = np.where((t * random.uniform(1.0, 1.8)) % 1 < 0.5, low * 0.75, low)
    else:
        rate = random.uniform(0.2, 0.35) if style == 0 else random.uniform(2.5, 4)
        pitch = low + (high - low) * (0.5 - 0.5 * np.cos(2 * np.pi * rate * t))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    return _peak(np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase))


def alarm_clock(random: np.random.Generator) -> F32:
    """Groups of four short beeps at 1 to 2.4 kHz."""
    pitch, t = random.uniform(1000, 2400), _time(random.uniform(0.07, 0.12))
    beep = np.sign(np.sin(2 * np.pi * pitch * t)) * np.minimum(1, np.minimum(t, t[::-1]) * 500)
    group = np.concatenate([np.concatenate([beep, _pause(0.08)])] * 4 + [_pause(0.4)])
    return _peak(np.tile(group, int(random.integers(2, 4))))


def doorbell(random: np.random.Generator) -> F32:
    """Ding, dong: two struck bars a third apart, each with inharmonic partials."""
    high = random.uniform(600, 900)

    def struck(pitch: float, seconds: float) -> npt.NDArray[np.float64]:
        t = _time(seconds)
        partials = ((1, 1.0, 3.0), (2.76, 0.35, 6.0), (5.4, 0.12, 12.0))
        sounding = np.zeros(len(t))
        for multiple, amplitude, decay in partials:
            sounding += amplitude * np.sin(2 * np.pi * pitch * multiple * t) * np.exp(-decay * t)
        return sounding

    first, second = struck(high, 0.55), struck(high * random.choice([0.8, 0.75]), 1.2)
    return _peak(np.concatenate([first, second]))


def knock(random: np.random.Generator) -> F32:
    """Two to four raps on wood: decaying low resonances with a noisy onset."""
    body = random.uniform(150, 320)
    raps = []
    for _ in range(int(random.integers(2, 5))):
        t = _time(random.uniform(0.16, 0.24))
        thud = np.sin(2 * np.pi * body * t) + 0.6 * np.sin(2 * np.pi * body * 2.3 * t)
        click = random.normal(size=len(t)) * np.exp(-t * 300)
        raps.append((thud * np.exp(-t * 45) + 0.7 * click) * random.uniform(0.7, 1))
    return _peak(np.concatenate(raps))


def beep(random: np.random.Generator) -> F32:
    """One plain tone of 0.15 to 0.5 s."""
    t = _time(random.uniform(0.15, 0.5))
    edge = np.minimum(1, np.minimum(t, t[::-1]) * 200)
    return _peak(np.sin(2 * np.pi * random.uniform(600, 2000) * t) * edge)


def noise_bed(random: np.random.Generator, n: int) -> F32:
    """n samples of noise with a slope between white and brown, root mean square 1."""
    spectrum = np.fft.rfft(random.normal(size=n))
    f = np.maximum(np.arange(len(spectrum)), 1.0)
    shaped = np.fft.irfft(spectrum / f ** random.uniform(0, 1), n)
    bed: F32 = (shaped / max(1e-9, float(shaped.std()))).astype(np.float32)
    return bed


GENERATORS: dict[str, Callable[[np.random.Generator], F32]] = {
    "smoke_alarm": smoke_alarm,
    "siren_or_fire_station": siren,
    "alarm_clock_or_alarm": alarm_clock,
    "doorbell": doorbell,
    "knock": knock,
    "beep": beep,
}
