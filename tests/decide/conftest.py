"""A checkpoint of random numbers on the real decoder: nothing is trained, everything runs."""

import numpy as np
import pytest

from harken.decide.checkpoint import ACOUSTIC, SOUND_CLASSES, SOUND_EMBEDDING, Checkpoint
from harken.parts.convert.layout import Layout
from harken.stream import Profile


@pytest.fixture(scope="session")
def random_checkpoint(mini: Profile) -> Checkpoint:
    """Every tensor random, with a fixed seed, so that probabilities differ from chunk to chunk."""
    random = np.random.default_rng(0)

    def normal(*shape: int, std: float) -> np.ndarray:
        return (std * random.standard_normal(shape)).astype(np.float32)

    rows = len(mini.own_rows)
    tensors = {
        "controls.input": normal(rows, mini.hidden, std=0.02),
        "controls.output": normal(rows, mini.hidden, std=0.02),
        "sound.scores": normal(SOUND_CLASSES, mini.hidden, std=0.05),
        "sound.embedding": normal(SOUND_EMBEDDING, mini.hidden, std=0.002),
        "sound.bias": normal(mini.hidden, std=0.01),
        "acoustic.weight": normal(ACOUSTIC, mini.hidden, std=0.001),
        "acoustic.bias": normal(mini.hidden, std=0.01),
    }
    # A response of random rows would end at once: this end is never likely.
    tensors["controls.output"][mini.own_rows.index("END")] = 0
    for name, shape in Layout.of("decoder").from_checkpoint.items():
        if name.startswith(("layers.0.", "layers.12.")):
            tensors[name] = normal(*shape, std=0.02)
    return Checkpoint(mini, tensors)
