"""Sounds imagined as the sound ear would hear them, for the many classes that lack recordings.

YAMNet knows 521 classes and the recordings at hand show some sixty of them, half with a handful of
clips. What a listener should learn is to trust the ear: a class that is heard is named. So an
embedding is moved as little as possible (in standard deviations of what was really heard) until
YAMNet's own classifier hears the wanted class in it. Parents and kin of the class rise with it, as
they do in nature, and what else stood out sinks below it.
"""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from harken.parts import ensure
from harken.perceive.sound import CLASSES, class_names, classifier
from harken.soundflow.corpora import data_text

F32 = npt.NDArray[np.float32]

_KIN = 0.45
"""Classes whose classifier weights have a cosine above this may rise with the wanted one."""
_GAP = 1.5
"""The others stay so far below it, in logits, or where they were before the sound."""
_STEPS, _RATE, _EFFORT = 120, 0.1, 1e-3


@dataclass(frozen=True, slots=True)
class Wish:
    """A class to be heard: its index, the logit it should reach."""

    index: int
    logit: float


class Imagination:
    """YAMNet's classifier turned around."""

    def __init__(self, heard: F32) -> None:
        """heard: float32 [n, 1545], what the sound ear really delivers."""
        embeddings = heard[:, CLASSES:].astype(np.float32)
        self._spread: F32 = embeddings.std(0) + np.float32(0.02)
        self._weight, self._bias = classifier(ensure("yamnet"))
        # What all classes share says nothing about their kinship.
        scaled = (self._weight - self._weight.mean(0)) * self._spread
        scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
        self._strange: F32 = (scaled @ scaled.T < _KIN).astype(np.float32)

    def imagine(self, heard: F32, before: F32, wishes: list[Wish]) -> F32:
        """What the ear would have heard had each wish come true.

        heard, before: float32 [n, 1545], a chunk each and what the ear heard before the sound;
        returns float32 [n, 1545]: scores and an embedding that belong together. Where another
        sound is too plain to be hidden, the imagined one begins from what was heard before it.
        """
        index = np.array([w.index for w in wishes])
        logit = np.array([w.logit for w in wishes], np.float32)
        ceiling = np.maximum(logit[:, None] - _GAP, self._logits(before[:, CLASSES:]))
        embedding = self._moved(heard[:, CLASSES:], index, logit, ceiling)
        excess = (self._logits(embedding) - ceiling) * self._strange[index]
        hidden = excess.max(1) > _GAP
        if hidden.any():
            embedding[hidden] = self._moved(
                before[hidden, CLASSES:], index[hidden], logit[hidden], ceiling[hidden]
            )
        scores = 1 / (1 + np.exp(-np.clip(self._logits(embedding), -80, 80)))
        both: F32 = np.concatenate([scores, embedding], axis=1).astype(np.float32)
        return both

    def _moved(self, origin: F32, index: npt.NDArray[np.int64], logit: F32, ceiling: F32) -> F32:
        """The embeddings [n, 1024], moved until the classifier hears each class `index`."""
        rows, strange = np.arange(len(index)), self._strange[index]
        moved = np.zeros_like(origin)
        first, second = np.zeros_like(origin), np.zeros_like(origin)
        for step in range(1, _STEPS + 1):
            raw = origin + self._spread * moved
            logits = self._logits(np.maximum(raw, 0))
            # Gradient of (wanted - logit)^2 + sum of excesses^2 + effort, by Adam.
            error = 2 * np.maximum(logits - ceiling, 0) * strange
            error[rows, index] += 2 * (logits[rows, index] - logit)
            gradient = (error @ self._weight) * (raw > 0) * self._spread + 2 * _EFFORT * moved
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            scale = np.sqrt(second / (1 - 0.999**step)) + 1e-8
            moved = moved - _RATE * (first / (1 - 0.9**step)) / scale
        reached: F32 = np.maximum(origin + self._spread * moved, 0)
        return reached

    def _logits(self, embedding: F32) -> F32:
        logits: F32 = embedding @ self._weight.T + self._bias
        return logits


@cache
def imaginable() -> dict[str, tuple[int, ...]]:
    """Labels of `EVENTS` with the YAMNet classes that say so (`data/audioset.json`)."""
    index = {name: i for i, name in enumerate(class_names(ensure("yamnet")))}
    listed: dict[str, list[str]] = json.loads(data_text("audioset.json"))
    return {label: tuple(index[name] for name in names) for label, names in listed.items()}
