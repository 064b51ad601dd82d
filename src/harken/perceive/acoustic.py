"""The acoustic ear: voice, tone, prosody and music, from the first layers of Whisper's encoder.

For each chunk the last 3.2 s run through the encoder and only the chunk's own 20 states are kept.
Without state and without future, and clamped by the window's own maximum: training, replay and
live are equal by construction.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.perceive.runtime import open_model
from harken.perceive.whisper_mel import clamp_normalise, log_mel

F32 = npt.NDArray[np.float32]

WINDOW_SAMPLES = 51_200
STATES, WIDTH, POOLED = 20, 512, 5


class AcousticEar:
    """Holds the model; stateless otherwise."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """folder: the converted part (`harken.parts.convert.converted("acoustic")`)."""
        remedy = f"delete the folder {folder} and run again"
        self._session = open_model(folder / "acoustic.onnx", remedy, threads=threads)

    def hear(self, window: F32) -> F32:
        """float32 [51200], the newest samples -> float32 [2560]: means of 4 states, five in a row.

        Each of the five stands for 80 ms of the newest chunk, oldest first.
        """
        if window.shape != (WINDOW_SAMPLES,):
            raise HarkenError(
                f"the acoustic ear hears float32[{WINDOW_SAMPLES}] windows, got shape "
                f"{window.shape}"
            )
        mel = clamp_normalise(log_mel(window))
        states: F32 = self._session.run(None, {"mel": mel[None].astype(np.float32)})[0][0]
        pooled: F32 = states.reshape(POOLED, STATES // POOLED, WIDTH).mean(1).reshape(-1)
        return pooled
