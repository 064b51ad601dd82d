"""The dev figures of a checkpoint: when it speaks, and what it says.

Intervals draw audios: what several variants or moments of one audio gave is not independent.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from harken.evals.metrics import (
    Figure,
    Hit,
    bleu,
    bootstrap,
    chrf,
    error_rate,
    rate,
    share_of,
)
from harken.evals.replies import LATE_CHUNKS, WORDS_LATE_CHUNKS, own_replies, says
from harken.evals.respond_or_ignore import respond_or_ignore
from harken.evals.streams import Due, Outcome, of_tasks
from harken.live.trace import CHUNK_S
from harken.respond.sentences import words_of
from harken.soundflow.composing import AGREED
from harken.soundflow.events import EVENTS
from harken.soundflow.speech import spoken_form
from harken.soundflow.texts import is_chinese

_STOP_ANSWER_CHUNKS, _LEFT_CHUNKS = 6, 8

_STOPWORDS = frozenset(
    """a an the is are was were there of in on to and it has have makes make people they that this
    do does did what which who how many much""".split()  # noqa: SIM905
)


_NUMERALS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand million"
).replace(" ", "|")
_WITHIN_NUMBER = re.compile(rf"\b({_NUMERALS})(?: and |[ -])(?=(?:{_NUMERALS})\b)")
"""What stands between the words of one number, and the word before it."""

_ARTICLE = re.compile(r"^(an?|the) ")
_NAMES = {label: _ARTICLE.sub("", kind.name) for label, kind in EVENTS.items()}
# The longest first: a smoke alarm is not an alarm, and a train no rain.
_NAMED = re.compile(rf"\b(?:{'|'.join(sorted(set(_NAMES.values()), key=len, reverse=True))})\b")


def false_alarms(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Responses an hour where none is due."""
    figures = {}
    for name, task in (("ambience", "background"), ("talk", "others_talking")):
        chosen = of_tasks(outcomes, task)
        figures[f"false alarms per hour of {name}"] = rate(
            [len(o.said) for o in chosen],
            [o.case.hours for o in chosen],
            [o.case.audio for o in chosen],
        )
    return figures


