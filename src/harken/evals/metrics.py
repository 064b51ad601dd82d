"""Figures with their n and a 95 % bootstrap interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


def bootstrap(n: int, statistic: Callable[[npt.NDArray[np.int64]], float], seed: int = 0) -> Figure:
    """A statistic of item indices, resampled with replacement; items are whole sessions or clips.

    `statistic` takes int64 [n] indices. An empty set has the value nan.
    """
    if n == 0:
        return Figure(float("nan"), float("nan"), float("nan"), 0)
    random = np.random.default_rng(seed)
    value = statistic(np.arange(n))
    drawn = [statistic(random.integers(n, size=n)) for _ in range(RESAMPLES)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Figure(value, float(low), float(high), n)


def share(hits: Sequence[bool]) -> Figure:
    """How many of the items are true."""
    values = np.asarray(hits, float)
    return bootstrap(len(values), lambda i: float(values[i].mean()))


def balanced_accuracy(due: Sequence[bool], spoken: Sequence[bool]) -> Figure:
    """Mean of the share of due items spoken to and of the others left in silence."""
    want, got = np.asarray(due, bool), np.asarray(spoken, bool)

    def statistic(i: npt.NDArray[np.int64]) -> float:
        w, g = want[i], got[i]
        if w.all() or not w.any():
            return float("nan")
        return float((g[w].mean() + (~g[~w]).mean()) / 2)

    return bootstrap(len(want), statistic)


def rate(counts: Sequence[int], amounts: Sequence[float]) -> Figure:
    """Sum of counts over the sum of amounts, for example false alarms over hours."""
    count, amount = np.asarray(counts, float), np.asarray(amounts, float)
    return bootstrap(len(count), lambda i: float(count[i].sum() / amount[i].sum()))


def edits(truth: Sequence[str], guess: Sequence[str]) -> int:
    """Levenshtein distance between two lists of words (or of characters)."""
    row = np.arange(len(guess) + 1)
    for i, word in enumerate(truth, start=1):
        differs = np.array([word != g for g in guess], int)
        costs = np.minimum(row[1:] + 1, row[:-1] + differs)
        new = np.empty_like(row)
        new[0] = i
        for j, cost in enumerate(costs, start=1):
            new[j] = min(cost, new[j - 1] + 1)
        row = new
    return int(row[-1])


def error_rate(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Figure:
    """Edits over the true length, of (truth, guess) pairs of word lists."""
    return rate([edits(t, g) for t, g in pairs], [max(1, len(t)) for t, _ in pairs])


def chrf(pairs: Sequence[tuple[str, str]], order: int = 6, beta: float = 2.0) -> Figure:
    """chrF of (truth, guess) pairs from 0 to 1 (Popović 2015): F2 over character n-grams to 6."""
    counts = np.array([_ngram_counts(t, g, order) for t, g in pairs], float).reshape(-1, order, 3)

    def statistic(i: npt.NDArray[np.int64]) -> float:
        same, guessed, true = counts[i].sum(0).T
        known = (guessed > 0) & (true > 0)
        if not known.any():
            return 0.0
        precision = (same[known] / guessed[known]).mean()
        recall = (same[known] / true[known]).mean()
        if precision + recall == 0:
            return 0.0
        return float((1 + beta**2) * precision * recall / (beta**2 * precision + recall))

    return bootstrap(len(pairs), statistic)


def _ngram_counts(truth: str, guess: str, order: int) -> list[tuple[int, int, int]]:
    from collections import Counter

    t, g = "".join(truth.split()), "".join(guess.split())
    found = []
    for n in range(1, order + 1):
        a = Counter(t[i : i + n] for i in range(len(t) - n + 1))
        b = Counter(g[i : i + n] for i in range(len(g) - n + 1))
        found.append(((a & b).total(), b.total(), a.total()))
    return found
