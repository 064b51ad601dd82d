"""The dev figures of a checkpoint: when it speaks, and what it says.

Beside every decision figure stand the constant baselines: always silent, always respond.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from harken.evals.metrics import (
    Figure,
    balanced_accuracy,
    bleu,
    bootstrap,
    chrf,
    error_rate,
    rate,
    share,
)
from harken.evals.streams import Due, Outcome
from harken.soundflow.composing import AGREED
from harken.soundflow.events import EVENTS
from harken.soundflow.texts import is_chinese

_STOP_ANSWER_CHUNKS, _LEFT_CHUNKS = 6, 8

_STOPWORDS = frozenset(
    """a an the is are was were there of in on to and it has have makes make people they that this
    do does did what which who how many much""".split()  # noqa: SIM905
)


def words_of(text: str) -> list[str]:
    """Lower-case words; every Chinese character is a word."""
    return re.findall(r"[一-鿿]|[^\W_一-鿿]+", text.lower())


def _of(outcomes: Sequence[Outcome], *tasks: str) -> list[Outcome]:
    return [o for o in outcomes if o.case.task in tasks]


def respond_or_ignore(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Sounds under care and quiet: the due ones answered, the others (known from the same audio
    under narrate) left alone. Beside them the same under bench."""
    due, spoken = answered(outcomes, "care", "quiet")
    truth, got = np.array(due, bool), np.array(spoken, bool)
    return {
        "balanced accuracy": balanced_accuracy(due, spoken),
        "always silent": balanced_accuracy(due, [False] * len(due)),
        "always respond": balanced_accuracy(due, [True] * len(due)),
        "recall of due": share(list(got[truth])),
        "silence on others": share(list(~got[~truth])),
        "balanced accuracy, bench": balanced_accuracy(*answered(outcomes, "bench")),
    }


def answered(
    outcomes: Sequence[Outcome], *policies: str, causes: Collection[str] | None = None
) -> tuple[list[bool], list[bool]]:
    """For every sound (of `causes`) under those policies: was a reply due, was something said."""
    named = {o.case.audio: o.case.due for o in _of(outcomes, "narrate")}
    due: list[bool] = []
    spoken: list[bool] = []
    for outcome in _of(outcomes, *policies):
        wanted = {(d.cause, d.start) for d in outcome.case.due}
        for event in named.get(outcome.case.audio, outcome.case.due):
            if causes is not None and event.cause not in causes:
                continue
            due.append((event.cause, event.start) in wanted)
            spoken.append(bool(outcome.answers(event)))
    return due, spoken


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
    found = {}
    for name, labels in groups.items():
        due, spoken = answered(outcomes, "care", "quiet", causes=labels)
        truth, got = np.array(due, bool), np.array(spoken, bool)
        found[f"balanced accuracy, {name}"] = balanced_accuracy(due, spoken)
        found[f"recall of due, {name}"] = share(list(got[truth]))
        found[f"silence on others, {name}"] = share(list(~got[~truth]))
    return found


