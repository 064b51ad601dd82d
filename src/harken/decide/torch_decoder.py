"""The decoder in torch: what `scripts/make_graphs.py` builds for ONNX Runtime, with gradients.

Qwen2 without embedding and head, frozen at the very 8-bit weights that are served; only the LoRA
matrices learn: y = x W^T + (x A) B. Documents are concatenated: the linear layers run over all
positions at once, attention runs inside each document, so nothing is padded and nothing leaks.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from harken.decide.torch_attention import attend
from harken.errors import HarkenError
from harken.parts.convert.layout import Layout

NORM_EPSILON = 1e-6
MATRICES = ("qkv", "attn_out", "gate_up", "down")


@dataclass(frozen=True, slots=True)
class DecoderShape:
    """The sizes of one decoder, as its weights file lays them out."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    feed_forward: int
    rank: int
    positions: int

    @classmethod
    def of(cls, layout: Layout) -> "DecoderShape":
        """Read the sizes off the tensors of a decoder graph."""
        shape = {name: s for name, (_, s, _) in layout.tensors.items()}
        hidden = shape["norm"][0]
        positions, half = shape["rope.cos"]
        return cls(
            layers=sum(name.endswith(".attn_norm") for name in shape),
            hidden=hidden,
            heads=hidden // (2 * half),
            kv_heads=(shape["layers.0.qkv.quant"][0] - hidden) // (4 * half),
            head_size=2 * half,
            feed_forward=shape["layers.0.gate_up.quant"][0] // 2,
            rank=layout.from_checkpoint["layers.0.qkv.lora_a"][1],
            positions=positions,
        )


class FrozenWeights:
    """The tensors of one converted weights file, dequantised one at a time."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.layout = layout
        path = folder / layout.file
        if not path.exists() or path.stat().st_size < layout.size:
            raise HarkenError(
                f"{path} is missing or cut short; delete the folder {folder} and run again"
            )
        self._bytes = np.memmap(path, np.uint8, "r")

    def array(self, name: str, rows: int | None = None) -> npt.NDArray[Any]:
        """A tensor as stored; `rows` takes only the first of them."""
        kind, shape, offset = self.layout.tensors[name]
        shape = shape if rows is None else (rows, *shape[1:])
        size = math.prod(shape) * np.dtype(kind).itemsize
        return self._bytes[offset : offset + size].view(kind).reshape(shape)

    def plain(self, name: str, dtype: torch.dtype) -> Tensor:
        """A float32 tensor in `dtype`."""
        return torch.from_numpy(np.array(self.array(name))).to(dtype)

    def matrix(self, name: str, dtype: torch.dtype, rows: int | None = None) -> Tensor:
        """[n, k] of a quantised matrix: (byte - 128) * scale of its block, in `dtype`."""
        quant = torch.from_numpy(np.array(self.array(f"{name}.quant", rows)))
        scale = torch.from_numpy(np.array(self.array(f"{name}.scale", rows)))
        whole = quant.float().sub_(128).mul_(scale[..., None])
        return whole.reshape(len(whole), -1).to(dtype)


class LoraLinear(nn.Module):
    """y = x W^T + bias + (x A) B, W and bias frozen. lora_a [k, rank], lora_b [rank, n]."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None, rank: int) -> None:
        super().__init__()
        # Buffers that are not part of the state: a run's checkpoint holds what was trained.
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("bias", bias, persistent=False)
        n, k = weight.shape
        self.lora_a = nn.Parameter(torch.randn(k, rank) / math.sqrt(k))
        self.lora_b = nn.Parameter(torch.zeros(rank, n))

    def forward(self, x: Tensor) -> Tensor:
        """[n, k] -> [n, n_out]."""
        product: Callable[..., Tensor] = _LoraProduct.apply
        return product(x, self.weight, self.bias, self.lora_a, self.lora_b)


class _LoraProduct(torch.autograd.Function):
    """The product with its backward by hand: in place, and nothing for the frozen weight."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, lora_a: Tensor, lora_b: Tensor
    ) -> Tensor:
        a, b = lora_a.to(x.dtype), lora_b.to(x.dtype)
        inner = x @ a
        y = nn.functional.linear(x, weight, bias).addmm_(inner, b)
        ctx.save_for_backward(x, inner, weight, a, b)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, inner, weight, a, b = ctx.saved_tensors
        dy = grads[0]
        d_inner = dy @ b.t()
        dx = (dy @ weight).addmm_(d_inner, a.t()) if ctx.needs_input_grad[0] else None
        d_a = (x.t() @ d_inner).float()
        d_b = (inner.t() @ dy).float()
        return dx, None, None, d_a, d_b


class _GatedUnit(torch.autograd.Function):
    """silu(gate) * up on [n, 2f] -> [n, f], writing both halves of the gradient in place."""

    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        gate, up = both.chunk(2, dim=-1)
        ctx.save_for_backward(both)
        return nn.functional.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (both,) = ctx.saved_tensors
        gate, up = both.chunk(2, dim=-1)
        result = torch.empty_like(both)
        d_gate, d_up = result.chunk(2, dim=-1)
        torch.mul(grads[0], nn.functional.silu(gate), out=d_up)
        torch.ops.aten.silu_backward.grad_input(grads[0] * up, gate, grad_input=d_gate)
        return result


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Preallocated keys and values [layers, room, kv_heads, head_size], written in place."""

    keys: Tensor
    values: Tensor

    @property
    def room(self) -> int:
        """Positions that fit."""
        return int(self.keys.shape[1])


