"""Every made sound is measured to be what it claims: pitch, rates, slopes, onsets, decays."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.soundflow.bursts import bursts
from harken.soundflow.ground.procedural import SOUNDS
from harken.stream import SAMPLE_RATE

F64 = np.ndarray
SEEDS = range(4)


def made(name: str, seed: int, seconds: float = 4.0) -> F64:
    return SOUNDS[name](np.random.default_rng(seed), seconds).astype(np.float64)


def envelope(x: F64, frame_s: float = 0.005) -> F64:
    """Root mean square of each frame."""
    size = int(frame_s * SAMPLE_RATE)
    return np.sqrt(np.square(x[: len(x) // size * size].reshape(-1, size)).mean(1))


def rate_of(curve: F64, per_s: float, low: float, high: float, points: int = 1 << 16) -> float:
    """The strongest frequency of a curve between `low` and `high`, in Hz."""
    spectrum = np.abs(np.fft.rfft((curve - curve.mean()) * np.hanning(len(curve)), points))
    f = np.fft.rfftfreq(points, 1 / per_s)
    inside = (f >= low) & (f <= high)
    return float(f[inside][np.argmax(spectrum[inside])])


def pitch(x: F64, low: float, high: float) -> float:
    return rate_of(x, SAMPLE_RATE, low, high)


def pitches(x: F64, low: float, high: float, frame_s: float = 0.05) -> F64:
    """The strongest frequency of each frame."""
    size = int(frame_s * SAMPLE_RATE)
    frames = x[: len(x) // size * size].reshape(-1, size)
    return np.array([rate_of(f, SAMPLE_RATE, low, high, 1 << 12) for f in frames])


def share(x: F64, low: float, high: float) -> float:
    """Which share of the energy lies between two frequencies."""
    power = np.square(np.abs(np.fft.rfft(x)))
    f = np.fft.rfftfreq(len(x), 1 / SAMPLE_RATE)
    return float(power[(f >= low) & (f < high)].sum() / power.sum())


def slope_db(x: F64, low: float, high: float) -> float:
    """Fall of the power density in dB an octave between two frequencies."""
    power = np.square(np.abs(np.fft.rfft(x)))
    f = np.fft.rfftfreq(len(x), 1 / SAMPLE_RATE)
    edges = low * 2 ** (np.arange(0, np.log2(high / low) + 0.01, 0.5))
    pairs = list(pairwise(edges))
    levels = [10 * np.log10(power[(f >= a) & (f < b)].mean()) for a, b in pairs]
    return float(np.polyfit(np.arange(len(levels)) / 2, levels, 1)[0])


def onsets(x: F64, rise: float = 3.0, apart_s: float = 0.1) -> F64:
    """Seconds at which a frame is `rise` times as loud as the one before and not faint."""
    level = envelope(x, 0.01)
    up = np.flatnonzero((level[1:] > rise * level[:-1]) & (level[1:] > 0.1 * level.max())) + 1
    kept: list[int] = []
    for at in up:
        if not kept or at - kept[-1] >= apart_s * 100:
            kept.append(int(at))
    return np.array(kept) / 100


BURSTS = {"glass_burst": 0.25, "fire_crackle": 0.25}
"""They may be loudest within the fade, and are so louder at its start against what is left."""


@settings(max_examples=28)
@given(st.sampled_from(sorted(SOUNDS)), st.integers(0, 2**32 - 1), st.floats(0.3, 3.0))
def test_any_sound_has_its_length_a_peak_of_one_and_soft_ends(
    name: str, seed: int, seconds: float
) -> None:
    x = SOUNDS[name](np.random.default_rng(seed), seconds)
    assert x.dtype == np.float32 and len(x) == round(seconds * SAMPLE_RATE)
    assert np.isfinite(x).all() and np.abs(x).max() == pytest.approx(1)
    assert x[0] == 0 and abs(x[-1]) < 0.02
    bound = BURSTS.get(name, 0.12)
    assert np.abs(x[:8]).max() < bound and np.abs(x[-8:]).max() < bound, "no click at the ends"
    assert np.array_equal(x, SOUNDS[name](np.random.default_rng(seed), seconds))


@pytest.mark.parametrize("name", sorted(SOUNDS))
def test_another_draw_is_another_sound(name: str) -> None:
    assert not np.allclose(made(name, 1, 1.0), made(name, 2, 1.0))


@pytest.mark.parametrize("seed", SEEDS)
def test_carbon_monoxide_alarm_is_four_pips_and_five_seconds_of_silence(seed: int) -> None:
    x = made("carbon_monoxide_alarm", seed, 12.0)
    loud = envelope(x) > 0.1
    edges = np.flatnonzero(np.diff(np.r_[0, loud.astype(int), 0])).reshape(-1, 2) * 0.005
    assert len(edges) == 4 + 4 + 3, "two groups, and what fits of the third"
    assert np.diff(edges, axis=1)[:8] == pytest.approx(0.1, abs=0.012)
    assert np.diff(edges[:4, 0]) == pytest.approx(0.2, abs=0.01)
    assert edges[4, 0] - edges[3, 1] == pytest.approx(5.0, abs=0.02)
    assert 2950 < pitch(x, 500, 7900) < 3450


@pytest.mark.parametrize("seed", SEEDS)
def test_sirens_sweep_at_their_own_rates(seed: int) -> None:
    wail = pitches(made("siren_wail", seed, 12.0), 500, 1700)
    assert 0.17 < rate_of(wail, 20, 0.08, 5) < 0.27
    yelp = pitches(made("siren_yelp", seed), 500, 1700, 0.025)
    assert 2.4 < rate_of(yelp, 40, 0.3, 10) < 3.5
    for sweep in (wail, yelp):
        assert 480 < sweep.min() < 760 and 1250 < sweep.max() < 1700
        assert (np.abs(np.diff(sweep)) < 450).all(), "it glides"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_hi_lo_siren_has_two_pitches_a_fourth_apart(seed: int) -> None:
    found = pitches(made("siren_hi_lo", seed), 350, 700)
    high, low = np.percentile(found, 90), np.percentile(found, 10)
    assert high / low == pytest.approx(4 / 3, rel=0.03)
    near = np.minimum(np.abs(found / high - 1), np.abs(found / low - 1)) < 0.04
    assert near.mean() > 0.8, "it steps, it does not glide"
    assert 0.75 < rate_of(found, 20, 0.3, 5) < 1.15


@pytest.mark.parametrize("seed", SEEDS)
def test_a_telephone_rings_for_two_seconds_in_twenty_strokes_a_second(seed: int) -> None:
    x = made("telephone_ring", seed, 6.0)
    first, second = bursts(x.astype(np.float32))
    assert first[1] / SAMPLE_RATE == pytest.approx(2.2, abs=0.3)
    assert second[0] / SAMPLE_RATE == pytest.approx(4.0, abs=0.05)
    ringing = x[: 2 * SAMPLE_RATE]
    fine = envelope(ringing, 0.0025)
    assert 17.5 < rate_of(fine, 400, 12, 35) < 22.5
    low, high = pitch(ringing, 950, 1240), pitch(ringing, 1240, 1700)
    assert 1.1 < high / low < 1.4, "two bells"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clock_ticks_four_to_five_times_a_second_and_briefly(seed: int) -> None:
    x = made("clock_tick", seed)
    gaps = np.diff(onsets(x))
    assert 1 / 5.1 < np.median(gaps) < 1 / 3.9
    assert np.std(gaps) < 0.02, "regular"
    assert (envelope(x) < 0.05).mean() > 0.7, "mostly silence"
    assert share(x, 1500, 8000) > 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_mains_hum_is_made_of_multiples_of_the_mains(seed: int) -> None:
    x = made("mains_hum", seed)
    mains = pitch(x, 80, 135) / 2
    assert min(abs(mains - 50), abs(mains - 60)) < 0.2
    harmonics = sum(share(x, n * mains - 3, n * mains + 3) for n in range(1, 40))
    assert harmonics > 0.75
    level = envelope(x, 0.1)
    assert level.std() / level.mean() < 0.1, "steady"
    assert share(x, 1000, 8000) < 0.3


@pytest.mark.parametrize("seed", SEEDS)
def test_drips_are_short_bubbles_at_about_a_kilohertz(seed: int) -> None:
    x = made("drips", seed, 9.0)
    gaps = np.diff(onsets(x, rise=3.0, apart_s=0.4))
    assert gaps.min() > 0.75 and gaps.max() < 1.75 and gaps.std() > 0.02
    at = int((onsets(x, rise=3.0, apart_s=0.4)[0] - 0.01) * SAMPLE_RATE)
    drop = x[at : at + 6400]
    assert 750 < pitch(drop, 300, 5000) < 1200
    level = envelope(drop, 0.01)
    assert level[30:].mean() < 0.25 * level.max(), "it has died away after 0.3 s"


@pytest.mark.parametrize("seed", SEEDS)
def test_rain_is_a_steady_and_nearly_flat_noise(seed: int) -> None:
    x = made("rain", seed)
    assert -6 < slope_db(x, 250, 7500) < 3
    level = envelope(x, 0.1)
    assert level.std() / level.mean() < 0.25
    assert np.abs(x).max() / x.std() > 4, "drops stand out of it"


@pytest.mark.parametrize("seed", SEEDS)
def test_wind_is_low_and_swells_slowly(seed: int) -> None:
    x = made("wind", seed, 8.0)
    assert slope_db(x, 125, 4000) < -4
    assert share(x, 0, 1000) > 0.8
    level = envelope(x, 0.2)
    assert level.max() / level.min() > 1.8
    slow = np.square(np.abs(np.fft.rfft(level - level.mean())))
    f = np.fft.rfftfreq(len(level), 0.2)
    assert slow[f < 1].sum() / slow.sum() > 0.6


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fire_crackles_irregularly_over_a_low_roar(seed: int) -> None:
    x = made("fire_crackle", seed, 6.0)
    at = onsets(x, rise=2.0, apart_s=0.02)
    gaps = np.diff(at)
    assert 1 < len(at) / 6 < 25
    assert gaps.std() / gaps.mean() > 0.5, "no rhythm"
    fine = envelope(x, 0.002)
    assert fine.max() / np.median(fine) > 8
    quiet = x.reshape(-1, 320)[np.argsort(np.abs(x.reshape(-1, 320)).max(1))[:100]]
    assert np.mean([share(frame, 0, 1500) for frame in quiet]) > 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_glass_bursts_at_once_and_rings_out_high(seed: int) -> None:
    x = made("glass_burst", seed, 2.0)
    level = envelope(x, 0.02)
    assert np.argmax(level) <= 2
    assert level[80:].max() < 0.02 * level.max(), "gone after 1.6 s"
    assert share(x, 1500, 8000) > 0.8
    early, late = level[:25].mean(), level[25:50].mean()
    assert 0.01 < late / early < 0.5, "it decays, and tinkles on"


@pytest.mark.parametrize("seed", SEEDS)
def test_footsteps_come_as_people_walk(seed: int) -> None:
    x = made("footsteps", seed, 6.0)
    gaps = np.diff(onsets(x, rise=2.0, apart_s=0.4))
    assert 0.6 < np.median(gaps) < 0.8
    assert 0.003 < np.std(gaps) < 0.1, "regular, though no machine"
    assert share(x, 150, 2500) > 0.6


@pytest.mark.parametrize("seed", SEEDS)
def test_a_steam_whistle_is_a_chord_within_a_hiss(seed: int) -> None:
    x = made("steam_whistle", seed, 2.0)
    middle = x[SAMPLE_RATE // 2 : 3 * SAMPLE_RATE // 2]
    root = pitch(middle, 470, 630)
    for ratio in (1.25, 1.5):
        assert pitch(middle, root * (ratio - 0.1), root * (ratio + 0.1)) == pytest.approx(
            root * ratio, rel=0.02
        )
    assert pitch(x[:1200], 400, 630) < 0.98 * root, "it slides up"
    assert 0.002 < share(middle, 4000, 8000) < 0.2
    assert envelope(x, 0.05)[1:3].mean() < envelope(x, 0.05)[10:20].mean()
