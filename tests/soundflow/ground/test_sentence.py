"""Sentence embeddings as the model card of all-MiniLM-L6-v2 has them."""

from pathlib import Path

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.ground.sentence import EMBEDDING, SentenceEncoder


def test_a_folder_without_the_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="lacks the part minilm; run `harken parts fetch minilm`"):
        SentenceEncoder(tmp_path)


@pytest.mark.slow
def test_the_cosines_of_the_published_example_come_out() -> None:
    """The widget of the model page: 0.695, 0.943 and 0.257."""
    from harken.parts import ensure

    encoder = SentenceEncoder(ensure("minilm"))
    vectors = encoder.encode(
        [
            "That is a happy person",
            "That is a happy dog",
            "That is a very happy person",
            "Today is a sunny day",
        ]
    )
    assert vectors.shape == (4, EMBEDDING) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert vectors[1:] @ vectors[0] == pytest.approx([0.695, 0.943, 0.257], abs=0.002)
    assert encoder.encode([]).shape == (0, EMBEDDING)
    assert len(encoder.encode(["word " * 1000])) == 1, "long texts are cut"
