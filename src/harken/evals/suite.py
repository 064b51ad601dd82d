"""The dev figures of a checkpoint: when it speaks, and what it says.

Beside balanced accuracy stand the constant baselines: always silent, always respond. Intervals draw
audios: what several variants or moments of one audio gave is not independent.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

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
from harken.live.trace import CHUNK_S
from harken.soundflow.composing import AGREED
from harken.soundflow.events import EVENTS
from harken.soundflow.texts import is_chinese

_STOP_ANSWER_CHUNKS, _LEFT_CHUNKS = 6, 8

_STOPWORDS = frozenset(
    """a an the is are was were there of in on to and it has have makes make people they that this
    do does did what which who how many much""".split()  # noqa: SIM905
)


_ARTICLE = re.compile(r"^(an?|the) ")
_NAMES = {label: _ARTICLE.sub("", kind.name) for label, kind in EVENTS.items()}
# The longest first: a smoke alarm is not an alarm, and a train no rain.
_NAMED = re.compile(rf"\b(?:{'|'.join(sorted(set(_NAMES.values()), key=len, reverse=True))})\b")

Hit: TypeAlias = tuple[str, bool]
"""The audio of an item, and whether it was right."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound in an audio: whether a reply to it was due, and whether something was said."""

    audio: str
    is_due: bool
    is_answered: bool


def words_of(text: str) -> list[str]:
    """Lower-case words; every Chinese character is a word."""
    return re.findall(r"[一-鿿]|[^\W_一-鿿]+", text.lower())


def _of(outcomes: Sequence[Outcome], *tasks: str) -> list[Outcome]:
    return [o for o in outcomes if o.case.task in tasks]


def _share(hits: Sequence[Hit]) -> Figure:
    return share([is_right for _, is_right in hits], [audio for audio, _ in hits])


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
    named = {o.case.audio: o.case.due for o in _of(outcomes, "narrate")}
    sounds = []
    for outcome in _of(outcomes, *policies):
        audio = outcome.case.audio
        wanted = {(d.cause, d.start) for d in outcome.case.due}
        for event in named.get(audio, outcome.case.due):
            if causes is None or event.cause in causes:
                is_due = (event.cause, event.start) in wanted
                sounds.append(Sound(audio, is_due, bool(outcome.answers(event))))
    return sounds


