"""The training loop: one step after the other until the budget is spent or someone asks to stop.

A run that is killed at any moment continues from its last saved state with the very same steps.
Several processes go through the same loop, each with its own documents of a step.
"""

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from harken.decide.embedding import EmbeddingTable
from harken.errors import HarkenError
from harken.stream import profile_named
from harken.train.anchor import Anchor
from harken.train.batch import Batch, Collator
from harken.train.board import Write, board
from harken.train.compute import DTYPES, matmul_flops
from harken.train.config import TrainConfig
from harken.train.evaluate import balanced_accuracy, dev_loss, summary
from harken.train.examples import Written, read_records, with_features
from harken.train.loss import Learner, StreamLoss, Tally, merged
from harken.train.model import BaseParts, StreamModel
from harken.train.order import Place, deaf_ears, divided
from harken.train.processes import ALONE, Processes
from harken.train.rates import optimiser_of, rate_factor
from harken.train.reading import Epoch, dev_parts
from harken.train.run import Progress, Run, Saved

Report = Callable[[dict[str, Any]], None]
"""Called with every entry of the log, after it was written."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call of `train` ended: where the run stands, and whether it is finished."""

    progress: Progress
    finished: bool


def train(
    run: Run,
    config: TrainConfig,
    data: Path,
    parts: BaseParts,
    report: Report = lambda _: None,
    processes: Processes = ALONE,
) -> Outcome:
    """Train from the run's saved state, or from the beginning, to the end of `config`'s budget.

    SIGTERM and SIGINT save the state and end the call after the step at hand. Of several processes
    (`harken.train.processes.join`) the first alone touches the run's folder and reports.
    """
    if hasattr(os, "nice"):
        os.nice(max(0, config.nice - os.nice(0)))
    torch.set_num_threads(config.threads)
    with _stop_signals() as stop:
        return _Trainer(run, config, data, parts, report, processes).train(stop)


