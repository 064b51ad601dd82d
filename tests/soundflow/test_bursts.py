"""Bursts are what is counted: each once, however many raps it has."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harken.soundflow.bursts import GAP_S, bursts, first_burst
from harken.stream import SAMPLE_RATE


def _sound(gaps_s: list[float], hit_s: float = 0.1) -> np.ndarray:
    """A hit of noise, then one after each gap."""
    random = np.random.default_rng(0)
    parts = [random.normal(size=int(hit_s * SAMPLE_RATE)) * 0.3]
    for gap in gaps_s:
        parts += [np.zeros(int(gap * SAMPLE_RATE)), parts[0]]
    return np.concatenate(parts).astype(np.float32)


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.45, 0.8, 1.5]), max_size=6))
def test_only_gaps_of_a_third_of_a_second_part_bursts(gaps: list[float]) -> None:
    found = bursts(_sound(gaps))
    assert len(found) == 1 + sum(gap > GAP_S for gap in gaps)
    assert all(a < b for a, b in found)
    assert all(b1 <= a2 for (_, b1), (a2, _) in pairwise(found))


def test_noise_far_below_a_burst_is_a_gap() -> None:
    x = _sound([1.0])
    floor = np.random.default_rng(1).normal(size=len(x)).astype(np.float32) * 0.005
    assert len(bursts(x + floor)) == 2


def test_the_first_burst_is_one_and_ends_quietly() -> None:
    x = first_burst(_sound([0.2, 0.8]), 1.6)
    assert len(bursts(x)) == 1
    assert len(x) / SAMPLE_RATE == np.float64(0.4)
    assert x[-1] == 0
    assert len(first_burst(_sound([0.2, 0.8]), 0.25)) == int(0.25 * SAMPLE_RATE)


def test_silence_has_none() -> None:
    assert bursts(np.zeros(16_000, np.float32)) == []
    assert bursts(np.zeros(0, np.float32)) == []
