"""Make the graph by which Kokoro runs here; its weights stay in the published file.

Run after a change: `python scripts/make_kokoro_graph.py`, or with a folder to write there instead.
It needs the `dev` extra (onnx) and the part `kokoro`.

The published graph multiplies 8-bit numbers in ConvInteger, for which ONNX Runtime packs the sound
anew for every convolution and uses half of what the processor can do. Here a convolution is one
product of matrices: rows of frames, gathered so that each row holds what the kernel covers, times
the weights, which are packed once. The whole numbers are the same; the bias is no longer rounded.
Large tensors are external, at their place inside the published file. `product.onnx` is one product
of the same kind, by which `harken.respond.kokoro` sees whether the processor's are exact.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from harken.parts.fetch import ensure

GRAPHS = Path(__file__).parents[1] / "src/harken/parts/graphs"
MICROSOFT = "com.microsoft"
EXTERNAL_BYTES = 1024
SIGN = np.array(128, np.uint8)


class Rewriting:
    """The published graph, and the nodes that take the place of others."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.tensors = {t.name: t for t in graph.initializer}
        self.maker = {out: node for node in graph.node for out in node.output}
        self.users: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.users.setdefault(name, []).append(node)
        self.instead: dict[str, list[NodeProto]] = {}
        self._new: list[NodeProto] = []
        self._frames: dict[str, str] = {}

    def op(self, kind: str, inputs: list[str], out: str, domain: str = "", **attrs: object) -> str:
        self._new.append(helper.make_node(kind, inputs, [out], domain=domain, **attrs))
        return out

    def constant(self, values: npt.ArrayLike) -> str:
        array = np.asarray(values)
        name = f"{array.dtype}{array.tolist()}"
        self.tensors[name] = numpy_helper.from_array(array, name)
        return name

    def only_user(self, name: str) -> NodeProto:
        (user,) = self.users[name]
        return user

    def made_signed(self, name: str, out: str) -> str:
        """Unsigned bytes around 128 as signed ones, the kind that processors multiply fastest."""
        flipped = self.op("BitwiseXor", [name, self.constant(SIGN)], f"{out}.flipped")
        return self.op("Cast", [flipped], out, to=TensorProto.INT8)

    def convolution(self, node: NodeProto) -> None:
        """Replace a ConvInteger with its scales and bias, which end in a Mul."""
        attrs = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        assert attrs["group"] == 1
        quantised, weight, _, zero = node.input
        scale, bias, end = self._around(node)
        x, x_scale, x_zero = self.maker[quantised].output
        outputs, channels, width = self.tensors[weight].dims
        (step,), (stride,), pads = attrs["dilations"], attrs["strides"], attrs["pads"]
        y = end.output[0]
        self._new = []
        if x not in self._frames:
            sound = self.op("Squeeze", [x, self.constant([0])], f"{x}.sound")
            self._frames[x] = self.op("Transpose", [sound], f"{x}.frames", perm=[1, 0])
        rows = self._frames[x]
        if any(pads):
            edges = self.constant([pads[0], 0, pads[1], 0])
            rows = self.op("Pad", [rows, edges, x_zero], f"{y}.padded")
        if width > 1 or stride > 1:
            rows = self._windows(rows, y, width, step, stride)
            rows = self.op("Reshape", [rows, self.constant([-1, width * channels])], f"{y}.rows")
        matrix = self.op("Transpose", [weight], f"{y}.turned", perm=[2, 1, 0])
        shape = self.constant([width * channels, outputs])
        matrix = self.op("Reshape", [matrix, shape], f"{y}.matrix")
        matrix, zero = self.made_signed(matrix, f"{y}.signed"), self.made_signed(zero, f"{y}.zero")
        inputs = [rows, matrix, x_scale, scale, x_zero, zero, *([bias] if bias else [])]
        product = self.op("MatMulIntegerToFloat", inputs, f"{y}.product", MICROSOFT)
        turned = self.op("Transpose", [product], f"{y}.sound", perm=[1, 0])
        self.op("Unsqueeze", [turned, self.constant([0])], y)
        self.instead[y] = self._new

    def _around(self, node: NodeProto) -> tuple[str, str, NodeProto]:
        """Of a ConvInteger: the scale of its weights, its bias or "", and the last node."""
        quantise = self.maker[node.input[0]]
        after, bias = self.only_user(node.output[0]), ""
        if after.op_type == "Add":  # the bias, divided by the scales and rounded
            rounded = self.maker[_other(after, node.output[0])]
            while rounded.op_type != "Div":
                rounded = self.maker[rounded.input[0]]
            bias = rounded.input[0]
            after = self.only_user(after.output[0])
        assert after.op_type == "Cast"
        end = self.only_user(after.output[0])
        scales = self.maker[_other(end, after.output[0])]
        return _other(scales, quantise.output[1]), bias, end

    def _windows(self, rows: str, y: str, width: int, step: int, stride: int) -> str:
        """Frames [n, channels] gathered to [windows, width, channels]."""
        length = self.op("Shape", [rows], f"{y}.shape", start=0, end=1)
        length = self.op("Squeeze", [length, self.constant([0])], f"{y}.length")
        count = self.op("Sub", [length, self.constant(step * (width - 1))], f"{y}.end")
        starts = [self.constant(0), count, self.constant(stride)]
        first = self.op("Range", starts, f"{y}.first")
        first = self.op("Unsqueeze", [first, self.constant([1])], f"{y}.column")
        offsets = self.constant(step * np.arange(width)[None])
        index = self.op("Add", [first, offsets], f"{y}.index")
        return self.op("Gather", [rows, index], f"{y}.windows", axis=0)

    def needed(self) -> list[NodeProto]:
        """All nodes that the sound depends on, in order."""
        wanted = {out.name for out in self.graph.output}
        kept = []
        nodes = [n for old in self.graph.node for n in self.instead.get(old.output[0], [old])]
        for node in reversed(nodes):
            if wanted.intersection(node.output):
                kept.append(node)
                wanted.update(node.input)
        return kept[::-1]