def false_alarms(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Responses an hour where none is due."""
    figures = {}
    for name, task in (("ambience", "background"), ("talk", "others_talking")):
        chosen = _of(outcomes, task)
        figures[f"false alarms per hour of {name}"] = rate(
            [len(o.said) for o in chosen], [o.case.hours for o in chosen]
        )
    return figures


def naming(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Narrated events: answered in time with the right name."""
    hits: list[bool] = []
    for outcome in _of(outcomes, "narrate", "narrate_order"):
        for due in outcome.case.due:
            if due.cause in EVENTS:
                hits.append(any(_names(t, due) for t in outcome.answers(due)))
    return {"event naming": share(hits)}


def _names(text: str, due: Due) -> bool:
    """Whether a text is the due one or holds the event's name without its article."""
    name = re.sub(r"^(an?|the) ", "", EVENTS[due.cause].name)
    return text == due.text or name in text.lower()


def counting(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Sessions whose counts are exactly the due ones, for two to six sounds; and in all sessions
    how many sounds were counted, and how many counts had no sound or one counted before."""
    exact, last, counted, needless = [], [], [], []
    wider: list[bool] = []
    for outcome in _of(outcomes, "count"):
        due = [d for d in outcome.case.due if d.text != AGREED]
        said = [text for _, text, _ in outcome.said if text != AGREED]
        # The next sound may follow at once: a later count would be its own.
        found = [any(t != AGREED for t in outcome.answers(d, late=1)) for d in due]
        counted += found
        needless += [n >= sum(found) for n in range(len(said))]
        if 2 <= len(due) <= 8:
            wider.append(said == [d.text for d in due])
        if 2 <= len(due) <= 6:
            exact.append(said == [d.text for d in due])
            last.append(said[-1:] == [d.text for d in due[-1:]])
    return {
        "counting exact (2 to 6)": share(exact),
        "counting exact (2 to 8)": share(wider),
        "last count right": share(last),
        "sounds counted": share(counted),
        "needless counts among those said": share(needless),
    }


def transcription(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """What was said as transcript against the words the ears committed."""
    pairs = []
    for outcome in _of(outcomes, "transcribe"):
        spans = [d for d in outcome.case.due if d.cause == "transcript"]
        for start in sorted({d.start for d in spans}):
            group = [d for d in spans if d.start == start]
            first, end = group[0].chunk, group[-1].chunk + 2
            said = [t for c, t, _ in outcome.said if first <= c <= end]
            truth = " ".join(d.text for d in group)
            pairs.append((words_of(truth), words_of(" ".join(said))))
    return {"transcript against heard words, WER": error_rate(pairs)}


def translation(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Translations in time, against the reference."""
    pairs = [
        (due.text, " ".join(outcome.answers(due, late=6)))
        for outcome in _of(outcomes, "translate")
        for due in outcome.case.due
        if due.cause == "translation"
    ]
    return {"sentences translated": share([bool(said) for _, said in pairs])} | translated(pairs)


def translated(pairs: Sequence[tuple[str, str]]) -> dict[str, Figure]:
    """chrF and BLEU of (reference, translation) pairs, into Chinese and into English."""
    found = {}
    for way, language in (("en-zh", "zh"), ("zh-en", "en")):
        chosen = [p for p in pairs if is_chinese(p[0]) == (language == "zh")]
        found[f"translation chrF {way}"] = chrf(chosen)
        found[f"translation BLEU {way}"] = bleu(chosen, language)
    return found


def answers(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Spoken questions: answered, and holding the words that make the answer."""
    spoke, right = [], []
    for outcome in _of(outcomes, "chat"):
        for due in outcome.case.due:
            said = " ".join(outcome.answers(due, late=6))
            asked = "".join(p.text for p in outcome.case.percepts[: due.chunk + 1])
            spoke.append(bool(said))
            right.append(holds_answer(said, due.text, asked))
    memory = []
    for outcome in _of(outcomes, "remember"):
        for due in outcome.case.due:
            if due.cause == "recall":
                memory.append(due.text in outcome.answers(due, late=6))
    return {
        "questions answered": share(spoke),
        "answers with the reference's key words": share(right),
        "facts recalled": share(memory),
    }


def holds_answer(said: str, reference: str, question: str) -> bool:
    """Whether an answer holds every telling word of the reference that the question did not."""
    asked = set(words_of(question))
    key = {w for w in words_of(reference) if w not in asked and w not in _STOPWORDS}
    return bool(key) and key <= set(words_of(said))


def orders(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Orders and stops acknowledged; awaited sounds reported."""
    agreed, awaited = [], []
    for outcome in outcomes:
        for due in outcome.case.due:
            if due.cause in ("order", "stop"):
                agreed.append(bool(outcome.answers(due, late=6)))
            elif outcome.case.task == "tell_when":
                awaited.append(bool(outcome.answers(due)))
    return {"orders acknowledged": share(agreed), "awaited sounds reported": share(awaited)}


def standing(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Replies under an order in force, under one that took another's place, and sessions in which
    nothing needless was said for what was left (at least 3.2 s) after an order was cancelled."""
    under, changed, cancelled = [], [], []
    for outcome in outcomes:
        case = outcome.case
        marks = [d for d in case.due if d.cause in ("order", "stop")]
        for due in case.due:
            before = [m for m in marks if m.chunk < due.chunk]
            in_force = before[-1].cause == "order" if before else bool(case.prefix.instruction)
            if due.cause in ("order", "stop") or not in_force:
                continue
            hit = bool(outcome.answers(due))
            under.append(hit)
            if sum(m.cause == "order" for m in before) + bool(case.prefix.instruction) > 1:
                changed.append(hit)
        for n, mark in enumerate(marks):
            end = marks[n + 1].start if n + 1 < len(marks) else len(case.percepts)
            first = mark.chunk + _STOP_ANSWER_CHUNKS
            if mark.cause == "stop" and end - first >= _LEFT_CHUNKS:
                needless = [
                    c
                    for c, *_ in outcome.said
                    if first < c < end and not any(d.start <= c <= d.chunk + 4 for d in case.due)
                ]
                cancelled.append(not needless)
    return {
        "replies under a standing order": share(under),
        "replies under an order that replaced another": share(changed),
        "cancelled orders left alone": share(cancelled),
    }


def interruption(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """While our own voice plays: told to stop it stops, else it goes on; what it says to itself."""
    chosen = _of(outcomes, "interrupted")
    told = [
        any(stop - 2 <= chunk <= stop + 3 for chunk in o.stopped for stop in o.case.stops)
        for o in chosen
        if o.case.stops
    ]
    untold = [not o.stopped for o in chosen if not o.case.stops]
    to_itself = [sum(chunk in o.case.playing for chunk, *_ in o.said) for o in chosen]
    hours = [o.case.playing_hours for o in chosen]
    return {
        "told to stop, stopped": share(told),
        "not told to stop, went on": share(untold),
        "replies to its own voice per hour": rate(to_itself, hours),
    }


def delay(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Seconds from the chunk where a response is due to the one after which it came."""
    late = np.array(
        [
            (chunk - due.chunk) * 0.4
            for outcome in outcomes
            for due in outcome.case.due
            for chunk in [c for c, _, _ in outcome.said if due.start <= c <= due.chunk + 6][:1]
        ]
    )
    return {"reply delay, median s": bootstrap(len(late), lambda i: float(np.median(late[i])))}


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Every figure of the suite by name."""
    found: dict[str, Any] = {}
    for part in (
        respond_or_ignore, false_alarms, naming, counting, transcription, translation, answers,
        orders, standing, interruption, delay,
    ):  # fmt: skip
        found |= part(outcomes)
    return found
