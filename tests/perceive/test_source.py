"""A source gives the mono samples of whatever it is pointed at, or one line that names the fix."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.perceive.source import Source, open_pcm, open_source

RATE = 16_000
TONE_HZ = 440.0


def tone(rate: int = RATE, seconds: float = 1.0) -> np.ndarray:
    """A sine, float32 [n], of amplitude 0.3."""
    at = np.arange(round(rate * seconds)) / rate
    return (0.3 * np.sin(2 * np.pi * TONE_HZ * at)).astype(np.float32)


def heard(source: Source) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.float32), *source])


def assert_is_tone(samples: np.ndarray, rate: int) -> None:
    """The strongest frequency is the tone's and its level is what was encoded."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * rate / len(middle) == pytest.approx(TONE_HZ, abs=5)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


def encode(
    path: Path, codec: str | None, rate: int, seconds: float = 1.0, *, video: bool = False
) -> Path:
    """Write the tone with FFmpeg; the file's suffix says the container."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=10) if video else None
        sound = container.add_stream(codec, rate=rate, layout="mono") if codec else None
        if pictures is not None:
            pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
            black = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            for frame in [*[black] * round(10 * seconds), None]:
                container.mux(pictures.encode(frame))
        if sound is not None:
            sound.codec_context.open(strict=False)
            whole = av.AudioFrame.from_ndarray(tone(rate, seconds)[None], "flt", "mono")
            whole.sample_rate = rate
            resampler = av.AudioResampler(sound.format, "mono", rate, sound.frame_size or None)
            for frame in [*resampler.resample(whole), *resampler.resample(None), None]:
                container.mux(sound.encode(frame))
    return path


def cut(path: Path, share: float = 0.6) -> Path:
    """Truncate the file to this share of its bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may read everything, so permissions only show to another user."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "aiff", "mp3"])
def test_formats_of_libsndfile(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(44_100), 44_100)
    source = open_source(path)
    samples = heard(source)
    assert source.sample_rate == 44_100
    assert len(samples) == pytest.approx(44_100, abs=1_200)
    assert_is_tone(samples, 44_100)
    assert source.warnings == ()


@pytest.mark.parametrize(
    ("name", "codec", "rate", "video"),
    [
        ("tone.m4a", "aac", 44_100, False),
        ("tone.mp4", "aac", 44_100, True),
        ("tone.webm", "libopus", 48_000, False),
        ("tone.mkv", "libopus", 48_000, True),
        ("tone.g722", "g722", 16_000, False),
        ("tone.mp3", "libmp3lame", 44_100, False),
    ],
)
def test_formats_of_ffmpeg(tmp_path: Path, name: str, codec: str, rate: int, video: bool) -> None:
    source = open_source(encode(tmp_path / name, codec, rate, video=video))
    samples = heard(source)
    assert source.sample_rate == rate
    assert len(samples) == pytest.approx(rate, rel=0.06)
    assert_is_tone(samples, rate)
    assert source.warnings == ()


def test_all_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "silent-left.wav"
    left_silent = np.stack([np.zeros(RATE, np.float32), tone()], axis=1)
    soundfile.write(path, left_silent, RATE, subtype="FLOAT")
    np.testing.assert_allclose(heard(open_source(path)), tone() / 2, atol=1e-7)


def test_eight_channels_at_192_khz(tmp_path: Path) -> None:
    path = tmp_path / "wide.wav"
    channels = np.tile(tone(192_000, 0.5)[:, None], (1, 8))
    soundfile.write(path, channels, 192_000, subtype="PCM_24")
    source = open_source(path)
    np.testing.assert_allclose(heard(source), channels[:, 0], atol=1e-6)
    assert source.sample_rate == 192_000


def test_eight_unnamed_channels_through_ffmpeg(tmp_path: Path) -> None:
    path = tmp_path / "wide.wav"
    soundfile.write(path, np.tile(tone()[:, None], (1, 8)), RATE, subtype="FLOAT")
    # An MP3's name sends it to FFmpeg, which looks at the content.
    np.testing.assert_allclose(heard(open_source(path.rename(tmp_path / "wide.mp3"))), tone())


