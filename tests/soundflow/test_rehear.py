"""What windows the ears are given at another pace or with a shorter past."""

import numpy as np
import numpy.typing as npt
import pytest

from harken.perceive import acoustic, sound
from harken.soundflow.rehear import Ears, Pace, rehear
from harken.stream import CHUNK_SAMPLES

F32 = npt.NDArray[np.float32]


class Echo:
    """An ear that tells of its window the newest sample, how many are not zero, and its length."""

    def hear(self, window: F32) -> F32:
        return np.array([window[-1], np.count_nonzero(window) / 100, len(window) / 100], np.float32)


EARS = Ears(Echo(), Echo())
AUDIO = np.full(4 * CHUNK_SAMPLES - 1_000, 0.5, np.float32)


def test_an_ear_hears_all_it_holds_at_every_chunk() -> None:
    heard, tone = rehear(AUDIO, 4, Pace(), EARS)
    assert heard.dtype == tone.dtype == np.float16
    known = [min((n + 1) * CHUNK_SAMPLES, len(AUDIO)) for n in range(4)]
    last = [0.5, 0.5, 0.5, 0.0]  # the last chunk is filled up with zeros
    assert heard[:, 0].tolist() == last == tone[:, 0].tolist()
    assert heard[:2, 1] == pytest.approx([64, 128])
    assert heard[3, 1] == pytest.approx((sound.WINDOW_SAMPLES - 1_000) / 100, abs=0.1)
    assert tone[:, 1] == pytest.approx([n / 100 for n in known], abs=0.2)
    assert {int(n) for n in heard[:, 2]} == {sound.WINDOW_SAMPLES // 100}
    assert {int(n) for n in tone[:, 2]} == {acoustic.WINDOW_SAMPLES // 100}


def test_a_chunk_alone_has_zeros_before_it() -> None:
    heard, tone = rehear(AUDIO, 4, Pace(reach_samples=CHUNK_SAMPLES), EARS)
    assert heard[:, 1].tolist() == tone[:, 1].tolist() == [64, 64, 64, 54]


def test_twice_as_often_hears_the_same_at_every_second_step() -> None:
    random = np.random.default_rng(0)
    audio = random.normal(size=3 * CHUNK_SAMPLES).astype(np.float32)
    once, twice = (
        rehear(audio, 3, Pace(step_samples=s), EARS) for s in (CHUNK_SAMPLES, CHUNK_SAMPLES // 2)
    )
    for slow, quick in zip(once, twice, strict=True):
        assert len(quick) == 2 * len(slow)
        assert np.array_equal(quick[1::2], slow)


@pytest.mark.slow
def test_the_real_ears_hear_what_a_session_hears() -> None:
    from harken.perceive.perception import Perception

    random = np.random.default_rng(1)
    audio = random.normal(0, 0.1, 3 * CHUNK_SAMPLES).astype(np.float32)
    heard, tone = rehear(audio, 3, Pace(), Ears.shipped())
    percepts = list(Perception(("sound", "acoustic")).hear_all(audio.reshape(3, -1)))
    assert np.array_equal(heard, np.stack([p.sound for p in percepts]))
    assert np.array_equal(tone, np.stack([p.acoustic for p in percepts]))
