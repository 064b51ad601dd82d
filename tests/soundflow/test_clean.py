"""Cleaning clips: what it promises of any clip, and what it does to known ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.soundflow.clean import (
    GRID_SAMPLES,
    LONGEST_SILENCE_SAMPLES,
    clean,
    denoise,
    frame_power,
    noise_profile,
    silence_cut,
    spec_smooth,
)
from harken.stream import SAMPLE_RATE

F32 = np.ndarray


def burst(random: np.random.Generator, seconds: float, level: float, hz: float) -> F32:
    """A struck tone: sudden, then decaying."""
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * hz * t) + 0.3 * random.standard_normal(len(t))
    return (level * tone * np.exp(-3 * t / seconds)).astype(np.float32)


def noise(random: np.random.Generator, seconds: float, level: float) -> F32:
    return (level * random.standard_normal(int(seconds * SAMPLE_RATE))).astype(np.float32)


@st.composite
def clips(draw: st.DrawFn) -> F32:
    """Bursts and pauses over noise, or no noise, of every level."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pieces = []
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            level, hz = draw(st.floats(1e-3, 0.9)), draw(st.floats(80, 6000))
            pieces.append(burst(random, draw(st.floats(0.05, 1.2)), level, hz))
        else:
            pieces.append(np.zeros(int(draw(st.floats(0.0, 1.5)) * SAMPLE_RATE), np.float32))
    x = np.concatenate([np.zeros(0, np.float32), *pieces])
    floor = draw(st.sampled_from([0.0, 1e-4, 3e-3]))
    return (x + floor * random.standard_normal(len(x))).astype(np.float32)


@settings(max_examples=60)
@given(clips())
def test_any_clip_comes_out_on_the_grid_no_louder_and_stays_as_it_is(x: F32) -> None:
    cleaned = clean(x)
    y = cleaned.samples
    assert y.dtype == np.float32 and len(y) % GRID_SAMPLES == 0
    assert np.isfinite(y).all()
    assert np.abs(y).max(initial=0) <= np.abs(x).max(initial=0) * (1 + 1e-6)
    assert np.square(y).sum() <= np.square(x).sum() * (1 + 1e-6)
    assert len(y) == 0 or (y[0] == 0 and y[-1] == 0), "both ends are soft"
    assert cleaned.settled
    assert np.array_equal(clean(y).samples, y)


def test_the_event_is_kept_and_the_noise_around_it_is_not() -> None:
    random = np.random.default_rng(1)
    event = burst(random, 0.8, 0.5, 700)
    clip = np.concatenate([np.zeros(16_000, np.float32), event, np.zeros(24_000, np.float32)])
    noisy = clip + noise(random, len(clip) / SAMPLE_RATE, 5e-3)
    y = clean(noisy.astype(np.float32)).samples
    assert 0.6 <= len(y) / SAMPLE_RATE <= 1.2
    lags = np.correlate(y, event, "full")
    assert lags.max() / np.linalg.norm(y) / np.linalg.norm(event) > 0.95


def test_stationary_noise_falls_by_more_than_six_decibels_a_pass() -> None:
    random = np.random.default_rng(2)
    x = noise(random, 3, 4e-3)
    x[16_000:24_000] += burst(random, 0.5, 0.6, 900)
    y = denoise(x, noise_profile(x))
    before, after = np.square(x[28_000:]).mean(), np.square(y[28_000:]).mean()
    assert 10 * np.log10(before / after) > 6


def test_a_sound_that_only_decays_is_not_taken_for_noise() -> None:
    x = burst(np.random.default_rng(3), 2.0, 0.8, 500)
    assert denoise(x, noise_profile(x)) is x


def test_long_silences_are_cut_to_three_tenths_of_a_second_without_a_click() -> None:
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = (0.5 * np.sin(2 * np.pi * 220 * t) * np.hanning(SAMPLE_RATE)).astype(np.float32)
    gap = noise(np.random.default_rng(4), 1.5, 1e-4)
    y = silence_cut(np.concatenate([tone, gap, tone]))
    # The slow ends of the tones count as silence, too.
    assert len(tone) * 2 - 6000 < len(y) < len(tone) * 2 + LONGEST_SILENCE_SAMPLES
    steepest = np.abs(np.diff(tone)).max()
    assert np.abs(np.diff(y)).max() <= steepest + 1e-3
    silent = frame_power(y) < frame_power(y).max() * 1e-5
    pause = silent[len(silent) // 4 : -len(silent) // 4]  # without both ends of the clip
    assert 0 < pause.sum() * 160 <= LONGEST_SILENCE_SAMPLES + 800


def test_short_silences_stay() -> None:
    tone = burst(np.random.default_rng(5), 0.4, 0.5, 300)
    x = np.concatenate([tone, np.zeros(LONGEST_SILENCE_SAMPLES - 1600, np.float32), tone])
    assert silence_cut(x) is x


@pytest.mark.parametrize("n", [0, 1, 100, 16_000])
def test_silence_leaves_nothing(n: int) -> None:
    assert len(clean(np.zeros(n, np.float32)).samples) == 0


def test_ends_that_are_zero_are_left_alone() -> None:
    x = np.concatenate([[0.0], np.ones(3198), [0.0]]).astype(np.float32)
    assert spec_smooth(x) is x
    y = spec_smooth(np.ones(3200, np.float32))
    assert y[0] == 0 and y[-1] == 0 and (y[320:-320] == 1).all()