def test_a_name_that_looks_like_an_address_is_a_file(tmp_path: Path, monkeypatch) -> None:
    encode(tmp_path / "tone.m4a", "aac", 44_100).rename(tmp_path / "http:tone.m4a")
    monkeypatch.chdir(tmp_path)
    assert_is_tone(heard(open_source("http:tone.m4a")), 44_100)


def test_samples_that_are_not_finite_are_silence_and_told_once(tmp_path: Path) -> None:
    path = tmp_path / "broken-mixer.wav"
    stereo = np.tile(tone()[:, None], (1, 2))
    stereo[100:103, 0] = [np.nan, np.inf, -np.inf]
    stereo[9_000, 1] = np.nan
    soundfile.write(path, stereo, RATE, subtype="FLOAT")
    source = open_source(path)
    samples = heard(source)
    assert np.isfinite(samples).all()
    assert samples[101] == pytest.approx(tone()[101] / 2)  # the other channel is still heard
    assert len(source.warnings) == 1
    assert "4 samples were NaN or infinite" in source.warnings[0]


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "ogg", "mp3"])
def test_what_a_truncated_file_holds_is_heard(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tone.{suffix}"
    # A pure tone compresses so well that all of an Ogg file is one page; noise fills more.
    noise = 0.03 * np.random.default_rng(0).standard_normal(3 * 44_100)
    soundfile.write(path, tone(44_100, 3) + noise, 44_100)
    source = open_source(cut(path))
    samples = heard(source)
    assert 0.8 * 44_100 < len(samples) < 2.2 * 44_100
    assert_is_tone(samples, 44_100)
    assert len(source.warnings) == 1
    assert "tone." in source.warnings[0] and "cut short or damaged" in source.warnings[0]


@pytest.mark.parametrize("name", ["tone.webm", "tone.mkv"])
def test_what_a_truncated_container_holds_is_heard(tmp_path: Path, name: str) -> None:
    path = encode(tmp_path / name, "libopus", 48_000, 2.0, video=name.endswith("mkv"))
    source = open_source(cut(path))
    assert_is_tone(heard(source), 48_000)
    assert len(source.warnings) == 1
    assert "of 2.0 s were heard" in source.warnings[0]


def test_a_damaged_stretch_is_skipped(tmp_path: Path) -> None:
    path = encode(tmp_path / "tone.m4a", "aac", 44_100, 3.0)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2_000] = np.random.default_rng(0).bytes(2_000)
    path.write_bytes(data)
    source = open_source(path)
    assert 2.0 * 44_100 < len(heard(source)) < 3.1 * 44_100
    assert len(source.warnings) == 1 and "damaged" in source.warnings[0]


def test_a_wav_of_unknown_length_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "from-a-pipe.wav"
    soundfile.write(path, tone(), RATE)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    source = open_source(path)
    assert len(heard(source)) == RATE
    assert source.warnings == ()


def test_a_header_without_samples_has_nothing_to_hear(tmp_path: Path) -> None:
    path = tmp_path / "zero.wav"
    soundfile.write(path, tone(seconds=0), RATE)
    source = open_source(path)
    assert heard(source).size == 0
    assert "0 samples" in source.warnings[0]


def test_a_header_whose_samples_are_missing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "header.wav"
    soundfile.write(path, tone(), RATE)
    path.write_bytes(path.read_bytes()[:44])
    with pytest.raises(HarkenError, match=r"header\.wav breaks off before its first sample"):
        heard(open_source(path))


def make_missing(path: Path) -> None: ...


def make_empty(path: Path) -> None:
    path.touch()


def make_folder(path: Path) -> None:
    path.mkdir()


def make_noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(20_000))


def make_text(path: Path) -> None:
    path.write_text("this is no audio\n" * 100)


def make_locked(path: Path) -> None:
    soundfile.write(path, tone(), RATE)
    path.chmod(0)


def make_absurd_rate(path: Path) -> None:
    soundfile.write(path, tone(), 3)


