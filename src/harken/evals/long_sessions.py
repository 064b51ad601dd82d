"""Figures of joined streams: what is kept against the parts alone, facts later, our own voice."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harken.evals.metrics import Figure, bootstrap, rate, share
from harken.evals.replies import WORDS_LATE_CHUNKS, own_replies, says
from harken.evals.session_counts import session_counts
from harken.evals.streams import Case, Outcome
from harken.soundflow.joined import CHUNKS_PER_MINUTE

F64 = npt.NDArray[np.float64]


def segments_of(outcome: Outcome, parts: Sequence[Case]) -> list[Outcome]:
    """What was said in each part of a joined session, on the clock of the part."""
    found, at = [], 0
    for part in parts:
        end = at + len(part.percepts)
        said = tuple((c - at, t, e) for c, t, e in outcome.said if at <= c < end)
        stopped = tuple(c - at for c in outcome.stopped if at <= c < end)
        found.append(replace(outcome, case=part, said=said, stopped=stopped, p_respond=()))
        at = end
    return found


def kept(
    sessions: Sequence[Sequence[Outcome]], alone: Sequence[Sequence[Outcome]]
) -> dict[str, Figure]:
    """The score in joined sessions over the score of the same parts alone; n counts sessions.

    sessions: of every joined session its segments; alone: the same parts in sessions of their own.
    The score is F1 of replies: 2 answered / (due + answered + needless), of summed counts.
    """
    whole, single = _counts(sessions), _counts(alone)

    def ratio(i: npt.NDArray[np.int64]) -> float:
        base = _f1(single[i].sum((0, 1)))
        return _f1(whole[i].sum((0, 1))) / base if base > 0 else float("nan")

    n = len(whole)
    figures = {
        "score joined (F1)": bootstrap(n, lambda i: _f1(whole[i].sum((0, 1)))),
        "score alone (F1)": bootstrap(n, lambda i: _f1(single[i].sum((0, 1)))),
        "kept": bootstrap(n, ratio),
    }
    for k in range(whole.shape[1]):

        def score(i: npt.NDArray[np.int64], k: int = k) -> float:
            return _f1(whole[i, k].sum(0))

        figures[f"score joined, segment {k + 1}"] = bootstrap(n, score)
    return figures


def facts(later: Sequence[Outcome], alone: Sequence[Outcome]) -> dict[str, Figure]:
    """Facts recalled after other streams and in their own short stream, and how many still stood
    in the context when they were asked for."""
    return {
        "facts recalled later": share([_recalled(o) for o in later]),
        "facts recalled in a short stream": share([_recalled(o) for o in alone]),
        "facts still in the context": share([_still_there(o) for o in later]),
        "minutes between": bootstrap(
            len(later), lambda i: float(np.mean([_age_min(later[k]) for k in i]))
        ),
        "compactions a session": rate([len(o.compactions) for o in later], [1.0] * len(later)),
    }


def own_voice(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Replies to our own voice, and falling silent untold, per hour of it."""
    hours = [o.case.playing_hours for o in outcomes]
    return {
        "replies to its own voice per hour": rate(
            [sum(c in o.case.playing for c, *_ in o.said) for o in outcomes], hours
        ),
        "stops untold per hour of its own voice": rate([len(o.stopped) for o in outcomes], hours),
    }


def _counts(sessions: Sequence[Sequence[Outcome]]) -> F64:
    """float64 [sessions, segments, 5]."""
    return np.array([[session_counts(o) for o in segments] for segments in sessions])


def _f1(counts: F64) -> float:
    due, answered, _, needless, _ = counts
    over = due + answered + needless
    return float(2 * answered / over) if over else 1.0


def _recalled(outcome: Outcome) -> bool:
    asked = [d for d in outcome.case.due if d.cause == "recall"]
    return None not in own_replies(outcome, asked, WORDS_LATE_CHUNKS, says)


def _age_min(outcome: Outcome) -> float:
    told, asked = (
        next(d.chunk for d in outcome.case.due if d.cause == cause) for cause in ("fact", "recall")
    )
    return (asked - told) / CHUNKS_PER_MINUTE


def _still_there(outcome: Outcome) -> bool:
    """Whether no compaction before the question lost the words of the fact."""
    told = next(d for d in outcome.case.due if d.cause == "fact")
    asked = next(d for d in outcome.case.due if d.cause == "recall")
    heard = [
        p.text.strip()
        for p in outcome.case.percepts[max(0, told.start - 1) : told.chunk + 1]
        if p.text.strip()
    ]
    lost = " ".join(c.dropped_words for c in outcome.compactions if c.chunk <= asked.chunk)
    return not any(words in lost for words in heard)
