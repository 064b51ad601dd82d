"""Replies to sounds that come sooner or later than they are due.

Composed replies always stand where their sound has ended. A listener that serves decides for
itself, often a chunk earlier, and then reads a past it never saw: its own reply in the middle of a
sound. It counts that sound again. So in some copies of a stream a reply stands early, where the
decision is not learnt, and what is learnt is to stay silent to the end of that sound; or late,
where the decision is learnt and the silence before it is not.
"""

from typing import Any

import numpy as np

from harken.stream import CHUNK_SAMPLES

EARLY_SHARE, LATE_SHARE = 0.45, 0.2
_AUDIBLE_SAMPLES = CHUNK_SAMPLES // 3
"""So much of a sound must lie in a chunk for a reply right after it."""
_LATEST_CHUNKS = 2


def retimed(row: dict[str, Any], random: np.random.Generator) -> dict[str, Any] | None:
    """A copy of a row of `streams.jsonl` with moved replies; None where none could be moved.

    `unjudged` lists the chunks whose decision is not learnt.
    """
    spans = [(cause, start) for start, _, what, cause in row["due"] if what == "sound"]
    ordered = sorted(row["said"], key=lambda s: s[0])
    said: list[list[Any]] = []
    unjudged: list[int] = []
    for n, (chunk, text, emotion, cause) in enumerate(ordered):
        after = said[-1][0] + 1 if said else 0
        before = ordered[n + 1][0] if n + 1 < len(ordered) else row["n_chunks"]
        starts = [
            start for what, start in spans if what == cause and start < (chunk + 1) * CHUNK_SAMPLES
        ]
        at = chunk
        draw = random.random()
        if starts and draw < EARLY_SHARE:
            first = max(after, (max(starts) + _AUDIBLE_SAMPLES) // CHUNK_SAMPLES)
            if first < chunk:
                at = int(random.integers(first, chunk))
                unjudged.append(at)
        elif starts and draw < EARLY_SHARE + LATE_SHARE:
            at = min(chunk + int(random.integers(1, _LATEST_CHUNKS + 1)), before - 1)
            unjudged += range(chunk, at)
        said.append([at, text, emotion, cause])
    if not unjudged:
        return None
    return row | {"said": said, "unjudged": unjudged}
