"""The log for TensorBoard: every entry as scalars, by kind of token and by capability.

    train/text/loss, train/respond/rate    over all capabilities; dev/... likewise
    train.count/text/loss                  of one capability
    train/positions_per_s, train/peak_share, train/gradient_norm, dev/dev_loss, ...

The events say what `log.jsonl` says and are written anew from it whenever a run goes on, so that no
point is there twice. Needs the package tensorboardX; without it there are none.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = "tensorboard"
_FIGURES = (
    "positions_per_s",
    "peak_share",
    "gradient_norm",
    "dev_loss",
    "balanced_accuracy",
    "epoch",
)

Write = Callable[[Mapping[str, Any]], None]


@contextmanager
def board(folder: Path) -> Iterator[Write]:
    """Writes entries of the log of the run in `folder` as events, those it has already first."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        yield lambda entry: None
        return
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    config, log = folder / "config.json", folder / "log.jsonl"
    began = config.stat().st_mtime if config.exists() else 0.0
    with SummaryWriter(str(folder / FOLDER)) as writer:

        def write(entry: Mapping[str, Any]) -> None:
            # The clock of an entry is the training time, so that a pause leaves no gap.
            for tag, value in scalars(entry):
                writer.add_scalar(tag, value, entry["step"], began + entry["seconds"])

        if log.exists():
            with log.open(encoding="utf-8") as lines:
                for line in lines:
                    write(json.loads(line))
        yield write


def scalars(entry: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The figures of one entry of the log, each with its tag."""
    kind = entry["kind"]
    for figure in _FIGURES:
        if figure in entry:
            yield f"{kind}/{figure}", entry[figure]
    groups = {kind: entry["all"], **{f"{kind}.{t}": s for t, s in entry["tasks"].items()}}
    for group, by_what in groups.items():
        for what, score in by_what.items():
            yield f"{group}/{what}/loss", score["loss"]
            yield f"{group}/{what}/rate", score["rate"]
