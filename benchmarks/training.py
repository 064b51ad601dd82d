"""How fast it trains, and against what it could; run it with nothing else on the machine.

    python benchmarks/training.py DATA [--steps N] [--json OUT]    about seven minutes

DATA is a folder of streams (`harken data build default DATA --streams 60`). The same documents are
learnt from in three loops, each with forward, backward and a step of AdamW over LoRA and adapters:

packed: as `harken train` does, documents one after the other up to 1,024 positions, in the number
format that multiplies faster here.
padded: a batch of eight documents, each filled up to the longest, in float32.
one by one: a document a step, in float32.

Speeds count the positions of documents, not the filling. The peak is that of a matrix product of
the decoder's size, measured before and after each loop, in the loop's own format. Everything but
packing and format is the same, so the other loops are better than most first ones would be.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from harken.cli.app import run
from harken.decide.embedding import EmbeddingTable
from harken.errors import HarkenError
from harken.stream import profile_named
from harken.train.batch import Collator
from harken.train.compute import DTYPES, fastest, matmul_flops
from harken.train.config import TrainConfig
from harken.train.examples import Document, with_features, written
from harken.train.loss import Learner, StreamLoss
from harken.train.model import BaseParts, StreamModel
from harken.train.order import take
from harken.train.rates import optimiser_of
from harken.train.reading import train_records

SHARE_BOUND, RATIO_BOUND = 0.5, 3.0
PADDED = 8
DOCUMENTS = 400


def packed(documents: Sequence[Document], positions: int) -> Iterator[list[Document]]:
    """Documents in order, as many a step as fit."""
    cursor, order = 0, range(len(documents))
    while cursor < len(documents):
        step, cursor = take(order, cursor, positions, lambda i, _: documents[i])
        yield step


def padded(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """Eight at a time, filled up with positions of which nothing is learnt."""
    for first in range(0, len(documents), PADDED):
        some = documents[first : first + PADDED]
        longest = max(map(len, some))
        yield [
            replace(
                document,
                ids=np.pad(document.ids, (0, longest - len(document))),
                said=np.pad(document.said, (0, longest - len(document))),
            )
            for document in some
        ]


class Loop:
    """A model in one number format, with its optimiser."""

    def __init__(self, parts: BaseParts, config: TrainConfig) -> None:
        profile = profile_named(config.profile)
        torch.set_num_threads(config.threads)
        self.dtype = DTYPES[config.compute]
        self.model = StreamModel(profile, parts, seed=0, dtype=self.dtype)
        self.learner = Learner(self.model, StreamLoss(profile, config))
        self.optimiser = optimiser_of(self.model, config)
        self.collator = Collator(profile, EmbeddingTable(parts.folder))

    def speed(self, steps: Iterator[list[Document]], count: int) -> tuple[float, float]:
        """Positions of documents a second over so many steps, and the peak (operations a second).

        The first step is not timed: it chooses kernels and makes the optimiser's state.
        """
        self._step(next(steps))
        peak, positions, seconds = matmul_flops(self.dtype), 0, 0.0
        for _, documents in zip(range(count), steps, strict=False):
            began = time.perf_counter()
            self._step(documents)
            seconds += time.perf_counter() - began
            positions += sum(learnt(document) for document in documents)
        return positions / seconds, max(peak, matmul_flops(self.dtype))

    def _step(self, documents: Sequence[Document]) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss, _ = self.learner(self.collator.collate(documents))
        loss.backward()
        self.optimiser.step()


def learnt(document: Document) -> int:
    """Positions up to the last that is learnt: without the filling."""
    return int(np.flatnonzero(document.said)[-1]) + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=12, help="of the packed loop, 2 or more")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.steps < 2:
        parser.error("--steps: 2 or more")
    parts, compute = BaseParts.shipped(), fastest()
    config = TrainConfig(steps=1, compute=compute)
    vocabulary = parts.vocabulary(profile_named(config.profile))
    records = list(train_records(asked.data))
    random.Random(0).shuffle(records)
    documents = [with_features(written(r, vocabulary)) for r in records[:DOCUMENTS]]
    if len(documents) < 3 * PADDED:
        raise HarkenError(f"{asked.data} holds {len(documents)} streams; give {3 * PADDED} or more")
    lengths = [len(document) for document in documents]
    print(f"{len(documents)} documents of {min(lengths)} to {max(lengths)} positions")

    in_fast, in_full = Loop(parts, config), Loop(parts, replace(config, compute="float32"))
    loops = {
        f"packed, {compute}": (in_fast, packed(documents, config.positions), asked.steps),
        "padded, float32": (in_full, padded(documents), asked.steps // 2),
        "one by one, float32": (in_full, packed(documents, 1), 3 * asked.steps),
    }
    figures = {}
    for name, (loop, steps, count) in loops.items():
        speed, peak = loop.speed(steps, count)
        share = speed * loop.model.operations_per_position() / peak
        figures[name] = {"positions_per_s": speed, "peak_flops": peak, "peak_share": share}
        print(f"{name:22} {speed:6.1f} positions/s, {share:.2f} of {peak / 1e9:.0f} GFLOP/s")
    first, *others = figures
    print(f"share of the peak {figures[first]['peak_share']:.2f} (>= {SHARE_BOUND})")
    for other in others:
        ratio = figures[first]["positions_per_s"] / figures[other]["positions_per_s"]
        figures[first][f"against {other}"] = ratio
        print(f"packed against {other}: {ratio:.2f} (>= {RATIO_BOUND})")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1), "utf-8")


if __name__ == "__main__":
    sys.exit(run(main, "training"))
