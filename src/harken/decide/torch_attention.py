"""Causal attention of one document, as few large products.

On a CPU this beats `scaled_dot_product_attention` for the lengths of our documents: the query
heads that share a key head become rows of one product, and blocks of queries skip the keys that
lie after them.
"""

import math

import torch
from torch import Tensor

QUERY_BLOCK = 128
_MASKED = -1e4  # far below any score, and finite in bfloat16


def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """queries [n, heads, size]; keys, values [t, kv_heads, size], t >= n -> [n, heads * size].

    The queries are those of the last n of the t positions; each sees itself and all before.
    """
    n, heads, size = queries.shape
    total, kv_heads, _ = keys.shape
    group = heads // kv_heads
    scaled = queries * (1 / math.sqrt(size))
    grouped = scaled.view(n, kv_heads, group, size).permute(1, 2, 0, 3)
    across, down = keys.permute(1, 2, 0), values.permute(1, 0, 2)
    blocks = []
    for start in range(0, n, QUERY_BLOCK):
        stop = min(n, start + QUERY_BLOCK)
        visible = total - n + stop
        rows = grouped[:, :, start:stop].reshape(kv_heads, group * (stop - start), size)
        scores = torch.bmm(rows, across[:, :, :visible])
        if stop - start > 1:
            mask = _mask(stop - start, scores)
            square = scores.view(kv_heads, group, stop - start, visible)
            square[..., visible - (stop - start) :].add_(mask)
        weights = torch.softmax(scores, dim=-1)
        mixed = torch.bmm(weights, down[:, :visible])
        blocks.append(mixed.view(kv_heads, group, stop - start, size))
    joined = blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=2)
    return joined.permute(2, 0, 1, 3).reshape(n, heads * size)


def _mask(n: int, like: Tensor) -> Tensor:
    """[n, n]: far below zero where a key lies after its query; of the type and device of `like`."""
    return torch.full((n, n), _MASKED, dtype=like.dtype, device=like.device).triu_(1)