class _Trainer:
    """What stays the same through a run; where the run stands travels as a `Progress`."""

    def __init__(
        self,
        run: Run,
        config: TrainConfig,
        data: Path,
        parts: BaseParts,
        report: Report,
        processes: Processes,
    ) -> None:
        profile = profile_named(config.profile)
        self.run, self.config, self.data, self.report = run, config, data, report
        self.processes = processes
        self.vocabulary = parts.vocabulary(profile)
        self.collator = Collator(profile, EmbeddingTable(parts.folder))
        self.model = StreamModel(
            profile,
            parts,
            seed=config.seed,
            dtype=DTYPES[config.compute],
            full=config.adapt == "full",
            recompute=config.recompute,
        )
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(name.startswith(config.trained))
        self.operations_per_position = self.model.operations_per_position()
        self.peak_flops = self._measured_peak()
        self.loss = StreamLoss(profile, config)
        self.anchor = (
            Anchor(config, parts, self.collator, processes.device) if config.anchor else None
        )

        saved = processes.from_first(run.load)
        if saved is not None:
            self._put_in(saved.tensors)
        self.progress = saved.progress if saved else Progress()
        self.learner, self.optimiser = processes.prepare(
            Learner(self.model, self.loss), optimiser_of(self.model, config)
        )
        if saved is not None and saved.optimiser is not None:
            processes.restore(self.optimiser, saved.optimiser)

    def train(self, stop: threading.Event) -> Outcome:
        if self.processes.rank:
            return self._train(stop, lambda entry: None)
        self.run.rewind_log(self.progress.step)
        with board(self.run.folder) as write:
            return self._train(stop, write)

    def _train(self, stop: threading.Event, write: Write) -> Outcome:
        epoch, progress = self._epoch(self.progress)
        since: list[Tally] = []
        began, positions_timed, norm = time.monotonic(), 0, 0.0
        last_saved = began
        stopping = False
        while progress.fraction(self.config) < 1 and not stopping:
            tick = time.monotonic()
            if progress.at.cursor >= len(epoch):
                fresh = Place(progress.at.epoch + 1, 0, None)
                epoch, progress = self._epoch(replace(progress, at=fresh))
            documents, cursor = epoch.step(progress.at.cursor)
            tally, norm = self._step(documents, progress)
            since.append(tally)
            positions = sum(len(d) for d in documents)
            saving = self._save_is_due(progress.step + 1, last_saved)
            seconds, stopping, saving = self._agreed(time.monotonic() - tick, stop.is_set(), saving)
            progress = replace(
                progress,
                step=progress.step + 1,
                seconds=progress.seconds + seconds,
                positions=progress.positions + positions,
                at=replace(progress.at, cursor=cursor),
            )
            positions_timed += positions
            if progress.step % self.config.log_steps == 0:
                speed = positions_timed / self._agreed(time.monotonic() - began)[0]
                whole = self._of_all(since)
                figures = {
                    "positions_per_s": round(speed, 1),
                    "peak_share": round(self._peak_share(speed), 3),
                    "gradient_norm": round(norm, 4),
                }
                self._log("train", progress, whole, write, **figures)
                since, began, positions_timed = [], time.monotonic(), 0
            done = progress.fraction(self.config) >= 1
            if progress.step % self.config.dev_steps == 0 or done:
                progress = self._dev(progress, write)
                began, positions_timed = time.monotonic(), 0
            if saving or done or stopping:
                self._save(progress)
                last_saved = time.monotonic()
        return Outcome(progress, progress.fraction(self.config) >= 1)

    def _agreed(
        self, seconds: float, stopping: bool = False, saving: bool = False
    ) -> tuple[float, bool, bool]:
        """The first process's clock, and whether it is to save; whether any is asked to stop."""
        if self.processes.count == 1:
            return seconds, stopping, saving
        mine = [seconds, saving, stopping] if self.processes.rank == 0 else [0, 0, stopping]
        agreed = self.processes.sum(torch.tensor(mine, dtype=torch.float64)).tolist()
        return agreed[0], agreed[2] > 0, agreed[1] > 0

    def _of_all(self, tallies: list[Tally]) -> Tally:
        return merged(self.processes.gather(merged(tallies)))

    def _measured_peak(self) -> float:
        """Operations a second that the processes can do together."""
        device, dtype = self.processes.device, DTYPES[self.config.compute]
        mine = torch.tensor([matmul_flops(dtype, device)], dtype=torch.float64)
        return float(self.processes.sum(mine))

    def _peak_share(self, positions_per_s: float) -> float:
        """0 to 1. What was measured beside other work is no peak: the best of all counts, and what
        the run itself reached was possible too."""
        flops = positions_per_s * self.operations_per_position
        if flops > self.peak_flops:
            self.peak_flops = max(flops, self._measured_peak())
        return flops / self.peak_flops

    def _put_in(self, tensors: Mapping[str, torch.Tensor]) -> None:
        trained = dict(self.model.named_parameters())
        if trained.keys() != tensors.keys():
            odd = min(trained.keys() ^ tensors.keys())
            raise HarkenError(
                f"the state of run {self.run.folder} does not fit adapt "
                f"{self.config.adapt!r}: tensor {odd}"
            )
        with torch.no_grad():
            for name, value in tensors.items():
                trained[name].copy_(value)

    def _save(self, progress: Progress) -> None:
        tensors = self.processes.tensors(self.model)
        optimiser = self.processes.state(self.optimiser)
        if self.processes.rank == 0:
            self.run.save(Saved(progress, tensors, optimiser))

    def _save_is_due(self, step: int, last_saved: float) -> bool:
        every = self.config.checkpoint_steps
        if every is not None and step % every == 0:
            return True
        return time.monotonic() - last_saved >= 60 * self.config.checkpoint_minutes

    def _epoch(self, progress: Progress) -> tuple[Epoch, Progress]:
        """The epoch in which the run stands, which fixes how much of the list belongs to it."""
        at = progress.at
        if at.size_bytes is None:
            # The list may grow between two readers.
            size = self.processes.from_first(lambda: read_records(self.data).size_bytes)
            at = replace(at, size_bytes=size)
        epoch = Epoch.read(self.data, self.config, self.vocabulary, at)
        return epoch, replace(progress, at=at)

    def _step(self, documents: list[Written], progress: Progress) -> tuple[Tally, float]:
        """One step of the optimiser: scores of this process's documents, norm of the gradient."""
        factor = rate_factor(progress.fraction(self.config), self.config)
        for group in self.optimiser.param_groups:
            group["lr"] = group["full_lr"] * factor
        self.optimiser.zero_grad(set_to_none=True)
        batch, shares = self._part(documents, progress.step)
        loss, tally = self.learner(batch.to(self.processes.device), shares)
        self.processes.backward(loss)
        norm = self.processes.clip(self.learner, self.config.clip)
        if not math.isfinite(norm):
            raise HarkenError(
                "training diverged: a gradient is not finite; lower the learning rates and resume "
                "from the last saved state"
            )
        self.optimiser.step()
        return tally if any(shares or [1.0]) else {}, norm

    def _part(self, documents: list[Written], step: int) -> tuple[Batch, list[float] | None]:
        """This process's documents of a step, and the factors that make the mean of all processes'
        losses the loss of the whole step."""
        processes, config = self.processes, self.config
        deaf = deaf_ears(config.seed, step, len(documents), config.drop_sound, config.drop_acoustic)
        mine = divided([len(d) for d in documents], processes.count)[processes.rank]
        # Who has none goes along with the first, at no weight: every exchange needs everybody.
        chosen = mine or [0]
        read = [with_features(documents[i]) for i in chosen]
        deaf = [deaf[i] for i in chosen]
        batch = self.collator.collate(read, deaf=deaf)
        said = self.anchor.said(read, deaf) if self.anchor else None
        if said is not None:
            batch = batch.anchored_to(said, config.anchored)
        if processes.count == 1:
            return batch, None
        weights = self.loss.weights(batch) * bool(mine)
        shares = processes.count * weights / processes.sum(weights).clamp_min(1e-9)
        return batch, shares.tolist()

    def _dev(self, progress: Progress, write: Write) -> Progress:
        # The list as it was when the run began to read it: later dev streams would move the score.
        records = read_records(self.data, progress.at.size_bytes).of("dev")
        parts = dev_parts(records, self.config, self.vocabulary)
        tally = self._of_all([self._scores(part) for part in parts])
        if not tally:
            return progress
        score = dev_loss(tally)
        if score < progress.best_dev_loss:
            progress = replace(progress, best_dev_loss=score)
            facts = {"step": progress.step, "dev_loss": score, "dev": summary(tally)}
            tensors = self.processes.tensors(self.model)
            if self.processes.rank == 0:
                self.run.save_best(tensors, facts)
        balanced = round(balanced_accuracy(tally), 4)
        figures = {"dev_loss": round(score, 4), "balanced_accuracy": balanced}
        self._log("dev", progress, tally, write, **figures)
        self.peak_flops = max(self.peak_flops, self._measured_peak())
        return progress

    @torch.no_grad()
    def _scores(self, documents: list[Written]) -> Tally:
        mine = documents[self.processes.rank :: self.processes.count]
        batch = self.collator.collate([with_features(d) for d in mine or documents[:1]])
        tally: Tally = self.learner(batch.to(self.processes.device))[1]
        return tally if mine else {}

    def _log(self, kind: str, progress: Progress, tally: Tally, write: Write, **more: Any) -> None:
        if self.processes.rank:
            return
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
        write(entry)
        self.report(entry)


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
