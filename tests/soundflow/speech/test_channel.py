import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.speech.channel import BANDS_HZ, band_limited, clipped, coded, with_noise


def noise(seconds: float = 1.0) -> np.ndarray:
    return np.random.default_rng(5).normal(0, 0.1, int(16_000 * seconds)).astype(np.float32)


def tone(hz: float) -> np.ndarray:
    t = np.arange(16_000) / 16_000
    return (0.3 * np.sin(2 * np.pi * hz * t) * np.hanning(16_000)).astype(np.float32)


def level_db(y: np.ndarray, x: np.ndarray) -> float:
    return float(10 * np.log10(np.square(y).sum() / np.square(x).sum()))


@pytest.mark.parametrize("band", ["telephone", "small_speaker"])
def test_a_band_keeps_what_is_inside_and_drops_what_is_outside(band: str) -> None:
    low_hz, high_hz = BANDS_HZ[band]
    for hz in (1.5 * low_hz, 1000, 0.8 * high_hz):
        assert level_db(band_limited(tone(hz), band), tone(hz)) == pytest.approx(0, abs=0.5)
    for hz in (low_hz, high_hz):
        assert level_db(band_limited(tone(hz), band), tone(hz)) == pytest.approx(-3, abs=0.3)
    assert level_db(band_limited(tone(low_hz / 2), band), tone(low_hz / 2)) < -30
    if 2 * high_hz < 8000:
        assert level_db(band_limited(tone(2 * high_hz), band), tone(2 * high_hz)) < -30


def test_a_band_delays_nothing() -> None:
    click = np.zeros(1_600, np.float32)
    click[800] = 1
    assert np.abs(band_limited(click, "telephone")).argmax() == 800
    assert band_limited(click, "full") is click


def test_noise_has_its_level() -> None:
    hiss = with_noise(np.zeros(16_000, np.float32), -60, np.random.default_rng(0))
    assert 20 * np.log10(np.sqrt(np.square(hiss).mean())) == pytest.approx(-60, abs=0.3)


def test_clipping_cuts_the_peaks_alone() -> None:
    x = noise()
    y = clipped(x, 6.0)
    ceiling = np.abs(x).max() * 10 ** (-6 / 20)
    assert np.abs(y).max() == pytest.approx(ceiling)
    assert np.array_equal(y[np.abs(x) < ceiling], x[np.abs(x) < ceiling])
    assert clipped(x, 0.0) is x
    with pytest.raises(HarkenError, match=r"overdrive of -1\.0 dB"):
        clipped(x, -1.0)


@pytest.mark.parametrize(
    ("codec", "alike"),
    [("mu_law", 0.99), ("a_law", 0.99), ("opus_6", 0.75), ("opus_12", 0.9), ("opus_24", 0.95)],
)
def test_a_codec_keeps_length_and_place_and_loses_a_little(codec: str, alike: float) -> None:
    random = np.random.default_rng(2)
    t = np.arange(20_011) / 16_000
    voiced = sum(np.sin(2 * np.pi * 140 * k * t + k) / k for k in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 3 * t), 0, None)
    x = (0.1 * voiced * syllables + 1e-4 * random.normal(size=len(t))).astype(np.float32)
    y = coded(x, codec)
    assert (len(y), y.dtype) == (len(x), np.float32)
    size = 2 * len(x)
    matches = np.fft.irfft(np.fft.rfft(y, size) * np.conj(np.fft.rfft(x, size)))
    lag = int(matches.argmax())
    assert min(lag, size - lag) <= 8  # half a millisecond
    assert matches.max() / np.sqrt((x @ x) * (y @ y)) > alike
    assert not np.allclose(x, y, atol=1e-5)
    assert np.array_equal(y, coded(x, codec))


def test_g711_is_a_telephone_of_8_khz() -> None:
    y = coded(noise(), "mu_law")
    power = np.square(np.abs(np.fft.rfft(y)))
    assert power[4_200:].sum() < 1e-3 * power[:4_000].sum()


def test_unknown_names_are_refused() -> None:
    with pytest.raises(HarkenError, match="no band 'fm': choose full, telephone"):
        band_limited(noise(), "fm")
    with pytest.raises(HarkenError, match="no codec 'mp3': choose none, mu_law"):
        coded(noise(), "mp3")
