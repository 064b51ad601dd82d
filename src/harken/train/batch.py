"""Documents of one step as tensors: what goes in, and what is to be predicted where."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harken.decide.embedding import EmbeddingTable
from harken.errors import HarkenError
from harken.stream import Profile
from harken.train.examples import Document

I64 = npt.NDArray[np.int64]


class Kind(IntEnum):
    """What is predicted at a said position, and over which ids."""

    CONTROL = 0
    EMOTION = 1
    TEXT = 2


@dataclass(frozen=True, slots=True)
class Targets:
    """The said positions of one kind.

    at: int64 [m], the position *before* each, whose state predicts it. choice: int64 [m], the index
    among the kind's alternatives: decisions, emotions, or text ids followed by `END`. task and
    response: int64 [m], an index into the batch's tasks; a number for each response of the batch.
    """

    at: Tensor
    choice: Tensor
    task: Tensor
    response: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents one after the other, n positions together.

    text_rows float32 [n, hidden], zero where a control row (control_at, control: index into
    own_rows) or an ear (audio_at) goes; sound [chunks, 1545] and acoustic [chunks, 2560] float32;
    wanted float32 [m, decisions], the distribution that each target of `Kind.CONTROL` is to have;
    anchored: int64 [k], which targets of `Kind.TEXT` are to have another distribution than their
    choice, and it, float32 [k, text ids + 1].
    """

    lengths: tuple[int, ...]
    tasks: tuple[str, ...]
    text_rows: Tensor
    control_at: Tensor
    control: Tensor
    audio_at: Tensor
    sound: Tensor
    acoustic: Tensor
    wanted: Tensor
    targets: dict[Kind, Targets]
    anchored: tuple[Tensor, Tensor] | None = None

    @property
    def positions(self) -> int:
        """All positions of the batch."""
        return sum(self.lengths)

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        if device == self.text_rows.device:
            return self
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        moved = {n: t.to(device) for n, t in moved.items() if isinstance(t, Tensor)}
        targets = {
            kind: Targets(*(getattr(t, f.name).to(device) for f in fields(t)))
            for kind, t in self.targets.items()
        }
        if self.anchored:
            moved["anchored"] = tuple(t.to(device) for t in self.anchored)
        return replace(self, **moved, targets=targets)

    def anchored_to(self, probabilities: Tensor, tasks: Sequence[str]) -> "Batch":
        """The same, in which the texts of `tasks` are to have these probabilities, [k, text ids +
        1] in the order of their positions."""
        chosen = torch.tensor([i for i, name in enumerate(self.tasks) if name in tasks])
        at = torch.isin(self.targets[Kind.TEXT].task, chosen).nonzero()[:, 0]
        return replace(self, anchored=(at, probabilities))


class Collator:
    """Makes batches for one profile and one embedding table."""

    def __init__(self, profile: Profile, table: EmbeddingTable) -> None:
        if profile.audio_positions != 2:
            raise HarkenError(
                f"profile {profile.name} has {profile.audio_positions} audio positions a chunk; "
                "training knows the two of the sound and the acoustic ear"
            )
        self.profile, self._table = profile, table
        self._own = {i: n for n, i in enumerate(profile.own_row_ids)}
        end, emotions = profile.end_id, profile.emotion_ids
        self._alternatives = {
            Kind.CONTROL: {i: n for n, i in enumerate(profile.decision_ids)},
            Kind.EMOTION: {i: n for n, i in enumerate(emotions)},
        }
        self._end, self._audio = end, profile.audio_id
        missing = [i for i in (*profile.decision_ids, *emotions, end) if i not in self._own]
        if missing:
            raise HarkenError(f"profile {profile.name}: control {missing[0]} has no row to train")

    def collate(
        self,
        documents: Sequence[Document],
        *,
        deaf: Sequence[tuple[bool, bool]] | None = None,
    ) -> Batch:
        """One batch; `deaf` tells for each document whether its sound, its acoustic ear is off."""
        ids = np.concatenate([d.ids for d in documents])
        said = np.concatenate([d.said for d in documents])
        starts = np.cumsum([0, *(len(d) for d in documents)])
        tasks = tuple(sorted({d.task for d in documents}))
        task = np.repeat([tasks.index(d.task) for d in documents], [len(d) for d in documents])

        control = np.array([self._own.get(int(i), -1) for i in ids])
        is_audio = ids == self._audio
        rows = np.zeros((len(ids), self.profile.hidden), np.float32)
        plain = ~is_audio & (control < 0)
        rows[plain] = self._table.rows(ids[plain])
        is_control = ~is_audio & (control >= 0)

        deaf = deaf or [(False, False)] * len(documents)
        sound = [d.sound * np.float16(not off) for d, (off, _) in zip(documents, deaf, strict=True)]
        acoustic = [
            d.acoustic * np.float16(not off) for d, (_, off) in zip(documents, deaf, strict=True)
        ]
        audio = [d.audio + start for d, start in zip(documents, starts, strict=False)]
        respond = self.profile.respond_id
        targets = self._targets(ids, said, task, np.cumsum(ids == respond))
        return Batch(
            lengths=tuple(len(d) for d in documents),
            tasks=tasks,
            text_rows=torch.from_numpy(rows),
            control_at=torch.from_numpy(np.flatnonzero(is_control)),
            control=torch.from_numpy(control[is_control]),
            audio_at=torch.from_numpy(np.concatenate(audio)),
            sound=torch.from_numpy(np.concatenate(sound).astype(np.float32)),
            acoustic=torch.from_numpy(np.concatenate(acoustic).astype(np.float32)),
            wanted=self._wanted(documents, targets[Kind.CONTROL]),
            targets=targets,
        )

    def _wanted(self, documents: Sequence[Document], targets: Targets) -> Tensor:
        """What is written, but for documents whose decisions stay as they were before."""
        decisions = self.profile.decision_ids
        wanted = np.eye(len(decisions), dtype=np.float32)[targets.choice.numpy()]
        before = np.zeros((sum(map(len, documents)), len(decisions)), np.float32)
        start = 0
        for document in documents:
            if document.as_before is not None:
                chunks = np.flatnonzero(np.isin(document.ids, decisions))
                before[start + chunks] = document.as_before
            start += len(document)
        there = before[targets.at.numpy() + 1]
        is_kept = there.any(axis=1)
        wanted[is_kept] = there[is_kept]
        return torch.from_numpy(wanted)

    def _targets(
        self,
        ids: I64,
        said: npt.NDArray[np.bool_],
        task: I64,
        response: I64,
    ) -> dict[Kind, Targets]:
        found: dict[Kind, list[tuple[int, int]]] = {kind: [] for kind in Kind}
        for position in np.flatnonzero(said).tolist():
            token = int(ids[position])
            for kind, alternatives in self._alternatives.items():
                if token in alternatives:
                    found[kind].append((position, alternatives[token]))
                    break
            else:
                choice = self.profile.text_ids if token == self._end else token
                found[Kind.TEXT].append((position, choice))
        targets = {}
        for kind, pairs in found.items():
            at = np.array([p for p, _ in pairs], np.int64)
            chosen = np.array([c for _, c in pairs], np.int64)
            arrays = (at - 1, chosen, task[at], response[at])
            targets[kind] = Targets(*(torch.from_numpy(a.astype(np.int64)) for a in arrays))
        return targets