def _other(node: NodeProto, name: str) -> str:
    (other,) = (i for i in node.input if i != name)
    return other


def placed(tensors: list[TensorProto], published: bytes, file: str) -> list[TensorProto]:
    """The tensors, the large ones as places in the published file, where they lie in this order."""
    given, end = [], 0
    for tensor in tensors:
        raw = tensor.raw_data
        if len(raw) >= EXTERNAL_BYTES:
            offset = published.index(raw, end)
            end = offset + len(raw)
            tensor = TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (("location", file), ("offset", offset), ("length", len(raw))):
                tensor.external_data.add(key=key, value=str(value))
        given.append(tensor)
    return given


def renamed(nodes: list[NodeProto], tensors: list[TensorProto], kept: set[str]) -> None:
    """Short names in place of those that tell where a number came from: half of the file."""
    names: dict[str, str] = {"": ""} | {name: name for name in kept}

    def short(name: str) -> str:
        return names.setdefault(name, f"{len(names):x}")

    for tensor in tensors:
        tensor.name = short(tensor.name)
    for node in nodes:
        node.name = ""
        node.doc_string = ""
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]


def saved(path: Path, graph: onnx.GraphProto) -> None:
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)],
        producer_name="harken",
        ir_version=9,
    )
    path.write_bytes(model.SerializeToString(deterministic=True))


def kokoro() -> onnx.GraphProto:
    """The published graph with its convolutions as products."""
    (part,) = ensure("kokoro").glob("*.onnx")
    published = part.read_bytes()
    graph = onnx.load_from_string(published).graph
    rewriting = Rewriting(graph)
    for node in graph.node:
        if node.op_type == "ConvInteger":
            rewriting.convolution(node)
    nodes = rewriting.needed()
    used = {name for node in nodes for name in node.input}
    tensors = [tensor for name, tensor in rewriting.tensors.items() if name in used]
    tensors = placed(tensors, published, part.name)
    renamed(nodes, tensors, {v.name for v in (*graph.input, *graph.output)})
    return helper.make_graph(nodes, "kokoro", graph.input, graph.output, tensors)


def product() -> onnx.GraphProto:
    """c = a b, of unsigned and signed bytes."""
    values = {"a": TensorProto.UINT8, "b": TensorProto.INT8, "c": TensorProto.INT32}
    a, b, c = (helper.make_tensor_value_info(n, kind, ["", ""]) for n, kind in values.items())
    node = helper.make_node("MatMulInteger", ["a", "b"], ["c"])
    return helper.make_graph([node], "product", [a, b], [c])


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the ONNX graph by which Kokoro runs here.")
    parser.add_argument("folder", nargs="?", type=Path, default=GRAPHS, help="where they go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    saved(folder / "kokoro.onnx", kokoro())
    saved(folder / "product.onnx", product())
    return 0


if __name__ == "__main__":
    sys.exit(main())
