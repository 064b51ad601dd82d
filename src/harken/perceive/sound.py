"""The sound ear: what made the sound, as scores of 521 AudioSet classes and an embedding.

YAMNet (w8a8) over the last 0.96 s, once a chunk. Front end and quantisation as in YAMNet's
`features.py` and the exported graph: 25 ms Hann windows every 10 ms, 64 mel bands from 125 to
7500 Hz, log(x + 0.001), patches of 96 frames.
"""

import csv
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnxruntime import InferenceSession

from harken.errors import HarkenError
from harken.perceive.runtime import open_model

F32 = npt.NDArray[np.float32]

WINDOW_SAMPLES = 15_600
"""0.975 s: 96 frames of 400 samples every 160."""
CLASSES, EMBEDDING = 521, 1024

_FRAMES, _BANDS = 96, 64
_INPUT_SCALE, _INPUT_ZERO = 0.04794, 144
_OUTPUT_SCALE, _OUTPUT_ZERO = 0.7565417, 190
_POOLED = b"/model/GlobalAveragePool_output_0"


class SoundEar:
    """Holds the model; stateless otherwise."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """folder: the part `yamnet` (model.onnx, model.data, yamnet_class_map.csv)."""
        self._session = _open(folder, [_POOLED], threads)
        self._input = self._session.get_inputs()[0].name
        self.names = class_names(folder)

    def hear(self, window: F32) -> F32:
        """float32 [15600], the newest samples -> float32 [1545]: scores (0 to 1), embedding."""
        if window.shape != (WINDOW_SAMPLES,):
            raise HarkenError(
                f"the sound ear hears float32[{WINDOW_SAMPLES}] windows, got shape {window.shape}"
            )
        patch = np.round(_log_mel(window) / np.float32(_INPUT_SCALE)) + _INPUT_ZERO
        patch = np.clip(patch, 0, 255).astype(np.uint8)
        outputs = self._session.run(
            ["class_scores", _POOLED.decode()], {self._input: patch[None, None]}
        )
        logits = (outputs[0].reshape(-1).astype(np.float32) - _OUTPUT_ZERO) * _OUTPUT_SCALE
        scores = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
        both: F32 = np.concatenate([scores, outputs[1].reshape(-1)]).astype(np.float32)
        return both


def class_names(folder: Path) -> tuple[str, ...]:
    """The 521 display names in the order of the scores."""
    with (folder / "yamnet_class_map.csv").open(newline="", encoding="utf-8") as f:
        return tuple(row["display_name"] for row in csv.DictReader(f))


def classifier(folder: Path) -> tuple[F32, F32]:
    """Weight [521, 1024] and bias [521] with which YAMNet turns an embedding into class logits."""
    names = [b"model.classifier.weight_qdq", b"model.classifier.bias"]
    session = _open(folder, names, threads=1)
    patch = np.zeros((1, 1, _FRAMES, _BANDS), np.uint8)
    weight, bias = session.run([n.decode() for n in names], {session.get_inputs()[0].name: patch})
    return weight, bias


def _open(folder: Path, more_outputs: Sequence[bytes], threads: int) -> InferenceSession:
    graph, weights = folder / "model.onnx", folder / "model.data"
    if not graph.exists() or not weights.exists():
        raise HarkenError(f"{folder} lacks the part yamnet; run `harken parts fetch yamnet`")
    return open_model(
        graph.read_bytes() + b"".join(map(_output, more_outputs)),
        "run `harken parts remove yamnet` and `harken parts fetch yamnet`",
        weights=folder,
        threads=threads,
    )


def _output(name: bytes) -> bytes:
    """What to append to a graph so that it also puts out the float tensor of that name.

    A protobuf message followed by another of its type is their merge, so the output is added by
    appending ModelProto{graph{output{name, type float}}}.
    """
    value_info = _field(1, name) + _field(2, _field(1, b"\x08\x01"))
    return _field(7, _field(12, value_info))


def _field(number: int, content: bytes) -> bytes:
    """One length-delimited protobuf field of fewer than 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


@lru_cache(maxsize=1)
def _front_end() -> tuple[F32, F32]:
    """The periodic Hann window [400] and the mel filters [257, 64] (HTK mel scale)."""

    def mel(hz: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
        return 1127 * np.log(1 + np.asarray(hz) / 700)

    bins = mel(np.linspace(0, 8000, 257))[:, None]
    edges = np.linspace(mel(125.0), mel(7500.0), _BANDS + 2)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling))
    return np.hanning(401)[:-1].astype(np.float32), filters.astype(np.float32)


def _log_mel(window: F32) -> F32:
    """float32 [15600] -> float32 [96, 64]."""
    hann, filters = _front_end()
    frames = np.lib.stride_tricks.sliding_window_view(window, 400)[::160][-_FRAMES:]
    magnitude = np.abs(np.fft.rfft(frames * hann, 512, axis=1)).astype(np.float32)
    log: F32 = np.log(magnitude @ filters + np.float32(1e-3))
    return log
