"""The training loop: one step after the other until the budget is spent or someone asks to stop.

A run that is killed at any moment continues from its last saved state with the very same steps.
"""

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from harken.decide.embedding import EmbeddingTable
from harken.errors import HarkenError
from harken.stream import profile_named
from harken.train.batch import Batch, Collator
from harken.train.compute import DTYPES, matmul_flops
from harken.train.config import TrainConfig
from harken.train.evaluate import balanced_accuracy, dev_loss, dev_sample, evaluate, summary
from harken.train.examples import Document, Record, load_document, read_records
from harken.train.loss import StreamLoss, Tally, merged
from harken.train.model import BaseParts, StreamModel
from harken.train.order import Place, deaf_ears, epoch_order, loses_words, take
from harken.train.run import Progress, Run, Saved

Report = Callable[[dict[str, Any]], None]
"""Called with every entry of the log, after it was written."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call of `train` ended: where the run stands, and whether it is finished."""

    progress: Progress
    finished: bool


def train(
    run: Run, config: TrainConfig, data: Path, parts: BaseParts, report: Report = lambda _: None
) -> Outcome:
    """Train from the run's saved state, or from the beginning, to the end of `config`'s budget.

    SIGTERM and SIGINT save the state and end the call after the step at hand.
    """
    if hasattr(os, "nice"):
        os.nice(max(0, config.nice - os.nice(0)))
    torch.set_num_threads(config.threads)
    with _stop_signals() as stop:
        return _Trainer(run, config, data, parts, report).train(stop)


