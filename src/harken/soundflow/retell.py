"""More interpreting from the same audio: other sentences in the place of those that were heard.

There are thousands of translated sentences as text and few as speech. What the listener reads of
speech are recognised words, so a stream may hold other ones at the same chunks, with their
translation; what the other ears heard stays.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harken.errors import HarkenError
from harken.soundflow.build import gather, write_rows
from harken.soundflow.sources import sentences_zh_en
from harken.soundflow.studio import Studio
from harken.soundflow.texts import is_chinese
from harken.stream import CHUNK_SAMPLES

Row = dict[str, Any]
_LENGTH = (0.7, 1.4)
"""How long a sentence may be against the one whose place it takes, in words or characters."""


def retell(folder: Path, times: int, seed: int = 0) -> int:
    """Add every training stream of interpreting `times` more with other sentences.

    Sentences spoken in dev streams are left out. Returns how many variants the folder holds.

    Raises:
        HarkenError: the folder holds no interpreting stream to train on.
    """
    spoken = {s.text for n in ("en", "zh") for s in Studio("dev").all_spoken("sentence", n)}
    pairs = [p for p in sentences_zh_en() if p[0] not in spoken and p[1] not in spoken]
    lines = sorted((folder / "lines").glob("train-*.json"))
    originals = [
        row
        for path in lines
        for row in json.loads(path.read_text("utf-8"))
        if row["task"] == "translate" and "retold" not in row
    ]
    if not originals:
        raise HarkenError(
            f"{folder} holds no interpreting stream to train on; compose some with "
            "`harken data build --only translate`"
        )
    for n in range(times):
        random = np.random.default_rng([seed, n])
        name = f"retold-{seed}-{n}"
        told = [retold(row, pairs, random) | {"id": f"{row['id']}-{name}"} for row in originals]
        write_rows(folder, f"train-{name}", told)
    return gather(folder)


def retold(row: Row, pairs: Sequence[tuple[str, str]], random: np.random.Generator) -> Row:
    """A stream with every interpreted sentence exchanged; `pairs` are Chinese, English."""
    words = {chunk: text for chunk, text in row["words"]}
    said = []
    for chunk, text, emotion, cause in row["said"]:
        at = list(_heard_for(row, chunk, cause))
        if cause == "translation" and at:
            heard = "".join(words[c] for c in at)
            into_chinese = is_chinese(text)
            told, text = _another(heard, pairs, into_chinese, random)
            words |= dict(zip(at, _spread(told, [words[c] for c in at]), strict=True))
        said.append([chunk, text, emotion, cause])
    kept = [[c, t] for c, t in sorted(words.items()) if t]
    return row | {"words": kept, "said": said, "retold": True}


def _heard_for(row: Row, chunk: int, cause: str) -> Iterator[int]:
    """Chunks with the words that a response waited for."""
    starts = [s // CHUNK_SAMPLES for s, _, _, what in row["due"] if what == cause]
    start = max((s for s in starts if s <= chunk), default=chunk)
    return (c for c, _ in row["words"] if start <= c <= chunk)


def _another(
    heard: str, pairs: Sequence[tuple[str, str]], into_chinese: bool, random: np.random.Generator
) -> tuple[str, str]:
    """A sentence about as long as `heard` and its translation."""
    low, high = (factor * len(_units(heard)) for factor in _LENGTH)
    source = 1 if into_chinese else 0
    for i in random.permutation(len(pairs))[:400]:
        pair = pairs[int(i)]
        if low <= len(_units(pair[source])) <= high:
            return pair[source], pair[1 - source]
    pair = pairs[int(random.integers(len(pairs)))]
    return pair[source], pair[1 - source]


def _units(text: str) -> list[str]:
    """Pieces that can be committed alone: words with their space, or characters."""
    return list(text) if is_chinese(text) else [f" {word}" for word in text.split()]


def _spread(text: str, batches: Sequence[str]) -> list[str]:
    """`text` in as many batches, each about as long as the one whose place it takes."""
    units = _units(text)
    sizes = np.array([max(1, len(_units(b))) for b in batches])
    ends = np.round(np.cumsum(sizes) / sizes.sum() * len(units)).astype(int)
    return ["".join(units[a:b]) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
