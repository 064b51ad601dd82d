"""Clips cut to their event: the time-frequency joint preprocessing of the published data engine.

Six operators over one kind of short-time Fourier transform (arXiv 2606.05121, algorithm in its
appendix): silence_cut, noise_profile and denoise, up to three times or until nothing changes, then
core_locate, boundary_norm and spec_smooth; and all of it again while anything changes. What the
publication leaves open is chosen here. Every operator leaves alone what it has made, so a clean
clip comes back unchanged.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

# Published.
LONGEST_SILENCE_SAMPLES = int(0.3 * SAMPLE_RATE)
GATE_PERCENTILE = 10
NOISE_FRAMES_SHARE = 0.05
SUBTRACTION = 1.0
GRID_SAMPLES = CHUNK_SAMPLES // 2
TAPER_SAMPLES = int(0.02 * SAMPLE_RATE)
PASSES = 3

# Chosen.
WINDOW_SAMPLES, HOP_SAMPLES = 512, 160
"""Half a chunk is a whole number of hops, so frames keep their places after a cut to the grid."""
GATE_MARGIN_DB = 6.0
"""Frames so far above the gate are silence still: noise varies."""
SILENCE_BELOW_PEAK_DB = 35.0
"""Frames nearer to the loudest one are never silence."""
NOISE_BELOW_PEAK_DB = (20.0, 50.0)
"""How far noise lies below the loudest frame: nearer is the event, further is left alone."""
STATIONARY = (20, 4.0)
"""Noise is there all the time: this percentile of frames is at most so many dB above it."""
LEAST_GAIN = 10 ** (-24 / 20)
"""What a bin keeps at least: holes would ring."""
CORE_SHARE = 0.01
"""Frames with this share of the best frame's score belong to the core if they are next to it."""
ROUNDS = 10
"""Of the whole: the published loop is bounded by nothing."""