def naming(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Narrated events: answered in time with the right name."""
    hits = []
    for outcome in of_tasks(outcomes, "narrate", "narrate_order"):
        due = [d for d in outcome.case.due if d.cause in EVENTS]
        replies = own_replies(outcome, due, fits=_names)
        hits += [(outcome.case.audio, reply is not None) for reply in replies]
    return {"event naming": share_of(hits)}


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
    for outcome in of_tasks(outcomes, "count"):
        audio = outcome.case.audio
        due = [d for d in outcome.case.due if d.text != AGREED]
        said = [text for _, text, _ in outcome.said if text != AGREED]
        # The next sound may follow at once: a later count would be its own.
        replies = own_replies(outcome, due, late=1, fits=lambda text, due: text != AGREED)
        found = [reply is not None for reply in replies]
        counted += [(audio, is_counted) for is_counted in found]
        needless += [(audio, n >= sum(found)) for n in range(len(said))]
        is_exact = said == [d.text for d in due]
        if 2 <= len(due) <= 8:
            wider.append((audio, is_exact))
        if 2 <= len(due) <= 6:
            exact.append((audio, is_exact))
            last.append((audio, said[-1:] == [due[-1].text]))
    return {
        "counting exact (2 to 6)": share_of(exact),
        "counting exact (2 to 8)": share_of(wider),
        "last count right": share_of(last),
        "sounds counted": share_of(counted),
        "needless counts among those said": share_of(needless),
    }


def transcription(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """What was said as transcript against the words the ears committed."""
    pairs, audios = [], []
    for outcome in of_tasks(outcomes, "transcribe"):
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
        (outcome.case.audio, due.text, said)
        for outcome in of_tasks(outcomes, "translate")
        for due, said in _worded(outcome)
        if due.cause == "translation"
    ]
    done = share_of([(audio, bool(said)) for audio, _, said in items])
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
    for outcome in of_tasks(outcomes, "chat"):
        for due, said in _worded(outcome):
            asked = "".join(p.text for p in outcome.case.percepts[: due.chunk + 1])
            spoke.append((outcome.case.audio, bool(said)))
            right.append((outcome.case.audio, holds_answer(said, due.text, asked)))
    memory = []
    for outcome in of_tasks(outcomes, "remember"):
        recalled = [d for d in outcome.case.due if d.cause == "recall"]
        replies = own_replies(outcome, recalled, WORDS_LATE_CHUNKS, says)
        memory += [(outcome.case.audio, reply is not None) for reply in replies]
    return {
        "questions answered": share_of(spoke),
        "answers with the reference's key words": share_of(right),
        "facts recalled": share_of(memory),
    }


def _worded(outcome: Outcome) -> Iterator[tuple[Due, str]]:
    """Everything due with the text of its own reply, empty where there is none."""
    due = outcome.case.due
    for d, reply in zip(due, own_replies(outcome, due, WORDS_LATE_CHUNKS), strict=True):
        yield d, reply[1] if reply else ""


def holds_answer(said: str, reference: str, question: str) -> bool:
    """Whether an answer holds every telling word of the reference that the question did not.

    English numbers are compared whole and as they are said: "36" is thirty six, and not thirty.
    """
    key = _spoken_words(reference) - _spoken_words(question) - _STOPWORDS
    return bool(key) and key <= _spoken_words(said)


def _spoken_words(text: str) -> set[str]:
    spoken = spoken_form(text, "zh" if is_chinese(text) else "en").text
    return set(words_of(_WITHIN_NUMBER.sub(r"\1", spoken.casefold())))


def orders(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Orders and stops acknowledged; awaited sounds reported."""
    agreed, awaited = [], []
    for outcome in outcomes:
        due = outcome.case.due
        soon, late = own_replies(outcome, due), own_replies(outcome, due, WORDS_LATE_CHUNKS)
        for n, d in enumerate(due):
            if d.cause in ("order", "stop"):
                agreed.append((outcome.case.audio, late[n] is not None))
            elif outcome.case.task == "tell_when":
                awaited.append((outcome.case.audio, soon[n] is not None))
    return {"orders acknowledged": share_of(agreed), "awaited sounds reported": share_of(awaited)}


def standing(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Replies under an order in force, under one that took another's place, and sessions in which
    nothing needless was said for what was left (at least 3.2 s) after an order was cancelled."""
    under, changed, cancelled = [], [], []
    for outcome in outcomes:
        case = outcome.case
        marks = [d for d in case.due if d.cause in ("order", "stop")]
        for due, reply in zip(case.due, own_replies(outcome, case.due), strict=True):
            before = [m for m in marks if m.chunk < due.chunk]
            in_force = before[-1].cause == "order" if before else bool(case.prefix.instruction)
            if due.cause in ("order", "stop") or not in_force:
                continue
            hit = (case.audio, reply is not None)
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
                    if first < c < end
                    and not any(d.start <= c <= d.chunk + LATE_CHUNKS for d in case.due)
                ]
                cancelled.append((case.audio, not needless))
    return {
        "replies under a standing order": share_of(under),
        "replies under an order that replaced another": share_of(changed),
        "cancelled orders left alone": share_of(cancelled),
    }


def interruption(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """While our own voice plays: told to stop it stops, each time anew, else it goes on; what it
    says to itself."""
    chosen = of_tasks(outcomes, "interrupted")
    told = [(o.case.audio, has_stopped) for o in chosen for has_stopped in _obeyed(o)]
    untold = [(o.case.audio, not o.stopped) for o in chosen if not o.case.stops]
    to_itself = [sum(chunk in o.case.playing for chunk, *_ in o.said) for o in chosen]
    hours = [o.case.playing_hours for o in chosen]
    return {
        "told to stop, stopped": share_of(told),
        "not told to stop, went on": share_of(untold),
        "replies to its own voice per hour": rate(to_itself, hours, [o.case.audio for o in chosen]),
    }


def _obeyed(outcome: Outcome) -> Iterator[bool]:
    """For each time it was told to stop: whether it did, from 0.8 s before to 1.2 s after."""
    left = list(outcome.stopped)
    for told in outcome.case.stops:
        chunk = next((c for c in left if told - 2 <= c <= told + 3), None)
        if chunk is not None:
            left.remove(chunk)
        yield chunk is not None


def delay(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Seconds from the chunk where a response is due to the one after which it came."""
    late = [
        (outcome.case.audio, (reply[0] - due.chunk) * CHUNK_S)
        for outcome in outcomes
        for due, reply in zip(
            outcome.case.due,
            own_replies(outcome, outcome.case.due, WORDS_LATE_CHUNKS),
            strict=True,
        )
        if reply
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
