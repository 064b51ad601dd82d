"""Sentence embeddings: all-MiniLM-L6-v2 (the part `minilm`), in numpy.

A BERT of 6 layers (Devlin et al. 2018; post-norm, exact GELU is approximated to 1e-7), the mean of
its last states over the tokens, scaled to length 1, as the model card of all-MiniLM-L6-v2 says.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError

F32 = npt.NDArray[np.float32]

EMBEDDING = 384
_LAYERS, _HEADS, _EPSILON = 6, 12, 1e-12
_MOST_TOKENS = 256


class SentenceEncoder:
    """Holds the weights; stateless otherwise."""

    def __init__(self, folder: Path) -> None:
        """folder: the part `minilm` (model.safetensors, tokenizer.json)."""
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        weights, words = folder / "model.safetensors", folder / "tokenizer.json"
        if not weights.exists() or not words.exists():
            raise HarkenError(f"{folder} lacks the part minilm; run `harken parts fetch minilm`")
        self._weights: Mapping[str, F32] = load_file(weights)
        self._tokenizer = Tokenizer.from_file(str(words))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MOST_TOKENS)

    def encode(self, texts: Sequence[str]) -> F32:
        """Embeddings float32 [n, 384] of length 1, so their products are cosines."""
        if not texts:
            return np.zeros((0, EMBEDDING), np.float32)
        return np.stack([self._encode(text) for text in texts])

    def _encode(self, text: str) -> F32:
        ids = self._tokenizer.encode(text).ids
        w = self._weights
        x = w["embeddings.word_embeddings.weight"][ids]
        x = x + w["embeddings.position_embeddings.weight"][: len(ids)]
        x = x + w["embeddings.token_type_embeddings.weight"][0]
        x = self._normed(x, "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}")
        mean = x.mean(0)
        unit: F32 = (mean / max(1e-12, float(np.linalg.norm(mean)))).astype(np.float32)
        return unit

    def _layer(self, x: F32, name: str) -> F32:
        """One layer over the states [tokens, 384]."""
        heads = [
            self._linear(x, f"{name}.attention.self.{part}")
            .reshape(len(x), _HEADS, -1)
            .swapaxes(0, 1)
            for part in ("query", "key", "value")
        ]
        query, key, value = heads
        scores = query @ key.swapaxes(1, 2) / np.float32(np.sqrt(query.shape[-1]))
        share = np.exp(scores - scores.max(-1, keepdims=True))
        share /= share.sum(-1, keepdims=True)
        seen = (share @ value).swapaxes(0, 1).reshape(len(x), -1)
        x = self._normed(
            x + self._linear(seen, f"{name}.attention.output.dense"),
            f"{name}.attention.output.LayerNorm",
        )
        inner = _gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._normed(
            x + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm"
        )

    def _linear(self, x: F32, name: str) -> F32:
        y: F32 = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return y

    def _normed(self, x: F32, name: str) -> F32:
        centred = x - x.mean(-1, keepdims=True)
        scale = np.sqrt(np.square(centred).mean(-1, keepdims=True) + np.float32(_EPSILON))
        y: F32 = centred / scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return y


def _gelu(x: F32) -> F32:
    """x times the normal distribution function, by Abramowitz and Stegun 7.1.26."""
    z = np.abs(x) / np.float32(np.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series: F32 = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = ((series + np.float32(factor)) * t).astype(np.float32)
    y: F32 = (x * 0.5 * (1 + np.sign(x) * (1 - series * np.exp(-np.square(z))))).astype(np.float32)
    return y
