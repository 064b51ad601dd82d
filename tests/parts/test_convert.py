"""Converted parts hold the pretrained numbers, are the same everywhere, and are whole or absent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Quantised
from gguf import GGUFReader, GGUFWriter, ReaderTensor
from gguf.quants import dequantize

from harken.errors import HarkenError
from harken.parts import ensure
from harken.parts.convert import converted, verify_converted
from harken.parts.convert.acoustic import convert_acoustic, quantise_columns, read_ctranslate2
from harken.parts.convert.decoder import convert_decoder, round_to_bytes
from harken.parts.convert.layout import Layout, WeightsWriter, graph_file
from harken.perceive.acoustic import AcousticEar

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def whisper_folder() -> Path:
    return ensure("whisper")


@pytest.fixture(scope="session")
def gguf_file() -> Path:
    return next(ensure("decoder").glob("*.gguf"))


@pytest.fixture(scope="session")
def gguf_tensors(gguf_file: Path) -> dict[str, ReaderTensor]:
    return {t.name: t for t in GGUFReader(gguf_file).tensors}


@pytest.fixture
def small_cache(cache: Path, whisper_folder: Path) -> Path:
    """A cache of its own that borrows the real recogniser."""
    (cache / "parts").mkdir(parents=True)
    (cache / "parts" / "whisper").symlink_to(whisper_folder)
    return cache


def stored(folder: Path, graph: str, name: str) -> np.ndarray:
    """A tensor of a converted weights file."""
    layout = Layout.of(graph)
    kind, shape, offset = layout.tensors[name]
    return np.array(np.memmap(folder / layout.file, kind, "r", offset, shape))


def dequantised(folder: Path, graph: str, name: str) -> np.ndarray:
    """A matrix as the graph multiplies by it: float32 [n, blocks, 32]."""
    steps = stored(folder, graph, f"{name}.quant").astype(np.float32) - 128
    return steps * stored(folder, graph, f"{name}.scale")[:, :, None]


EXACT = [
    ("decoder", "layers.0.qkv", ("blk.0.attn_q", "blk.0.attn_k", "blk.0.attn_v")),
    ("decoder", "layers.23.attn_out", ("blk.23.attn_output",)),
    ("decoder", "layers.5.gate_up", ("blk.5.ffn_gate", "blk.5.ffn_up")),
]


@pytest.mark.slow  # reading the names in the file takes seconds
@pytest.mark.parametrize(("graph", "name", "sources"), EXACT)
def test_blocks_of_whole_steps_are_kept_exactly(
    decoder_folder: Path,
    gguf_tensors: dict[str, ReaderTensor],
    graph: str,
    name: str,
    sources: tuple[str, ...],
) -> None:
    tensors = [gguf_tensors[f"{s}.weight"] for s in sources]
    assert {t.tensor_type for t in tensors} <= {Quantised.Q5_0, Quantised.Q8_0}
    expected = np.concatenate([dequantize(t.data, t.tensor_type) for t in tensors])
    found = dequantised(decoder_folder, graph, name)
    np.testing.assert_array_equal(found.reshape(expected.shape), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "kind"), [(0, Quantised.Q6_K), (11, Quantised.Q4_K)], ids=["Q6_K", "Q4_K"]
)
def test_other_blocks_are_rounded_to_a_127th_of_their_maximum(
    decoder_folder: Path, gguf_tensors: dict[str, ReaderTensor], layer: int, kind: Quantised
) -> None:
    tensor = gguf_tensors[f"blk.{layer}.ffn_down.weight"]
    assert tensor.tensor_type == kind
    found = dequantised(decoder_folder, "decoder", f"layers.{layer}.down")
    expected = dequantize(tensor.data, kind).reshape(found.shape)
    largest = np.abs(expected).max(-1, keepdims=True)
    assert (np.abs(found - expected) <= largest * (1 / 254 + 1e-6)).all()


@pytest.mark.slow
def test_head_and_embedding_are_one_table(
    decoder_folder: Path, gguf_tensors: dict[str, ReaderTensor]
) -> None:
    rows = np.load(decoder_folder / "embedding.int8.npy", mmap_mode="r")
    scale = np.load(decoder_folder / "embedding.scale.npy", mmap_mode="r")
    head = stored(decoder_folder, "head", "head.quant")
    table = gguf_tensors["output.weight"]
    for i in (0, 9_707, 151_642, 151_935):
        row = rows[i].astype(np.float32).reshape(-1, 32) * scale[i][:, None]
        expected = dequantize(table.data[i : i + 1], table.tensor_type)
        np.testing.assert_array_equal(row.reshape(1, -1), expected)
        np.testing.assert_array_equal(head[i].astype(np.int16).reshape(-1) - 128, rows[i])


@pytest.mark.parametrize("rows", [0.0, 1e-30, 1.0, 3e4])
def test_rounding_blocks_of_any_size(rows: float) -> None:
    matrix = (rows * np.random.default_rng(0).standard_normal((4, 64))).astype(np.float32)
    steps, scale = round_to_bytes(matrix)
    found = (steps.astype(np.float32) - 128) * scale[..., None]
    limit = np.abs(matrix.reshape(4, 2, 32)).max(-1, keepdims=True) / 254 * 1.001
    # Below 1e-12 a block counts as empty.
    assert (np.abs(found - matrix.reshape(4, 2, 32)) <= np.maximum(limit, 1e-12)).all()


def test_columns_of_the_encoder_are_rounded_to_a_127th_of_their_maximum() -> None:
    matrix = np.random.default_rng(1).standard_normal((16, 8)).astype(np.float32)
    matrix[:, 3] = 0
    quant, scale = quantise_columns(matrix)
    assert (np.abs(quant * scale - matrix) <= np.abs(matrix).max(0) * (1 / 254 + 1e-6)).all()


def test_the_encoder_keeps_the_recogniser_s_numbers(whisper_folder: Path) -> None:
    folder = converted_acoustic(whisper_folder)
    tensors = read_ctranslate2(whisper_folder / "model.bin")
    first = stored(folder, "acoustic", "conv1.weight")
    np.testing.assert_array_equal(first, tensors["encoder/conv1/weight"].astype(np.float32))
    quant = stored(folder, "acoustic", "layers.2.up.quant").astype(np.float32)
    found = (quant * stored(folder, "acoustic", "layers.2.up.scale")).T
    expected = tensors["encoder/layer_2/ffn/linear_0/weight"].astype(np.float32)
    limit = np.abs(expected).max(1, keepdims=True) * (1 / 254 + 1e-6)
    assert (np.abs(found - expected) <= limit).all()


def converted_acoustic(whisper_folder: Path) -> Path:
    """The acoustic part in the test's own cache."""
    parts = Path(os.environ["HARKEN_CACHE"]) / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    (parts / "whisper").symlink_to(whisper_folder)
    return converted("acoustic")


