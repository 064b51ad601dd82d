"""What lies between a sound and its samples: band limits, microphone noise, clipping, codecs.

All keep the length and the timing, so that labels stay where they are.
"""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import soxr
from numpy.typing import NDArray

from harken.errors import HarkenError
from harken.stream import SAMPLE_RATE

F32 = NDArray[np.float32]
Band = Literal["full", "telephone", "small_speaker"]
Codec = Literal["none", "mu_law", "a_law", "opus_6", "opus_12", "opus_24"]

BANDS_HZ: dict[Band, tuple[float, float]] = {
    "full": (0.0, SAMPLE_RATE / 2),
    "telephone": (300.0, 3400.0),
    "small_speaker": (400.0, 6500.0),
}
"""Where each band ends; the telephone's is that of ITU-T G.712."""

_STEEP = 6  # order of the Butterworth edges: 36 dB an octave
_TELEPHONE_HZ = 8_000
_G711 = {"mu_law": "pcm_mulaw", "a_law": "pcm_alaw"}
_OPUS_BITS_PER_S = {"opus_6": 6_000, "opus_12": 12_000, "opus_24": 24_000}
_OPUS_HZ = 48_000


def band_limited(x: F32, band: Band) -> F32:
    """`x` float32[n] at 16 kHz inside a band, without delay (Butterworth magnitudes).

    Raises:
        HarkenError: no such band.
    """
    if band not in BANDS_HZ:
        raise HarkenError(f"no band {band!r}: choose {', '.join(BANDS_HZ)}")
    if band == "full" or not len(x):
        return x
    low_hz, high_hz = BANDS_HZ[band]
    size = len(x) + SAMPLE_RATE // 10  # so that the end does not ring into the beginning
    f = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    high_pass = 1 / (1 + (low_hz / np.maximum(f, 1e-6)) ** (2 * _STEEP))
    low_pass = 1 / (1 + (f / high_hz) ** (2 * _STEEP))
    y = np.fft.irfft(np.fft.rfft(x, size) * np.sqrt(high_pass * low_pass), size)[: len(x)]
    return np.asarray(y, np.float32)


def with_noise(x: F32, noise_dbfs: float, random: np.random.Generator) -> F32:
    """`x` and the hiss of a microphone: white noise of so many decibels below full scale."""
    hiss = random.normal(0, 10 ** (noise_dbfs / 20), len(x))
    return np.asarray(x + hiss, np.float32)


def clipped(x: F32, overdrive_db: float) -> F32:
    """`x` with all that is higher than its peak less `overdrive_db` cut off; 0 cuts nothing."""
    if overdrive_db < 0:
        raise HarkenError(f"an overdrive of {overdrive_db} dB cuts nothing: use 0 or more")
    if overdrive_db == 0 or not len(x):
        return x
    ceiling = np.abs(x).max() * np.float32(10 ** (-overdrive_db / 20))
    return np.asarray(np.clip(x, -ceiling, ceiling), np.float32)


def coded(x: F32, codec: Codec) -> F32:
    """`x` float32[n] at 16 kHz through a codec and back, in its place and length.

    `mu_law` and `a_law` are ITU-T G.711 at 8 kHz; `opus_6` is Opus at 6 kbit/s and so on. What
    exceeds full scale is clipped, as there.

    Raises:
        HarkenError: no such codec, or this build of PyAV is without it.
    """
    if codec == "none" or not len(x):
        return x
    if codec in _G711:
        narrow = soxr.resample(x, SAMPLE_RATE, _TELEPHONE_HZ)
        back = _round_trip(narrow, _TELEPHONE_HZ, _G711[codec], "wav", None)
        return _fitted(soxr.resample(back, _TELEPHONE_HZ, SAMPLE_RATE), len(x))
    if codec in _OPUS_BITS_PER_S:
        wide = soxr.resample(x, SAMPLE_RATE, _OPUS_HZ)
        back = _round_trip(wide, _OPUS_HZ, "libopus", "ogg", _OPUS_BITS_PER_S[codec])
        return _fitted(soxr.resample(back, _OPUS_HZ, SAMPLE_RATE), len(x))
    raise HarkenError(f"no codec {codec!r}: choose none, {', '.join([*_G711, *_OPUS_BITS_PER_S])}")


def _round_trip(x: F32, rate_hz: int, codec: str, container: str, bit_rate: int | None) -> F32:
    import av

    pcm = np.clip(np.rint(x * 32767.0), -32768, 32767).astype(np.int16)
    file = io.BytesIO()
    try:
        with av.open(file, "w", format=container) as out:
            stream = out.add_stream(codec, rate=rate_hz, layout="mono")
            assert isinstance(stream, av.AudioStream)
            if bit_rate:
                stream.bit_rate = bit_rate
            frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
            frame.sample_rate = rate_hz
            frame.pts = 0
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    except (av.FFmpegError, ValueError) as error:
        raise HarkenError(f"cannot encode {codec} ({error}): install PyAV's own wheel") from error
    file.seek(0)
    flat = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
    blocks: list[F32] = []
    with av.open(file, "r") as coming:
        for coded_frame in [*coming.decode(audio=0), None]:
            parts = flat.resample(coded_frame)
            blocks += [np.asarray(part.to_ndarray(), np.float32).ravel() for part in parts]
    return np.concatenate(blocks)


def _fitted(x: F32, length: int) -> F32:
    return np.asarray(np.pad(x[:length], (0, max(0, length - len(x)))), np.float32)
