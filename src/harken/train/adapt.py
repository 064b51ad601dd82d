"""How the decoder learns: LoRA beside its frozen weights, all of its matrices, or with less memory.

`harken.decide.torch_decoder` is the decoder with LoRA, as it is served.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from harken.decide.torch_attention import attend
from harken.decide.torch_decoder import MATRICES, NORM_EPSILON, Layer, LoraLinear, TorchDecoder


class FullLinear(nn.Module):
    """y = x W^T + bias, both learnt: float32 [n, k] and [n], computed in the format of x."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.float())
        self.bias = None if bias is None else nn.Parameter(bias.float())

    def forward(self, x: Tensor) -> Tensor:
        """[m, k] -> [m, n]."""
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return nn.functional.linear(x, self.weight.to(x.dtype), bias)


def learn_fully(decoder: TorchDecoder, dtype: torch.dtype) -> None:
    """Replace LoRA and the frozen matrices of a float32 decoder, which computes in `dtype` from
    here on. Norms, text embeddings and head stay frozen."""
    for layer in decoder.layers:
        assert isinstance(layer, Layer)
        for matrix in MATRICES:
            lora = getattr(layer, matrix)
            assert isinstance(lora, LoraLinear)
            setattr(layer, matrix, FullLinear(lora.weight, lora.bias))
        for norm in ("attn_norm", "ffn_norm"):
            setattr(layer, norm, getattr(layer, norm).to(dtype))
    for buffer in ("norm", "cos", "sin"):
        setattr(decoder, buffer, getattr(decoder, buffer).to(dtype))
    decoder.dtype = dtype


def recomputed(decoder: TorchDecoder, embeds: Tensor, lengths: Sequence[int]) -> Tensor:
    """What `decoder(embeds, lengths)` gives, its layers computed once more on the way back.

    Between layers only their inputs are kept: much less memory for a third more work.
    """
    at = torch.cat([torch.arange(n) for n in lengths])
    cos, sin = decoder.cos[at], decoder.sin[at]

    def through(layer: Layer, x: Tensor) -> Tensor:
        documents = (torch.split(t, list(lengths)) for t in layer.heads_of(x, cos, sin))
        attended = [attend(q, k, v) for q, k, v in zip(*documents, strict=True)]
        return layer.finish(x, torch.cat(attended))

    x = embeds.to(decoder.dtype)
    for layer in decoder.layers:
        # Nothing in a layer is random: no random state to keep.
        x = checkpoint(through, layer, x, use_reentrant=False, preserve_rng_state=False)
    return nn.functional.rms_norm(x, (decoder.shape.hidden,), decoder.norm, NORM_EPSILON)
