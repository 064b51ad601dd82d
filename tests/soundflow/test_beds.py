"""Beds keep their length and have no hole; noise has its level below the foreground."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.soundflow.beds import AMBIENT_NOISE_DB, SNR_DB, crossfaded, lay_noise, rms_db
from harken.soundflow.scene import Scene
from harken.stream import SAMPLE_RATE


@given(st.lists(st.integers(100, 9000), min_size=1, max_size=4), st.integers(1, 30_000))
def test_crossfades_keep_the_length_and_leave_no_hole(lengths: list[int], samples: int) -> None:
    y = crossfaded([np.ones(n, np.float32) for n in lengths], samples)
    assert len(y) == samples and y.dtype == np.float32
    assert y[0] == 1 and y.min() >= 1 - 1e-5 and y.max() <= np.sqrt(2) + 1e-5


@pytest.mark.parametrize("seed", range(4))
def test_noise_lies_five_to_twenty_decibels_below_and_steady_noise_five_more(seed: int) -> None:
    scene = Scene(np.random.default_rng(seed), 5 * SAMPLE_RATE)
    lay_noise(scene, -20.0)
    swelling, steady = (rms_db([clip]) for _, clip in scene.tracks)
    assert [len(clip) for _, clip in scene.tracks] == [scene.samples] * 2
    assert SNR_DB[0] <= -20.0 - swelling <= SNR_DB[1]
    assert swelling - steady == pytest.approx(AMBIENT_NOISE_DB, abs=0.05)
