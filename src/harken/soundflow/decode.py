"""Any recording as 16 kHz mono samples, decoded once and kept as FLAC in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from harken.errors import HarkenError
from harken.parts.cache import cache_writes, sha256_of
from harken.soundflow.corpora import corpora_dir

SAMPLE_RATE_HZ = 16_000
_NEEDED_BYTES = 1_000_000_000  # all decoded corpora together

Samples = NDArray[np.float32]


def decode(path: Path) -> Samples:
    """Decode a file to float32 `[n]` at 16 kHz: the mean of all channels, resampled by soxr.

    Raises:
        HarkenError: the file is missing, cannot be decoded, is empty, or holds NaN or infinity.
    """
    samples, rate_hz = _decode_channels(path)
    return as_mono(samples, rate_hz, str(path))


def as_mono(samples: Samples, rate_hz: int, name: str) -> Samples:
    """Channels `[n, channels]` as float32 `[n]` at 16 kHz: their mean, resampled by soxr.

    Raises:
        HarkenError: none are there, or some are NaN or infinite; it names them by `name`.
    """
    if samples.size == 0:
        raise HarkenError(f"{name} holds no samples")
    if not np.isfinite(samples).all():
        raise HarkenError(f"{name} holds NaN or infinite samples")
    # All channels count: some recordings have one that is silent.
    mono = samples.mean(axis=1, dtype=np.float32)
    if rate_hz != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ)
    if mono.size == 0:
        raise HarkenError(f"{name} is shorter than one sample at 16 kHz")
    return np.asarray(mono, dtype=np.float32)


def load_cached(path: Path) -> Samples:
    """As `decode`, but from a FLAC copy in the cache when the same bytes were decoded before.

    The copy has 16 bits: levels beyond full scale are clipped.
    """
    if not path.is_file():
        raise HarkenError(f"{path} is missing: fetch the corpora again")
    digest = sha256_of(path)
    copy = corpora_dir() / "decoded" / digest[:2] / f"{digest}.flac"
    if copy.is_file():
        try:
            samples, _ = soundfile.read(copy, dtype="float32")
            return np.asarray(samples, dtype=np.float32)
        except soundfile.LibsndfileError:
            # A power cut can leave a torn copy; it is made anew.
            copy.unlink(missing_ok=True)
    pcm = as_pcm16(decode(path))
    with cache_writes(copy.parent, _NEEDED_BYTES):
        copy.parent.mkdir(parents=True, exist_ok=True)
        # Two processes may decode the same file: each writes its own, the last one stays.
        partial = copy.with_name(f".{digest}.{os.getpid()}.flac")
        soundfile.write(partial, pcm, SAMPLE_RATE_HZ, subtype="PCM_16")
        os.replace(partial, copy)
    return pcm.astype(np.float32) / 32768.0


def as_pcm16(samples: Samples) -> NDArray[np.int16]:
    """Float samples in -1..1 as 16-bit integers, rounded and clipped."""
    return np.asarray(np.clip(np.rint(samples * 32768.0), -32768, 32767), dtype=np.int16)


def _decode_channels(path: Path) -> tuple[Samples, int]:
    """All channels `[n, channels]` and their rate in Hz."""
    if path.suffix.lower() != ".g722":
        try:
            samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
            return samples, int(rate_hz)
        except soundfile.LibsndfileError:
            pass  # PyAV knows more formats, and says better what is wrong
    return _decode_with_av(path)


def _decode_with_av(path: Path) -> tuple[Samples, int]:
    import av
    from av.audio.resampler import AudioResampler

    # G.722 has no header, so its format cannot be recognised from the content.
    container_format = "g722" if path.suffix.lower() == ".g722" else None
    blocks: list[Samples] = []
    rate_hz = SAMPLE_RATE_HZ
    try:
        with av.open(str(path), format=container_format) as container:
            if not container.streams.audio:
                raise HarkenError(f"{path} holds no audio")
            planar = AudioResampler(format="fltp")
            for frame in container.decode(container.streams.audio[0]):
                rate_hz = frame.sample_rate
                for part in planar.resample(frame):
                    blocks.append(np.asarray(part.to_ndarray().T, dtype=np.float32))
    except (av.FFmpegError, OSError) as error:
        raise HarkenError(f"cannot decode {path}: {error}") from error
    if not blocks:
        raise HarkenError(f"{path} holds no samples")
    return np.concatenate(blocks), rate_hz
