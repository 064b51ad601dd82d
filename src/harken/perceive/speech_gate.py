"""Is somebody speaking? Silero VAD over a continuous stream, with its state as a value.

Silero (MIT, `silero_vad_16k_op15.onnx`) judges frames of 512 samples at 16 kHz, each preceded by
the last 64 samples of the frame before, and carries an LSTM state of float32[2, 1, 128].
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from harken.errors import HarkenError

FRAME_SAMPLES = 512
_CONTEXT_SAMPLES = 64
_RATE_HZ = np.array(16_000, dtype=np.int64)

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GateState:
    """Where the gate stands; never changed in place.

    lstm: float32[2, 1, 128]. context: float32[64], the end of the last judged frame.
    pending: float32[<512], samples that do not fill a frame yet.
    """

    lstm: Float32
    context: Float32
    pending: Float32


class SpeechGate:
    """Speech probability of every 512 samples of a stream."""

    def __init__(self, silero_file: Path, *, threads: int = 1) -> None:
        """Load the network.

        Raises:
            HarkenError: the file is missing or is not the expected network.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        if not silero_file.is_file():
            raise HarkenError(f"no Silero VAD at {silero_file}: run `harken parts fetch` to get it")
        try:
            self._network = onnxruntime.InferenceSession(
                str(silero_file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no public base class
            raise HarkenError(
                f"{silero_file} is not a readable ONNX network ({_first_line(error)}): "
                "run `harken parts verify`, then `harken parts fetch`"
            ) from error

    def start(self) -> GateState:
        return GateState(
            lstm=np.zeros((2, 1, 128), np.float32),
            context=np.zeros(_CONTEXT_SAMPLES, np.float32),
            pending=np.zeros(0, np.float32),
        )

    def hear(self, state: GateState, samples: Float32) -> tuple[GateState, Float32]:
        """Judge every frame that `samples` float32[n] completes.

        Returns:
            The next state, and float32[frames] of probabilities from 0 to 1, oldest first.
        """
        waiting = np.concatenate([state.pending, samples.astype(np.float32, copy=False)])
        frame_count = waiting.shape[0] // FRAME_SAMPLES
        lstm, context = state.lstm, state.context
        p_speech = np.zeros(frame_count, np.float32)
        for index in range(frame_count):
            frame = waiting[index * FRAME_SAMPLES : (index + 1) * FRAME_SAMPLES]
            output, lstm = self._network.run(
                None,
                {
                    "input": np.concatenate([context, frame])[None],
                    "state": lstm,
                    "sr": _RATE_HZ,
                },
            )
            p_speech[index] = output[0, 0]
            context = frame[-_CONTEXT_SAMPLES:]
        pending = waiting[frame_count * FRAME_SAMPLES :].copy()
        return GateState(lstm=lstm, context=context.copy(), pending=pending), p_speech


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
