"""Texts that are to stay what another checkpoint would say: its distribution is what is learnt.

Knowledge of the pretrained decoder fades while it learns when to speak. A checkpoint whose LoRA is
weakened (`harken.train.mix`) still has it and decides worse: as an anchor it is asked for words
alone (learning without forgetting: Li and Hoiem 2016).
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from harken.decide.checkpoint import Checkpoint
from harken.errors import HarkenError
from harken.stream import profile_named
from harken.train.batch import Batch, Collator, Kind
from harken.train.compute import DTYPES
from harken.train.config import TrainConfig
from harken.train.examples import Document, Record
from harken.train.loss import text_logits
from harken.train.model import BaseParts, StreamModel, load_tensors

Deaf = Sequence[tuple[bool, bool]]


def require_anchor(config: TrainConfig, records: Sequence[Record]) -> None:
    """Refuse an anchor that could not be used, before a run takes its name.

    Raises:
        HarkenError: `config.anchor` is no checkpoint of the profile, or no stream has an anchored
            task.
    """
    if not config.anchor:
        return
    Checkpoint.load(Path(config.anchor), profile_named(config.profile))
    tasks = {record.task for record in records}
    if unknown := set(config.anchored) - tasks:
        raise HarkenError(
            f"no training stream has the anchored task {min(unknown)!r}; the data hold "
            f"{', '.join(sorted(tasks))}"
        )


class Anchor:
    """The checkpoint `config.anchor`, heard beside the model that learns."""

    def __init__(
        self, config: TrainConfig, parts: BaseParts, collator: Collator, device: torch.device
    ) -> None:
        """Load it on `device`.

        Raises:
            HarkenError: `config.anchor` is no checkpoint of the profile.
        """
        profile = profile_named(config.profile)
        checkpoint = Checkpoint.load(Path(config.anchor), profile)
        self._model = StreamModel(profile, parts, seed=config.seed, dtype=DTYPES[config.compute])
        load_tensors(self._model, checkpoint)
        self._model.to(device)
        self._collator, self._tasks, self._device = collator, config.anchored, device

    @torch.no_grad()
    def said(self, documents: Sequence[Document], deaf: Deaf) -> Tensor | None:
        """float32 [m, text ids + 1]: probabilities at the m positions of text of those documents
        that are anchored, in their order; None without such a position."""
        chosen = [i for i, d in enumerate(documents) if d.task in self._tasks]
        if not chosen:
            return None
        batch: Batch = self._collator.collate(
            [documents[i] for i in chosen], deaf=[deaf[i] for i in chosen]
        ).to(self._device)
        at = batch.targets[Kind.TEXT].at
        if not len(at):
            return None
        return text_logits(self._model, self._model(batch)[at]).softmax(-1)
