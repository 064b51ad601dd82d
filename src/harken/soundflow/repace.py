"""A row of a data folder at another pace: as if a chunk lasted longer, or shorter, than 0.4 s.

What was known at the end of a chunk is known at the end of the step in which that chunk ends. A
reply to a sound moves with the sound's own end, which a finer pace can meet earlier.
"""

from typing import Any

from harken.stream import CHUNK_SAMPLES, chunk_of_end

Row = dict[str, Any]


def repaced(row: Row, step_samples: int) -> Row:
    """The row with steps of so many samples in the place of chunks; `due` and `sounds` stay.

    Replies that would share a step with another, or with a stop, move on; behind the end they are
    left out.
    """
    n_steps = -(-row["n_chunks"] * CHUNK_SAMPLES // step_samples)
    stops = sorted({_end_step(c, step_samples) for c in row["stops"]})
    moved = _moved(row, step_samples, n_steps, set(stops))
    words: dict[int, str] = {}
    for chunk, text in row["words"]:
        step = _end_step(chunk, step_samples)
        words[step] = words.get(step, "") + text
    said = [
        [moved[chunk], text, emotion, cause]
        for chunk, text, emotion, cause in row["said"]
        if chunk in moved
    ]
    playing = {step for chunk in row["playing"] for step in _steps(chunk, step_samples)}
    found = {
        **row,
        "n_chunks": n_steps,
        "words": [[step, text] for step, text in sorted(words.items())],
        "said": sorted(said),
        "playing": sorted(playing),
        "stops": stops,
    }
    if "unjudged" in row:
        covered = {step for chunk in row["unjudged"] for step in _steps(chunk, step_samples)}
        covered |= {moved[chunk] for chunk in row["unjudged"] if chunk in moved}
        found["unjudged"] = sorted(covered)
    if "strays" in row:
        found["strays"] = sorted(moved[chunk] for chunk in row["strays"] if chunk in moved)
    return found


def chunk_of_step(step: int, step_samples: int) -> int:
    """The chunk of 0.4 s in which a step ends: where a decision made then is compared."""
    return chunk_of_end((step + 1) * step_samples)


def _moved(row: Row, step_samples: int, n_steps: int, taken: set[int]) -> dict[int, int]:
    """For the chunk of each reply the step in which it is due."""
    moved: dict[int, int] = {}
    for chunk, _, _, cause in sorted(row["said"]):
        step = _due_step(row, chunk, cause, step_samples)
        while step in taken:
            step += 1
        if step < n_steps:
            moved[chunk] = step
            taken.add(step)
    return moved


def _due_step(row: Row, chunk: int, cause: str, step_samples: int) -> int:
    ends = [
        end
        for _, end, waits_for, what in row.get("due", ())
        if waits_for == "sound" and what == cause and chunk_of_end(end) == chunk
    ]
    return chunk_of_end(ends[0], step_samples) if ends else _end_step(chunk, step_samples)


def _end_step(chunk: int, step_samples: int) -> int:
    return chunk_of_end((chunk + 1) * CHUNK_SAMPLES, step_samples)


def _steps(chunk: int, step_samples: int) -> range:
    """The steps that a chunk lies in."""
    return range(chunk * CHUNK_SAMPLES // step_samples, _end_step(chunk, step_samples) + 1)
