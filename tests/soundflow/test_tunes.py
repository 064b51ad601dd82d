"""Tunes of a known instrument and pace."""

import numpy as np
import pytest

from harken.soundflow.tunes import BEATS_PER_MINUTE, TIMBRES, tune
from harken.stream import SAMPLE_RATE


def onsets(x: np.ndarray) -> int:
    """How often the level rises by half within 50 ms."""
    frame = SAMPLE_RATE // 40
    loud = np.sqrt(np.square(x[: len(x) // frame * frame].reshape(-1, frame)).mean(1)) + 1e-3
    rises = np.flatnonzero(loud[2:] > 1.5 * np.minimum(loud[1:-1], loud[:-2]))
    return int(np.sum(np.diff(rises, prepend=-9) > 3))


@pytest.mark.parametrize("instrument", TIMBRES)
@pytest.mark.parametrize("pace", BEATS_PER_MINUTE)
def test_a_tune_has_its_length_and_is_decided_by_the_seed(instrument: str, pace: str) -> None:
    one, again = (tune(instrument, pace, 6.5, np.random.default_rng(3)) for _ in range(2))
    assert one.dtype == np.float32 and len(one) == 6.5 * SAMPLE_RATE
    assert np.isfinite(one).all() and np.abs(one).max() == pytest.approx(1)
    np.testing.assert_array_equal(one, again)


@pytest.mark.parametrize("instrument", TIMBRES)
def test_a_fast_tune_has_more_notes_than_a_slow_one(instrument: str) -> None:
    for seed in range(4):
        slow, fast = (
            onsets(tune(instrument, pace, 8.0, np.random.default_rng(seed)))
            for pace in ("slow", "fast")
        )
        assert fast > 1.5 * slow > 0
