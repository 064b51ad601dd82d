"""Sounds made by rule: alarms, rings and machines from tones, weather and impacts from noise.

Each function takes a random generator, which decides the details, and a length in seconds; it gives
float32 [round(seconds * 16000)] with a peak of 1 and soft ends. Equal generators give equal sounds.
`harken.soundflow.generate` has the older ones, which choose their own length.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from harken.soundflow.vary import in_room
from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Sound = Callable[[np.random.Generator, float], F32]

_FADE_S = 0.005


def carbon_monoxide_alarm(random: np.random.Generator, seconds: float) -> F32:
    """Temporal-four (NFPA 72, UL 2034): four pips of 0.1 s, 0.1 s apart, then a pause of 5 s."""
    t = _time(seconds)
    in_cycle = t % 5.7
    pip = (in_cycle < 0.7) & (in_cycle % 0.2 < 0.1)
    phase = 2 * np.pi * random.uniform(3000, 3400) * t
    tone = np.sin(phase) + 0.3 * np.sin(2 * phase)
    return _finished(tone * _smoothed(pip.astype(np.float64), 0.004))


def siren_wail(random: np.random.Generator, seconds: float) -> F32:
    """A slow rise and fall, 11 to 15 times a minute, over somewhat more than an octave."""
    return _swept(random, seconds, random.uniform(11, 15) / 60)


def siren_yelp(random: np.random.Generator, seconds: float) -> F32:
    """The same sweep 150 to 200 times a minute."""
    return _swept(random, seconds, random.uniform(150, 200) / 60)


def siren_hi_lo(random: np.random.Generator, seconds: float) -> F32:
    """Two tones about a fourth apart, each for 0.45 to 0.65 s."""
    t = _time(seconds)
    high, each_s = random.uniform(540, 660), random.uniform(0.45, 0.65)
    pitch = np.where(t // each_s % 2 == 0, high, high * 0.75)
    return _horn(_smoothed(pitch, 0.01))


def telephone_ring(random: np.random.Generator, seconds: float) -> F32:
    """A clapper between two bells, 20 strokes a second, 2 s long and again after 2 s."""
    t = _time(seconds)
    low, rate = random.uniform(1000, 1250), random.uniform(18, 22)
    ring_s = np.arange(0, 0.5, 1 / SAMPLE_RATE)
    ring = np.zeros(len(t))
    for side, pitch in enumerate((low, low * random.uniform(1.2, 1.3))):
        strokes = np.zeros(len(t))
        at = np.arange(side / rate, seconds, 2 / rate)
        at = at[at % 4 < 2]
        strokes[(at * SAMPLE_RATE).astype(int)] = random.uniform(0.8, 1, len(at))
        bell = np.zeros(len(ring_s))
        for ratio, level, decay in (
            (1, 1, 9),
            (1.6, 0.5, 12),
            (2.3, 0.8, 14),
            (3.4, 0.5, 20),
            (4.6, 0.3, 30),
        ):
            bell += level * np.sin(2 * np.pi * pitch * ratio * ring_s) * np.exp(-decay * ring_s)
        ring += _convolved(strokes, bell)
    return _finished(ring)


def clock_tick(random: np.random.Generator, seconds: float) -> F32:
    """Four to five ticks a second, every other one lower: a mechanical clock."""
    per_s = random.uniform(4.0, 5.0)
    body = random.uniform(3200, 4200)
    x = np.zeros(len(_time(seconds)))
    for index, at in enumerate(np.arange(0.05, seconds, 1 / per_s)):
        pitch = body * (1.0 if index % 2 == 0 else 0.9)
        t = _time(0.03)
        tick = random.normal(size=len(t)) * np.exp(-700 * t)
        for ratio, level, decay in ((0.55, 0.2, 400), (1, 0.6, 300), (1.7, 0.4, 400)):
            tick += level * np.sin(2 * np.pi * pitch * ratio * t) * np.exp(-decay * t)
        _put(x, tick, at)
        _put(x, 0.5 * tick, at + 0.015)
    return _finished(x + 0.004 * random.normal(size=len(x)))


def mains_hum(random: np.random.Generator, seconds: float) -> F32:
    """A transformer at 50 or 60 Hz: the harmonics up to 5 kHz, even ones louder, swelling with
    the field twice a period, in the faint noise of a room."""
    t = _time(seconds)
    mains = random.choice([50.0, 60.0]) * random.uniform(0.999, 1.001)
    x = np.zeros(len(t))
    for number in range(1, int(5000 / mains)):
        level = (1.0 if number % 2 == 0 else 0.3) / max(1.0, number / 2) ** 1.3
        level *= random.uniform(0.6, 1)
        x += level * np.sin(2 * np.pi * mains * number * t + random.uniform(0, 2 * np.pi))
    x *= 1 + 0.9 * np.sin(4 * np.pi * mains * t)
    x -= x.mean()
    return _finished(x / x.std() + 0.28 * _noise(random, len(t), lambda f: f**-0.75))


def drips(random: np.random.Generator, seconds: float) -> F32:
    """Drops into water in a bare room, one in 0.8 to 1.5 s: short bubbles whose pitch
    rises (van den Doel 2005), the first drop followed by smaller ones."""
    x = np.zeros(len(_time(seconds)))
    at, period_s = random.uniform(0.05, 0.2), random.uniform(1.1, 1.3)
    base = random.uniform(850, 900)
    while at < seconds:
        late_s = 0.0
        for level in (1.0, 0.6, 0.36):
            t = _time(0.12)
            phase = 2 * np.pi * base * random.uniform(1, 1.09) * (t + 1.68 * t**2)
            bubble = np.sin(phase) * np.exp(-171 * t) * np.minimum(1, t * 545)
            splash = _noise(random, len(t), lambda f: f**0.1) * np.exp(-2400 * t)
            _put(x, level * (bubble + 0.52 * splash), at + late_s)
            late_s += random.uniform(0.02, 0.08)
        at += period_s * random.uniform(0.7, 1.3)
    x = _in_room(x, random, 0.44, 0.0)
    x /= max(1e-9, float(np.abs(x).max(initial=0)))
    return _finished(x + 0.014 * random.normal(size=len(x)))


def rain(random: np.random.Generator, seconds: float) -> F32:
    """A hiss that is nearly flat to 8 kHz, and single drops upon it, some 150 a second."""
    n = len(_time(seconds))
    hiss = _noise(random, n, lambda f: (f / 1000 + 0.3) ** -0.35 * (f > 150))
    patter = np.zeros(n)
    t = _time(0.01)
    for pitch in random.uniform(1500, 6500, 6):
        drops = np.zeros(n)
        count = int(random.poisson(25 * seconds))
        at = random.integers(0, n, count)
        drops[at] = random.pareto(3, count) * random.choice([-1, 1], count)
        patter += _convolved(drops, np.exp(-600 * t) * np.sin(2 * np.pi * pitch * t))
    return _finished(hiss + 0.35 * patter / max(1e-9, float(patter.std())))


def wind(random: np.random.Generator, seconds: float) -> F32:
    """Gusts: low noise that swells over seconds, with a faint whistle that rises in the gusts."""
    n = len(_time(seconds))
    gust = 0.5 + 0.5 * _drift(random, n, 0.35)
    rumble = _noise(random, n, lambda f: (np.maximum(f, 40) / 200) ** -1.3 * (f > 40))
    pitch = 350 + 350 * gust + 30 * _drift(random, n, 2.0)
    tone = np.exp(2j * np.pi * np.cumsum(pitch) / SAMPLE_RATE)
    breath = _noise(random, n, lambda f: np.exp(-((f / 60) ** 2)))
    return _finished(rumble * (0.25 + gust) + 0.7 * breath * gust**2 * tone.real)


def fire_crackle(random: np.random.Generator, seconds: float) -> F32:
    """Crackles of 1 to 10 ms at random, few of them loud, over a low roar."""
    n = len(_time(seconds))
    x = np.zeros(n)
    for at in np.sort(random.uniform(0, seconds, int(random.poisson(22 * seconds)))):
        t = _time(0.03)
        snap = random.normal(size=len(t)) * np.exp(-random.uniform(150, 700) * t)
        _put(x, min(12.0, 0.4 + random.pareto(1.6)) * snap, float(at))
    roar = _noise(random, n, lambda f: (np.maximum(f, 60) / 200) ** -1.0 * (f > 50))
    flicker = 0.6 + 0.4 * _drift(random, n, 4.0)
    return _finished(x + 0.25 * roar * flicker)


def glass_burst(random: np.random.Generator, seconds: float) -> F32:
    """A pane that breaks: a crash, then shards ringing between 2 and 7.5 kHz, ever fewer."""
    x = np.zeros(len(_time(seconds)))
    t = _time(0.5)
    crash = _noise(random, len(t), lambda f: (f / 3000) ** 0.5 * (f > 300))
    _put(x, 1.2 * crash * np.exp(-14 * t), 0.0)
    last_s = min(seconds * 0.8, 1.2)
    later = random.exponential(last_s / 3.5, 140)
    later = later[later < last_s]
    for at in np.append(np.zeros(30), later):
        t = _time(0.2)
        shard = 0.5 * random.normal(size=len(t)) * np.exp(-500 * t)
        decay = random.uniform(40, 200)
        for pitch in random.uniform(2000, 7500, 4):
            shard += 0.5 * np.sin(2 * np.pi * pitch * t) * np.exp(-decay * t)
        _put(x, random.uniform(0.1, 0.7) * np.exp(-2 * at / last_s) * shard, float(at))
    return _finished(_in_room(x, random, 0.3, 6.0))


def footsteps(random: np.random.Generator, seconds: float) -> F32:
    """Walking outdoors, 1.3 to 1.6 steps a second: heel, the sole rolling off, faint noise."""
    x = np.zeros(len(_time(seconds)))
    step_s, body = random.uniform(0.64, 0.76), random.uniform(340, 460)
    at = 0.05
    while at < seconds:
        t = _time(0.3)
        level = random.uniform(0.7, 1)
        heel = _noise(random, len(t), lambda f: np.exp(-((np.log(f / body) / 0.27) ** 2)))
        _put(x, level * heel * np.exp(-160 * t) * np.minimum(1, t * 900), at)
        sole = _noise(random, len(t), lambda f: np.exp(-((np.log(f / 1150) / 0.8) ** 2)))
        _put(x, 0.28 * level * sole * np.exp(-23 * t) * np.minimum(1, t * 40), at + 0.06)
        at += random.normal(step_s, 0.02)
    x /= max(1e-9, float(np.abs(x).max(initial=0)))
    return _finished(x + 0.03 * random.normal(size=len(x)))


def steam_whistle(random: np.random.Generator, seconds: float) -> F32:
    """A chord of three pipes, sliding up as the steam comes, within the hiss of the steam."""
    t = _time(seconds)
    slide = 1 - 0.12 * np.exp(-12 * t) - 0.1 * np.exp(-12 * t[::-1])
    root = random.uniform(480, 620)
    chord = np.zeros(len(t))
    for ratio in (1.0, 1.25, 1.5):
        wobble = 1 + 0.004 * _drift(random, len(t), 6.0)
        phase = 2 * np.pi * np.cumsum(root * ratio * slide * wobble) / SAMPLE_RATE
        chord += np.sin(phase) + 0.3 * np.sin(2 * phase) + 0.15 * np.sin(3 * phase)
    hiss = _noise(random, len(t), lambda f: f / (f + 2000))
    swell = np.minimum(1, np.minimum(t * 8, t[::-1] * 6))
    return _finished((chord + 0.5 * hiss) * swell)


def _time(seconds: float) -> F64:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _finished(x: F64) -> F32:
    """Peak 1, rising from and falling to zero over 5 ms."""
    fade = min(len(x) // 2, int(_FADE_S * SAMPLE_RATE))
    rise = np.linspace(0, 1, fade, endpoint=False)
    y = x.copy()
    y[:fade] *= rise
    y[len(y) - fade :] *= rise[::-1]
    peaked: F32 = (y / max(1e-9, float(np.abs(y).max(initial=0)))).astype(np.float32)
    return peaked


def _swept(random: np.random.Generator, seconds: float, rate: float) -> F32:
    low, high = random.uniform(550, 700), random.uniform(1350, 1600)
    up = 0.5 - 0.5 * np.cos(2 * np.pi * rate * _time(seconds))
    return _horn(low * (high / low) ** up)


def _horn(pitch: F64) -> F32:
    """A horn at `pitch` Hz [n]: a saw-like tone with the harmonics below 7.5 kHz."""
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    x = np.zeros(len(pitch))
    for number in range(1, 7):
        # A harmonic that rises out of hearing fades: cut off, it would click.
        level = np.clip((7500 - pitch * number) / 1000, 0, 1) / number**1.3
        x += level * np.sin(number * phase)
    return _finished(x)


def _put(x: F64, sound: F64, at_s: float) -> None:
    """Add `sound` to `x` from that second on, as far as it fits."""
    start = int(at_s * SAMPLE_RATE)
    end = min(len(x), start + len(sound))
    if start < end:
        x[start:end] += sound[: end - start]


def _noise(random: np.random.Generator, n: int, gain: Callable[[F64], F64]) -> F64:
    """n samples of noise whose magnitude over frequency is `gain`, root mean square 1."""
    f = np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 1.0)
    x = np.fft.irfft(np.fft.rfft(random.normal(size=n)) * gain(f), n)
    shaped: F64 = x / max(1e-9, float(x.std()))
    return shaped


def _drift(random: np.random.Generator, n: int, hz: float) -> F64:
    """n samples between -1 and 1 that wander about `hz` times a second."""
    knots = random.uniform(-1, 1, int(n * hz / SAMPLE_RATE) + 4)
    at = np.arange(n) * hz / SAMPLE_RATE
    # A raised cosine between the knots: no corners, which would be heard.
    low = at.astype(int)
    share = 0.5 - 0.5 * np.cos(np.pi * (at - low))
    wandered: F64 = knots[low] * (1 - share) + knots[low + 1] * share
    return wandered


def _in_room(x: F64, random: np.random.Generator, decay_s: float, direct_db: float) -> F64:
    return in_room(x.astype(np.float32), decay_s, direct_db, random).astype(np.float64)


def _convolved(x: F64, kernel: F64) -> F64:
    size = len(x) + len(kernel)
    y: F64 = np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(kernel, size), size)[: len(x)]
    return y


def _smoothed(x: F64, seconds: float) -> F64:
    """`x` averaged over so many seconds, its ends held."""
    width = max(1, int(seconds * SAMPLE_RATE))
    padded: Sequence[float] | F64 = np.pad(x, (width // 2, width - 1 - width // 2), mode="edge")
    smooth: F64 = np.convolve(padded, np.full(width, 1 / width), "valid")
    return smooth


SOUNDS: dict[str, Sound] = {
    "carbon_monoxide_alarm": carbon_monoxide_alarm,
    "siren_wail": siren_wail,
    "siren_yelp": siren_yelp,
    "siren_hi_lo": siren_hi_lo,
    "telephone_ring": telephone_ring,
    "clock_tick": clock_tick,
    "mains_hum": mains_hum,
    "drips": drips,
    "rain": rain,
    "wind": wind,
    "fire_crackle": fire_crackle,
    "glass_burst": glass_burst,
    "footsteps": footsteps,
    "steam_whistle": steam_whistle,
}