_WINDOW = np.hanning(WINDOW_SAMPLES + 1)[:-1]
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A clip after cleaning: float32 [n], n a multiple of 3200 (half a chunk), 0 if it was silent.

    rounds: how often everything was done. settled: whether the last round changed nothing.
    """

    samples: F32
    rounds: int
    settled: bool


def clean(x: F32) -> Cleaned:
    """The event of a clip (float32 [n], 16 kHz): pauses cut, noise taken away, ends softened."""
    for done in range(ROUNDS):
        y = _round(x)
        if np.array_equal(x, y):
            return Cleaned(x, done, True)
        x = y
    return Cleaned(x, ROUNDS, False)


def silence_cut(x: F32) -> F32:
    """`x` with every silence longer than 0.3 s cut to that, its halves joined in a 20 ms fade."""
    power = frame_power(x)
    silent = power <= _gate(power)
    pieces: list[F32] = []
    at = 0
    for first, last in _runs(silent):
        start, end = first * HOP_SAMPLES, min(len(x), last * HOP_SAMPLES)
        if end - start <= LONGEST_SILENCE_SAMPLES:
            continue
        kept = LONGEST_SILENCE_SAMPLES // 2
        pieces.append(x[at : start + kept])
        at = end - kept
    if not pieces:
        return x
    return _joined([*pieces, x[at:]])


def noise_profile(x: F32) -> F64:
    """Mean magnitude of each bin, float64 [257], in the twentieth of frames with least power."""
    magnitude = np.abs(_stft(x))
    power = np.square(magnitude).sum(1)
    quietest = np.argsort(power, kind="stable")[: max(1, int(NOISE_FRAMES_SHARE * len(power)))]
    profile: F64 = magnitude[quietest].mean(0)
    return profile


def denoise(x: F32, profile: F64) -> F32:
    """`x` less a stationary noise of that profile, by magnitude; never louder than before.

    A profile of what comes and goes is a part of the event, and changes nothing.
    """
    spectrum = _stft(x)
    magnitude = np.abs(spectrum)
    power = np.square(magnitude).sum(1)
    if not _is_noise(float(np.square(profile).sum()), power):
        return x
    gain = np.maximum(1 - SUBTRACTION * profile / np.maximum(magnitude, _TINY), LEAST_GAIN)
    y = _istft(spectrum * gain, len(x))
    peak, allowed = float(np.abs(y).max(initial=0.0)), float(np.abs(x).max(initial=0.0))
    return (y * (allowed / peak) if peak > allowed else y).astype(np.float32)


def core_locate(x: F32) -> tuple[int, int]:
    """First and last sample (exclusive) of the stretch with most energy in the clearest spectrum.

    A frame scores its share of the loudest frame's energy over the entropy of its spectrum (in
    nats, plus one). The core is the stretch whose scores above 1 % of the best add up to most.
    """
    power_spectrum = np.square(np.abs(_stft(x)))
    power = power_spectrum.sum(1)
    loudest = float(power.max(initial=0.0))
    if loudest <= _TINY:
        return 0, 0
    share = power_spectrum / np.maximum(power, _TINY)[:, None]
    entropy = -(share * np.log(np.maximum(share, _TINY))).sum(1)
    score = power / loudest / (1 + entropy)
    first, last = _best_stretch(score - CORE_SHARE * score.max())
    return first * HOP_SAMPLES, min(len(x), last * HOP_SAMPLES)


def boundary_norm(x: F32, core: tuple[int, int]) -> F32:
    """The core with its ends on the nearest 0.2 s of the clip; at least one step, zeros behind."""
    if core == (0, 0):
        return x[:0]
    start, end = (round(edge / GRID_SAMPLES) * GRID_SAMPLES for edge in core)
    start = min(start, (len(x) - 1) // GRID_SAMPLES * GRID_SAMPLES)
    end = max(end, start + GRID_SAMPLES)
    if (start, end) == (0, len(x)):
        return x
    cut = x[start:end]
    return np.pad(cut, (0, end - start - len(cut)))


def spec_smooth(x: F32) -> F32:
    """`x` rising from and falling to zero over 20 ms (Hann); ends that are zero stay."""
    if len(x) < 2 * TAPER_SAMPLES or (x[0] == 0 and x[-1] == 0):
        return x
    rise = (0.5 - 0.5 * np.cos(np.pi * np.arange(TAPER_SAMPLES) / TAPER_SAMPLES)).astype(np.float32)
    y = x.copy()
    if x[0] != 0:
        y[:TAPER_SAMPLES] *= rise
    if x[-1] != 0:
        y[-TAPER_SAMPLES:] *= rise[::-1]
    return y


def frame_power(x: F32) -> F64:
    """Energy of each frame, float64 [frames]; frame i is centred on sample 160 i + 80."""
    power: F64 = np.square(np.abs(_stft(x))).sum(1)
    return power


def _round(x: F32) -> F32:
    for _ in range(PASSES):
        cut = silence_cut(x)
        y = denoise(cut, noise_profile(cut)) if len(cut) else cut
        if y is x:
            break
        x = y
    return spec_smooth(boundary_norm(x, core_locate(x))) if len(x) else x


def _gate(power: F64) -> float:
    """Power up to which a frame is silent."""
    if not len(power):
        return 0.0
    gate = float(np.percentile(power, GATE_PERCENTILE)) * _power(GATE_MARGIN_DB)
    return min(gate, float(power.max()) * _power(-SILENCE_BELOW_PEAK_DB))


def _is_noise(floor: float, power: F64) -> bool:
    """Whether a floor of that power is worth taking away and is there all the time."""
    percentile, margin_db = STATIONARY
    nearest, furthest = (float(power.max()) * _power(-db) for db in NOISE_BELOW_PEAK_DB)
    is_always_there = float(np.percentile(power, percentile)) <= floor * _power(margin_db)
    return furthest < floor < nearest and is_always_there


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index (exclusive) of every run of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _joined(pieces: list[F32]) -> F32:
    """Pieces one after the other, each over the end of the last for 20 ms."""
    rise = np.linspace(0, 1, TAPER_SAMPLES, dtype=np.float32)
    y = pieces[0]
    for piece in pieces[1:]:
        faded = y[-TAPER_SAMPLES:] * (1 - rise) + piece[:TAPER_SAMPLES] * rise
        y = np.concatenate([y[:-TAPER_SAMPLES], faded, piece[TAPER_SAMPLES:]])
    return y


def _best_stretch(score: F64) -> tuple[int, int]:
    """The stretch with the greatest sum (Kadane): first index, last index (exclusive)."""
    sums = np.concatenate([[0.0], np.cumsum(score)])
    lowest = np.minimum.accumulate(sums)
    end = int(np.argmax(sums - lowest))
    return int(np.argmin(sums[: end + 1])), end


def _power(db: float) -> float:
    return float(10 ** (db / 10))


def _stft(x: F32) -> npt.NDArray[np.complex128]:
    """Complex128 [frames, 257]; frame i covers 512 samples around sample 160 i + 80."""
    frames = -(-len(x) // HOP_SAMPLES)
    lead = (WINDOW_SAMPLES - HOP_SAMPLES) // 2
    room = (frames - 1) * HOP_SAMPLES + WINDOW_SAMPLES if frames else 0
    padded = np.zeros(max(room, lead + len(x)))
    padded[lead : lead + len(x)] = x
    if not frames:
        return np.zeros((0, WINDOW_SAMPLES // 2 + 1), np.complex128)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)
    return np.fft.rfft(windows[::HOP_SAMPLES][:frames] * _WINDOW, axis=1)


def _istft(spectrum: npt.NDArray[np.complex128], length: int) -> F64:
    """Weighted overlap-add: the inverse of `_stft` when nothing was changed."""
    frames = np.fft.irfft(spectrum, WINDOW_SAMPLES, axis=1) * _WINDOW
    weights = np.broadcast_to(_WINDOW**2, frames.shape)
    lead = (WINDOW_SAMPLES - HOP_SAMPLES) // 2
    return (_overlapped(frames) / np.maximum(_overlapped(weights), 1e-8))[lead : lead + length]


def _overlapped(frames: F64) -> F64:
    """Frames added up, each a hop behind the last."""
    hops = -(-WINDOW_SAMPLES // HOP_SAMPLES)
    padded = np.pad(frames, ((0, 0), (0, hops * HOP_SAMPLES - WINDOW_SAMPLES)))
    parts = padded.reshape(len(frames), hops, HOP_SAMPLES)
    total = np.zeros((len(frames) + hops - 1, HOP_SAMPLES))
    for k in range(hops):
        total[k : k + len(frames)] += parts[:, k]
    return total.reshape(-1)
