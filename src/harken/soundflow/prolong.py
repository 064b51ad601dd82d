"""Long sessions to learn from: training streams of one policy, one after the other.

Composed streams last up to a minute and begin with their order. A listener that has learnt from
them alone takes what is asked of it after a minute or two for talk between others. In joined ones
everything happens late as well: orders, questions, alarms, and silence where nothing is due.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from harken.errors import HarkenError
from harken.soundflow.joined import (
    CHUNKS_PER_MINUTE,
    Row,
    about_facts,
    features_of,
    joined,
    leaves_order,
    recalls,
    split_at_recall,
)
from harken.soundflow.rows import gather, rows, write_rows
from harken.soundflow.unrepeated import COOL_DOWN_CHUNKS
from harken.soundflow.writes import writes_below

TASK = "long"
LEFT_OUT = {"say_once", TASK}
"""What goes on in a stream of `say_once` is due no second time, in one after it it may be."""
SHARES = {"background": 2.0, "others_talking": 2.0, "care": 2.0, "count": 2.0}
"""How often a task is a part; 1 if not named."""
ORDERED_SHARE = 0.6
"""How often the last part is one whose order still stands, under a policy that has such."""
RECALL_SHARE = 0.1
"""How often a fact is told first and asked for last."""
POLICIES = {"care": 0.7, "narrate": 0.14, "quiet": 0.08, "bench": 0.08}
SHORTEST = 0.3
"""Of the longest."""
TRIES = 100
"""Draws of a part that may follow, before a stream ends as short as it is."""

Report = Callable[[int, int], None]
"""Called with how many of how many streams are there."""


def prolong(
    folder: Path,
    streams: int,
    minutes: float,
    seed: int = 0,
    progress: Report = lambda done, total: None,
) -> int:
    """Add joined streams to a data folder; goes on where it was killed.

    minutes: of the longest, which should fit the context of the profile that learns; a stream of
    one or two parts may be longer.
    Returns how many variants the folder holds.

    Raises:
        HarkenError: the folder holds nothing to join, or cannot be written.
    """
    found = [
        row
        for row in rows(folder)
        if row["split"] == "train"
        and row["task"] not in LEFT_OUT
        and not row["prefix"]["instruction"]
    ]
    if all(map(leaves_order, found)):
        raise HarkenError(
            f"{folder} holds no training stream after which another can follow: without an "
            "instruction, and without an order that stands at its end; compose some with "
            "`harken data build`"
        )
    drawing = _Parts(found, round(minutes * CHUNKS_PER_MINUTE))
    for n in range(streams):
        name = f"train-long-{seed}-{n:05d}"
        if not (folder / "lines" / f"{name}.json").exists():
            random = np.random.default_rng([seed, n])
            _write(folder, name, drawing.drawn(random))
        progress(n + 1, streams)
    return gather(folder)


class _Parts:
    """Rows by policy and task, and streams of them by lot."""

    def __init__(self, found: Sequence[Row], longest: int) -> None:
        inner = [row for row in found if not leaves_order(row)]
        self._longest = longest
        self._last = _grouped([row for row in found if leaves_order(row)])
        self._inner = _grouped(inner)
        self._memories = _grouped([row for row in found if recalls(row)])
        self._others = _grouped([row for row in inner if not about_facts(row)])

    def drawn(self, random: np.random.Generator) -> list[Row]:
        """Parts in order, in all between `SHORTEST` of the longest and the longest allowed."""
        policies = [policy for policy in POLICIES if policy in self._inner]
        shares = np.array([POLICIES[policy] for policy in policies])
        policy = str(random.choice(policies, p=shares / shares.sum()))
        room = round(self._longest * random.uniform(SHORTEST, 1))
        if policy in self._memories and random.random() < RECALL_SHARE:
            told, asked = split_at_recall(_by_lot(self._memories[policy], random))
            return _filled([told], self._others.get(policy, {}), [asked], room, random)
        last: list[Row] = []
        if policy in self._last and random.random() < ORDERED_SHARE:
            last = [_by_lot(self._last[policy], random)]
        return _filled([], self._inner[policy], last, room, random)


def _filled(
    first: Sequence[Row],
    others: Mapping[str, Sequence[Row]],
    last: Sequence[Row],
    room: int,
    random: np.random.Generator,
) -> list[Row]:
    """Between the first and the last as many others as there is room for, every audio once."""
    parts = list(first)
    used = {row["features"] for row in (*first, *last)}
    room -= sum(row["n_chunks"] for row in (*first, *last))
    for _ in range(TRIES if others else 0):
        row = _by_lot(others, random)
        if parts and row["n_chunks"] > room:
            break
        if row["features"] in used or (parts and _repeats(parts[-1], row)):
            continue
        parts.append(row)
        used.add(row["features"])
        room -= row["n_chunks"]
    return [*parts, *last]


def _grouped(found: Sequence[Row]) -> dict[str, dict[str, list[Row]]]:
    """By policy, then by task."""
    grouped: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in found:
        grouped[row["prefix"]["policy"]][row["task"]].append(row)
    return {policy: dict(by_task) for policy, by_task in grouped.items()}


def _by_lot(by_task: Mapping[str, Sequence[Row]], random: np.random.Generator) -> Row:
    """A row of a task drawn by its share: every audio is as likely as another, however many
    variants it has."""
    tasks = sorted(by_task)
    shares = np.array([SHARES.get(task, 1.0) for task in tasks])
    rows_of_task = by_task[str(random.choice(tasks, p=shares / shares.sum()))]
    audio = sorted({row["features"] for row in rows_of_task})
    chosen = audio[int(random.integers(len(audio)))]
    variants = [row for row in rows_of_task if row["features"] == chosen]
    return variants[int(random.integers(len(variants)))]


def _repeats(before: Row, after: Row) -> bool:
    """Whether a part would begin with the words with which the one before it ended, so soon that
    `harken.live.say_once` withholds them."""
    if not (before["said"] and after["said"]):
        return False
    (last, text, *_), (first, again, *_) = before["said"][-1], after["said"][0]
    return bool(text == again and before["n_chunks"] - last + first <= COOL_DOWN_CHUNKS)


def _write(folder: Path, name: str, parts: Sequence[Row]) -> None:
    whole = joined(parts, name, TASK)
    sound, acoustic = features_of(folder, whole)
    sources = sorted({source for part in whole.pop("parts") for source in part.get("sources", ())})
    partial = folder / "features" / f"{name}.partial"
    with writes_below(folder):
        with partial.open("wb") as file:
            np.savez(file, sound=sound, acoustic=acoustic)
        partial.replace(folder / "features" / f"{name}.npz")
    # Its words may be another's than those of the recording: so it counts as retold.
    write_rows(folder, name, [whole | {"sources": sources, "retold": True}])
