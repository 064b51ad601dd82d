"""Material that a split lacks."""

import numpy as np
import pytest

from harken.soundflow.studio import Studio, trimmed


@pytest.fixture
def bare() -> Studio:
    """A studio of a split that holds nothing."""
    studio = Studio.__new__(Studio)
    studio.split, studio._events, studio._talk = "dev", {}, []
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
