"""Hearing chunk by chunk equals hearing the whole recording: exactly, for both window ears."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.perceive import acoustic, sound
from harken.perceive.percept import Percept
from harken.perceive.perception import Perception, level_db
from harken.stream import CHUNK_SAMPLES

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"
WARM_UP_CHUNKS = acoustic.WINDOW_SAMPLES // CHUNK_SAMPLES


@pytest.fixture(scope="module")
def windows() -> Perception:
    """The ears that hear windows."""
    return Perception(("sound", "acoustic"))


@pytest.fixture(scope="module")
def recording() -> np.ndarray:
    """14 chunks: speech, a tone, noise, silence, speech again."""
    samples, _ = soundfile.read(SPEECH, dtype="float32")
    beep = 0.2 * np.sin(2 * np.pi * 880 * np.arange(6_000) / 16_000)
    hiss = 0.01 * np.random.default_rng(0).standard_normal(9_000)
    whole = np.concatenate([samples, beep, hiss, np.zeros(5_000), samples]).astype(np.float32)
    return whole[: 14 * CHUNK_SAMPLES]


def cut(samples: np.ndarray) -> list[np.ndarray]:
    return [samples[i : i + CHUNK_SAMPLES] for i in range(0, len(samples), CHUNK_SAMPLES)]


def assert_same(left: Percept, right: Percept) -> None:
    np.testing.assert_array_equal(left.sound, right.sound)
    np.testing.assert_array_equal(left.acoustic, right.acoustic)
    assert left.level_db == right.level_db


def test_streaming_equals_offline(windows: Perception, recording: np.ndarray) -> None:
    assert windows.sound is not None and windows.acoustic is not None
    padded = np.concatenate([np.zeros(acoustic.WINDOW_SAMPLES, np.float32), recording])
    for percept in windows.hear_all(cut(recording)):
        end = acoustic.WINDOW_SAMPLES + (percept.chunk + 1) * CHUNK_SAMPLES
        heard = windows.sound.hear(padded[end - sound.WINDOW_SAMPLES : end])
        states = windows.acoustic.hear(padded[end - acoustic.WINDOW_SAMPLES : end])
        np.testing.assert_array_equal(percept.sound, heard.astype(np.float16))
        np.testing.assert_array_equal(percept.acoustic, states.astype(np.float16))


@pytest.mark.parametrize("skipped_chunks", [1, 3])
def test_where_a_stream_begins_is_forgotten_after_the_window(
    windows: Perception, recording: np.ndarray, skipped_chunks: int
) -> None:
    whole = list(windows.hear_all(cut(recording)))
    later = list(windows.hear_all(cut(recording)[skipped_chunks:]))
    assert len(later) > WARM_UP_CHUNKS
    for percept in later[WARM_UP_CHUNKS - 1 :]:
        assert_same(percept, whole[percept.chunk + skipped_chunks])


def test_hearing_is_a_value(windows: Perception, recording: np.ndarray) -> None:
    first, second, third = cut(recording)[:3]
    start = windows.start()
    after, _ = windows.hear(start, first)
    _, one = windows.hear(after, second)
    windows.hear(after, third)
    _, again = windows.hear(after, second)
    assert_same(one, again)
    assert (start.next_chunk, after.next_chunk, again.chunk) == (0, 1, 1)


def test_words_enter_the_percepts() -> None:
    samples, _ = soundfile.read(SPEECH, dtype="float32")
    spoken = np.pad(samples, (3_200, 12 * CHUNK_SAMPLES))
    spoken = spoken[: len(spoken) // CHUNK_SAMPLES * CHUNK_SAMPLES]
    percepts = list(Perception(("words",)).hear_all(cut(spoken)))
    text = "".join(p.text for p in percepts)
    assert text.lower().strip(" .") == "you will now be placed into the conference"
    assert max(p.p_speech for p in percepts) > 0.9 and percepts[-1].p_speech < 0.1
    assert not any(p.sound.any() or p.acoustic.any() for p in percepts)


def test_ears_that_are_off_deliver_nothing() -> None:
    deaf = Perception(())
    _, percept = deaf.hear(deaf.start(), np.full(CHUNK_SAMPLES, 0.1, np.float32))
    assert percept.sound.shape == (1545,) and percept.acoustic.shape == (2560,)
    assert not percept.sound.any() and not percept.acoustic.any() and percept.text == ""
    assert percept.level_db == pytest.approx(-20, abs=1e-3)


def test_an_unknown_ear_is_named() -> None:
    with pytest.raises(HarkenError, match="no ear 'smell'; choose from sound, acoustic, words"):
        Perception(("sound", "smell"))


@pytest.mark.parametrize("shape", [(0,), (CHUNK_SAMPLES - 1,), (CHUNK_SAMPLES, 2), (2, 3_200)])
def test_another_chunk_is_refused(shape: tuple[int, ...]) -> None:
    deaf = Perception(())
    with pytest.raises(HarkenError, match="6400 samples of one channel"):
        deaf.hear(deaf.start(), np.zeros(shape, np.float32))


def test_levels_are_below_full_scale() -> None:
    square = np.tile(np.float32([1, -1]), CHUNK_SAMPLES // 2)
    assert level_db(square) == pytest.approx(0, abs=1e-6)
    assert level_db(square / 10) == pytest.approx(-20, abs=1e-3)
    assert level_db(np.zeros(CHUNK_SAMPLES, np.float32)) == -100
