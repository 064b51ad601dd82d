"""A scene under construction: one waveform and what is due when.

Times are samples at 16 kHz. What is due carries the evidence it waits for: the end of a sound, or
the end of the words that cause it, which the words ear commits a little later. `build` turns that
into chunks when the ears have heard the mix.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harken.stream import SAMPLE_RATE, Prefix

F32 = npt.NDArray[np.float32]

Sound = tuple[int, int, str]
"""Start, end and label of a sound in the foreground; the label of one without a name is empty."""

RECOGNISABLE_SAMPLES = int(1.2 * SAMPLE_RATE)
"""After this much of a long sound it is due to be named; shorter ones when they end."""


@dataclass(frozen=True, slots=True)
class Due:
    """A response that waits for its evidence.

    `waits_for`: "sound" (its end or 1.2 s of it), "words" (the last word of the utterance), or
    "each" (a response with every batch of committed words, text taken from them).
    `spoken`: what was said, where a stream makes no sense unless most of it was heard: an order.
    """

    start: int
    end: int
    waits_for: str
    text: str
    emotion: str
    cause: str
    spoken: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to play the same audio: a prefix and what is due under it.

    own_voice: start and end of our own voice; stop: what it is told, its text unused.
    """

    task: str
    prefix: Prefix
    due: tuple[Due, ...]
    own_voice: tuple[int, int] = (0, 0)
    stop: Due | None = None


@dataclass
class Scene:
    """Append-only while a task composes it.

    counts: what was recorded, made, said and left out, and why, where a composer tells.
    """

    random: np.random.Generator
    samples: int
    tracks: list[tuple[int, F32]] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    sounds: list[Sound] = field(default_factory=list)
    at: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def wait(self, low_s: float, high_s: float) -> int:
        """Move on by a random pause and return the place."""
        self.at += int(self.random.uniform(low_s, high_s) * SAMPLE_RATE)
        return self.at

    def fits(self, clip: F32, tail_s: float = 1.0) -> bool:
        """Whether the clip can still be placed with room to react to it."""
        return self.at + len(clip) + int(tail_s * SAMPLE_RATE) <= self.samples

    def overlay(self, clip: F32, level_db: float, start: int) -> None:
        """Put a clip at `start` at a peak level in dB below full scale; the place stays."""
        peak = max(1e-6, float(np.abs(clip).max()))
        self.tracks.append((start, clip * np.float32(10 ** (level_db / 20) / peak)))

    def place(
        self, clip: F32, level_db: float, source: str = "", label: str | None = None
    ) -> tuple[int, int]:
        """Put a clip here at a peak level in dB below full scale; its start and end.

        label: of a sound in the foreground, empty for one without a name; None for speech.
        """
        start = self.at
        self.overlay(clip, level_db, start)
        self.at = start + len(clip)
        if source:
            self.sources.add(source)
        if label is not None:
            self.sounds.append((start, self.at, label))
        return start, self.at

    def lay(self, clip: F32, rms_db: float, start: int = 0) -> None:
        """Put a background under the scene at a root-mean-square level, looped to the end."""
        rms = max(1e-6, float(np.sqrt(np.mean(np.square(clip, dtype=np.float64)))))
        reps = -(-(self.samples - start) // len(clip))
        bed = np.tile(clip, reps)[: self.samples - start]
        self.tracks.append((start, bed * np.float32(10 ** (rms_db / 20) / rms)))

    def mix(self) -> F32:
        """The whole waveform, float32 [samples], limited to full scale."""
        y = np.zeros(self.samples, np.float32)
        for start, clip in self.tracks:
            end = min(self.samples, start + len(clip))
            y[start:end] += clip[: end - start]
        peak = float(np.abs(y).max())
        return y / np.float32(peak) if peak > 1 else y


def sound_due(start: int, end: int, reply: tuple[str, str], cause: str) -> Due:
    """A response to a sound, due when it ended or was heard long enough."""
    return Due(start, min(end, start + RECOGNISABLE_SAMPLES), "sound", *reply, cause)
