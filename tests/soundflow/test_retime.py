"""Replies to sounds moved off the chunk where they are due."""

from typing import Any

import numpy as np

from harken.soundflow.retime import retimed
from harken.stream import CHUNK_SAMPLES


def counting(length_chunks: int = 4, sounds: int = 3) -> dict[str, Any]:
    """Owls that each last that long, with one chunk between them, counted where they end."""
    said, due = [], []
    for n in range(sounds):
        start = (2 + n * (length_chunks + 1)) * CHUNK_SAMPLES
        end = start + length_chunks * CHUNK_SAMPLES
        said.append([end // CHUNK_SAMPLES - 1, f"{n + 1}.", "normal", "owl"])
        due.append([start, end, "sound", "owl"])
    return {"said": said, "due": due, "n_chunks": 2 + sounds * (length_chunks + 1), "words": []}


def test_replies_move_and_what_was_moved_over_is_not_learnt() -> None:
    early = late = 0
    for seed in range(200):
        row = counting()
        new = retimed(row, np.random.default_rng(seed))
        if new is None:
            continue
        assert [s[1] for s in new["said"]] == ["1.", "2.", "3."], "the count keeps its order"
        at = [s[0] for s in new["said"]]
        assert at == sorted(set(at)) and at[-1] < row["n_chunks"]
        unjudged = set(new["unjudged"])
        for chunk, old, (start, _, _, _) in zip(
            at, [s[0] for s in row["said"]], row["due"], strict=True
        ):
            assert chunk >= start // CHUNK_SAMPLES, "not before its sound"
            if chunk < old:
                early += 1
                assert chunk in unjudged
                assert not unjudged & set(range(chunk + 1, old + 1)), "the silence after it is"
            elif chunk > old:
                late += 1
                assert set(range(old, chunk)) <= unjudged and chunk not in unjudged
    assert early > 50 and late > 20


def test_answers_to_words_stay_and_a_row_without_sounds_has_nothing_to_move() -> None:
    row = counting(sounds=0) | {
        "said": [[1, "Okay.", "normal", "order"]],
        "due": [[0, 9000, "words", "order"]],
        "n_chunks": 8,
    }
    assert all(retimed(row, np.random.default_rng(seed)) is None for seed in range(20))
