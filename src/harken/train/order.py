"""Which streams a step sees: a pure function of the seed and of where the run stands.

There is no random state to save: the order of an epoch and the draws of a step are computed anew
from the seed, so a run that was killed continues as if it had not been.
"""

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from harken.errors import HarkenError
from harken.train.examples import Record

D = TypeVar("D", bound=Sized)

_ORDER, _EARS, _WORDS = 1, 2, 3  # keep the kinds of draws apart


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands in its data.

    `cursor` counts draws of `epoch` already taken; `size_bytes` of the data folder's list belong to
    this epoch (streams that arrive later join the next one).
    """

    epoch: int = 0
    cursor: int = 0
    size_bytes: int | None = None


def epoch_order(
    records: Sequence[Record],
    weights: Mapping[str, float],
    seed: int,
    epoch: int,
    other_weight: float = 1.0,
) -> list[int]:
    """Indices of one epoch: as many draws as records, tasks in proportion to their weights.

    A task (`other_weight` unless named) that has fewer streams than draws gives each of them about
    equally often; one that has more gives a random part, another one in each epoch.
    """
    by_task: dict[str, list[int]] = {}
    for i, record in enumerate(records):
        by_task.setdefault(record.task, []).append(i)
    unknown = weights.keys() - by_task.keys()
    if unknown:
        raise HarkenError(
            f"no training stream has the weighted task {min(unknown)!r}; the data hold "
            f"{', '.join(sorted(by_task))}"
        )
    share = {task: weights.get(task, other_weight) for task in sorted(by_task)}
    total = sum(share.values())
    if not total:
        raise HarkenError("every task of the training data has weight 0; give one a weight")
    random = np.random.default_rng((seed, _ORDER, epoch))
    draws: list[int] = []
    for task, weight in share.items():
        quota = round(len(records) * weight / total) or int(weight > 0)
        members = by_task[task]
        rounds = [random.permutation(members) for _ in range(-(-quota // len(members)))]
        draws.extend(int(i) for permuted in rounds for i in permuted)
        del draws[len(draws) - (len(rounds) * len(members) - quota) :]
    return [draws[i] for i in random.permutation(len(draws))]


def take(
    order: Sequence[int], cursor: int, positions: int, load: Callable[[int, int], D]
) -> tuple[list[D], int]:
    """The next documents that fill at most `positions` together, and the cursor behind them.

    `load` is given an index of `order` and the cursor it came from. One document that is longer
    than that makes a step of its own.
    """
    documents: list[D] = []
    filled = 0
    while cursor < len(order):
        document = load(order[cursor], cursor)
        if documents and filled + len(document) > positions:
            break
        documents.append(document)
        filled += len(document)
        cursor += 1
    return documents, cursor


def divided(lengths: Sequence[int], count: int) -> list[list[int]]:
    """The documents of a step among `count` processes: indices for each, about equal in length.

    The longest first, each to whoever has least; one process may get none.
    """
    shares: list[list[int]] = [[] for _ in range(count)]
    filled = [0] * count
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        least = filled.index(min(filled))
        shares[least].append(i)
        filled[least] += lengths[i]
    return [sorted(share) for share in shares]


def deaf_ears(
    seed: int, step: int, n: int, drop_sound: float, drop_acoustic: float
) -> list[tuple[bool, bool]]:
    """For each of n documents of a step: is its sound ear off, is its acoustic ear off."""
    draws = np.random.default_rng((seed, _EARS, step)).random((n, 2))
    return [(bool(s < drop_sound), bool(a < drop_acoustic)) for s, a in draws]


def loses_words(seed: int, epoch: int, cursor: int, drop_words: float) -> bool:
    """Whether the draw at `cursor` of an epoch comes without recognised words."""
    if not drop_words:
        return False
    return bool(np.random.default_rng((seed, _WORDS, epoch, cursor)).random() < drop_words)
