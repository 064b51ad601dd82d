"""Scores on dev streams, teacher-forced: what the model would choose, given the true past."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch

from harken.train.batch import Batch
from harken.train.examples import Record
from harken.train.loss import StreamLoss, Tally, merged, over_tasks
from harken.train.model import StreamModel


@torch.no_grad()
def evaluate(model: StreamModel, loss: StreamLoss, batches: Iterable[Batch]) -> Tally:
    """The scores of all batches together."""
    return merged(loss(model, batch, model(batch))[1] for batch in batches)


def dev_sample(records: Sequence[Record], count: int) -> list[int]:
    """Indices of at most `count` dev streams, the tasks in turn, the same at every call."""
    by_task: dict[str, list[int]] = {}
    for i, record in enumerate(records):
        by_task.setdefault(record.task, []).append(i)
    turns = [
        members[turn]
        for turn in range(max(map(len, by_task.values()), default=0))
        for _, members in sorted(by_task.items())
        if turn < len(members)
    ]
    return turns[:count]


def balanced_accuracy(tally: Tally) -> float:
    """Mean of the hit rate on due responses and the rate of silence on silent chunks, at 0.5."""
    return (over_tasks(tally, "respond").rate + over_tasks(tally, "silent").rate) / 2


def dev_loss(tally: Tally) -> float:
    """Text loss plus the mean of the losses on due responses and on silent chunks: lower is
    better. The classes count equally, as they do in balanced accuracy."""
    control = [over_tasks(tally, what) for what in ("respond", "silent")]
    parts = [over_tasks(tally, "text").mean_loss]
    parts.append(sum(s.mean_loss for s in control) / len(control))
    return sum(p for p in parts if p == p)


def summary(tally: Tally) -> dict[str, Any]:
    """Plain numbers for the log: over all tasks, and by task."""
    whats = sorted({what for what, _ in tally})
    tasks = sorted({task for _, task in tally})
    overall = {what: _plain(over_tasks(tally, what)) for what in whats}
    by_task = {
        task: {what: _plain(tally[what, task]) for what in whats if (what, task) in tally}
        for task in tasks
    }
    return {"all": overall, "tasks": by_task}


def _plain(score: Any) -> dict[str, float]:
    return {"n": score.n, "loss": round(score.mean_loss, 4), "rate": round(score.rate, 4)}
