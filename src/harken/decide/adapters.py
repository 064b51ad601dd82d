"""From ear features to embeddings of the decoder: the trained adapters, in numpy.

`harken.train.model` holds the same formulas in torch; a test holds the two together.
"""

import numpy as np
import numpy.typing as npt

from harken.decide.checkpoint import SOUND_CLASSES, Checkpoint
from harken.perceive.percept import Percept

F32 = npt.NDArray[np.float32]
SCORE_FLOOR = 0.3


def score_weights(scores: F32) -> F32:
    """Class scores [.., 521] (0 to 1) as weights that sum to less than one."""
    root = np.sqrt(scores)
    weights: F32 = root / (root.sum(-1, keepdims=True) + np.float32(SCORE_FLOOR))
    return weights


def standardise(x: F32) -> F32:
    """Zero mean and unit variance along the last axis: layer norm without parameters."""
    centred = x - x.mean(-1, keepdims=True)
    scaled: F32 = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(1e-5))
    return scaled


class Adapters:
    """Embeds percepts: sound [1545] and acoustic [2560] -> two positions of `hidden` numbers."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        t = checkpoint.tensors
        self._scores, self._embedding = t["sound.scores"], t["sound.embedding"]
        self._sound_bias = t["sound.bias"]
        self._acoustic, self._acoustic_bias = t["acoustic.weight"], t["acoustic.bias"]

    def embed(self, percept: Percept) -> F32:
        """float32 [2, hidden]: the sound position, then the acoustic position."""
        sound = percept.sound.astype(np.float32)
        acoustic = standardise(percept.acoustic.astype(np.float32).reshape(5, -1)).reshape(-1)
        sounds = (
            score_weights(sound[:SOUND_CLASSES]) @ self._scores
            + standardise(sound[SOUND_CLASSES:]) @ self._embedding
            + self._sound_bias
        )
        return np.stack([sounds, acoustic @ self._acoustic + self._acoustic_bias])
