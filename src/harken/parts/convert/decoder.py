"""GGUF to the decoder that ONNX Runtime runs: 8-bit blocks of 32, embeddings, tokenizer.

The GGUF's Q5_0 and Q8_0 blocks are whole numbers times a scale, which MatMulNBits holds exactly in
8 bits; only its Q4_K and Q6_K matrices are rounded anew (to 1/127 of each block's maximum).
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType, GGUFReader, ReaderTensor
from gguf.quants import dequantize
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from harken.errors import HarkenError
from harken.parts.convert.layout import Layout, WeightsWriter

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
BLOCK = 32
ROPE_BASE = 1_000_000.0

# Split rule of Qwen2's tokenizer (tokenizer.json of the official release).
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


class DecoderGguf:
    """The tensors of a GGUF file by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._reader = GGUFReader(path)
        except Exception as broken:  # a cut file fails in many ways inside the reader
            raise self._broken(str(broken)) from broken
        self._tensors = {t.name: t for t in self._reader.tensors}

    def _broken(self, why: str) -> HarkenError:
        return HarkenError(
            f"{self._path} is no readable GGUF of the decoder ({why}); run `harken parts remove "
            "decoder` and `harken parts fetch decoder`"
        )

    def _tensor(self, name: str) -> ReaderTensor:
        if name not in self._tensors:
            raise self._broken(f"tensor {name} is missing")
        return self._tensors[name]

    def _strings(self, key: str) -> list[str]:
        if key not in self._reader.fields:
            raise self._broken(f"field {key} is missing")
        return list(self._reader.fields[key].contents())

    def plain(self, name: str) -> F32:
        """A tensor as float32, its rows first."""
        t = self._tensor(name)
        return np.asarray(dequantize(t.data, t.tensor_type), np.float32)

    def blocks(self, name: str) -> tuple[U8, F32]:
        """A matrix [n, k] as unsigned bytes around 128 [n, k/32, 32] and scales [n, k/32]."""
        t = self._tensor(name)
        raw = t.data
        if t.tensor_type == GGMLQuantizationType.Q8_0:  # f16 scale, 32 int8
            rows = raw.reshape(raw.shape[0], -1, 34)
            scale = rows[..., :2].copy().view(np.float16)[..., 0].astype(np.float32)
            return rows[..., 2:] ^ np.uint8(128), scale
        if t.tensor_type == GGMLQuantizationType.Q5_0:  # f16 scale, 32 high bits, 32 nibbles
            rows = raw.reshape(raw.shape[0], -1, 22)
            scale = rows[..., :2].copy().view(np.float16)[..., 0].astype(np.float32)
            high = np.unpackbits(rows[..., 2:6], axis=-1, bitorder="little")
            low = np.concatenate([rows[..., 6:] & 15, rows[..., 6:] >> 4], axis=-1)
            return low + (high << 4) + np.uint8(128 - 16), scale
        return round_to_bytes(self.plain(name))

    def tokenizer(self) -> Tokenizer:
        """The byte-level BPE of the file.

        It has no normaliser and no special tokens: text round-trips and never becomes a control.
        """
        built = Tokenizer(
            models.BPE(
                vocab={t: i for i, t in enumerate(self._strings("tokenizer.ggml.tokens"))},
                merges=[_pair(m) for m in self._strings("tokenizer.ggml.merges")],
            )
        )
        built.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        built.decoder = decoders.ByteLevel()
        return built


def _pair(merge: str) -> tuple[str, str]:
    left, _, right = merge.partition(" ")
    return left, right


def round_to_bytes(matrix: F32) -> tuple[U8, F32]:
    """[n, k] rounded to 1/127 of each block's maximum: bytes around 128, scales [n, k/32]."""
    rows = matrix.reshape(matrix.shape[0], -1, BLOCK)
    scale = np.abs(rows).max(-1) / np.float32(127)
    steps = np.rint(rows / np.maximum(scale, np.float32(1e-12))[..., None])
    return (steps + 128).astype(np.uint8), scale


def convert_decoder(gguf: Path, folder: Path) -> None:
    """Write decoder.weights, head.weights, embedding.{int8,scale}.npy and tokenizer.json.

    gguf: the Qwen2.5-Coder-0.5B-Instruct file. folder: an existing, empty folder.
    """
    source = DecoderGguf(gguf)
    with WeightsWriter(Layout.of("decoder"), folder) as writer:
        _write_layers(source, Layout.of("decoder"), writer)
    # The file stores the tied table twice; Q8_0 is the finer copy, so it serves as both.
    values, scale = source.blocks("output.weight")
    with WeightsWriter(Layout.of("head"), folder) as writer:
        writer.put("head.quant", values)
        writer.put("head.scale", scale)
    rows = (values ^ np.uint8(128)).view(np.int8).reshape(values.shape[0], -1)
    np.save(folder / "embedding.int8.npy", rows)
    np.save(folder / "embedding.scale.npy", scale)
    source.tokenizer().save(str(folder / "tokenizer.json"), pretty=False)


def _write_layers(source: DecoderGguf, layout: Layout, writer: WeightsWriter) -> None:
    def matrix(name: str, *tensors: str) -> None:
        parts = [source.blocks(t) for t in tensors]
        writer.put(f"{name}.quant", np.concatenate([p[0] for p in parts]))
        writer.put(f"{name}.scale", np.concatenate([p[1] for p in parts]))

    layers = sum(name.endswith(".attn_norm") for name in layout.tensors)
    for i in range(layers):
        to, of = f"layers.{i}", f"blk.{i}"
        matrix(f"{to}.qkv", *(f"{of}.attn_{x}.weight" for x in "qkv"))
        bias = [source.plain(f"{of}.attn_{x}.bias") for x in "qkv"]
        writer.put(f"{to}.qkv.bias", np.concatenate(bias))
        matrix(f"{to}.attn_out", f"{of}.attn_output.weight")
        matrix(f"{to}.gate_up", f"{of}.ffn_gate.weight", f"{of}.ffn_up.weight")
        matrix(f"{to}.down", f"{of}.ffn_down.weight")
        writer.put(f"{to}.attn_norm", source.plain(f"{of}.attn_norm.weight"))
        writer.put(f"{to}.ffn_norm", source.plain(f"{of}.ffn_norm.weight"))
    writer.put("norm", source.plain("output_norm.weight"))
    positions, half = layout.tensors["rope.cos"][1]
    angles = np.arange(positions)[:, None] * ROPE_BASE ** (-np.arange(half) / half)[None]
    writer.put("rope.cos", np.cos(angles).astype(np.float32))
    writer.put("rope.sin", np.sin(angles).astype(np.float32))
