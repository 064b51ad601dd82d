"""Imagined sounds: the ear's own classifier hears what was wished for, and its kin."""

import numpy as np
import pytest
import soundfile
from tests.perceive.test_sound import SPEECH

from harken.parts import ensure
from harken.perceive.sound import CLASSES, WINDOW_SAMPLES, SoundEar
from harken.soundflow.events import EVENTS
from harken.soundflow.imagined import Imagination, Wish, imaginable

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ear() -> SoundEar:
    return SoundEar(ensure("yamnet"))


@pytest.fixture(scope="module")
def heard(ear: SoundEar) -> np.ndarray:
    """Speech, hum, noise: float32 [n, 1545]."""
    random = np.random.default_rng(0)
    speech, _ = soundfile.read(SPEECH, dtype="float32")
    hum = np.sin(np.arange(WINDOW_SAMPLES * 2) * 0.02).astype(np.float32) * 0.3
    noise = random.normal(0, 0.1, WINDOW_SAMPLES * 2).astype(np.float32)
    windows = [
        x[start : start + WINDOW_SAMPLES]
        for x in (speech, hum, noise)
        for start in range(0, len(x) - WINDOW_SAMPLES, 6_400)
    ]
    return np.stack([ear.hear(w) for w in windows])


def test_what_is_wished_for_is_heard_with_its_kin(ear: SoundEar, heard: np.ndarray) -> None:
    index = {name: i for i, name in enumerate(ear.names)}
    imagination = Imagination(heard)
    for wanted, kin in (("Bark", "Dog"), ("Snoring", "Breathing"), ("Fire alarm", "Alarm")):
        wishes = [Wish(index[wanted], 2.0)] * len(heard)
        scores = imagination.imagine(heard, heard[:1].repeat(len(heard), 0), wishes)[:, :CLASSES]
        assert np.median(scores[:, index[wanted]]) > 0.7
        assert np.median(scores[:, index[kin]]) > np.median(heard[:, index[kin]])
        best = scores.argsort(axis=1)[:, -5:]
        assert (best == index[wanted]).any(axis=1).all(), wanted


def test_scores_and_embedding_belong_together(ear: SoundEar, heard: np.ndarray) -> None:
    imagination = Imagination(heard)
    wishes = [Wish(ear.names.index("Cough"), 1.0)] * len(heard)
    new = imagination.imagine(heard, heard, wishes)
    assert new.shape == heard.shape and np.isfinite(new).all()
    scores, embedding = new[:, :CLASSES], new[:, CLASSES:]
    assert (embedding >= 0).all(), "the ear's last layer rectifies"
    logits = np.log(scores / (1 - scores))
    likeliest = logits.argmax(axis=1)
    again = imagination.imagine(
        new, new, [Wish(int(i), float(x)) for i, x in zip(likeliest, logits.max(1), strict=True)]
    )
    # What is heard already needs no change.
    assert np.abs(again[:, CLASSES:] - embedding).max() < 0.1 * embedding.max()


def test_every_listed_class_belongs_to_one_known_label() -> None:
    classes = [i for indices in imaginable().values() for i in indices]
    assert len(set(classes)) == len(classes)
    assert imaginable().keys() <= EVENTS.keys()
    assert EVENTS.keys() - imaginable().keys() == {"ui_notification", "instrument_music"}
