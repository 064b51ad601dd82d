"""A tiny decoder of random weights in the real file layout, and a tiny data folder."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from harken.parts.convert.layout import Layout
from harken.stream import Vocabulary, profile_named
from harken.train.model import BaseParts

HIDDEN, TEXT_IDS, CLASSES = 32, 256, 521


def graphs_script() -> ModuleType:
    """The script that decides how the decoder graph and its weights file look."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "scripts")
        return importlib.import_module("make_graphs")


def layout_of(graph: str, raw: dict[str, Any]) -> Layout:
    stored = {n: t for n, t in raw["tensors"].items() if t["file"] != "checkpoint"}
    later = {n: tuple(t["shape"]) for n, t in raw["tensors"].items() if t["file"] == "checkpoint"}
    tensors = {n: (t["type"], tuple(t["shape"]), t["offset"]) for n, t in stored.items()}
    return Layout(graph, raw["file"], raw["bytes"], tensors, later)


def fill(layout: Layout, folder: Path, random: np.random.Generator) -> None:
    """Random weights of a healthy size in the layout's file."""
    content = np.zeros(layout.size, np.uint8)
    for name, (kind, shape, offset) in layout.tensors.items():
        if name.startswith("rope."):
            angles = np.arange(shape[0])[:, None] * 100.0 ** (-np.arange(shape[1]) / shape[1])[None]
            values = np.cos(angles) if name.endswith("cos") else np.sin(angles)
        elif name.endswith(".quant"):
            values = random.integers(0, 256, shape)
        elif name.endswith(".scale"):
            values = random.uniform(0.5, 1.5, shape) / 74 / np.sqrt(HIDDEN)
        elif name.endswith("norm"):
            values = random.uniform(0.8, 1.2, shape)
        else:
            values = random.normal(0, 0.1, shape)
        flat = np.ascontiguousarray(values, kind).view(np.uint8).reshape(-1)
        content[offset : offset + len(flat)] = flat
    content.tofile(folder / layout.file)


@pytest.fixture(scope="session")
def tiny_parts(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: Tokenizer) -> BaseParts:
    """Decoder, head, embedding table and tokenizer of profile `tiny`; and the graphs for ONNX."""
    folder = tmp_path_factory.mktemp("tiny-decoder")
    script, random = graphs_script(), np.random.default_rng(7)
    shape = {"layers": 2, "hidden": HIDDEN, "heads": 2, "kv_heads": 1, "feed_forward": 64}
    shape |= {"rank": 4, "positions": 512}
    decoder, inputs, outputs = script.decoder(**shape)
    batched, *ends = script.batched_decoder(**shape)
    batched.save(folder / "decoder.batched.onnx", "decoder", *ends)
    head, head_inputs, head_outputs = script.head(hidden=HIDDEN, vocabulary=TEXT_IDS)
    decoder.save(folder / "decoder.onnx", "decoder", inputs, outputs)
    head.save(folder / "head.onnx", "head", head_inputs, head_outputs)
    layouts = layout_of("decoder", decoder.layout()), layout_of("head", head.layout())
    for layout in layouts:
        fill(layout, folder, random)
    rows = random.integers(-128, 128, (TEXT_IDS, HIDDEN)).astype(np.int8)
    np.save(folder / "embedding.int8.npy", rows)
    np.save(folder / "embedding.scale.npy", np.full((TEXT_IDS, 1), 2e-3, np.float32))
    tiny_tokenizer.save(str(folder / "tokenizer.json"))
    return BaseParts(folder, *layouts, tuple(f"sound {i}" for i in range(CLASSES)))


@pytest.fixture(scope="session")
def vocabulary(tiny_parts: BaseParts) -> Vocabulary:
    return tiny_parts.vocabulary(profile_named("tiny"))


WriteStreams = Callable[..., Path]


@pytest.fixture
def write_streams(tmp_path: Path) -> WriteStreams:
    """Writes a data folder: loud chunks are due a "hi", all others silence; more may be added."""

    def write(count: int = 8, folder: Path = tmp_path / "data", first: int = 0) -> Path:
        (folder / "features").mkdir(parents=True, exist_ok=True)
        with (folder / "streams.jsonl").open("a", encoding="utf-8") as f:
            for n in range(first, first + count):
                random = np.random.default_rng(n)
                chunks = int(random.integers(6, 12))
                due = sorted({int(random.integers(chunks)), int(random.integers(chunks))})
                sound = random.uniform(0, 0.1, (chunks, 1545))
                sound[due, :5] = 0.9
                acoustic = random.normal(0, 1, (chunks, 2560))
                acoustic[due] += np.linspace(-3, 3, 2560)
                np.savez(
                    folder / "features" / f"s{n}.npz",
                    sound=sound.astype(np.float16),
                    acoustic=acoustic.astype(np.float16),
                )
                record = {
                    "id": f"s{n}",
                    "features": f"s{n}",
                    "task": ("alarm", "chat")[n % 2],
                    "split": "dev" if n % 4 == 3 else "train",
                    "n_chunks": chunks,
                    "prefix": {"policy": "care", "instruction": ""},
                    "words": [[0, " hello"]],
                    "said": [[c, "hi", "urgent", "test"] for c in due],
                    "playing": [],
                    "stops": [],
                }
                f.write(json.dumps(record) + "\n")
        return folder

    return write
