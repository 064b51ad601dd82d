"""The acoustic ear hears the newest chunk in the light of the last 3.2 s, and keeps no state."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.parts.convert import converted
from harken.perceive.acoustic import POOLED, WIDTH, WINDOW_SAMPLES, AcousticEar
from harken.stream import CHUNK_SAMPLES

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"
STEP_SAMPLES = CHUNK_SAMPLES // POOLED


@pytest.fixture(scope="module")
def ear() -> AcousticEar:
    return AcousticEar(converted("acoustic"))


def noise() -> np.ndarray:
    return (0.02 * np.random.default_rng(0).standard_normal(WINDOW_SAMPLES)).astype(np.float32)


def speech() -> np.ndarray:
    samples, _ = soundfile.read(SPEECH, dtype="float32")
    return np.pad(samples, (WINDOW_SAMPLES - len(samples), 0))


def test_what_comes_out(ear: AcousticEar) -> None:
    heard = ear.hear(speech())
    assert heard.shape == (POOLED * WIDTH,) and heard.dtype == np.float32
    assert np.isfinite(heard).all() and heard.std() > 0.1
    # What percepts store: float16 must hold it.
    assert np.abs(heard).max() < 60_000


def test_the_ear_has_no_memory(ear: AcousticEar) -> None:
    before = ear.hear(speech())
    ear.hear(noise())
    np.testing.assert_array_equal(ear.hear(speech()), before)


@pytest.mark.parametrize("step", range(POOLED))
def test_states_come_in_the_order_of_time(ear: AcousticEar, step: int) -> None:
    quiet = noise()
    loud = quiet.copy()
    start = WINDOW_SAMPLES - CHUNK_SAMPLES + step * STEP_SAMPLES
    time_s = np.arange(STEP_SAMPLES) / 16_000
    loud[start : start + STEP_SAMPLES] += (0.05 * np.sin(2 * np.pi * 700 * time_s)).astype("f4")
    change = (ear.hear(loud) - ear.hear(quiet)).reshape(POOLED, WIDTH)
    assert int(np.linalg.norm(change, axis=1).argmax()) == step


def test_the_seconds_before_give_context(ear: AcousticEar) -> None:
    alone = speech()
    alone[:-CHUNK_SAMPLES] = 0
    assert np.abs(ear.hear(alone) - ear.hear(speech())).max() > 0.1


def test_silence_is_heard_too(ear: AcousticEar) -> None:
    assert np.isfinite(ear.hear(np.zeros(WINDOW_SAMPLES, np.float32))).all()


@pytest.mark.parametrize("shape", [(0,), (CHUNK_SAMPLES,), (WINDOW_SAMPLES, 1)])
def test_another_window_is_refused(ear: AcousticEar, shape: tuple[int, ...]) -> None:
    with pytest.raises(HarkenError, match="51200"):
        ear.hear(np.zeros(shape, np.float32))


def test_a_folder_without_the_part_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="delete the folder") as refused:
        AcousticEar(tmp_path)
    assert "\n" not in str(refused.value)
