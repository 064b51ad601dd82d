"""How many sounds can be told apart by what the ears say of them at all: a bound for naming.

    python benchmarks/naming.py --out naming.json

A linear classifier, fitted to the recordings of train whose label has a name, names those of dev
(`harken data fetch`): every recording alone, heard to its end, out of the names learnt from.
Narration has it harder: one moment, among other sounds, out of all names. The features of a
recording are mean and maximum over its chunks of what the ears deliver; the weight decay is chosen
by folds of train, and dev only judges.
"""

import json
import sys
from collections import defaultdict
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from harken.cli.app import run
from harken.cli.outputs import require_place, writing
from harken.evals.metrics import Figure, share
from harken.perceive.perception import Perception
from harken.perceive.sound import CLASSES
from harken.soundflow.events import EVENTS
from harken.soundflow.sources import clips, load
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE

F32 = NDArray[np.float32]
EARS = ("sound", "acoustic")
SEEN_BY = {"class scores": ("scores",), "sound ear": ("sound",), "both ears": EARS}
"""What the classifier is given."""
DECAYS = (1e-4, 1e-3, 1e-2, 1e-1)
FOLDS = 5
MOST_S = 20.0
"""A longer recording is heard up to here."""


def main(
    out: Annotated[
        Path | None, typer.Option(callback=require_place, help="Write the figures as JSON.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of the ears.")] = 2,
) -> None:
    ears = Perception(EARS, threads=threads)
    train, train_labels = _heard(ears, "train")
    dev, dev_labels = _heard(ears, "dev")
    known = sorted(set(train_labels))
    targets = torch.tensor([known.index(label) for label in train_labels])
    found = {}
    for name, kinds in SEEN_BY.items():
        seen, unseen = (np.concatenate([of[kind] for kind in kinds], axis=1) for of in (train, dev))
        named = [known[i] for i in _named(seen, targets, unseen)]
        found[name] = share([a == b for a, b in zip(named, dev_labels, strict=True)])
    _print(found)
    if out:
        plain = {name: asdict(figure) for name, figure in found.items()}
        with writing(out):
            out.write_text(json.dumps(plain, indent=1), "utf-8")


def _heard(ears: Perception, split: str) -> tuple[dict[str, F32], list[str]]:
    """Features by kind, float32 [recordings, ..], and labels of a split's sounds."""
    chosen = [clip for clip in clips(split, "event") if clip.label in EVENTS]
    rows: dict[str, list[F32]] = defaultdict(list)
    for clip in chosen:
        for kind, values in _chunks(ears, load(clip)).items():
            rows[kind].append(np.concatenate([values.mean(0), values.max(0)]))
    return {kind: np.stack(found) for kind, found in rows.items()}, [c.label for c in chosen]


def _chunks(ears: Perception, samples: F32) -> dict[str, F32]:
    """What the ears say of a recording and the 0.4 s behind it: float32 [chunks, ..] by kind."""
    samples = samples[: int(MOST_S * SAMPLE_RATE)]
    n_chunks = -(-len(samples) // CHUNK_SAMPLES) + 1
    padded = np.pad(samples, (0, n_chunks * CHUNK_SAMPLES - len(samples)))
    state, heard = ears.start(), []
    for chunk in padded.reshape(n_chunks, CHUNK_SAMPLES):
        state, percept = ears.hear(state, chunk)
        heard.append(percept)
    sound = np.stack([p.sound for p in heard]).astype(np.float32)
    acoustic = np.stack([p.acoustic for p in heard]).astype(np.float32)
    return {"scores": sound[:, :CLASSES], "sound": sound, "acoustic": acoustic}


def _named(train: F32, targets: torch.Tensor, dev: F32) -> list[int]:
    """The class of each row of dev, by the classifier whose decay did best on folds of train."""
    mean, spread = train.mean(0), train.std(0) + 1e-3
    seen, unseen = (torch.from_numpy((x - mean) / spread) for x in (train, dev))
    fold = torch.from_numpy(np.random.default_rng(0).permutation(len(seen)) % FOLDS)

    def right(decay: float) -> int:
        hits = 0
        for k in range(FOLDS):
            inside, outside = fold != k, fold == k
            logits = _fitted(seen[inside], targets[inside], decay)(seen[outside])
            hits += int((logits.argmax(1) == targets[outside]).sum())
        return hits

    classify = _fitted(seen, targets, max(DECAYS, key=right))
    classes: list[int] = classify(unseen).argmax(1).tolist()
    return classes


def _fitted(seen: torch.Tensor, targets: torch.Tensor, decay: float) -> torch.nn.Linear:
    """Multinomial regression; scarce labels weigh more, by the root of how scarce they are."""
    model = torch.nn.Linear(seen.shape[1], int(targets.max()) + 1)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    weight = torch.bincount(targets, minlength=model.out_features).clamp(min=1).float() ** -0.5
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=100)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(seen), targets, weight)
        loss = loss + decay * model.weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)
    return model.requires_grad_(False)


def _print(found: dict[str, Figure]) -> None:
    table = Table("heard by", "dev recordings named right", "n")
    for name, figure in found.items():
        table.add_row(
            name, f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]", str(figure.n)
        )
    Console().print(table)


if __name__ == "__main__":
    sys.exit(run(partial(typer.run, main), "naming"))
