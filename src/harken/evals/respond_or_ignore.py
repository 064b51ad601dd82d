"""Whether the right moments are told apart: sounds that deserve a reply, and all others.

Beside balanced accuracy stand the constant baselines: always silent, always respond.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harken.evals.metrics import Figure, balanced_accuracy, share_of
from harken.evals.replies import own_replies
from harken.evals.streams import Outcome, of_tasks
from harken.soundflow.events import EVENTS


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound in an audio: whether a reply to it was due, and whether something was said."""

    audio: str
    is_due: bool
    is_answered: bool


def respond_or_ignore(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Sounds under care and quiet: the due ones answered, the others (known from the same audio
    under narrate) left alone. Beside them the same under bench."""
    sounds = answered(outcomes, "care", "quiet")
    accuracy, recall, silence = _told_apart(sounds)
    return {
        "balanced accuracy": accuracy,
        "always silent": _balanced([replace(s, is_answered=False) for s in sounds]),
        "always respond": _balanced([replace(s, is_answered=True) for s in sounds]),
        "recall of due": recall,
        "silence on others": silence,
        "balanced accuracy, bench": _balanced(answered(outcomes, "bench")),
    }


def answered(
    outcomes: Sequence[Outcome], *policies: str, causes: Collection[str] | None = None
) -> list[Sound]:
    """Every sound (of `causes`) under those policies."""
    named = {o.case.audio: o.case.due for o in of_tasks(outcomes, "narrate")}
    sounds = []
    for outcome in of_tasks(outcomes, *policies):
        audio = outcome.case.audio
        wanted = {(d.cause, d.start) for d in outcome.case.due}
        events = [((e.cause, e.start) in wanted, e) for e in named.get(audio, outcome.case.due)]
        events.sort(key=lambda event: not event[0])  # a reply belongs to what deserved it
        replies = own_replies(outcome, [e for _, e in events])
        for (is_due, event), reply in zip(events, replies, strict=True):
            if causes is None or event.cause in causes:
                sounds.append(Sound(audio, is_due, reply is not None))
    return sounds


def _told_apart(sounds: Sequence[Sound]) -> tuple[Figure, Figure, Figure]:
    """Balanced accuracy, recall of due sounds, silence on the others."""
    return (
        _balanced(sounds),
        share_of([(s.audio, s.is_answered) for s in sounds if s.is_due]),
        share_of([(s.audio, not s.is_answered) for s in sounds if not s.is_due]),
    )


def _balanced(sounds: Sequence[Sound]) -> Figure:
    return balanced_accuracy(
        [s.is_due for s in sounds], [s.is_answered for s in sounds], [s.audio for s in sounds]
    )


def categories(rows: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Labels of events by what train rows hold of them: recordings (seen), imagined only, none."""
    recorded: set[str] = set()
    imagined: set[str] = set()
    for row in rows:
        if row["split"] == "train":
            labels = {label for *_, label in row.get("sounds", [])}
            (imagined if row.get("resound") else recorded).update(labels)
    seen, only = recorded & EVENTS.keys(), (imagined - recorded) & EVENTS.keys()
    return {"seen": seen, "imagined only": only, "unseen": set(EVENTS) - seen - only}


def by_category(
    outcomes: Sequence[Outcome], groups: Mapping[str, Collection[str]]
) -> dict[str, Figure]:
    """Respond or ignore under care and quiet, by groups of labels."""
    found: dict[str, Figure] = {}
    for name, labels in groups.items():
        sounds = answered(outcomes, "care", "quiet", causes=labels)
        names = (
            f"{what}, {name}"
            for what in ("balanced accuracy", "recall of due", "silence on others")
        )
        found |= zip(names, _told_apart(sounds), strict=True)
    return found
