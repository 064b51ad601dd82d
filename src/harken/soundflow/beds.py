"""What lies under a whole stream: pieces laid end to end, and two tracks of noise.

Levels follow the published stitching (arXiv 2606.05121, Algorithm 4): an event-like noise track at
an SNR of U(5, 20) dB, an ambient one 5 dB quieter.
"""

from collections.abc import Iterable, Sequence
from itertools import cycle

import numpy as np
import numpy.typing as npt

from harken.soundflow.generate import noise_bed
from harken.soundflow.scene import Scene
from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]

SNR_DB = (5.0, 20.0)
AMBIENT_NOISE_DB = 5.0
"""So much quieter than the event-like noise is the ambient one."""
_CROSSFADE_S = 0.2


def crossfaded(pieces: Sequence[F32], samples: int) -> F32:
    """float32 [samples]: the pieces one after the other, again and again, with crossfades.

    The crossfade keeps the power (sine and cosine) and lasts 0.2 s or half the shortest piece.
    """
    overlap = min(int(_CROSSFADE_S * SAMPLE_RATE), *(len(p) // 2 for p in pieces))
    rise = np.sin(np.linspace(0, np.pi / 2, overlap, dtype=np.float32))
    y = np.zeros(samples + max(map(len, pieces)), np.float32)
    at = 0
    for piece in cycle(pieces):
        if at >= samples:
            break
        shaped = piece.astype(np.float32)
        shaped[len(shaped) - overlap :] *= rise[::-1]
        if at:
            shaped[:overlap] *= rise
        y[at : at + len(shaped)] += shaped
        at += len(shaped) - overlap
    return y[:samples]


def lay_noise(scene: Scene, foreground_rms_db: float) -> None:
    """Noise that swells and sinks like events, and noise that stays, below the foreground."""
    random = scene.random
    snr_db = random.uniform(*SNR_DB)
    swelling = [
        noise_bed(random, int(random.uniform(0.8, 3.0) * SAMPLE_RATE))
        * np.float32(10 ** (random.uniform(-12, 0) / 20))
        for _ in range(8)
    ]
    steady = [noise_bed(random, 6 * SAMPLE_RATE)]
    for pieces, below_db in ((swelling, snr_db), (steady, snr_db + AMBIENT_NOISE_DB)):
        scene.lay(crossfaded(pieces, scene.samples), foreground_rms_db - float(below_db))


def rms_db(clips: Iterable[F32]) -> float:
    """The level of clips while they sound, dB below full scale."""
    power = np.mean(np.square(np.concatenate(list(clips)), dtype=np.float64))
    return float(10 * np.log10(max(1e-12, power)))
