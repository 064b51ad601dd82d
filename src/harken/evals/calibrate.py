"""How sure is sure enough: temperature, bias and thresholds of p(respond), and the threshold of
p(stop), found on dev streams.

Every chunk is judged with the true past before it (decisions and responses as they were due), so
one early mistake does not spoil the rest of a stream. Guo et al. 2017, "On Calibration of Modern
Neural Networks"; the bias takes back the class weights of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harken.decide.checkpoint import Calibration
from harken.decide.listener import Audible, Listener, State
from harken.errors import HarkenError
from harken.evals.streams import PASS_CHUNKS, Case
from harken.stream.writer import response_piece

F64 = npt.NDArray[np.float64]

GRID = np.round(np.arange(0.05, 0.96, 0.05), 2)
"""Thresholds to choose from."""
ALARM_WEIGHT = 2.0
"""How many missed responses one false alarm is as bad as: being disturbed is worse than waiting."""
WORDS_MISSED = 0.01
"""Share of the replies due to words that may be missed."""
ONE_ALARM_CHUNKS = 5
"""Chunks over the threshold within two seconds of each other are one false alarm."""
STOP_GRID = np.round(10.0 ** np.arange(-5, -0.2, 0.25), 6)
"""Few streams teach to stop, so p(stop) is small where it is told, and far smaller elsewhere."""
STOP_CHUNKS = range(-2, 4)
"""Around the chunk in which it was told to stop: a stop there is right."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A case and the log-odds after each chunk, float64 [n_chunks]: of respond against silent, and
    of stop against silent."""

    case: Case
    log_odds: F64
    stop_log_odds: F64 = field(default_factory=lambda: np.zeros(0))

    @property
    def is_due(self) -> npt.NDArray[np.bool_]:
        """bool [n_chunks]: where a response is due."""
        due = np.zeros(len(self.log_odds), bool)
        due[[d.chunk for d in self.case.due]] = True
        return due

    @property
    def has_words(self) -> npt.NDArray[np.bool_]:
        """bool [n_chunks]: where words were heard."""
        return np.array([bool(percept.words) for percept in self.case.percepts])


def judged(case: Case, listener: Listener) -> Judged:
    """Judge every chunk of a case as a session does, given what was due before it."""
    state = listener.start(case.prefix)
    said = {d.chunk: d for d in case.due}
    log_odds: list[tuple[float, float]] = []
    waiting: list[Audible] = []
    for percept in case.percepts:
        waiting.append(Audible(percept, percept.chunk in case.playing))
        due = said.get(percept.chunk)
        decision = "respond" if due else "stop" if percept.chunk in case.stops else "silent"
        is_last = len(waiting) == PASS_CHUNKS or percept is case.percepts[-1]
        if decision == "silent" and not is_last:
            continue
        _, found = listener.hear(state, waiting)
        log_odds += [_log_odds(j.probabilities) for j in found]
        state = listener.decide(state, found[-1], decision)
        if due:
            ids, _ = response_piece(listener.vocabulary, due.text, due.emotion)
            state = State(state.cache, state.length, (*state.pending, *ids))
        waiting = []
    return Judged(case, *np.array(log_odds).T)


def calibration_of(cases: Sequence[Judged], alarm_weight: float = ALARM_WEIGHT) -> Calibration:
    """The calibration that these cases, judged without any, ask for.

    alarm_weight: how many missed responses one false alarm is as bad as.

    Raises:
        HarkenError: nothing is due in them, or nothing else is heard.
    """
    due = np.concatenate([c.is_due for c in cases]) if cases else np.zeros(0, bool)
    if due.all() or not due.any():
        raise HarkenError(
            "calibration needs streams with responses due and chunks without; compose more of this "
            "split with `harken data build`"
        )
    slope, bias = fit(np.concatenate([c.log_odds for c in cases]), due)
    by_policy: dict[str, list[Judged]] = {}
    for case in cases:
        by_policy.setdefault(case.case.prefix.policy, []).append(case)
    thresholds = {
        policy: threshold(of_policy, slope, bias, alarm_weight)
        for policy, of_policy in sorted(by_policy.items())
    }
    stop = stop_threshold(cases, slope, bias, alarm_weight)
    to_words = threshold_to_words(cases, slope, bias)
    return Calibration(1 / slope, bias, thresholds, to_words, stop)


def fit(log_odds: F64, is_due: npt.NDArray[np.bool_], steps: int = 50) -> tuple[float, float]:
    """Slope (above 0) and bias of the likeliest p = sigmoid(slope * log_odds + bias).

    Newton's method on the log loss, held a little to slope 1 and bias 0.
    """
    x = np.stack([log_odds, np.ones_like(log_odds)], axis=1)
    start = weights = np.array([1.0, 0.0])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (p - is_due) + (weights - start)
        curvature = (x * (p * (1 - p))[:, None]).T @ x + np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        # A full Newton step overshoots where the curve is flat.
        weights = weights - step / max(1.0, float(np.abs(step).max()))
    return max(0.05, float(weights[0])), float(weights[1])


def threshold(
    cases: Sequence[Judged], slope: float, bias: float, alarm_weight: float = ALARM_WEIGHT
) -> float:
    """The threshold with the least harm: due responses missed, and false alarms by their weight.

    Among equals the middle one, which is furthest from more errors.
    """

    def harm(level: float) -> float:
        found = [mistakes(c, level, slope, bias) for c in cases]
        return sum(missed + alarm_weight * alarms for missed, alarms in found)

    errors = [harm(_logit(t)) for t in GRID]
    best = np.flatnonzero(np.array(errors) == min(errors))
    return float(GRID[best[len(best) // 2]])


def threshold_to_words(cases: Sequence[Judged], slope: float, bias: float) -> float:
    """What nearly all replies due in chunks with words reach; 0 where none is due.

    How often talk asks for nothing differs from the data to life, so the false alarms of the data
    do not choose it. Nor does it change the thresholds of the policies, which are found without it.
    """
    due = [c.log_odds[c.is_due & c.has_words] for c in cases]
    if not sum(map(len, due)):
        return 0.0
    reached = np.quantile(slope * np.concatenate(due) + bias, WORDS_MISSED)
    return float(np.floor(100 / (1 + np.exp(-reached))) / 100)


def mistakes(judged: Judged, level: float, slope: float, bias: float) -> tuple[int, int]:
    """Due responses missed, and false alarms, when log-odds from `level` on speak."""
    speaks = slope * judged.log_odds + bias >= level
    missed = 0
    excused = np.zeros(len(speaks), bool)
    for due in judged.case.due:
        missed += not speaks[due.start : due.chunk + 1].any()
        excused[due.start : due.chunk + 1] = True
    alarms = np.flatnonzero(speaks & ~excused)
    return missed, int(len(alarms) and 1 + (np.diff(alarms) > ONE_ALARM_CHUNKS).sum())


def stop_threshold(
    cases: Sequence[Judged], slope: float, bias: float, alarm_weight: float = ALARM_WEIGHT
) -> float:
    """As `threshold`, of p(stop) while our own voice plays; 0.5 where none is told to stop."""
    spoken_over = [c for c in cases if c.case.playing]
    if not any(c.case.stops for c in spoken_over):
        return 0.5

    def harm(level: float) -> float:
        found = [mistaken_stops(c, level, slope, bias) for c in spoken_over]
        return sum(missed + alarm_weight * alarms for missed, alarms in found)

    errors = [harm(level) for level in STOP_GRID]
    best = np.flatnonzero(np.array(errors) == min(errors))
    return float(STOP_GRID[best[len(best) // 2]])


def mistaken_stops(judged: Judged, level: float, slope: float, bias: float) -> tuple[int, int]:
    """Stops that were told and missed, and 1 if it stops untold, when p(stop) from `level` on
    stops."""
    respond, stop = np.exp(slope * judged.log_odds + bias), np.exp(slope * judged.stop_log_odds)
    p_stop = stop / (1 + respond + stop)
    stopping = {chunk for chunk in judged.case.playing if p_stop[chunk] >= level}
    told = [{at + n for n in STOP_CHUNKS} for at in judged.case.stops]
    missed = sum(not stopping & near for near in told)
    return missed, int(bool(stopping.difference(*told)))


def _log_odds(probabilities: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Of respond and of stop, against silent; a profile without stop never has it."""
    silent, *others = np.log(np.maximum(probabilities.astype(np.float64), 1e-12))
    respond, stop = (*others, -np.inf)[:2]
    return float(respond - silent), float(stop - silent)


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))
