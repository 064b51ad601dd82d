from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.soundflow.decode import as_pcm16, decode, load_cached


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def tone(rate_hz: int, seconds: float = 0.5, hz: float = 440.0) -> np.ndarray:
    return (0.4 * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(
        np.float32
    )


def loudest_hz(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * 16_000 / len(samples))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_any_rate_becomes_16_khz(tmp_path: Path, rate_hz: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(rate_hz), rate_hz, subtype="FLOAT")
    samples = decode(path)
    assert samples.dtype == np.float32
    assert abs(len(samples) - 8_000) <= 1
    assert loudest_hz(samples) == pytest.approx(440, abs=2)


def test_a_silent_left_channel_does_not_hide_the_right_one(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    right = tone(16_000)
    soundfile.write(path, np.stack([0 * right, right], axis=1), 16_000, subtype="FLOAT")
    np.testing.assert_allclose(decode(path), right / 2, atol=1e-6)


def test_g722_is_decoded_though_it_has_no_header(tmp_path: Path) -> None:
    path = tmp_path / "a.g722"
    pcm = as_pcm16(tone(16_000))
    with av.open(str(path), "w", format="g722") as container:
        stream = container.add_stream("g722", rate=16_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    samples = decode(path)
    assert abs(len(samples) - len(pcm)) <= 320
    assert loudest_hz(samples) == pytest.approx(440, abs=4)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "cannot decode"), (b"no sound at all", "cannot decode")],
)
def test_a_broken_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(HarkenError, match=f"{message} .*a.wav"):
        decode(path)


def test_a_file_without_samples_or_with_nan_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), 16_000)
    with pytest.raises(HarkenError, match="no samples"):
        decode(tmp_path / "empty.wav")
    samples = tone(16_000)
    samples[7] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16_000, subtype="FLOAT")
    with pytest.raises(HarkenError, match="NaN"):
        decode(tmp_path / "nan.wav")


def test_the_second_read_comes_from_the_copy(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(48_000), 48_000, subtype="FLOAT")
    first = load_cached(path)
    np.testing.assert_allclose(first, decode(path), atol=1 / 32768)
    (copy,) = (cache / "corpora" / "decoded").rglob("*.flac")
    soundfile.write(copy, np.zeros(5, np.int16), 16_000)
    assert len(load_cached(path)) == 5


def test_a_torn_copy_is_made_anew(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(16_000), 16_000)
    first = load_cached(path)
    (copy,) = (cache / "corpora" / "decoded").rglob("*.flac")
    copy.write_bytes(b"fLaC")
    np.testing.assert_array_equal(load_cached(path), first)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="fetch the corpora again"):
        load_cached(tmp_path / "gone.wav")


def test_pcm16_is_rounded_and_clipped() -> None:
    levels = np.array([-2, -1, 0, 0.4 / 32768, 1, 2], np.float32)
    assert as_pcm16(levels).tolist() == [-32768, -32768, 0, 0, 32767, 32767]
