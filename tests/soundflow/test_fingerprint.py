import io

import numpy as np
import pytest
import soundfile

from harken.soundflow.fingerprint import fingerprint, same_recording_groups


def chirps(seed: int, seconds: float = 0.8) -> np.ndarray:
    """A few random sweeps over faint noise: a sound with a shape of its own."""
    chooser = np.random.default_rng(seed)
    samples = 0.002 * chooser.standard_normal(int(16_000 * seconds))
    for _ in range(4):
        start = int(chooser.integers(0, len(samples) - 3_000))
        length = int(chooser.integers(1_000, 3_000))
        sweep = np.linspace(*chooser.uniform(200, 5_000, 2), length)
        samples[start : start + length] += (
            0.3 * np.hanning(length) * np.sin(2 * np.pi * np.cumsum(sweep) / 16_000)
        )
    return samples.astype(np.float32)


def as_ogg(samples: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format="OGG")
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def groups(*sounds: np.ndarray) -> list[list[int]]:
    return same_recording_groups([fingerprint(sound) for sound in sounds])


@pytest.mark.parametrize("seed", range(5))
def test_the_same_recording_is_known_at_another_level_codec_or_start(seed: int) -> None:
    sound = chirps(seed)
    later = np.concatenate([np.zeros(1_037, np.float32), sound])
    assert groups(sound, 0.3 * sound, as_ogg(sound), later, chirps(seed + 50)) == [[0, 1, 2, 3]]


def test_different_sounds_stay_apart() -> None:
    assert groups(*(chirps(seed) for seed in range(30))) == []


def test_a_longer_recording_is_another_one() -> None:
    sound = chirps(1)
    slower = np.interp(np.arange(0, len(sound), 0.9), np.arange(len(sound)), sound)
    assert groups(sound, slower.astype(np.float32)) == []


@pytest.mark.parametrize("samples", [np.zeros(1), np.zeros(20_000), np.ones(3), np.ones(9_000)])
def test_silence_and_clicks_have_finite_fingerprints(samples: np.ndarray) -> None:
    found = fingerprint(samples.astype(np.float32))
    assert found.shape.shape == (1024,)
    assert np.isfinite(found.shape).all()
    assert found.sounding_s > 0


def test_nothing_has_no_groups() -> None:
    assert groups() == []
