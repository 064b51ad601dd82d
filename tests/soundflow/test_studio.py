"""Material that a split lacks."""

from pathlib import Path

import numpy as np
import pytest

from harken.soundflow.clips import Clips, read_clips, write_clips
from harken.soundflow.studio import Studio, trimmed


@pytest.fixture
def no_clips(tmp_path: Path) -> Clips:
    write_clips(tmp_path, tmp_path, [])
    return read_clips(tmp_path, tmp_path)


@pytest.fixture
def bare(no_clips: Clips) -> Studio:
    """A studio of a split that holds nothing."""
    studio = Studio.__new__(Studio)
    studio.split, studio._events = "dev", {}
    studio._english = studio._foreign = no_clips
    return studio


def test_what_is_not_there_is_named(bare: Studio) -> None:
    random = np.random.default_rng(0)
    with pytest.raises(LookupError, match="no sound of owl in split dev"):
        bare.event("owl", random)
    with pytest.raises(LookupError, match="no foreign talk in split dev"):
        bare.talk(random, english=False)


def test_silence_around_a_sound_is_cut_off_and_silence_alone_stays() -> None:
    sound = np.concatenate([np.zeros(50), np.ones(100), np.full(50, 0.001)]).astype(np.float32)
    assert len(trimmed(sound)) == 100
    assert len(trimmed(np.zeros(80, np.float32))) == 80
    assert len(trimmed(np.zeros(0, np.float32))) == 0