class _Trainer:
    """What stays the same through a run; where the run stands travels as a `Progress`."""

    def __init__(
        self, run: Run, config: TrainConfig, data: Path, parts: BaseParts, report: Report
    ) -> None:
        profile = profile_named(config.profile)
        self.run, self.config, self.data, self.report = run, config, data, report
        self.vocabulary = parts.vocabulary(profile)
        self.collator = Collator(profile, EmbeddingTable(parts.folder))
        dtype = DTYPES[config.compute]
        self.model = StreamModel(profile, parts, seed=config.seed, dtype=dtype)
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(name.startswith(config.trained))
        self.operations_per_position = self.model.operations_per_position()
        self.peak_flops = matmul_flops(dtype)
        self.loss = StreamLoss(profile, config)
        self.optimiser = _optimiser(self.model, config)

    def train(self, stop: threading.Event) -> Outcome:
        progress = self._restore()
        records, order, progress = self._epoch(progress)
        since: list[Tally] = []
        began, steps_timed, positions_timed = time.monotonic(), 0, 0
        last_saved = began
        while progress.fraction(self.config) < 1 and not stop.is_set():
            tick = time.monotonic()
            if progress.at.cursor >= len(order):
                fresh = Place(progress.at.epoch + 1, 0, None)
                records, order, progress = self._epoch(replace(progress, at=fresh))
            documents, cursor = self._next(records, order, progress)
            deaf = deaf_ears(
                self.config.seed,
                progress.step,
                len(documents),
                self.config.drop_sound,
                self.config.drop_acoustic,
            )
            batch = self.collator.collate(documents, deaf=deaf)
            since.append(self._step(batch, progress.fraction(self.config)))
            seconds = time.monotonic() - tick
            progress = replace(
                progress,
                step=progress.step + 1,
                seconds=progress.seconds + seconds,
                positions=progress.positions + batch.positions,
                at=replace(progress.at, cursor=cursor),
            )
            steps_timed, positions_timed = steps_timed + 1, positions_timed + batch.positions
            if progress.step % self.config.log_steps == 0:
                speed = positions_timed / (time.monotonic() - began)
                share = speed * self.operations_per_position / self.peak_flops
                self._log(
                    "train",
                    progress,
                    merged(since),
                    positions_per_s=round(speed, 1),
                    peak_share=round(share, 3),
                )
                since, began, positions_timed = [], time.monotonic(), 0
            done = progress.fraction(self.config) >= 1
            if progress.step % self.config.dev_steps == 0 or done:
                progress = self._dev(progress)
                began, positions_timed = time.monotonic(), 0
            if self._save_is_due(progress, last_saved) or done or stop.is_set():
                self._save(progress)
                last_saved = time.monotonic()
        return Outcome(progress, progress.fraction(self.config) >= 1)

    def _restore(self) -> Progress:
        saved = self.run.load()
        if saved is None:
            self.run.rewind_log(0)
            return Progress()
        trained = dict(self.model.named_parameters())
        if trained.keys() != saved.tensors.keys():
            odd = min(trained.keys() ^ saved.tensors.keys())
            raise HarkenError(f"the state of run {self.run.folder} does not fit: tensor {odd}")
        with torch.no_grad():
            for name, value in saved.tensors.items():
                trained[name].copy_(value)
        if saved.optimiser is not None:
            self.optimiser.load_state_dict(saved.optimiser)
        self.run.rewind_log(saved.progress.step)
        return saved.progress

    def _save(self, progress: Progress) -> None:
        tensors = {n: p.detach() for n, p in self.model.named_parameters()}
        self.run.save(Saved(progress, tensors, self.optimiser.state_dict()))

    def _save_is_due(self, progress: Progress, last_saved: float) -> bool:
        every = self.config.checkpoint_steps
        if every is not None and progress.step % every == 0:
            return True
        return time.monotonic() - last_saved >= 60 * self.config.checkpoint_minutes

    def _epoch(self, progress: Progress) -> tuple[tuple[Record, ...], list[int], Progress]:
        """The records and the order of the epoch in which the run stands."""
        records = read_records(self.data, progress.at.size_bytes)
        learnt = records.of("train")
        if not learnt:
            raise HarkenError(f"{self.data} holds no stream of the split train; compose some first")
        order = epoch_order(
            learnt,
            self.config.task_weights,
            self.config.seed,
            progress.at.epoch,
            self.config.other_weight,
        )
        return (
            learnt,
            order,
            replace(progress, at=replace(progress.at, size_bytes=records.size_bytes)),
        )

    def _next(
        self, records: tuple[Record, ...], order: list[int], progress: Progress
    ) -> tuple[list[Document], int]:
        limit = self.collator.profile.context

        def load(i: int, cursor: int) -> Document:
            record, seed, epoch = records[i], self.config.seed, progress.at.epoch
            without_words = not record.asks_aloud and loses_words(
                seed, epoch, cursor, self.config.drop_words
            )
            document = load_document(record, self.vocabulary, without_words=without_words)
            if len(document) > limit:
                raise HarkenError(
                    f"stream {document.id} has {len(document)} positions, profile "
                    f"{self.collator.profile.name} takes {limit}; compose shorter streams"
                )
            return document

        return take(order, progress.at.cursor, self.config.positions, load)

    def _step(self, batch: Batch, fraction: float) -> Tally:
        factor = _rate_factor(fraction, self.config)
        for group in self.optimiser.param_groups:
            group["lr"] = group["full_lr"] * factor
        self.optimiser.zero_grad(set_to_none=True)
        loss, tally = self.loss(self.model, batch, self.model(batch))
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        if not math.isfinite(float(norm)):
            raise HarkenError(
                "training diverged: a gradient is not finite; lower the learning rates and resume "
                "from the last saved state"
            )
        self.optimiser.step()
        return tally

    def _dev(self, progress: Progress) -> Progress:
        # The list as it was when the run began to read it: later dev streams would move the score.
        records = read_records(self.data, progress.at.size_bytes).of("dev")
        sample = dev_sample(records, self.config.dev_streams)
        if not sample:
            return progress
        tally = evaluate(self.model, self.loss, self._dev_batches(records, sample))
        score = dev_loss(tally)
        if score < progress.best_dev_loss:
            progress = replace(progress, best_dev_loss=score)
            facts = {"step": progress.step, "dev_loss": score, "dev": summary(tally)}
            self.run.save_best({n: p.detach() for n, p in self.model.named_parameters()}, facts)
        balanced = round(balanced_accuracy(tally), 4)
        self._log("dev", progress, tally, dev_loss=round(score, 4), balanced_accuracy=balanced)
        return progress

    def _dev_batches(self, records: tuple[Record, ...], sample: list[int]) -> Iterator[Batch]:
        cursor = 0
        while cursor < len(sample):
            documents, cursor = take(
                sample,
                cursor,
                self.config.positions,
                lambda i, _: load_document(records[i], self.vocabulary),
            )
            yield self.collator.collate(documents)

    def _log(self, kind: str, progress: Progress, tally: Tally, **more: Any) -> None:
        entry = {
            "kind": kind,
            "step": progress.step,
            "epoch": progress.at.epoch,
            "positions": progress.positions,
            "seconds": round(progress.seconds, 1),
            "done": round(progress.fraction(self.config), 4),
            **more,
            **summary(tally),
        }
        self.run.log(entry)
        self.report(entry)


def _optimiser(model: StreamModel, config: TrainConfig) -> torch.optim.AdamW:
    rates = {
        "controls.output": config.lr_output,
        "sound.embedding": config.lr_dense,
        "acoustic.weight": config.lr_dense,
    }
    groups = [
        {
            "params": [parameter],
            "full_lr": rates.get(
                name, config.lr_lora if name.startswith("decoder.") else config.lr_rows
            ),
        }
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    ]
    return torch.optim.AdamW(groups, lr=config.lr_lora, weight_decay=0.0, fused=True)


def _rate_factor(fraction: float, config: TrainConfig) -> float:
    """Linear warm-up, then half a cosine down to the floor; `fraction` of the run is done."""
    if fraction < config.warmup:
        # The first step is not wasted: it moves a little.
        return max(fraction / config.warmup, 0.02)
    through = (fraction - config.warmup) / (1 - config.warmup)
    return config.lr_floor + (1 - config.lr_floor) * 0.5 * (1 + math.cos(math.pi * through))


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, while the block runs in the main thread."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {s: signal.signal(s, ask) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