def test_converting_again_gives_the_same_folder(small_cache: Path) -> None:
    folder = converted("acoustic")
    assert folder == small_cache / "converted" / "acoustic"
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert converted("acoustic") == folder
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before
    verify_converted("acoustic")


# A child that kills itself, as a power cut would, at a chosen step of the real conversion.
CHILD = """
import os, signal, sys
from pathlib import Path
from harken.parts.convert import converted
from harken.parts.convert.layout import WeightsWriter

step = sys.argv[1]
calls = 0

def deadly(kind, name):
    real = getattr(kind, name)
    def call(*given):
        global calls
        calls += 1
        if f"{name} {calls}" == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given)
    setattr(kind, name, call)

deadly(WeightsWriter, "put") if step.startswith("put") else deadly(Path, "rename")
converted("acoustic")
"""


def child(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", script, *arguments])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system knows no SIGKILL")
@pytest.mark.parametrize("step", ["put 1", "put 40", "rename 1"])
def test_a_killed_conversion_leaves_nothing_that_counts(small_cache: Path, step: str) -> None:
    assert child(CHILD, step).wait() == -signal.SIGKILL
    assert not (small_cache / "converted" / "acoustic").exists()
    folder = converted("acoustic")
    verify_converted("acoustic")
    AcousticEar(folder)
    left = {p.name for p in folder.parent.iterdir() if not p.name.endswith(".lock")}
    assert left == {"acoustic"}


def test_two_processes_convert_once(small_cache: Path) -> None:
    script = "from harken.parts.convert import converted; converted('acoustic')"
    both = [child(script), child(script)]
    assert [one.wait() for one in both] == [0, 0]
    verify_converted("acoustic")


def test_an_outdated_folder_is_made_again(small_cache: Path) -> None:
    folder = converted("acoustic")
    (folder / "converted.json").write_text('{"acoustic.onnx": "0000"}')
    assert converted("acoustic") == folder
    verify_converted("acoustic")


def test_a_damaged_file_is_refused_by_name(small_cache: Path) -> None:
    folder = converted("acoustic")
    with (folder / "acoustic.weights").open("r+b") as file:
        file.seek(1_000)
        file.write(b"damage")
    with pytest.raises(HarkenError, match=r"acoustic\.weights is damaged; delete the folder"):
        verify_converted("acoustic")