class Layer(nn.Module):
    """One transformer layer; its parts carry the names of the decoder graph."""

    attn_norm: Tensor
    ffn_norm: Tensor

    def __init__(self, shape: DecoderShape, frozen: FrozenWeights, at: int, dtype: torch.dtype):
        super().__init__()
        self._shape = shape
        name = f"layers.{at}"
        for norm in ("attn_norm", "ffn_norm"):
            self.register_buffer(norm, frozen.plain(f"{name}.{norm}", dtype), persistent=False)
        bias = frozen.plain(f"{name}.qkv.bias", dtype)

        def linear(matrix: str, bias: Tensor | None = None) -> LoraLinear:
            return LoraLinear(frozen.matrix(f"{name}.{matrix}", dtype), bias, shape.rank)

        self.qkv = linear("qkv", bias)
        self.attn_out = linear("attn_out")
        self.gate_up = linear("gate_up")
        self.down = linear("down")

    def heads_of(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [n, heads, size], keys and values [n, kv_heads, size], rotated."""
        s = self._shape
        normed = nn.functional.rms_norm(x, (s.hidden,), self.attn_norm, NORM_EPSILON)
        qkv = self.qkv(normed).view(len(x), s.heads + 2 * s.kv_heads, s.head_size)
        turned, values = torch.split(qkv, [s.heads + s.kv_heads, s.kv_heads], dim=1)
        rotated = _rotate(turned, cos, sin)
        queries, keys = torch.split(rotated, [s.heads, s.kv_heads], dim=1)
        return queries, keys, values

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """The rest of the layer, from what attention gave [n, hidden]."""
        x = x + self.attn_out(attended)
        shape = (self._shape.hidden,)
        normed = nn.functional.rms_norm(x, shape, self.ffn_norm, NORM_EPSILON)
        gate: Callable[[Tensor], Tensor] = _GatedUnit.apply
        result: Tensor = x + self.down(gate(self.gate_up(normed)))
        return result


class TorchDecoder(nn.Module):
    """The decoder of one converted part; its state dict is the LoRA of a checkpoint."""

    norm: Tensor
    cos: Tensor
    sin: Tensor

    def __init__(
        self, folder: Path, layout: Layout | None = None, dtype: torch.dtype = torch.bfloat16
    ) -> None:
        """folder: the converted part; layout: of its weights file, the shipped one by default."""
        super().__init__()
        layout = layout or Layout.of("decoder")
        frozen = FrozenWeights(folder, layout)
        self.shape = DecoderShape.of(layout)
        self.dtype = dtype
        layers = (Layer(self.shape, frozen, i, dtype) for i in range(self.shape.layers))
        self.layers = nn.ModuleList(layers)
        self.register_buffer("norm", frozen.plain("norm", dtype), persistent=False)
        for name in ("cos", "sin"):
            table = frozen.plain(f"rope.{name}", dtype)
            self.register_buffer(name, table[:, None], persistent=False)

    def forward(self, embeds: Tensor, lengths: Sequence[int]) -> Tensor:
        """Documents one after the other: [n, hidden] -> final states [n, hidden].

        lengths: positions of each document, n together; positions restart in each.
        """
        if sum(lengths) != len(embeds):
            raise HarkenError(
                f"documents of {sum(lengths)} positions do not fill {len(embeds)} embeddings"
            )
        at = torch.cat([torch.arange(n) for n in lengths])
        cos, sin = self.cos[at], self.sin[at]
        x = embeds.to(self.dtype)
        for layer in self.layers:
            assert isinstance(layer, Layer)
            documents = (torch.split(t, list(lengths)) for t in layer.heads_of(x, cos, sin))
            attended = [attend(q, k, v) for q, k, v in zip(*documents, strict=True)]
            x = layer.finish(x, torch.cat(attended))
        return nn.functional.rms_norm(x, (self.shape.hidden,), self.norm, NORM_EPSILON)

    def new_cache(self, room: int) -> KeyValues:
        """An empty cache for one session of at most `room` positions."""
        s = self.shape
        size = (s.layers, room, s.kv_heads, s.head_size)
        return KeyValues(torch.zeros(size, dtype=self.dtype), torch.zeros(size, dtype=self.dtype))

    @torch.no_grad()
    def step(self, embeds: Tensor, cache: KeyValues, length: int) -> Tensor:
        """Feed [n, hidden] behind `length` valid positions; final states [n, hidden].

        Keys and values land in the cache at length to length + n: going back to an earlier
        length forgets them.
        """
        total = length + len(embeds)
        cos, sin = self.cos[length:total], self.sin[length:total]
        x = embeds.to(self.dtype)
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            queries, keys, values = layer.heads_of(x, cos, sin)
            cache.keys[i, length:total] = keys
            cache.values[i, length:total] = values
            x = layer.finish(x, attend(queries, cache.keys[i, :total], cache.values[i, :total]))
        return nn.functional.rms_norm(x, (self.shape.hidden,), self.norm, NORM_EPSILON)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of Qwen2: the two halves of a head are the pairs."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
