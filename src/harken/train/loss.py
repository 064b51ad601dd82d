"""The loss on said positions, each over the very alternatives it is chosen from when serving.

L = L_text + lambda L_control + a small weight L_emotion; each a mean over its positions, control
weighted by class because most decisions are silent. Where a decision is to stay as it was before,
the target is its old distribution (knowledge distillation: Hinton et al. 2015), and where a text is
anchored (`harken.train.anchor`), what the anchor would say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from harken.stream import Profile
from harken.stream.profile import EMOTIONS
from harken.train.batch import Batch, Kind
from harken.train.config import TrainConfig
from harken.train.model import StreamModel


@dataclass(frozen=True, slots=True)
class Score:
    """A sum over positions (or responses): how many, their loss in nats, how many were right."""

    n: int = 0
    loss: float = 0.0
    right: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.n + other.n, self.loss + other.loss, self.right + other.right)

    @property
    def mean_loss(self) -> float:
        """Nats a position; nan without any."""
        return self.loss / self.n if self.n else float("nan")

    @property
    def rate(self) -> float:
        """Share that was right; nan without any."""
        return self.right / self.n if self.n else float("nan")


Tally = Mapping[tuple[str, str], Score]
"""Scores by (what, task). What: "silent", "respond", "stop" (right: on the due side of
p(respond) = 0.5, for stop: the likeliest), "emotion", "text" (right: the likeliest id), "response"
(right: every id of its text is the likeliest, given the true ids before)."""


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies."""
    total: dict[tuple[str, str], Score] = {}
    for tally in tallies:
        for key, score in tally.items():
            total[key] = total.get(key, Score()) + score
    return total


def over_tasks(tally: Tally, what: str) -> Score:
    """The score of `what` over all tasks."""
    return sum((s for (w, _), s in tally.items() if w == what), Score())


