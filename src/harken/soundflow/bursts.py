"""Where a sound is heard once: its bursts, parted by gaps that a listener takes as an end.

Who counts barks counts bursts, so a clip in which a dog barks three times is three of them.
"""

import numpy as np
import numpy.typing as npt

from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]

GAP_S = 0.35
"""Bursts are parted by at least so much; the raps of one knock follow each other faster."""
QUIET_DB = 26.0
"""So far below the loudest frame a frame belongs to a gap."""
_FRAME = SAMPLE_RATE // 50
_FADE = SAMPLE_RATE // 50


def bursts(x: F32) -> list[tuple[int, int]]:
    """Start and end, in samples, of every burst in `x` float32[n] at 16 kHz."""
    frames = np.pad(x, (0, -len(x) % _FRAME)).reshape(-1, _FRAME)
    power = np.square(frames, dtype=np.float64).mean(1)
    loud = np.flatnonzero(power > power.max(initial=0) * 10 ** (-QUIET_DB / 10))
    parted = np.flatnonzero(np.diff(loud) > GAP_S * SAMPLE_RATE / _FRAME)
    if not len(loud):
        return []
    runs = np.split(loud, parted + 1)
    return [(int(r[0]) * _FRAME, min(len(x), (int(r[-1]) + 1) * _FRAME)) for r in runs]


def first_burst(x: F32, most_s: float) -> F32:
    """`x` up to the end of its first burst or `most_s`, faded out over 20 ms."""
    found = bursts(x)
    end = min(found[0][1] if found else len(x), int(most_s * SAMPLE_RATE))
    y = x[:end].copy()
    fade = min(_FADE, len(y))
    y[len(y) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return y
