"""The graph by which Kokoro runs says what the published one says."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harken.parts import ensure
from harken.parts.convert.layout import graph_file
from harken.respond.kokoro import kokoro_session
from harken.respond.voice import Samples

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
TOKENS = [0, 43, 16, 46, 156, 76, 92, 16, 44, 156, 69, 123, 53, 61, 4, 0]  # "A dog barks."


def said(graph: bytes | None) -> Samples:
    style = np.fromfile(ensure("kokoro-voices") / "af_heart.bin", np.float32).reshape(-1, 1, 256)
    asked = {
        "tokens": np.array([TOKENS]),
        "style": style[len(TOKENS) - 3],
        "speed": np.ones(1, np.float32),
    }
    (sound,) = kokoro_session(1, graph).run(None, asked)
    return np.asarray(sound, np.float32).ravel()


def spectrum_db(samples: Samples) -> np.ndarray:
    """Power of windows of 43 ms, in dB."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::256]
    return 20 * np.log10(np.abs(np.fft.rfft(windows * np.hanning(1024))) + 1e-7)


def test_it_sounds_like_the_published_graph() -> None:
    ours, published = said(graph_file("kokoro.onnx")), said(None)
    assert len(ours) == len(published)
    ours_db, published_db = spectrum_db(ours), spectrum_db(published)
    loud = published_db > published_db.max() - 50
    distance_db = np.sqrt(np.mean((ours_db - published_db)[loud] ** 2))
    assert distance_db < 4
    assert np.corrcoef(ours, published)[0, 1] > 0.9


def test_the_shipped_graphs_are_those_that_the_script_makes(tmp_path: Path) -> None:
    script = REPOSITORY / "scripts" / "make_kokoro_graph.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)
    for name in ("kokoro.onnx", "product.onnx"):
        assert (tmp_path / name).read_bytes() == graph_file(name), name
