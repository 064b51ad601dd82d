"""The cascade's ear for sounds: thresholds on smoothed YAMNet scores, onsets, one name a sound.

A class is heard when its score, averaged over two chunks, reaches a threshold of its own; a label
when one of its classes is. The thresholds come from `harken.evals.cascade.thresholds`.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]

Thresholds = Mapping[str, Mapping[str, float]]
"""For each label its AudioSet classes and the scores (0 to 1) from which they tell of it."""

NEWEST_SHARE = 0.5
"""How much of a smoothed score is of the newest chunk, the rest of the one before."""
CONFIRM_CHUNKS = 1
"""So long after an onset the likeliest label is chosen: the window of the ear has filled then."""
HOLD_CHUNKS = 4
"""So long after a sound was named the same sound is not taken for another."""
FORGET_CHUNKS = 10
"""A label named once is named again after so long a time without it."""
NO_MARGIN = -20.0
"""Where there is no label to speak of."""
RELEASE = 1.5
"""A label is over when its margin is so far below zero."""

COUNT_RISE = 3.5
"""Between two sounds of a kind the margin falls and rises again by so much."""
COUNT_GAP_CHUNKS = 4
"""Onsets closer than this are one sound: the window of the ear is longer than a chunk."""


def log_odds(scores: F32) -> F32:
    """Scores (0 to 1) as log odds, which spread evenly; float32 of the same shape."""
    p = np.clip(scores.astype(np.float32), 1e-6, 1 - 1e-4)
    found: F32 = np.log(p / (1 - p))
    return found


def smoothed(before: F32, scores: F32) -> F32:
    """Scores with those of the chunk before, of the same shape, mixed in."""
    return NEWEST_SHARE * scores + (1 - NEWEST_SHARE) * before


class SoundRules:
    """Thresholds made ready for whole vectors of scores."""

    def __init__(self, thresholds: Thresholds, names: Sequence[str]) -> None:
        """names: the classes in the order of the scores."""
        place = {name: i for i, name in enumerate(names)}
        self.labels = tuple(label for label, classes in thresholds.items() if classes)
        pairs = [(place[c], t) for n in self.labels for c, t in thresholds[n].items()]
        self._classes = np.array([c for c, _ in pairs], int)
        self._levels = log_odds(np.array([t for _, t in pairs], np.float32))
        sizes = [len(thresholds[n]) for n in self.labels]
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(int)

    def margins(self, scores: F32) -> F32:
        """float32 [classes] -> float32 [labels]: how far each lies over its threshold, log odds."""
        if not self.labels:
            return np.zeros(0, np.float32)
        over = log_odds(scores[self._classes]) - self._levels
        found: F32 = np.maximum.reduceat(over, self._starts)
        return found


@dataclass(frozen=True, slots=True)
class Onset:
    """A sound that began: its label, and by how much it was over the threshold, in log odds."""

    label: str
    margin: float


@dataclass(frozen=True, slots=True)
class SoundState:
    """What the ear for sounds remembers between chunks.

    before: scores of the chunk before. rising: best margin and label since an onset that waits for
    its confirmation, with the chunk in which it falls. named: chunk at which each label was
    last heard after it had been named. quiet_until: no name before it.
    """

    before: F32 | None = None
    rising: tuple[int, Onset] | None = None
    named: Mapping[str, int] = field(default_factory=dict)
    quiet_until: int = -1


def named_sound(
    rules: SoundRules, state: SoundState, chunk: int, scores: F32, among: Set[str]
) -> tuple[SoundState, Onset | None, Onset]:
    """One chunk further: the sound that has a name now, if any, and the likeliest of `among`.

    scores: float32 [classes]. A sound goes by the name of the label that is furthest over its
    threshold, whether or not that is in `among`.
    """
    before = scores if state.before is None else state.before
    margins = dict(zip(rules.labels, rules.margins(smoothed(before, scores)).tolist(), strict=True))
    likeliest = _best({n: m for n, m in margins.items() if n in among})
    named = {
        n: chunk if margins[n] > -RELEASE else at
        for n, at in state.named.items()
        if chunk - at < FORGET_CHUNKS
    }
    rising = state.rising
    best = _best({n: m for n, m in margins.items() if n not in named})
    if best.margin >= 0 and chunk > state.quiet_until:
        if rising is None:
            rising = chunk + CONFIRM_CHUNKS, best
        elif best.margin > rising[1].margin:
            rising = rising[0], best
    state = SoundState(scores, rising, named, state.quiet_until)
    if rising is None or chunk < rising[0]:
        return state, None, likeliest
    onset = rising[1]
    state = SoundState(scores, None, named | {onset.label: chunk}, chunk + HOLD_CHUNKS)
    return state, onset, likeliest


def _best(margins: Mapping[str, float]) -> Onset:
    label = max(margins, key=margins.__getitem__, default="")
    return Onset(label, margins.get(label, NO_MARGIN))


@dataclass(frozen=True, slots=True)
class CountState:
    """What counting remembers: the lowest margin since the last onset, and when that was."""

    lowest: float = NO_MARGIN
    last: int = -COUNT_GAP_CHUNKS


def counted_sound(
    rules: SoundRules, state: CountState, chunk: int, scores: F32
) -> tuple[CountState, bool, float]:
    """One chunk further: whether one more sound began, and how far it is over its threshold.

    A sound that goes on is one: its margin has to fall by `COUNT_RISE` before the next can begin.
    """
    margin = float(rules.margins(scores).max(initial=NO_MARGIN))
    rose = margin >= state.lowest + COUNT_RISE
    if margin >= 0 and rose and chunk - state.last >= COUNT_GAP_CHUNKS:
        return CountState(margin, chunk), True, margin
    return replace(state, lowest=min(state.lowest, margin)), False, margin
