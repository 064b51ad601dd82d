"""What one session got right, as numbers that can be summed over sessions and compared by pairs.

Sessions at another pace than 0.4 s a decision are put on the clock of the others first.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from harken.evals.replies import LATE_CHUNKS, own_replies
from harken.evals.streams import Case, Outcome
from harken.soundflow.repace import chunk_of_step

F64 = npt.NDArray[np.float64]


def on_the_clock(outcome: Outcome, case: Case, step_samples: int) -> Outcome:
    """The outcome of a session whose steps were `step_samples` long, as one of `case`: each reply
    at the chunk of 0.4 s in which its step ended.

    p_respond keeps the session's own steps.
    """
    last = len(case.percepts) - 1
    said = tuple(
        (min(last, chunk_of_step(step, step_samples)), text, emotion)
        for step, text, emotion in outcome.said
    )
    stopped = tuple(min(last, chunk_of_step(step, step_samples)) for step in outcome.stopped)
    return Outcome(case, said, outcome.p_respond, stopped)


def session_counts(outcome: Outcome) -> F64:
    """float64 [5]: replies due, those answered in time by a reply of their own, replies said, those
    that answer nothing that was due, hours."""
    due = outcome.case.due
    answered = sum(reply is not None for reply in own_replies(outcome, due))
    needless = sum(
        not any(d.start <= chunk <= d.chunk + LATE_CHUNKS for d in due)
        for chunk, _, _ in outcome.said
    )
    return np.array([len(due), answered, len(outcome.said), needless, outcome.case.hours])


def _ratio(part: int, whole: int) -> Callable[[F64], F64]:
    def statistic(totals: F64) -> F64:
        over, under = totals[..., part], totals[..., whole]
        divided: F64 = np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)
        return divided

    return statistic


MEASURES: Mapping[str, Callable[[F64], F64]] = {
    "due replies given in time": _ratio(1, 0),
    "needless replies per hour": _ratio(3, 4),
    "needless among those said": _ratio(3, 2),
}
"""Figures of summed counts of sessions."""