@pytest.mark.parametrize(
    ("make", "fix"),
    [
        (make_missing, "does not exist: check the name"),
        (make_empty, r"is empty \(0 bytes\): record or download it again"),
        (make_folder, "is a folder: name the recordings in it"),
        (make_noise, "is not audio that can be decoded .*: get a whole copy"),
        (make_text, "is not audio that can be decoded|has no audio track"),
        (make_locked, "may not be read: allow it with chmod"),
        (make_absurd_rate, "states a rate of 3 Hz.*: convert it"),
    ],
)
def test_bad_input_is_one_line_that_names_the_fix(tmp_path: Path, make, fix: str) -> None:
    path = tmp_path / "input.wav"
    make(path)
    reader = unprivileged() if make is make_locked else nullcontext()
    with reader, pytest.raises(HarkenError, match=fix) as raised:
        open_source(path)
    assert "input.wav" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    path = encode(tmp_path / "silent-film.mp4", None, 0, video=True)
    with pytest.raises(HarkenError, match=r"silent-film\.mp4 has no audio track"):
        open_source(path)


def test_a_truncated_mp4_that_cannot_be_decoded_is_refused(tmp_path: Path) -> None:
    path = cut(encode(tmp_path / "tone.m4a", "aac", 44_100))
    with pytest.raises(HarkenError, match=r"tone\.m4a is not audio that can be decoded"):
        open_source(path)


@pytest.mark.parametrize("suffix", ["mp3", "flac"])
def test_damaged_files_print_nothing_of_their_own(tmp_path: Path, capfd, suffix: str) -> None:
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(44_100, 3), 44_100)
    heard(open_source(cut(path)))
    assert capfd.readouterr() == ("", "")


def pcm(samples: np.ndarray) -> bytes:
    return (samples * 32_768).astype("<i2").tobytes()


def test_pcm_is_16_bit_mono_at_16_khz() -> None:
    source = open_pcm(io.BytesIO(pcm(tone())), "pipe")
    np.testing.assert_allclose(heard(source), tone(), atol=1 / 32_768)
    assert source.sample_rate == 16_000
    assert source.warnings == ()


class Dribble(io.BytesIO):
    """A pipe that delivers three bytes at a time."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(3)


def test_pcm_in_pieces_of_odd_size_is_the_same() -> None:
    whole = heard(open_pcm(io.BytesIO(pcm(tone(seconds=0.01))), "pipe"))
    dribbled = heard(open_pcm(Dribble(pcm(tone(seconds=0.01))), "pipe"))
    np.testing.assert_array_equal(whole, dribbled)


def test_half_a_sample_at_the_end_of_pcm_is_told_and_left_out() -> None:
    source = open_pcm(io.BytesIO(pcm(tone()) + b"\x01"), "pipe")
    assert len(heard(source)) == RATE
    assert len(source.warnings) == 1 and "odd number of bytes" in source.warnings[0]


def test_one_byte_of_pcm_is_refused() -> None:
    with pytest.raises(HarkenError, match="odd number of bytes"):
        heard(open_pcm(io.BytesIO(b"\x01"), "pipe"))


def test_pcm_of_no_length_has_nothing_to_hear() -> None:
    source = open_pcm(io.BytesIO(b""), "pipe")
    assert heard(source).size == 0
    assert "0 samples" in source.warnings[0]


def test_a_wav_file_on_standard_input_is_refused() -> None:
    file = io.BytesIO()
    soundfile.write(file, tone(), RATE, format="WAV")
    with pytest.raises(HarkenError, match="is a WAV file, not raw PCM"):
        heard(open_pcm(io.BytesIO(file.getvalue()), "pipe"))


def test_a_dash_reads_standard_input(monkeypatch) -> None:
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(pcm(tone()))))
    monkeypatch.setattr(sys, "stdin", stdin)
    source = open_source("-")
    assert source.name == "standard input"
    assert_is_tone(heard(source), RATE)


def test_a_closed_source_gives_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(), RATE)
    with open_source(path) as source:
        blocks = iter(source)
        assert len(next(blocks)) > 0
    assert list(blocks) == []
