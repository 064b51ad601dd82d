"""The log-mel front end: shape, level, pitch, and the same frames whatever the window."""

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.perceive.whisper_mel import HOP_SAMPLES, MEL_BANDS, clamp_normalise, log_mel


def tone(hz: float, samples: int = 16_000, level: float = 0.1) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(samples) / 16_000)).astype(np.float32)


@pytest.mark.parametrize("samples", [201, 6_400, 51_200, 51_359])
def test_one_frame_for_every_whole_hop(samples: int) -> None:
    mel = log_mel(tone(440, samples))
    assert mel.shape == (MEL_BANDS, samples // HOP_SAMPLES)
    assert mel.dtype == np.float32


def test_digital_silence_is_the_floor() -> None:
    np.testing.assert_allclose(log_mel(np.zeros(3_200, np.float32)), -10.0, rtol=1e-6)


def test_ten_times_the_amplitude_is_two_more_everywhere() -> None:
    quiet, loud = log_mel(tone(440, level=0.01)), log_mel(tone(440, level=0.1))
    audible = quiet > -9
    np.testing.assert_allclose((loud - quiet)[audible], 2.0, atol=1e-2)


@pytest.mark.parametrize(
    ("hz", "band"),
    # The centre of band b is at (b + 1) / 81 of the Slaney scale's 45.245 mels to 8 kHz.
    [(447, 11), (1_000, 26), (2_000, 44), (4_000, 62)],
)
def test_a_tone_is_loudest_in_its_band(hz: float, band: int) -> None:
    mel = log_mel(tone(hz))
    assert abs(int(mel[:, 50].argmax()) - band) <= 1


def test_inner_frames_do_not_depend_on_the_window() -> None:
    samples = (0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)
    whole, part = log_mel(samples), log_mel(samples[3_200:9_600])
    np.testing.assert_allclose(part[:, 2:-2], whole[:, 22:58], atol=1e-5)


def test_a_frame_equals_its_definition() -> None:
    samples = (0.1 * np.random.default_rng(1).standard_normal(3_200)).astype(np.float32)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frame = samples[10 * 160 - 200 : 10 * 160 + 200].astype(np.float64) * window
    total_power = np.sum(np.abs(np.fft.rfft(frame)) ** 2)
    # Area-normalised triangles: summed with their widths they tile the spectrum.
    mel_edges_hz = _slaney_edges_hz()
    widths_hz = (mel_edges_hz[2:] - mel_edges_hz[:-2]) / 2
    mel_power = 10.0 ** log_mel(samples)[:, 10].astype(np.float64)
    assert np.sum(mel_power * widths_hz) == pytest.approx(total_power, rel=0.05)


def test_the_clamp_keeps_80_db_and_scales() -> None:
    mel = np.array([[-10.0, -3.0, 2.0]], np.float32)
    np.testing.assert_allclose(clamp_normalise(mel), [[-0.5, 0.25, 1.5]])


@pytest.mark.parametrize("shape", [(200,), (2, 6_400)])
def test_what_cannot_be_reflected_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(HarkenError, match="one channel of more than 200 samples"):
        log_mel(np.zeros(shape, np.float32))


def _slaney_edges_hz() -> np.ndarray:
    mels = np.linspace(0, 15 + 27 * np.log(8) / np.log(6.4), MEL_BANDS + 2)
    return np.where(mels < 15, mels * 200 / 3, 1_000 * 6.4 ** ((mels - 15) / 27))
