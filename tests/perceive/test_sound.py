"""The sound ear names what is plain to hear, and gives out the embedding its names come from."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from onnx import numpy_helper

from harken.errors import HarkenError
from harken.parts import ensure
from harken.perceive.sound import CLASSES, EMBEDDING, WINDOW_SAMPLES, SoundEar

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"


@pytest.fixture(scope="module")
def ear() -> SoundEar:
    return SoundEar(ensure("yamnet"))


def tone(hz: float) -> np.ndarray:
    time_s = np.arange(WINDOW_SAMPLES) / 16_000
    return (0.3 * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)


def speech() -> np.ndarray:
    samples, _ = soundfile.read(SPEECH, dtype="float32")
    return samples[8_000 : 8_000 + WINDOW_SAMPLES]


def best(ear: SoundEar, window: np.ndarray) -> tuple[str, float]:
    scores = ear.hear(window)[:CLASSES]
    return ear.names[int(scores.argmax())], float(scores.max())


def test_plain_sounds_are_named(ear: SoundEar) -> None:
    name, score = best(ear, np.zeros(WINDOW_SAMPLES, np.float32))
    assert name == "Silence" and score > 0.9
    name, score = best(ear, speech())
    assert name == "Speech" and score > 0.9
    name, score = best(ear, tone(1_000))
    assert name in {"Beep, bleep", "Sine wave"} and score > 0.5


def test_scores_are_probabilities_and_the_embedding_is_pooled_after_a_relu(ear: SoundEar) -> None:
    heard = ear.hear(speech())
    assert heard.shape == (CLASSES + EMBEDDING,) and heard.dtype == np.float32
    assert ((heard[:CLASSES] >= 0) & (heard[:CLASSES] <= 1)).all()
    assert (heard[CLASSES:] >= 0).all() and heard[CLASSES:].any()


def test_the_names_follow_from_the_embedding(ear: SoundEar) -> None:
    # The classifier of the published graph, over the embedding that we add to its outputs.
    graph = onnx.load(ensure("yamnet") / "model.onnx").graph
    given = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    made = {n.output[0]: n for n in graph.node}
    plain, grid, _ = (given[i] for i in made["model.classifier.weight_q"].input)
    weight = np.rint(plain / grid) * grid
    pooled = float(given["/model/GlobalAveragePool_output_0_scale"])
    step = float(given["class_scores_scale"])
    for window in (speech(), tone(440), np.zeros(WINDOW_SAMPLES, np.float32)):
        heard = ear.hear(window)
        rounded = np.clip(np.rint(heard[CLASSES:] / pooled), 0, 255) * pooled
        expected = weight @ rounded + given["model.classifier.bias"]
        scores = heard[:CLASSES].astype(np.float64).clip(1e-30, 1 - 1e-7)
        logits = np.log(scores / (1 - scores))
        inside = (expected > -60) & (expected < 14)  # beyond, a float32 score has no exact logit
        assert np.abs(logits - expected)[inside].max() <= 0.5 * step + 0.01


def test_the_ear_has_no_memory(ear: SoundEar) -> None:
    before = ear.hear(speech())
    ear.hear(tone(3_000))
    np.testing.assert_array_equal(ear.hear(speech()), before)


@pytest.mark.parametrize("shape", [(0,), (WINDOW_SAMPLES - 1,), (WINDOW_SAMPLES, 2)])
def test_another_window_is_refused(ear: SoundEar, shape: tuple[int, ...]) -> None:
    with pytest.raises(HarkenError, match="15600"):
        ear.hear(np.zeros(shape, np.float32))


def test_a_folder_without_the_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="harken parts fetch yamnet"):
        SoundEar(tmp_path)


def test_a_cut_model_is_refused_in_one_line(tmp_path: Path) -> None:
    for file in ("model.onnx", "model.data", "yamnet_class_map.csv"):
        shutil.copy(ensure("yamnet") / file, tmp_path)
    for file in ("model.data", "model.onnx"):
        content = (tmp_path / file).read_bytes()
        (tmp_path / file).write_bytes(content[: len(content) // 2])
        with pytest.raises(HarkenError, match="harken parts fetch yamnet") as refused:
            SoundEar(tmp_path)
        assert "\n" not in str(refused.value)


def test_opening_the_part_writes_nothing(tmp_path: Path) -> None:
    for file in ("model.onnx", "model.data", "yamnet_class_map.csv"):
        shutil.copy(ensure("yamnet") / file, tmp_path)
    SoundEar(tmp_path).hear(tone(500))
    assert len(list(tmp_path.iterdir())) == 3
