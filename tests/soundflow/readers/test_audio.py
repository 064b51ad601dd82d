import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.soundflow.readers.audio import load, probe, read_bytes
from harken.soundflow.readers.record import Audio

Write = Callable[..., Path]


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".opus", ".ogg"])
def test_a_header_tells_length_and_rate(tmp_path: Path, tone: Write, suffix: str) -> None:
    found = probe(Audio(tone(tmp_path / f"a{suffix}", seconds=0.5)))
    assert found.rate_hz == 16_000
    assert found.seconds == pytest.approx(0.5, abs=0.05)


def test_a_format_that_libsndfile_lacks_is_probed_and_loaded(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 16_000), dtype=np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 16_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    assert probe(Audio(path)).seconds == pytest.approx(1.0, abs=0.1)
    assert load(Audio(path, start_s=0.25, duration_s=0.5)).shape == (8_000,)


def test_a_stretch_is_cut_out_mixed_and_resampled(tmp_path: Path) -> None:
    left = np.repeat([0.0, 0.5, 0.0], 8_000)
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([left, np.zeros_like(left)], axis=1), 8_000)
    samples = load(Audio(path, start_s=1.2, duration_s=0.5))
    assert samples.dtype == np.float32
    assert samples.shape == (8_000,)
    assert np.abs(samples[1_000:-1_000] - 0.25).max() < 0.01


def test_a_member_of_a_tar_file_is_read_by_its_place(tmp_path: Path, tone: Write) -> None:
    wav = tone(tmp_path / "a.wav", seconds=0.25)
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(tone(tmp_path / "b.wav", seconds=0.5), "b.wav")
        tar.add(wav, "a.wav")
        info = tar.getmember("a.wav")
    # The offset of the data is known once the archive is read.
    with tarfile.open(tmp_path / "a.tar") as tar:
        info = tar.getmember("a.wav")
    audio = Audio(
        tmp_path / "a.tar",
        container="tar",
        member="a.wav",
        offset_bytes=info.offset_data,
        size_bytes=info.size,
    )
    assert read_bytes(audio) == wav.read_bytes()
    assert probe(audio).seconds == 0.25
    assert np.array_equal(load(audio), load(Audio(wav)))


@pytest.mark.parametrize("what", ["missing", "broken", "empty"])
def test_what_cannot_be_read_is_named(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.wav"
    if what != "missing":
        path.write_bytes(b"" if what == "empty" else b"no audio at all")
    with pytest.raises(HarkenError, match=r"a\.wav"):
        probe(Audio(path))
    with pytest.raises(HarkenError, match=r"a\.wav"):
        load(Audio(path))


def test_a_torn_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"x" * 100)
    audio = Audio(tmp_path / "a.tar", container="tar", member="m", offset_bytes=50, size_bytes=99)
    with pytest.raises(HarkenError, match=r"cut off: fetch a\.tar again"):
        probe(audio)


def test_a_stretch_behind_the_end_holds_nothing(tmp_path: Path, tone: Write) -> None:
    with pytest.raises(HarkenError, match="holds no samples from 3 s on"):
        load(Audio(tone(tmp_path / "a.wav"), start_s=3.0))
