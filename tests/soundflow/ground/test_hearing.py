"""Whole sounds are heard by their windows, and what was heard is kept and never changed."""

from pathlib import Path

import numpy as np
import pytest

from harken.perceive.sound import CLASSES, WINDOW_SAMPLES
from harken.soundflow.ground.hearing import HEARD_PEAK, MOST_WINDOWS, KeptEar, scores_over

NAMES = tuple(f"class {i}" for i in range(CLASSES))


class LevelEar:
    """Its first score is the peak of the window."""

    names = NAMES

    def __init__(self) -> None:
        self.windows = 0

    def hear(self, window: np.ndarray) -> np.ndarray:
        self.windows += 1
        heard = np.zeros(1545, np.float32)
        heard[0] = np.abs(window).max()
        return heard


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path))


def test_every_window_is_heard_at_one_peak_and_the_greatest_score_counts() -> None:
    x = np.zeros(3 * WINDOW_SAMPLES, np.float32)
    x[-5] = 0.01
    assert scores_over(x, LevelEar())[0] == 0 or scores_over(x, LevelEar())[0] == HEARD_PEAK
    x[20_000] = 0.02
    scores = scores_over(x, LevelEar())
    assert scores.shape == (CLASSES,) and scores[0] == np.float32(HEARD_PEAK)


def test_a_long_sound_is_heard_in_so_many_windows_at_most() -> None:
    ear = LevelEar()
    scores_over(np.ones(100 * WINDOW_SAMPLES, np.float32), ear)
    assert ear.windows == MOST_WINDOWS


def test_a_sound_is_heard_once_and_the_ear_is_made_when_it_is_needed() -> None:
    made: list[LevelEar] = []

    def make() -> LevelEar:
        made.append(LevelEar())
        return made[-1]

    x = np.linspace(-1, 1, 20_000, dtype=np.float32)
    first = scores_over(x, KeptEar("level", NAMES, make))
    assert len(made) == 1
    again = scores_over(x, KeptEar("level", NAMES, make))
    assert len(made) == 1 and np.array_equal(first, again)
    assert np.array_equal(first, scores_over(x, LevelEar())), "kept or not, it is the same"
    scores_over(x[1:], KeptEar("level", NAMES, make))
    scores_over(x, KeptEar("other", NAMES, make))
    assert len(made) == 3, "other samples and another ear are heard anew"


def test_the_kept_ear_hears_windows_as_the_ear_does() -> None:
    window = np.ones(WINDOW_SAMPLES, np.float32)
    assert KeptEar("level", NAMES, LevelEar).hear(window)[0] == 1
