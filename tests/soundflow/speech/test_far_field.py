from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.speech.far_field import FARTHEST_M, Distance, drawn_distance, heard_from
from harken.soundflow.speech.rooms import SOUND_M_PER_S, Room

ROOM = Room((5.0, 4.0, 2.5), 0.25)


def click(at: int = 1_000, length: int = 12_000) -> np.ndarray:
    x = np.zeros(length, np.float32)
    x[at] = 1
    return x


@pytest.mark.parametrize("distance_m", [0.4, 1.0, 3.0])
def test_what_is_further_away_comes_later_and_weaker(distance_m: float) -> None:
    distance = Distance(ROOM, distance_m, direct_to_reverberant_db=10)
    heard = heard_from(click(), distance, np.random.default_rng(0))
    at = int(np.abs(heard).argmax())
    assert (at - 1_000) / 16_000 * SOUND_M_PER_S == pytest.approx(distance_m, abs=0.022)
    assert 0.6 / distance_m < np.abs(heard).max() < 1.05 / distance_m
    assert np.abs(heard[: at - 20]).max() < 0.05 * np.abs(heard).max()


def test_a_telephone_hears_a_telephone_band() -> None:
    x = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    far = Distance(ROOM, 1.0)
    wide = heard_from(x, far, np.random.default_rng(4))
    narrow = heard_from(x, replace(far, band="telephone"), np.random.default_rng(4))
    f = np.fft.rfftfreq(16_000, 1 / 16_000)
    before, after = (np.square(np.abs(np.fft.rfft(y))) for y in (wide, narrow))
    inside, outside = (f > 400) & (f < 3000), (f < 150) | (f > 5500)
    assert after[inside].sum() == pytest.approx(before[inside].sum(), rel=0.1)
    assert after[outside].sum() < 0.01 * before[outside].sum()


def test_noise_fills_the_silence_and_only_when_asked_for() -> None:
    silence = np.zeros(4_000, np.float32)
    assert not heard_from(silence, Distance(ROOM, 1.0), np.random.default_rng(0)).any()
    noisy = heard_from(silence, Distance(ROOM, 1.0, noise_dbfs=-60), np.random.default_rng(0))
    assert np.sqrt(np.square(noisy).mean()) == pytest.approx(1e-3, rel=0.1)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 5_000))
def test_equal_seeds_sound_equal_and_the_length_is_kept(seed: int, length: int) -> None:
    x = np.random.default_rng(seed).normal(0, 0.1, length).astype(np.float32)

    def once() -> tuple[Distance, np.ndarray]:
        random = np.random.default_rng(seed)
        distance = drawn_distance(random)
        return distance, heard_from(x, distance, random)

    (distance, heard), (again, heard_again) = once(), once()
    assert distance == again
    assert np.array_equal(heard, heard_again)
    assert (len(heard), heard.dtype) == (length, np.float32)
    assert np.isfinite(heard).all()
    assert 0.3 <= distance.distance_m <= FARTHEST_M


def test_other_seeds_are_other_places() -> None:
    far = Distance(ROOM, 2.0)
    one, other = (heard_from(click(), far, np.random.default_rng(n)) for n in (0, 1))
    assert not np.array_equal(one, other)


def test_impossible_distances_are_refused() -> None:
    with pytest.raises(HarkenError, match=r"distance of 0\.0 m"):
        Distance(ROOM, 0.0)
    with pytest.raises(HarkenError, match=r"nobody can be 8\.0 m away"):
        heard_from(click(), Distance(ROOM, 8.0), np.random.default_rng(0))
