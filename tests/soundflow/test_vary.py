"""Varied sounds: what a change of tone, room and speed may do to a clip."""

import numpy as np
import pytest

from harken.soundflow.vary import SPEED, in_room, toned, varied


def test_flat_gains_change_nothing() -> None:
    x = np.random.default_rng(0).normal(size=8_000).astype(np.float32)
    np.testing.assert_allclose(toned(x, np.zeros(8)), x, atol=1e-5)


def test_a_gain_raises_its_octave_alone() -> None:
    t = np.arange(16_000) / 16_000
    low, high = (np.sin(2 * np.pi * f * t).astype(np.float32) for f in (250.0, 4000.0))
    gains = np.array([0, 0, 6.0, 0, 0, 0, 0, 0])
    assert np.std(toned(low, gains)) / np.std(low) == pytest.approx(10**0.3, rel=0.01)
    assert np.std(toned(high, gains)) / np.std(high) == pytest.approx(1, rel=0.01)


def test_a_room_starts_with_the_sound_and_has_the_energy_it_was_given() -> None:
    click = np.zeros(16_000, np.float32)
    click[0] = 1.0
    heard = in_room(click, 0.4, 6.0, np.random.default_rng(1))
    assert heard[0] == pytest.approx(1, abs=0.2)
    assert 10 * np.log10(np.square(heard[1:]).sum()) == pytest.approx(-6, abs=0.5)


@pytest.mark.parametrize("seed", range(5))
def test_variation_is_decided_by_the_seed_and_bounded_in_length(seed: int) -> None:
    x = np.random.default_rng(9).normal(size=12_000).astype(np.float32)
    one, again = (varied(x, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert np.isfinite(one).all()
    assert 1 / SPEED - 0.01 < len(one) / len(x) < SPEED + 0.01