class StreamLoss:
    """The loss of one profile under one configuration."""

    def __init__(self, profile: Profile, config: TrainConfig) -> None:
        rows = {name: i for i, name in enumerate(profile.own_rows)}
        self._decisions = profile.decisions
        self._decision_rows = torch.tensor([rows[d.upper()] for d in profile.decisions])
        emotions = EMOTIONS if profile.emotions else ()
        self._emotion_rows = torch.tensor([rows[e.upper()] for e in emotions], dtype=torch.long)
        weight = {"silent": 1.0, "respond": config.respond_weight, "stop": config.stop_weight}
        self._class_weights = torch.tensor([weight[d] for d in profile.decisions])
        self._control_weight = config.control_weight
        self._emotion_weight = config.emotion_weight

    def __call__(
        self,
        model: StreamModel,
        batch: Batch,
        states: Tensor,
        shares: Sequence[float] | None = None,
    ) -> tuple[Tensor, Tally]:
        """The scalar to minimise and the scores; states [n, hidden] of all positions.

        shares: factors of the loss of each `Kind`, for a batch that is a part of a step.
        """
        control, control_tally = self._control(model, batch, states)
        emotion, emotion_tally = self._emotion(model, batch, states)
        text, text_tally = self._text(model, batch, states)
        if shares is not None:
            control, emotion, text = (
                loss * shares[kind]
                for kind, loss in zip(Kind, (control, emotion, text), strict=True)
            )
        total = text + self._control_weight * control + self._emotion_weight * emotion
        return total, merged([control_tally, emotion_tally, text_tally])

    def weights(self, batch: Batch) -> Tensor:
        """float64 [kinds]: the sum of the weights over which the loss of each `Kind` is a mean.

        Parts of a step add up to its loss when each part's mean counts by its share of the sum.
        """
        weights = torch.zeros(len(Kind), dtype=torch.float64)
        for kind, targets in batch.targets.items():
            weights[kind] = len(targets.at)
        weights[Kind.CONTROL] = (batch.wanted.cpu() @ self._class_weights).sum()
        return weights

    def _control(self, model: StreamModel, batch: Batch, states: Tensor) -> tuple[Tensor, Tally]:
        targets = batch.targets[Kind.CONTROL]
        rows = model.controls.output[self._decision_rows]
        logits = states[targets.at].float() @ rows.t()
        each = torch.nn.functional.cross_entropy(logits, batch.wanted, reduction="none")
        # By chunk, not by alternative: the likeliest distribution is the wanted one.
        weights = batch.wanted @ self._class_weights.to(each.device)
        likely = logits.softmax(-1)[:, 1] >= 0.5
        tally: dict[tuple[str, str], Score] = {}
        for i, decision in enumerate(self._decisions):
            right = logits.argmax(-1) == i if decision == "stop" else likely == (i == 1)
            due = targets.choice == i
            for key, score in _by_task(decision, batch, targets.task, due, each, right):
                tally[key] = score
        return (each * weights).sum() / weights.sum().clamp_min(1e-9), tally

    def _emotion(self, model: StreamModel, batch: Batch, states: Tensor) -> tuple[Tensor, Tally]:
        targets = batch.targets[Kind.EMOTION]
        if not len(targets.at):
            return states.new_zeros((), dtype=torch.float32), {}
        logits = states[targets.at].float() @ model.controls.output[self._emotion_rows].t()
        each = torch.nn.functional.cross_entropy(logits, targets.choice, reduction="none")
        right, every = logits.argmax(-1) == targets.choice, torch.ones_like(each, dtype=torch.bool)
        scores = _by_task("emotion", batch, targets.task, every, each, right)
        return each.mean(), dict(scores)

    def _text(self, model: StreamModel, batch: Batch, states: Tensor) -> tuple[Tensor, Tally]:
        targets = batch.targets[Kind.TEXT]
        if not len(targets.at):
            return states.new_zeros((), dtype=torch.float32), {}
        # The vocabulary is large: its product runs on text positions alone.
        logits = text_logits(model, states[targets.at])
        each = torch.nn.functional.cross_entropy(logits, targets.choice, reduction="none")
        right, every = logits.argmax(-1) == targets.choice, torch.ones_like(each, dtype=torch.bool)
        scores = [
            *_by_task("text", batch, targets.task, every, each, right),
            *_responses(batch, targets.task, targets.response, each, right),
        ]
        if batch.anchored is not None:
            at, probabilities = batch.anchored
            kept = torch.nn.functional.cross_entropy(logits[at], probabilities, reduction="none")
            each = each.index_put((at,), kept)
        return each.mean(), dict(scores)


class Learner(nn.Module):
    """A model with its loss, so that all that uses a parameter happens in one `forward`."""

    def __init__(self, model: StreamModel, loss: StreamLoss) -> None:
        super().__init__()
        self.model, self._loss = model, loss

    def forward(self, batch: Batch, shares: Sequence[float] | None = None) -> tuple[Tensor, Tally]:
        """The scalar to minimise and the scores."""
        return self._loss(self.model, batch, self.model(batch), shares)


def text_logits(model: StreamModel, states: Tensor) -> Tensor:
    """[m, hidden] -> float32 [m, text ids + 1], the last of them for `END`."""
    text = (states @ model.head.t()).float()
    end = states.float() @ model.controls.output[model.controls.end]
    return torch.cat([text, end[:, None]], dim=1)


Scores = list[tuple[tuple[str, str], Score]]


def _by_task(
    what: str, batch: Batch, task: Tensor, due: Tensor, each: Tensor, right: Tensor
) -> Scores:
    scores = []
    for i, name in enumerate(batch.tasks):
        here = due & (task == i)
        n = int(here.sum())
        if n:
            loss = float(each.detach()[here].sum())
            scores.append(((what, name), Score(n, loss, int((right & here).sum()))))
    return scores


def _responses(batch: Batch, task: Tensor, response: Tensor, each: Tensor, right: Tensor) -> Scores:
    """One score for each response: right when all of its positions are."""
    total: dict[tuple[str, str], Score] = {}
    for number in sorted(set(response.tolist())):
        here = response == number
        key = ("response", batch.tasks[int(task[here][0])])
        whole = Score(1, float(each.detach()[here].sum()), int(right[here].all()))
        total[key] = total.get(key, Score()) + whole
    return list(total.items())
