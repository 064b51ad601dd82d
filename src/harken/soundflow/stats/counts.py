"""What a data folder holds: counts by task, and one stream as a timeline to read."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harken.errors import HarkenError
from harken.soundflow.rows import rows
from harken.soundflow.subtasks import SUBTASKS, Subtask, subtask_of
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE

CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE
_REPLIES_SHOWN = 3


@dataclass(slots=True)
class TaskCounts:
    """Sums over variants: of one task in one split, or of one sub-task.

    retold: how many of the variants are. hours: of stream. replies: responses due, by text.
    """

    variants: int = 0
    retold: int = 0
    hours: float = 0.0
    replies: Counter[str] = field(default_factory=Counter)

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a variant, a line of `streams.jsonl`."""
        self.variants += 1
        self.retold += "retold" in row
        self.hours += row["n_chunks"] * CHUNK_S / 3600
        self.replies.update(text for _, text, _, _ in row["said"])

    @property
    def commonest(self) -> str:
        """The replies that are due most often."""
        return ", ".join(text for text, _ in self.replies.most_common(_REPLIES_SHOWN))


def counts(data: Path) -> dict[tuple[str, str], TaskCounts]:
    """Counts by (split, task), in that order."""
    found: dict[tuple[str, str], TaskCounts] = {}
    for row in rows(data):
        found.setdefault((row["split"], row["task"]), TaskCounts()).add(row)
    return dict(sorted(found.items()))


def counts_by_subtask(data: Path) -> list[tuple[Subtask, TaskCounts]]:
    """Counts of every sub-task of `docs/tasks.md`, in its order; zeros where there is no stream."""
    found = {subtask.name: TaskCounts() for subtask in SUBTASKS}
    for row in rows(data):
        if name := subtask_of(row):
            found[name].add(row)
    return [(subtask, found[subtask.name]) for subtask in SUBTASKS]


def timeline(data: Path, name: str) -> Iterator[str]:
    """A variant for people: how it begins, then a line for every time something is heard or due.

    Raises:
        HarkenError: the folder holds no variant of that name.
    """
    row = next((row for row in rows(data) if row["id"] == name), None)
    if row is None:
        example = next((row["id"] for row in rows(data)), "none at all")
        raise HarkenError(f"{data} holds no stream {name!r}; one that it holds is {example}")
    prefix = row["prefix"]
    yield f"{name}: {row['task']}, {row['split']}, {row['n_chunks'] * CHUNK_S:.1f} s"
    yield f"policy {prefix['policy']}" + (
        f", told {prefix['instruction']!r}" if prefix["instruction"] else ""
    )
    events = [(chunk, 0, f"words  {text.strip()}") for chunk, text in row["words"]]
    events += [
        (
            chunk,
            1,
            f"reply  {text}" + (f" ({emotion})" if emotion != "normal" else "") + f"  <- {cause}",
        )
        for chunk, text, emotion, cause in row["said"]
    ]
    for chunk, _, what in sorted(events):
        yield f"{(chunk + 1) * CHUNK_S:6.1f} s  {what}"
    yield f"made of {', '.join(row['sources']) or 'nothing listed'}"
