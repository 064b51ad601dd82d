"""An ONNX graph in the making whose weights lie in a file of their own, block-quantised or float.

Every tensor lives in an external file whose layout is decided here and written by
`harken.parts.convert`: name, type, shape, offset stand in the graph itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

MICROSOFT = "com.microsoft"
BLOCK = 32
ALIGN = 4096
Values = list[onnx.ValueInfoProto]
SIZE: dict[int, int] = {TensorProto.FLOAT: 4, TensorProto.UINT8: 1, TensorProto.INT8: 1}
TYPES: dict[int, str] = {
    TensorProto.FLOAT: "float32",
    TensorProto.UINT8: "uint8",
    TensorProto.INT8: "int8",
}


@dataclass
class Graph:
    """Nodes and external tensors of one graph in the making."""

    location: str
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    tensors: list[onnx.TensorProto] = field(default_factory=list)
    offset: int = 0

    def op(
        self,
        kind: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        domain: str = "",
        **attrs: Any,
    ) -> str:
        self.nodes.append(
            helper.make_node(
                kind, list(inputs), list(outputs), name=outputs[0], domain=domain, **attrs
            )
        )
        return outputs[0]

    def weight(self, name: str, kind: int, shape: Sequence[int], location: str = "") -> str:
        """An external tensor; those of another `location` are given at load time, not read."""
        length = math.prod(shape) * SIZE[kind]
        t = TensorProto(name=name, data_type=kind, dims=shape)
        t.data_location = TensorProto.EXTERNAL
        keep = {"location": location or self.location, "offset": "0", "length": str(length)}
        if not location:
            keep["offset"] = str(self.offset)
            self.offset += -(-length // ALIGN) * ALIGN
        for key, value in keep.items():
            t.external_data.add(key=key, value=value)
        self.tensors.append(t)
        return name

    def constant(self, name: str, kind: int, shape: Sequence[int], values: Sequence[float]) -> str:
        self.tensors.append(helper.make_tensor(name, kind, shape, values))
        return name

    def quantised_matmul(self, x: str, name: str, k: int, n: int, bits: int, bias: bool) -> str:
        """y = x W^T (+ bias), W [n, k] in blocks of 32 along k."""
        blocks = k // BLOCK
        inputs = [
            x,
            self.weight(f"{name}.quant", TensorProto.UINT8, (n, blocks, BLOCK * bits // 8)),
            self.weight(f"{name}.scale", TensorProto.FLOAT, (n, blocks)),
        ]
        if bits == 4:
            inputs.append(self.weight(f"{name}.zero", TensorProto.UINT8, (n, -(-blocks // 2))))
        if bias:
            inputs += [""] * (5 - len(inputs))
            inputs.append(self.weight(f"{name}.bias", TensorProto.FLOAT, (n,)))
        return self.op(
            "MatMulNBits",
            inputs,
            [f"{name}.y"],
            MICROSOFT,
            K=k,
            N=n,
            bits=bits,
            block_size=BLOCK,
            accuracy_level=4,
        )

    def lora(self, x: str, y: str, name: str, k: int, n: int, rank: int) -> str:
        """y + (x A) B: the trained difference of one matrix, its scale folded into B."""
        if not rank:
            return y
        a = self.weight(f"{name}.lora_a", TensorProto.FLOAT, (k, rank), "checkpoint")
        b = self.weight(f"{name}.lora_b", TensorProto.FLOAT, (rank, n), "checkpoint")
        down = self.op("MatMul", [x, a], [f"{name}.xa"])
        up = self.op("MatMul", [down, b], [f"{name}.xab"])
        return self.op("Add", [y, up], [f"{name}.sum"])

    def layout(self) -> dict[str, Any]:
        """Where every external tensor goes: read by `harken.parts.convert.layout`."""
        tensors = {}
        for t in self.tensors:
            external = {e.key: e.value for e in t.external_data}
            if external:
                tensors[t.name] = {
                    "type": TYPES[t.data_type],
                    "shape": list(t.dims),
                    "offset": int(external["offset"]),
                    "file": external["location"],
                }
        return {"file": self.location, "bytes": self.offset, "tensors": tensors}

    def save(self, path: Path, name: str, inputs: Values, outputs: Values) -> None:
        model = helper.make_model(
            helper.make_graph(self.nodes, name, inputs, outputs, self.tensors),
            opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)],
            producer_name="harken",
            ir_version=10,
        )
        path.write_bytes(model.SerializeToString(deterministic=True))


def tensor(name: str, kind: int, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)
