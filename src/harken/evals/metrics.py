"""Figures with their n and a 95 % bootstrap interval."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.edits import edits

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its interval (percentile bootstrap, 95 %) and how many items stand behind it."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if not self.n:
            return "no items"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] n={self.n}"


def bootstrap(
    n: int,
    statistic: Callable[[npt.NDArray[np.int64]], float],
    of: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> Figure:
    """A statistic of item indices, int64 [m], with the interval of whole streams drawn anew.

    of: the stream of each of the n items. Items of one stream are not independent, so they are
    drawn together, with replacement (cluster bootstrap: Davison and Hinkley 1997, section 3.8);
    without it every item stands alone. An empty set has the value nan.
    """
    if n == 0:
        return Figure(float("nan"), float("nan"), float("nan"), 0)
    together: dict[Hashable, list[int]] = {}
    for i, stream in enumerate(range(n) if of is None else of):
        together.setdefault(stream, []).append(i)
    streams = [np.array(items, np.int64) for items in together.values()]
    random = np.random.default_rng(seed)
    drawn = [
        statistic(
            np.concatenate([streams[k] for k in random.integers(len(streams), size=len(streams))])
        )
        for _ in range(RESAMPLES)
    ]
    found = [value for value in drawn if not np.isnan(value)]
    low, high = np.percentile(found, [2.5, 97.5]) if found else (np.nan, np.nan)
    return Figure(statistic(np.arange(n)), float(low), float(high), n)


def share(hits: Sequence[bool], of: Sequence[Hashable] | None = None) -> Figure:
    """How many of the items are true."""
    values = np.asarray(hits, float)
    return bootstrap(len(values), lambda i: float(values[i].mean()), of)


Hit: TypeAlias = tuple[Hashable, bool]
"""The stream of an item, and whether the item was right."""


def share_of(hits: Sequence[Hit]) -> Figure:
    """How many of the items were right."""
    return share([is_right for _, is_right in hits], [stream for stream, _ in hits])


def balanced_accuracy(
    due: Sequence[bool], spoken: Sequence[bool], of: Sequence[Hashable] | None = None
) -> Figure:
    """Mean of the share of due items spoken to and of the others left in silence.

    No items where only one of both kinds is there: nothing is told apart then.
    """
    want, got = np.asarray(due, bool), np.asarray(spoken, bool)
    if want.all() or not want.any():
        return bootstrap(0, lambda i: 0.0)

    def statistic(i: npt.NDArray[np.int64]) -> float:
        w, g = want[i], got[i]
        if w.all() or not w.any():
            return float("nan")
        return float((g[w].mean() + (~g[~w]).mean()) / 2)

    return bootstrap(len(want), statistic, of)


def rate(
    counts: Sequence[int], amounts: Sequence[float], of: Sequence[Hashable] | None = None
) -> Figure:
    """Sum of counts over the sum of amounts, for example false alarms over hours.

    Items without an amount are none: nothing could be counted in them.
    """
    some = np.asarray(amounts, float) > 0
    count, amount = np.asarray(counts, float)[some], np.asarray(amounts, float)[some]
    streams = (
        None if of is None else [stream for stream, is_one in zip(of, some, strict=True) if is_one]
    )
    return bootstrap(len(count), lambda i: float(count[i].sum() / amount[i].sum()), streams)


def error_rate(
    pairs: Sequence[tuple[Sequence[str], Sequence[str]]], of: Sequence[Hashable] | None = None
) -> Figure:
    """Edits over the true length, of (truth, guess) pairs of word lists."""
    return rate([edits(t, g) for t, g in pairs], [max(1, len(t)) for t, _ in pairs], of)


def chrf(pairs: Sequence[tuple[str, str]], of: Sequence[Hashable] | None = None) -> Figure:
    """chrF2 of (reference, translation) pairs, 0 to 1 (sacrebleu's, Popović 2015)."""
    return _translated(pairs, translation_metrics().CHRF(), of)


def bleu(
    pairs: Sequence[tuple[str, str]], language: str, of: Sequence[Hashable] | None = None
) -> Figure:
    """BLEU of (reference, translation) pairs into `language`, 0 to 1 (sacrebleu's)."""
    tokenize = "zh" if language == "zh" else "13a"
    return _translated(pairs, translation_metrics().BLEU(tokenize=tokenize), of)


def translation_metrics() -> Any:
    """sacrebleu's metrics; what runs long asks for them first, lest it fail at its end.

    Raises:
        HarkenError: it is not installed.
    """
    try:
        from sacrebleu import metrics
    except ImportError as missing:
        raise HarkenError(
            "scoring translations needs sacrebleu; install it with `pip install 'harken[train]'`"
        ) from missing
    return metrics


def _translated(
    pairs: Sequence[tuple[str, str]], metric: Any, of: Sequence[Hashable] | None
) -> Figure:
    if not pairs:
        return bootstrap(0, lambda i: 0.0)
    references, guesses = ([pair[side] for pair in pairs] for side in (0, 1))

    def statistic(i: npt.NDArray[np.int64]) -> float:
        chosen = [references[k] for k in i]
        return float(metric.corpus_score([guesses[k] for k in i], [chosen]).score) / 100

    return bootstrap(len(pairs), statistic, of)
