"""What the sound and the acoustic ear hear at another pace, or of a shorter past.

Both ears are functions of a window that ends now (`harken.perceive`), so they can be asked at any
sample. The words ear cannot: its words stay at the pace at which they were recognised.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harken.perceive import acoustic, sound
from harken.stream import CHUNK_SAMPLES

F16 = npt.NDArray[np.float16]
F32 = npt.NDArray[np.float32]


class Ear(Protocol):
    """`SoundEar` or `AcousticEar`."""

    def hear(self, window: F32) -> F32:
        """The newest samples, as many as the ear holds -> its features."""
        ...


@dataclass(frozen=True, slots=True)
class Ears:
    """The two ears that listen to sound."""

    sound: Ear
    acoustic: Ear

    @classmethod
    def shipped(cls) -> "Ears":
        """Those of the default profile; their parts are fetched if they are not there yet."""
        from harken.parts import ensure
        from harken.parts.convert import converted

        return cls(sound.SoundEar(ensure("yamnet")), acoustic.AcousticEar(converted("acoustic")))


@dataclass(frozen=True, slots=True)
class Pace:
    """Asked every `step_samples`, of the newest `reach_samples` (None: all that an ear holds)."""

    step_samples: int = CHUNK_SAMPLES
    reach_samples: int | None = None


def rehear(audio: F32, n_chunks: int, pace: Pace, ears: Ears) -> tuple[F16, F16]:
    """Features of a stream of `n_chunks` chunks of 0.4 s.

    Args:
        audio: float32 [n] at 16 kHz; zeros follow it to the end of its last chunk.
        pace: a step that divides the stream.

    Returns:
        sound float16 [steps, 1545] and acoustic float16 [steps, 2560]. The acoustic ear's five
        states stand for the newest 0.4 s at any pace: asked every 0.2 s, they overlap by half.
    """
    before = max(sound.WINDOW_SAMPLES, acoustic.WINDOW_SAMPLES)
    total = n_chunks * CHUNK_SAMPLES
    line = np.zeros(before + total, np.float32)
    line[before : before + len(audio[:total])] = audio[:total]
    ends = range(before + pace.step_samples, len(line) + 1, pace.step_samples)
    return (
        _asked(ears.sound, line, ends, sound.WINDOW_SAMPLES, pace.reach_samples),
        _asked(ears.acoustic, line, ends, acoustic.WINDOW_SAMPLES, pace.reach_samples),
    )


def _asked(ear: Ear, line: F32, ends: range, window_samples: int, reach: int | None) -> F16:
    heard = []
    for end in ends:
        window = line[end - window_samples : end].copy()
        if reach is not None and reach < window_samples:
            window[: window_samples - reach] = 0
        heard.append(ear.hear(window).astype(np.float16))
    return np.stack(heard)
