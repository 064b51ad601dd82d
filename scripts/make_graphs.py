"""Make the small ONNX graphs that ship with Harken; their weights are filled in on the user's side.

Run after a change: `python scripts/make_graphs.py`, or with a folder to write there instead. It
needs the `dev` extra (onnx).
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnx import TensorProto
from onnx_graph import MICROSOFT, Graph, Values, tensor

GRAPHS = Path(__file__).parents[1] / "src/harken/parts/graphs"


@dataclass(frozen=True)
class Heads:
    """Attention heads, those of keys and values, and numbers in each."""

    queries: int
    keys: int
    size: int


Attend = Callable[[Graph, Heads, int, str], tuple[str, Values, Values]]
"""Adds the attention of a layer over its queries, keys and values [1, new, width]; gives the
result's name and what goes in and comes out of the graph for it."""
SESSIONS = 4
"""In one pass of the batched decoder."""


def attention(
    g: Graph, heads: Heads, layer: int, y: str, out: str, of: str = ""
) -> tuple[str, Values, Values]:
    """GroupQueryAttention of one session; in place when past and present are one buffer."""
    shape = (1, heads.keys, f"room{of}", heads.size)
    names = [f"{layer}.{which}{of}" for which in ("key", "value")]
    past, present = ([f"{when}.{n}" for n in names] for when in ("past", "present"))
    g.op(
        "GroupQueryAttention",
        [y, "", "", *past, f"last{of}", f"total{of}", "rope.cos", "rope.sin"],
        [out, *present],
        MICROSOFT,
        num_heads=heads.queries,
        kv_num_heads=heads.keys,
        do_rotary=1,
        rotary_interleaved=0,
        scale=1 / math.sqrt(heads.size),
    )
    into = [tensor(n, TensorProto.FLOAT, shape) for n in past]
    return out, into, [tensor(n, TensorProto.FLOAT, shape) for n in present]


def attend_alone(g: Graph, heads: Heads, layer: int, y: str) -> tuple[str, Values, Values]:
    """All rows are of one session."""
    return attention(g, heads, layer, y, f"layers.{layer}.attn")


def attend_apart(g: Graph, heads: Heads, layer: int, y: str) -> tuple[str, Values, Values]:
    """`rows` of each of so many sessions stand one behind the other; each attends to its own.

    Attention takes no session without rows, so those that are missing get a row each of `idle`,
    which goes through nothing else. `kept` counts the others.
    """
    p = f"layers.{layer}"
    g.op("Concat", [y, "idle"], [f"{p}.all"], axis=1)
    own = [f"{p}.qkv.{n}" for n in range(SESSIONS)]
    g.op("Split", [f"{p}.all", "rows"], own, axis=1)
    inputs: Values = []
    outputs: Values = []
    attended = []
    for n, rows in enumerate(own):
        out, past, present = attention(g, heads, layer, rows, f"{p}.attn.{n}", f".{n}")
        attended.append(out)
        inputs += past
        outputs += present
    g.op("Concat", attended, [f"{p}.attended"], axis=1)
    g.op("Slice", [f"{p}.attended", "first", "kept", "axis"], [f"{p}.attn"])
    return f"{p}.attn", inputs, outputs


