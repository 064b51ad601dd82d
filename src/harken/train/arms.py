"""One arm of an ablation: trained to the end of its budget, and scored stream by stream on dev.

Scores of single streams, because what is compared is the difference on the same streams.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from harken.decide.embedding import EmbeddingTable
from harken.errors import HarkenError
from harken.parts.cache import cache_writes, place
from harken.stream import profile_named
from harken.train.ablations import Beginning
from harken.train.batch import Collator
from harken.train.compute import DTYPES
from harken.train.config import TrainConfig
from harken.train.evaluate import dev_sample
from harken.train.examples import load_document, read_records
from harken.train.loop import Report, train
from harken.train.loss import StreamLoss, Tally, over_tasks
from harken.train.model import BaseParts, StreamModel
from harken.train.run import STATE_BYTES, Progress, Run, Saved

F64 = npt.NDArray[np.float64]

WHATS = ("silent", "respond", "stop", "emotion", "text", "response")
"""What is scored (`harken.train.loss.Tally`)."""

Scores = Mapping[str, F64]
"""By stream, float64 [6 * 3]: for each of `WHATS` how many, their loss in nats, how many right."""


def train_arm(
    run: Run,
    config: TrainConfig,
    data: Path,
    parts: BaseParts,
    *,
    beginning: Beginning = "names",
    report: Report = lambda _: None,
) -> int | None:
    """Train an arm from the pretrained parts, or go on with it; nothing where it is finished.

    Returns:
        The steps it took, or None when a signal stopped it before its end.

    Raises:
        HarkenError: as `harken.train.loop.train`.
    """
    if not run.exists:
        if beginning == "random":
            _begin_at_random(run, config, parts)
        run.begin(config, data)
    config, data = run.describe()
    saved = run.load()
    if saved is not None and saved.progress.fraction(config) >= 1:
        return saved.progress.step
    outcome = train(run, config, data, parts, report)
    return outcome.progress.step if outcome.finished else None


def dev_scores(run: Run, parts: BaseParts, streams: int) -> Scores:
    """The newest state's scores on at most so many dev streams, the tasks in turn.

    Kept in the run's folder (`scores.json`), so that they are measured once.

    Raises:
        HarkenError: the run has no state, or its data no dev stream.
    """
    config, data = run.describe()
    saved = run.load()
    if saved is None:
        raise HarkenError(f"run {run.folder.name} has saved no state yet; train it first")
    path, key = run.folder / "scores.json", [saved.progress.step, streams]
    if path.exists():
        stored = json.loads(path.read_text("utf-8"))
        if stored["of"] == key:
            return {name: np.array(row, np.float64) for name, row in stored["streams"].items()}
    scores = _scored(config, data, parts, saved, streams)
    content = {"of": key, "streams": {name: row.tolist() for name, row in scores.items()}}
    partial = path.with_suffix(".partial")
    with cache_writes(run.folder, STATE_BYTES):
        partial.write_text(json.dumps(content), "utf-8")
        place(partial, path)
    return scores


def mean_loss(what: str) -> Callable[[F64], F64]:
    """Of summed scores [.., 18]: nats for one of `what`, nan without any."""
    at = 3 * WHATS.index(what)
    return lambda totals: _ratio(totals[..., at + 1], totals[..., at])


def hit_rate(what: str) -> Callable[[F64], F64]:
    """Of summed scores [.., 18]: the share of `what` that was right, nan without any."""
    at = 3 * WHATS.index(what)
    return lambda totals: _ratio(totals[..., at + 2], totals[..., at])


def _dev_loss(totals: F64) -> F64:
    control = (mean_loss("silent")(totals) + mean_loss("respond")(totals)) / 2
    loss: F64 = mean_loss("text")(totals) + control
    return loss


def _balanced(totals: F64) -> F64:
    both: F64 = (hit_rate("respond")(totals) + hit_rate("silent")(totals)) / 2
    return both


MEASURES: Mapping[str, Callable[[F64], F64]] = {
    "dev loss": _dev_loss,
    "loss of text": mean_loss("text"),
    "loss of silence": mean_loss("silent"),
    "loss of replies due": mean_loss("respond"),
    "loss of emotion": mean_loss("emotion"),
    "balanced accuracy": _balanced,
    "silent where nothing is due": hit_rate("silent"),
    "spoke where a reply is due": hit_rate("respond"),
    "replies right by every token": hit_rate("response"),
}
"""Figures of summed scores; dev loss and balanced accuracy as in `harken.train.evaluate`."""


def _scored(
    config: TrainConfig, data: Path, parts: BaseParts, saved: Saved, streams: int
) -> dict[str, F64]:
    profile = profile_named(config.profile)
    records = read_records(data, saved.progress.at.size_bytes).of("dev")
    sample = dev_sample(records, streams)
    if not sample:
        raise HarkenError(f"{data} holds no stream of the split dev; compose some first")
    model = StreamModel(profile, parts, seed=config.seed, dtype=DTYPES[config.compute])
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in saved.tensors.items():
            own[name].copy_(value)
    collator, loss = Collator(profile, EmbeddingTable(parts.folder)), StreamLoss(profile, config)
    vocabulary = parts.vocabulary(profile)
    scores = {}
    with torch.no_grad():
        for i in sample:
            batch = collator.collate([load_document(records[i], vocabulary)])
            scores[records[i].id] = _row(loss(model, batch, model(batch))[1])
    return scores


def _row(tally: Tally) -> F64:
    found = [over_tasks(tally, what) for what in WHATS]
    return np.array([x for s in found for x in (s.n, s.loss, s.right)], np.float64)


def _begin_at_random(run: Run, config: TrainConfig, parts: BaseParts) -> None:
    """A first state whose class rows are random, each as long as the one its name would give."""
    profile = profile_named(config.profile)
    model = StreamModel(profile, parts, seed=config.seed, dtype=DTYPES[config.compute])
    tensors: dict[str, Any] = {n: p.detach().clone() for n, p in model.named_parameters()}
    named = tensors["sound.scores"]
    generator = torch.Generator().manual_seed(config.seed)
    drawn = torch.randn(named.shape, generator=generator)
    lengths = named.norm(dim=1, keepdim=True) / drawn.norm(dim=1, keepdim=True)
    tensors["sound.scores"] = drawn * lengths
    # Before the run itself: a kill between the two must not leave one that begins with names.
    with cache_writes(run.folder, STATE_BYTES):
        run.folder.mkdir(parents=True, exist_ok=True)
    run.save(Saved(Progress(), tensors, None))


def _ratio(part: F64, whole: F64) -> F64:
    divided: F64 = np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
    return divided
