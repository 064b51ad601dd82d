"""Whether two runs over the same streams differ: paired differences, intervals, p values."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.evals.paired import Counts, compared
from harken.evals.respond_or_ignore import answered
from harken.evals.streams import Outcome

F64 = npt.NDArray[np.float64]
SWAPS = 10_000
ALARM_TASKS = ("background", "others_talking")


def counts_by_audio(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """By audio: due sounds, those answered, others, those left alone; then alarms and hours of
    ambience and of talk."""
    by_audio: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_audio.setdefault(outcome.case.audio, []).append(outcome)
    found = {}
    for audio, group in by_audio.items():
        sounds = answered(group, "care", "quiet")
        due = [s.is_answered for s in sounds if s.is_due]
        others = [s.is_answered for s in sounds if not s.is_due]
        row: list[float] = [len(due), sum(due), len(others), len(others) - sum(others)]
        for task in ALARM_TASKS:
            mine = [o for o in group if o.case.task == task]
            row += [sum(len(o.said) for o in mine), sum(o.case.hours for o in mine)]
        found[audio] = [float(x) for x in row]
    return found


def _over(a: F64, b: F64) -> F64:
    divided: F64 = np.divide(a, b, out=np.full_like(a, np.nan), where=b > 0)
    return divided


MEASURES: Mapping[str, Callable[[F64], F64]] = {
    "balanced accuracy": lambda t: (_over(t[..., 1], t[..., 0]) + _over(t[..., 3], t[..., 2])) / 2,
    "false alarms per hour of ambience": lambda t: _over(t[..., 4], t[..., 5]),
    "false alarms per hour of talk": lambda t: _over(t[..., 6], t[..., 7]),
}


def p_value(measure: Callable[[F64], F64], a: F64, b: F64, seed: int = 0) -> float:
    """Two-sided p of a paired permutation test: the runs are exchanged stream by stream.

    a, b: float64 [streams, k], counts of both runs. Phipson and Smyth 2010 for the added one.
    """
    swapped = np.random.default_rng(seed).integers(0, 2, (SWAPS, len(a))).astype(np.float64)
    change = swapped @ (b - a)
    drawn = np.abs(measure(b.sum(0) - change) - measure(a.sum(0) + change))
    seen = abs(float(measure(b.sum(0)) - measure(a.sum(0))))
    return float((1 + (drawn[~np.isnan(drawn)] >= seen - 1e-12).sum()) / (1 + SWAPS))


def counts_of(record: Mapping[str, Any], name: str) -> dict[str, F64]:
    """The counts in what `harken eval streams --out` wrote.

    Raises:
        HarkenError: it holds none.
    """
    if "counts" not in record:
        raise HarkenError(
            f"{name} holds no counts by stream; write it anew with `harken eval streams --out`"
        )
    return {audio: np.array(row, float) for audio, row in record["counts"].items()}


def report(arms: Mapping[str, Counts]) -> list[str]:
    """Lines for people: both values, their difference with its interval, and p."""
    lines = []
    (first, old), (_, new) = arms.items()
    names = sorted(set(old) & set(new))
    for row in compared(MEASURES, arms):
        lines.append(f"{row.measure:40} {row.arm:24} {row.figure}")
        if row.difference is not None:
            a, b = (np.stack([counts[n] for n in names]) for counts in (old, new))
            p = p_value(MEASURES[row.measure], a, b)
            verdict = "significant" if p < 0.05 else "not significant"
            lines.append(
                f"{'':40} {'difference to ' + first:24} {row.difference} p={p:.4f}, {verdict}"
            )
    return lines