def decoder(
    layers: int = 24,
    hidden: int = 896,
    heads: int = 14,
    kv_heads: int = 2,
    feed_forward: int = 4864,
    rank: int = 16,
    bits: int = 8,
    positions: int = 4096,
    weights: str = "decoder.weights",
    attend: Attend = attend_alone,
) -> tuple[Graph, Values, Values]:
    """Qwen2 without embedding and head: embeddings in, normalised hidden states out."""
    g = Graph(weights)
    size = hidden // heads
    kv = kv_heads * size
    for rope in ("rope.cos", "rope.sin"):
        g.weight(rope, TensorProto.FLOAT, (positions, size // 2))
    inputs = [
        tensor("embeds", TensorProto.FLOAT, (1, "new", hidden)),
        tensor("last", TensorProto.INT32, (1,)),
        tensor("total", TensorProto.INT32, ()),
    ]
    outputs = [tensor("hidden", TensorProto.FLOAT, (1, "new", hidden))]
    x, branch = "embeds", ""
    for i in range(layers):
        p = f"layers.{i}"
        gamma = g.weight(f"{p}.attn_norm", TensorProto.FLOAT, (hidden,))
        if branch:
            h = g.op(
                "SkipSimplifiedLayerNormalization",
                [x, branch, gamma],
                [f"{p}.attn_in", "", "", f"{p}.residual"],
                MICROSOFT,
                epsilon=1e-6,
            )
            x = f"{p}.residual"
        else:
            h = g.op(
                "SimplifiedLayerNormalization",
                [x, gamma],
                [f"{p}.attn_in"],
                epsilon=1e-6,
                axis=-1,
                stash_type=1,
            )
        y = g.quantised_matmul(h, f"{p}.qkv", hidden, hidden + 2 * kv, bits, bias=True)
        y = g.lora(h, y, f"{p}.qkv", hidden, hidden + 2 * kv, rank)
        a, past, present = attend(g, Heads(heads, kv_heads, size), i, y)
        inputs += past
        outputs += present
        y = g.quantised_matmul(a, f"{p}.attn_out", hidden, hidden, bits, bias=False)
        branch = g.lora(a, y, f"{p}.attn_out", hidden, hidden, rank)
        gamma = g.weight(f"{p}.ffn_norm", TensorProto.FLOAT, (hidden,))
        h = g.op(
            "SkipSimplifiedLayerNormalization",
            [x, branch, gamma],
            [f"{p}.ffn_in", "", "", f"{p}.middle"],
            MICROSOFT,
            epsilon=1e-6,
        )
        x = f"{p}.middle"
        y = g.quantised_matmul(h, f"{p}.gate_up", hidden, 2 * feed_forward, bits, bias=False)
        y = g.lora(h, y, f"{p}.gate_up", hidden, 2 * feed_forward, rank)
        g.op("Split", [y], [f"{p}.gate", f"{p}.up"], axis=-1, num_outputs=2)
        s = g.op("QuickGelu", [f"{p}.gate"], [f"{p}.silu"], MICROSOFT, alpha=1.0)
        m = g.op("Mul", [s, f"{p}.up"], [f"{p}.gated"])
        y = g.quantised_matmul(m, f"{p}.down", feed_forward, hidden, bits, bias=False)
        branch = g.lora(m, y, f"{p}.down", feed_forward, hidden, rank)
    gamma = g.weight("norm", TensorProto.FLOAT, (hidden,))
    g.op(
        "SkipSimplifiedLayerNormalization", [x, branch, gamma], ["hidden"], MICROSOFT, epsilon=1e-6
    )
    return g, inputs, outputs


def batched_decoder(**shape: Any) -> tuple[Graph, Values, Values]:
    """The decoder over the same weights for several sessions in one pass, each with its cache.

    What multiplies by weights goes row by row over all of them, so the weights are read once.
    """
    g, (embeds, _, _, *past), outputs = decoder(**shape, attend=attend_apart)
    g.constant("first", TensorProto.INT64, (1,), [0])
    g.constant("axis", TensorProto.INT64, (1,), [1])
    width = next(t.dims[0] for t in g.tensors if t.name == "layers.0.qkv.bias")
    inputs = [
        embeds,
        tensor("rows", TensorProto.INT64, (SESSIONS,)),
        tensor("idle", TensorProto.FLOAT, (1, "idle", width)),
        tensor("kept", TensorProto.INT64, (1,)),
    ]
    for n in range(SESSIONS):
        inputs.append(tensor(f"last.{n}", TensorProto.INT32, (1,)))
        inputs.append(tensor(f"total.{n}", TensorProto.INT32, ()))
    return g, [*inputs, *past], outputs


def acoustic(
    layers: int = 3,
    width: int = 512,
    heads: int = 8,
    feed_forward: int = 2048,
    mels: int = 80,
    frames: int = 320,
    last: int = 20,
) -> tuple[Graph, Values, Values]:
    """The first layers of Whisper's encoder over one window; states of the newest chunk out.

    Activations are quantised per window (DynamicQuantizeMatMul), so a window is always run alone.
    In the last layer only the newest `last` states are needed and computed.
    """
    g = Graph("acoustic.weights")

    def linear(x: str, name: str, k: int, n: int) -> str:
        inputs = [
            x,
            g.weight(f"{name}.quant", TensorProto.INT8, (k, n)),
            g.weight(f"{name}.scale", TensorProto.FLOAT, (n,)),
            "",
            g.weight(f"{name}.bias", TensorProto.FLOAT, (n,)),
        ]
        return g.op("DynamicQuantizeMatMul", inputs, [f"{name}.y"], MICROSOFT)

    def norm(x: str, name: str) -> str:
        gamma = g.weight(f"{name}.gamma", TensorProto.FLOAT, (width,))
        beta = g.weight(f"{name}.beta", TensorProto.FLOAT, (width,))
        return g.op("LayerNormalization", [x, gamma, beta], [f"{name}.y"], axis=-1, epsilon=1e-5)

    def gelu(x: str, name: str) -> str:
        return g.op("Gelu", [x], [name], approximate="none")

    def newest(x: str, name: str) -> str:
        return g.op("Slice", [x, "newest", "end", "axis"], [name])

    g.constant("newest", TensorProto.INT64, (1,), [-last])
    g.constant("end", TensorProto.INT64, (1,), [frames])
    g.constant("axis", TensorProto.INT64, (1,), [1])
    x = "mel"
    for i, (channels, stride) in enumerate(((mels, 1), (width, 2)), start=1):
        w = g.weight(f"conv{i}.weight", TensorProto.FLOAT, (width, channels, 3))
        b = g.weight(f"conv{i}.bias", TensorProto.FLOAT, (width,))
        x = g.op("Conv", [x, w, b], [f"conv{i}.y"], kernel_shape=[3], pads=[1, 1], strides=[stride])
        x = gelu(x, f"conv{i}.gelu")
    x = g.op("Transpose", [x], ["states"], perm=[0, 2, 1])
    places = g.weight("positions", TensorProto.FLOAT, (frames // 2, width))
    x = g.op("Add", [x, places], ["placed"])
    for i in range(layers):
        p = f"layers.{i}"
        final = i == layers - 1
        h = norm(x, f"{p}.attn_norm")
        q = linear(newest(h, f"{p}.newest") if final else h, f"{p}.query", width, width)
        kv = linear(h, f"{p}.key_value", width, 2 * width)
        g.op("Split", [kv], [f"{p}.key", f"{p}.value"], axis=-1, num_outputs=2)
        a = g.op(
            "MultiHeadAttention",
            [q, f"{p}.key", f"{p}.value"],
            [f"{p}.attn"],
            MICROSOFT,
            num_heads=heads,
        )
        y = linear(a, f"{p}.attn_out", width, width)
        if final:
            x = newest(x, f"{p}.kept")
        x = g.op("Add", [x, y], [f"{p}.middle"])
        h = linear(norm(x, f"{p}.ffn_norm"), f"{p}.up", width, feed_forward)
        y = linear(gelu(h, f"{p}.gelu"), f"{p}.down", feed_forward, width)
        x = g.op("Add", [x, y], [f"{p}.out" if not final else "tapped"])
    return (
        g,
        [tensor("mel", TensorProto.FLOAT, (1, mels, frames))],
        [tensor("tapped", TensorProto.FLOAT, (1, last, width))],
    )


def head(
    hidden: int = 896, vocabulary: int = 151_936, bits: int = 8
) -> tuple[Graph, Values, Values]:
    """Hidden state to logits over the whole vocabulary; run only while a response is written."""
    g = Graph("head.weights")
    g.quantised_matmul("hidden", "head", hidden, vocabulary, bits, bias=False)
    g.nodes[-1].output[0] = "logits"
    return (
        g,
        [tensor("hidden", TensorProto.FLOAT, (1, "new", hidden))],
        [tensor("logits", TensorProto.FLOAT, (1, "new", vocabulary))],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the ONNX graphs that ship with Harken.")
    parser.add_argument("folder", nargs="?", type=Path, default=GRAPHS, help="where they go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, (g, inputs, outputs) in {
        "decoder": decoder(),
        "head": head(),
        "acoustic": acoustic(),
    }.items():
        g.save(folder / f"{name}.onnx", name, inputs, outputs)
        (folder / f"{name}.layout.json").write_text(json.dumps(g.layout(), indent=1) + "\n")
    g, inputs, outputs = batched_decoder()  # over the weights of the other
    g.save(folder / "decoder.batched.onnx", "decoder", inputs, outputs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