def _told_apart(sounds: Sequence[Sound]) -> tuple[Figure, Figure, Figure]:
    """Balanced accuracy, recall of due sounds, silence on the others."""
    return (
        _balanced(sounds),
        _share([(s.audio, s.is_answered) for s in sounds if s.is_due]),
        _share([(s.audio, not s.is_answered) for s in sounds if not s.is_due]),
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


def false_alarms(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Responses an hour where none is due."""
    figures = {}
    for name, task in (("ambience", "background"), ("talk", "others_talking")):
        chosen = _of(outcomes, task)
        figures[f"false alarms per hour of {name}"] = rate(
            [len(o.said) for o in chosen],
            [o.case.hours for o in chosen],
            [o.case.audio for o in chosen],
        )
    return figures


def naming(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Narrated events: answered in time with the right name."""
    hits = [
        (outcome.case.audio, any(_names(text, due) for text in outcome.answers(due)))
        for outcome in _of(outcomes, "narrate", "narrate_order")
        for due in outcome.case.due
        if due.cause in EVENTS
    ]
    return {"event naming": _share(hits)}


def _names(text: str, due: Due) -> bool:
    """Whether a text is the due one or holds the event's name without its article."""
    return text == due.text or _NAMES[due.cause] in _NAMED.findall(text.lower())


def counting(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Sessions whose counts are exactly the due ones, for two to six sounds; and in all sessions
    how many sounds were counted, and how many counts had no sound or one counted before."""
    exact: list[Hit] = []
    wider: list[Hit] = []
    last: list[Hit] = []
    counted: list[Hit] = []
    needless: list[Hit] = []
    for outcome in _of(outcomes, "count"):
        audio = outcome.case.audio
        due = [d for d in outcome.case.due if d.text != AGREED]
        said = [text for _, text, _ in outcome.said if text != AGREED]
        # The next sound may follow at once: a later count would be its own.
        found = [any(t != AGREED for t in outcome.answers(d, late=1)) for d in due]
        counted += [(audio, is_counted) for is_counted in found]
        needless += [(audio, n >= sum(found)) for n in range(len(said))]
        is_exact = said == [d.text for d in due]
        if 2 <= len(due) <= 8:
            wider.append((audio, is_exact))
        if 2 <= len(due) <= 6:
            exact.append((audio, is_exact))
            last.append((audio, said[-1:] == [due[-1].text]))
    return {
        "counting exact (2 to 6)": _share(exact),
        "counting exact (2 to 8)": _share(wider),
        "last count right": _share(last),
        "sounds counted": _share(counted),
        "needless counts among those said": _share(needless),
    }


def transcription(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """What was said as transcript against the words the ears committed."""
    pairs, audios = [], []
    for outcome in _of(outcomes, "transcribe"):
        spans = [d for d in outcome.case.due if d.cause == "transcript"]
        for start in sorted({d.start for d in spans}):
            group = [d for d in spans if d.start == start]
            first, end = group[0].chunk, group[-1].chunk + 2
            said = [t for c, t, _ in outcome.said if first <= c <= end]
            truth = " ".join(d.text for d in group)
            pairs.append((words_of(truth), words_of(" ".join(said))))
            audios.append(outcome.case.audio)
    return {"transcript against heard words, WER": error_rate(pairs, audios)}


def translation(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Translations in time, against the reference."""
    items = [
        (outcome.case.audio, due.text, " ".join(outcome.answers(due, late=6)))
        for outcome in _of(outcomes, "translate")
        for due in outcome.case.due
        if due.cause == "translation"
    ]
    done = _share([(audio, bool(said)) for audio, _, said in items])
    return {"sentences translated": done} | translated(items)


def translated(items: Sequence[tuple[str, str, str]]) -> dict[str, Figure]:
    """chrF and BLEU, into Chinese and into English, of (where it is from, reference, translation);
    intervals draw what is from one place together."""
    found = {}
    for way, language in (("en-zh", "zh"), ("zh-en", "en")):
        chosen = [item for item in items if is_chinese(item[1]) == (language == "zh")]
        pairs, of = [item[1:] for item in chosen], [item[0] for item in chosen]
        found[f"translation chrF {way}"] = chrf(pairs, of)
        found[f"translation BLEU {way}"] = bleu(pairs, language, of)
    return found


def answers(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Spoken questions: answered, and holding the words that make the answer."""
    spoke, right = [], []
    for outcome in _of(outcomes, "chat"):
        for due in outcome.case.due:
            said = " ".join(outcome.answers(due, late=6))
            asked = "".join(p.text for p in outcome.case.percepts[: due.chunk + 1])
            spoke.append((outcome.case.audio, bool(said)))
            right.append((outcome.case.audio, holds_answer(said, due.text, asked)))
    memory = [
        (outcome.case.audio, due.text in outcome.answers(due, late=6))
        for outcome in _of(outcomes, "remember")
        for due in outcome.case.due
        if due.cause == "recall"
    ]
    return {
        "questions answered": _share(spoke),
        "answers with the reference's key words": _share(right),
        "facts recalled": _share(memory),
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
                agreed.append((outcome.case.audio, bool(outcome.answers(due, late=6))))
            elif outcome.case.task == "tell_when":
                awaited.append((outcome.case.audio, bool(outcome.answers(due))))
    return {"orders acknowledged": _share(agreed), "awaited sounds reported": _share(awaited)}


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
            hit = (case.audio, bool(outcome.answers(due)))
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
                cancelled.append((case.audio, not needless))
    return {
        "replies under a standing order": _share(under),
        "replies under an order that replaced another": _share(changed),
        "cancelled orders left alone": _share(cancelled),
    }


def interruption(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """While our own voice plays: told to stop it stops, else it goes on; what it says to itself."""
    chosen = _of(outcomes, "interrupted")
    told = [
        (
            o.case.audio,
            any(stop - 2 <= chunk <= stop + 3 for chunk in o.stopped for stop in o.case.stops),
        )
        for o in chosen
        if o.case.stops
    ]
    untold = [(o.case.audio, not o.stopped) for o in chosen if not o.case.stops]
    to_itself = [sum(chunk in o.case.playing for chunk, *_ in o.said) for o in chosen]
    hours = [o.case.playing_hours for o in chosen]
    return {
        "told to stop, stopped": _share(told),
        "not told to stop, went on": _share(untold),
        "replies to its own voice per hour": rate(to_itself, hours, [o.case.audio for o in chosen]),
    }


def delay(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Seconds from the chunk where a response is due to the one after which it came."""
    late = [
        (outcome.case.audio, (chunk - due.chunk) * CHUNK_S)
        for outcome in outcomes
        for due in outcome.case.due
        for chunk in [c for c, _, _ in outcome.said if due.start <= c <= due.chunk + 6][:1]
    ]
    audios, seconds = [audio for audio, _ in late], np.array([s for _, s in late])
    median = bootstrap(len(late), lambda i: float(np.median(seconds[i])), audios)
    return {"reply delay, median s": median}


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Every figure of the suite by name."""
    found: dict[str, Any] = {}
    for part in (
        respond_or_ignore, false_alarms, naming, counting, transcription, translation, answers,
        orders, standing, interruption, delay,
    ):  # fmt: skip
        found |= part(outcomes)
    return found
