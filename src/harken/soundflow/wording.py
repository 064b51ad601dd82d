"""The recognised words of a stream's row, and other words at the same chunks."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from harken.soundflow.texts import is_chinese
from harken.stream import CHUNK_SAMPLES

Row = dict[str, Any]
"""A line of `streams.jsonl`."""
Words = dict[int, str]
"""Recognised text by chunk."""

_PAUSE_CHUNKS = 2
"""Words further apart belong to different utterances."""
_LENGTH = (0.7, 1.4)
"""How long a text may be against the one whose place it takes, in words or characters."""


def words_of(row: Row) -> Words:
    """What was recognised in it."""
    return {chunk: text for chunk, text in row["words"]}


def with_words(row: Row, words: Words, said: list[Any]) -> Row:
    """The row with other words and responses."""
    return row | {"words": [[c, t] for c, t in sorted(words.items()) if t], "said": said}


def text_at(words: Words, at: Sequence[int]) -> str:
    """The text of those chunks together."""
    return "".join(words[c] for c in at)


def heard_for(row: Row, chunk: int, cause: str) -> list[int]:
    """Chunks with the words that a response waited for."""
    starts = [s // CHUNK_SAMPLES for s, _, _, what in row["due"] if what == cause]
    start = max((s for s in starts if s <= chunk), default=chunk)
    return [c for c, _ in row["words"] if start <= c <= chunk]


def utterances(chunks: Sequence[int]) -> Iterator[list[int]]:
    """Chunks of words, those with a pause between them apart."""
    together: list[int] = []
    for chunk in chunks:
        if together and chunk - together[-1] > _PAUSE_CHUNKS:
            yield together
            together = []
        together.append(chunk)
    if together:
        yield together


def units(text: str) -> list[str]:
    """Pieces that can be committed alone: words with their space, or characters."""
    return list(text) if is_chinese(text) else [f" {word}" for word in text.split()]


def spread(text: str, at: Sequence[int], words: Words) -> Words:
    """`text` over the chunks `at`, to each about as much as it held; the last one gets some."""
    pieces = units(text)
    sizes = np.array([max(1, len(units(words[c]))) for c in at])
    ends = np.round(np.cumsum(sizes) / sizes.sum() * len(pieces)).astype(int)
    ends[:-1] = np.minimum(ends[:-1], len(pieces) - 1)
    starts = [0, *ends[:-1]]
    return {c: "".join(pieces[a:b]) for c, a, b in zip(at, starts, ends, strict=True)}


def as_long(
    heard: str, pairs: Sequence[tuple[str, str]], source: int, random: np.random.Generator
) -> tuple[str, str]:
    """A pair whose side `source` is about as long as `heard`, or any if there is none."""
    low, high = (factor * len(units(heard)) for factor in _LENGTH)
    for i in random.permutation(len(pairs))[:400]:
        pair = pairs[int(i)]
        if low <= len(units(pair[source])) <= high:
            return pair
    return pairs[int(random.integers(len(pairs)))]
