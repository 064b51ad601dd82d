"""Two arms on the same items: figures, and their difference with an interval of its own.

Items (streams, sessions) are drawn with replacement, the same for both arms, and the difference is
taken in each draw (paired percentile bootstrap, 95 %). What makes an item hard is hard for both, so
the interval of the difference is narrower than those of the two figures suggest; it says how well
these items tell the arms apart, and nothing of another seed of training.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.evals.metrics import RESAMPLES, Figure

F64 = npt.NDArray[np.float64]

Measures = Mapping[str, Callable[[F64], F64]]
"""Figures by name, each of summed counts float64 [.., k] -> [..]; nan where there is none."""
Counts = Mapping[str, F64]
"""By item, float64 [k]: what is summed before a figure is taken."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of one arm; `difference`: to the baseline, None for the baseline itself."""

    measure: str
    arm: str
    figure: Figure
    difference: Figure | None


def compared(measures: Measures, arms: Mapping[str, Counts], seed: int = 0) -> list[Compared]:
    """Every figure of every arm, on the items that all arms have; the first arm is the baseline.

    Figures for which no item counts are left out.

    Raises:
        HarkenError: the arms have no item in common.
    """
    names = sorted(set.intersection(*(set(counts) for counts in arms.values())))
    if not names:
        raise HarkenError(f"{', '.join(arms)} were measured on no common stream; measure them anew")
    whole = np.ones((1, len(names)))
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    # [1 + draws, k]: the sums over all items, then over each draw.
    sums = {
        arm: np.concatenate([whole, drawn]) @ np.stack([counts[n] for n in names])
        for arm, counts in arms.items()
    }
    found = []
    for measure, statistic in measures.items():
        values = {arm: statistic(total) for arm, total in sums.items()}
        baseline = next(iter(values.values()))
        for n, (arm, mine) in enumerate(values.items()):
            if np.isnan(mine[0]):
                continue
            difference = _figure(mine - baseline, len(names)) if n else None
            if difference is not None and np.isnan(difference.value):
                difference = None
            found.append(Compared(measure, arm, _figure(mine, len(names)), difference))
    return found


def table(rows: Sequence[Compared]) -> str:
    """The figures as a Markdown table: arms in rows, with differences to the baseline."""
    lines = ["| figure | arm | value [95 %] | difference [95 %] |", "| --- | --- | --- | --- |"]
    for row in rows:
        difference = "" if row.difference is None else _told(row.difference, "+.3f")
        lines.append(f"| {row.measure} | {row.arm} | {_told(row.figure, '.3f')} | {difference} |")
    return "\n".join(lines)


def _figure(values: F64, n: int) -> Figure:
    drawn = values[1:][~np.isnan(values[1:])]
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (np.nan, np.nan)
    return Figure(float(values[0]), float(low), float(high), n)


def _told(figure: Figure, format: str) -> str:
    low, high = f"{figure.low:{format}}", f"{figure.high:{format}}"
    return f"{figure.value:{format}} [{low}, {high}]"
