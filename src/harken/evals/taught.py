"""What came of a lesson: the same held-out sessions before and after it, by the thresholds served.

The taught sound comes from recordings that were held out. Beside it stands what should not have
changed: replies where none is due, and replies that were right before.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest

from harken.decide.listener import Listener
from harken.decide.model import operating_point
from harken.decide.onnx_listener import OnnxListener
from harken.decide.rule import OperatingPoint
from harken.evals.metrics import Figure, rate, share
from harken.evals.replies import LATE_CHUNKS, own_replies, says
from harken.evals.streams import Case, Outcome, run
from harken.soundflow.lesson import CAUSE


def chosen(found: Iterable[Case], taught: int, others: int) -> list[Case]:
    """So many cases of the lesson and so many others, the tasks in turn, always the same."""
    by_task: dict[str, list[Case]] = {}
    for case in found:
        by_task.setdefault(case.task, []).append(case)
    lesson = by_task.pop(CAUSE, [])[:taught]
    turns = zip_longest(*(by_task[task] for task in sorted(by_task)))
    rest = [case for turn in turns for case in turn if case is not None]
    return [*lesson, *rest[:others]]


def sessions(cases: Sequence[Case], listener: OnnxListener) -> list[Outcome]:
    """Every case through the loop that users run, at the thresholds of the checkpoint."""
    checkpoint = listener.checkpoint
    return sessions_at(cases, listener, lambda policy: operating_point(checkpoint, policy))


def sessions_at(
    cases: Sequence[Case], listener: Listener, point: Callable[[str], OperatingPoint]
) -> list[Outcome]:
    """Every case with the operating point of its policy."""
    return [run(case, listener, point(case.prefix.policy)) for case in cases]


def figures(outcomes: Sequence[Outcome], text: str) -> dict[str, Figure]:
    """The figures of one checkpoint for a lesson whose reply is `text`."""
    answered, worded, audios, stray, others = [], [], [], [], []
    for outcome in outcomes:
        wanted = [d for d in outcome.case.due if d.cause == CAUSE]
        answered += [reply is not None for reply in own_replies(outcome, wanted)]
        right = own_replies(outcome, wanted, fits=lambda said, due: said == text)
        worded += [reply is not None for reply in right]
        audios += [outcome.case.audio] * len(wanted)
        excused = {c for d in outcome.case.due for c in range(d.start, d.chunk + LATE_CHUNKS + 1)}
        heard = {c for d in wanted for c in range(d.start, d.chunk + LATE_CHUNKS + 1)}
        stray.append(sum(t == text and c not in heard for c, t, _ in outcome.said))
        others.append(sum(c not in excused for c, *_ in outcome.said))
    hours, streams = [o.case.hours for o in outcomes], [o.case.audio for o in outcomes]
    return {
        "taught sound answered": share(answered, audios),
        "with the taught reply": share(worded, audios),
        "taught reply to something else, per hour": rate(stray, hours, streams),
        "replies where none is due, per hour": rate(others, hours, streams),
    }


def kept(before: Sequence[Outcome], after: Sequence[Outcome]) -> Figure:
    """Of the replies to anything else that were right before: how many still are."""
    hits, audios = [], []
    for was, now in zip(before, after, strict=True):
        due = [d for d in was.case.due if d.cause != CAUSE]
        right = (own_replies(outcome, due, fits=says) for outcome in (was, now))
        for old, new in zip(*right, strict=True):
            if old is not None:
                hits.append(new is not None)
                audios.append(was.case.audio)
    return share(hits, audios)


def report(before: Sequence[Outcome], after: Sequence[Outcome], text: str) -> list[str]:
    """Lines for people: each figure before and after."""
    was, now = figures(before, text), figures(after, text)
    lines = [f"{name:42} {was[name]}  ->  {now[name]}" for name in was]
    return [*lines, f"{'right replies to anything else kept':42} {kept(before, after)}"]
