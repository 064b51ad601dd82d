"""Streams whose replies are read aloud while what they answer goes on.

Composed streams have our own voice where it is the subject (`playing_tasks`), and nowhere else. A
session with a voice has it behind every reply: captions are read out over the next sentence, a
count over the next cough. A listener that never learnt to reply over its voice makes up words
there. In some copies of a stream the chunks behind each reply are marked as those in which it is
heard. Nothing of it reaches the ears: so it is with headphones, and behind a good echo canceller.
"""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np

from harken.respond.sentences import width
from harken.soundflow.prolong import TASK as LONG
from harken.soundflow.rows import gather, to_train_on, write_retold
from harken.soundflow.subtasks import TASKS
from harken.soundflow.wording import Row, heard_for
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE

SHARE = 0.5
"""How often a stream has such a copy."""
CAPTION = "transcript"
TOLD = frozenset({"order", "stop"})
"""Causes of replies to what ends or begins a standing order. Over a reply the same words tell the
voice to stop, so they find it silent."""

_FIRST_CHUNKS = 2
"""A voice begins in one of so many chunks behind its reply."""
_LEAST_S, _WIDTH_PER_S = 0.4, 19.0
_PACE = (0.8, 1.3)
"""Our voices say a text of width w in 0.4 s + w / 19, faster or slower by so much."""


def read_aloud(folder: Path, seed: int = 0, only: Sequence[str] = ()) -> int:
    """Add a copy with our voice of some training streams that have replies and no voice yet.

    `only`: names of tasks to choose from; all when empty. Returns how many variants the folder
    holds.

    Raises:
        HarkenError: an unknown task, or the folder holds no such stream to train on.
    """
    originals = to_train_on(folder, (*TASKS, LONG), only, without=())
    random = np.random.default_rng(seed)
    write_retold(folder, f"aloud-{seed}", originals, partial(aloud, random=random))
    return gather(folder)


def aloud(row: Row, random: np.random.Generator, share: float = SHARE) -> Row | None:
    """A copy of a row in which its replies are heard; None for the rest, and where none is.

    A reply is heard to its end, or to the chunk of the next one, which takes its place; captions
    wait for one another.
    """
    if row["playing"] or row["stops"] or not row["said"] or random.random() >= share:
        return None
    playing: set[int] = set()
    for chunk, text, _, cause in row["said"]:
        if cause != CAPTION:
            playing = {c for c in playing if c <= chunk}
        start = max({chunk + int(random.integers(_FIRST_CHUNKS)), *playing}) + 1
        seconds = (_LEAST_S + width(text) / _WIDTH_PER_S) / random.uniform(*_PACE)
        end = start + math.ceil(seconds * SAMPLE_RATE / CHUNK_SAMPLES)
        playing.update(range(start, min(end, row["n_chunks"])))
    told = (heard_for(row, chunk, cause) for chunk, *_, cause in row["said"] if cause in TOLD)
    heard = playing.difference(*told)
    return row | {"playing": sorted(heard)} if heard else None


def all_aloud(rows: Sequence[Row]) -> list[Row]:
    """The rows, those with replies and no voice yet with our voice behind their replies.

    A row's id alone decides when it is heard, so that any choice of rows is heard alike.
    """
    found = []
    for row in rows:
        heard = aloud(row, np.random.default_rng(crc32(row["id"].encode())), share=1)
        found.append(heard | {"id": f"{row['id']}-aloud"} if heard else row)
    return found