@pytest.mark.parametrize("file", ["acoustic.weights", "acoustic.onnx"])
def test_a_cut_converted_file_is_refused_in_one_line(small_cache: Path, file: str) -> None:
    folder = converted("acoustic")
    os.truncate(folder / file, (folder / file).stat().st_size // 2)
    with pytest.raises(HarkenError, match=rf"delete the folder {folder}") as refused:
        AcousticEar(folder)
    assert "\n" not in str(refused.value)


def test_a_missing_converted_file_is_made_again(small_cache: Path) -> None:
    folder = converted("acoustic")
    (folder / "acoustic.weights").unlink()
    verify_converted("acoustic")


def test_a_cache_that_cannot_be_written_is_one_line(small_cache: Path) -> None:
    (small_cache / "converted").write_text("a file in the place of the folder")
    with pytest.raises(HarkenError, match="HARKEN_CACHE"):
        converted("acoustic")


def cut_copy(source: Path, target: Path, size_bytes: int) -> Path:
    with source.open("rb") as file:
        target.write_bytes(file.read(size_bytes))
    return target


@pytest.mark.parametrize("size_bytes", [0, 3, 1_000])
def test_a_cut_gguf_is_refused_in_one_line(
    gguf_file: Path, tmp_path: Path, size_bytes: int
) -> None:
    refuse_gguf(cut_copy(gguf_file, tmp_path / "cut.gguf", size_bytes), "")


def test_a_gguf_of_another_model_or_cut_in_its_tensors_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.gguf"
    writer = GGUFWriter(whole, "qwen2")
    writer.add_tensor("blk.0.attn_q.weight", np.zeros((64, 64), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    refuse_gguf(whole, "tensor blk.0.attn_k.weight is missing")
    refuse_gguf(cut_copy(whole, tmp_path / "cut.gguf", whole.stat().st_size - 9_000), "")


def refuse_gguf(file: Path, why: str) -> None:
    work = file.parent / f"work-{file.stem}"
    work.mkdir()
    with pytest.raises(HarkenError, match=rf"{file.name} is no readable GGUF.*{why}") as refused:
        convert_decoder(file, work)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("size_bytes", [0, 3, 30, 1_000_000])
def test_a_cut_recogniser_is_refused_in_one_line(
    whisper_folder: Path, tmp_path: Path, size_bytes: int
) -> None:
    cut = cut_copy(whisper_folder / "model.bin", tmp_path / "cut.bin", size_bytes)
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(HarkenError, match=r"cut\.bin is no readable Whisper model") as refused:
        convert_acoustic(cut, work)
    assert "\n" not in str(refused.value)


def test_a_weights_file_with_holes_is_refused(tmp_path: Path) -> None:
    tensors = {"a": ("float32", (2,), 0), "b": ("uint8", (3,), 4096)}
    layout = Layout("small", "small.weights", 8192, tensors, {})
    refused = pytest.raises(HarkenError, match="lacks 1 tensors of graph small, first b")
    with refused, WeightsWriter(layout, tmp_path) as writer:
        writer.put("a", np.ones(2, np.float32))


@pytest.mark.parametrize("wrong", [np.ones(3, np.float32), np.ones(2, np.float64)])
def test_a_tensor_of_another_kind_is_refused_by_name(tmp_path: Path, wrong: np.ndarray) -> None:
    layout = Layout("small", "small.weights", 4096, {"a": ("float32", (2,), 0)}, {})
    refused = pytest.raises(HarkenError, match=r"tensor a of graph small should be float32\[2\]")
    with refused, WeightsWriter(layout, tmp_path) as writer:
        writer.put("a", wrong)


def test_the_shipped_graphs_are_those_that_the_script_makes(tmp_path: Path) -> None:
    script = REPOSITORY / "scripts" / "make_graphs.py"
    subprocess.run([sys.executable, str(script), str(tmp_path / "graphs")], check=True)
    made = sorted((tmp_path / "graphs").iterdir())
    assert len(made) == 7
    for path in made:
        assert path.read_bytes() == graph_file(path.name), path.name


def test_no_graph_holds_weights_of_its_own() -> None:
    # Weights come from the user's part; what ships must stay small.
    for graph in ("decoder", "decoder.batched", "head", "acoustic"):
        assert len(graph_file(f"{graph}.onnx")) < 200_000


def test_an_unknown_part_is_not_converted() -> None:
    with pytest.raises(HarkenError, match=r"'kokoro'.*acoustic, decoder"):
        converted("kokoro")
