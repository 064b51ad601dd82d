"""Streams in which the listener once spoke out of turn, and is to be silent again.

Composed streams hold right replies only. A listener that serves reads its own mistakes: having
written down one sentence that nobody asked for, it takes captions for what is wanted here and
goes on. So in some copies of a stream it has said something out of turn. That is there to be read
and is not learnt; what follows is learnt as before.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from harken.soundflow.events import EVENTS
from harken.soundflow.retell import texts_to_learn
from harken.soundflow.rows import gather, to_train_on, write_retold
from harken.soundflow.texts import is_chinese
from harken.soundflow.wording import Row, as_long, text_at, utterances, words_of
from harken.stream import CHUNK_SAMPLES

TASKS = ("others_talking", "background", "care", "quiet", "chat", "remember", "tell_when", "count")
"""Where captions, translations and names of sounds are out of turn."""
LONGEST_RUN = 4
"""So many mistakes in a row at most."""
CAUSE = "stray"

_KINDS = {"captions": 0.55, "translation": 0.15, "names": 0.3}
_CLEAR_CHUNKS = 3
"""So far from what is due a mistake stays: it could be taken for an answer, or a late one."""


def stray(folder: Path, seed: int = 0, only: Sequence[str] = ()) -> int:
    """Add training streams of the tasks in `TASKS` with something said out of turn.

    `only`: names of tasks to choose from; all when empty. Returns how many variants the folder
    holds.

    Raises:
        HarkenError: an unknown task, or the folder holds no such stream to train on.
    """
    originals = to_train_on(folder, TASKS, only, without=("strays", "unjudged", "resound"))
    sentences = texts_to_learn().sentences
    tell = partial(strayed, sentences=sentences, random=np.random.default_rng(seed))
    write_retold(folder, f"stray-{seed}", originals, tell)
    return gather(folder)


def strayed(
    row: Row, sentences: Sequence[tuple[str, str]], random: np.random.Generator
) -> Row | None:
    """A copy of a row with one mistake or a run of them; None where there is no room for any.

    `strays` lists the chunks with what was said out of turn: neither that it was said nor its
    words are learnt. sentences: (Chinese, English), for translations nobody asked for.
    """
    if row["playing"] or row["stops"]:
        return None
    kind = str(random.choice(list(_KINDS), p=list(_KINDS.values())))
    if kind == "captions":
        wrong = _captions(row, random)
    elif kind == "translation":
        wrong = _translation(row, sentences, random)
    else:
        wrong = _names(row, random)
    free = _free(row)
    wrong = [(chunk, text) for chunk, text in wrong if chunk in free and text]
    if not wrong:
        return None
    said = [*row["said"], *([chunk, text, "normal", CAUSE] for chunk, text in wrong)]
    said.sort(key=lambda each: each[0])
    return row | {"said": said, "strays": [chunk for chunk, _ in wrong]}


def _captions(row: Row, random: np.random.Generator) -> list[tuple[int, str]]:
    """Recognised words written down as they came, or the end of it alone."""
    words = words_of(row)
    chunks = sorted(words)
    if not chunks:
        return []
    first = int(random.integers(len(chunks)))
    run = chunks[first : first + int(random.integers(1, LONGEST_RUN + 1))]
    return [(chunk, words[chunk].strip()) for chunk in run]


def _translation(
    row: Row, sentences: Sequence[tuple[str, str]], random: np.random.Generator
) -> list[tuple[int, str]]:
    """A sentence of the other language, about as long as what was heard."""
    words = words_of(row)
    heard = list(utterances(sorted(words)))
    if not heard:
        return []
    at = heard[int(random.integers(len(heard)))]
    text = text_at(words, at)
    source = 0 if is_chinese(text) else 1
    return [(at[-1], as_long(text, sentences, source, random)[1 - source])]


def _names(row: Row, random: np.random.Generator) -> list[tuple[int, str]]:
    """The name of a sound, where there is none or where none was asked for; perhaps repeated."""
    heard = {label for _, _, label in row["sounds"]} & EVENTS.keys()
    labels = sorted(heard) if random.random() < 0.5 else []
    labels = labels or sorted(EVENTS)
    name = EVENTS[labels[int(random.integers(len(labels)))]].name
    at = int(random.integers(row["n_chunks"]))
    steps = random.integers(1, 4, size=int(random.integers(1, LONGEST_RUN + 1)))
    return [(at + int(step), f"I hear {name}.") for step in np.cumsum(steps)]


def _free(row: Row) -> set[int]:
    """Chunks away from what is due and from what is said."""
    free = set(range(row["n_chunks"] - 1))
    for start, end, *_ in row["due"]:
        first, last = start // CHUNK_SAMPLES, end // CHUNK_SAMPLES
        free -= set(range(first - 1, last + _CLEAR_CHUNKS))
    for chunk, *_ in row["said"]:
        free -= set(range(chunk - 1, chunk + _CLEAR_CHUNKS))
    return free
