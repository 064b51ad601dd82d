"""CTranslate2 Whisper to the acoustic ear: the encoder's first layers for sliding windows."""

import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.parts.convert.layout import Layout, WeightsWriter

F32 = npt.NDArray[np.float32]
_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_ctranslate2(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Tensors of a CTranslate2 `model.bin` by name.

    The format: version, specification name, revision, count; then for each tensor its name, rank,
    dimensions, type, byte count and bytes, all little-endian.
    """
    try:
        with path.open("rb") as f:
            _number(f, "<I")
            _text(f)
            _number(f, "<I")
            return dict(_tensor(f) for _ in range(_number(f, "<I")))
    except (struct.error, KeyError, ValueError) as broken:
        raise _broken(path, str(broken)) from broken


def _broken(path: Path, why: str) -> HarkenError:
    return HarkenError(
        f"{path} is no readable Whisper model of CTranslate2 ({why}); run `harken parts remove "
        "whisper` and `harken parts fetch whisper`"
    )


def _number(f: BinaryIO, form: str) -> int:
    return int(struct.unpack(form, f.read(struct.calcsize(form)))[0])


def _text(f: BinaryIO) -> str:
    return f.read(_number(f, "<H"))[:-1].decode()


def _tensor(f: BinaryIO) -> tuple[str, npt.NDArray[Any]]:
    name = _text(f)
    shape = [_number(f, "<I") for _ in range(_number(f, "<B"))]
    kind = _TYPES[_number(f, "<B")]
    content = f.read(_number(f, "<I"))
    return name, np.frombuffer(content, kind).reshape(shape)


def quantise_columns(matrix: F32) -> tuple[npt.NDArray[np.int8], F32]:
    """[k, n] as int8 with one scale for each column, rounded to 1/127 of its maximum."""
    scale = np.abs(matrix).max(0) / np.float32(127)
    steps = np.rint(matrix / np.maximum(scale, np.float32(1e-12)))
    return steps.astype(np.int8), scale


def convert_acoustic(model: Path, folder: Path) -> None:
    """Write acoustic.weights. model: Whisper-base `model.bin`; folder: existing and empty."""
    tensors = read_ctranslate2(model)
    layout = Layout.of("acoustic")
    with WeightsWriter(layout, folder) as writer:
        try:
            _write_encoder(tensors, layout, writer)
        except KeyError as missing:
            raise _broken(model, f"tensor {missing} is missing") from missing


def _write_encoder(
    tensors: dict[str, npt.NDArray[Any]], layout: Layout, writer: WeightsWriter
) -> None:
    def plain(name: str) -> F32:
        return tensors[f"encoder/{name}"].astype(np.float32)

    def linear(name: str, weight: F32, bias: F32) -> None:
        quant, scale = quantise_columns(np.ascontiguousarray(weight.T))
        writer.put(f"{name}.quant", quant)
        writer.put(f"{name}.scale", scale)
        writer.put(f"{name}.bias", bias)

    def norm(name: str, of: str) -> None:
        writer.put(f"{name}.gamma", plain(f"{of}/layer_norm/gamma"))
        writer.put(f"{name}.beta", plain(f"{of}/layer_norm/beta"))

    for i in (1, 2):
        writer.put(f"conv{i}.weight", plain(f"conv{i}/weight"))
        writer.put(f"conv{i}.bias", plain(f"conv{i}/bias"))
    places = layout.tensors["positions"][1][0]
    writer.put("positions", plain("position_encodings/encodings")[:places])
    layers = sum(name.endswith(".attn_norm.gamma") for name in layout.tensors)
    for i in range(layers):
        to, of = f"layers.{i}", f"layer_{i}"
        weight = plain(f"{of}/self_attention/linear_0/weight")
        bias = plain(f"{of}/self_attention/linear_0/bias")
        width = weight.shape[1]
        linear(f"{to}.query", weight[:width], bias[:width])
        linear(f"{to}.key_value", weight[width:], bias[width:])
        for name, part in (
            ("attn_out", "self_attention/linear_1"),
            ("up", "ffn/linear_0"),
            ("down", "ffn/linear_1"),
        ):
            linear(f"{to}.{name}", plain(f"{of}/{part}/weight"), plain(f"{of}/{part}/bias"))
        norm(f"{to}.attn_norm", f"{of}/self_attention")
        norm(f"{to}.ffn_norm", f"{of}/ffn")
