"""More from the same audio: other words in the place of those heard, replies at other chunks.

There are thousands of sentences, questions and facts as text and few as speech. What the listener
reads of speech are recognised words, so a stream may hold other ones at the same chunks, with the
reply that is due to them; what the other ears heard stays. Replies to sounds come sooner or later
than they are due (`retime`), orders and what ends them are worded otherwise (`reworded`).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from harken.soundflow.events import EVENTS, kind_counted
from harken.soundflow.homophones import with_slips
from harken.soundflow.overheard import overheard
from harken.soundflow.phrases import awaiting_order, counting_order, misheard
from harken.soundflow.questions import memory, questions
from harken.soundflow.retime import retimed
from harken.soundflow.reworded import reworded
from harken.soundflow.rows import gather, to_train_on, write_retold
from harken.soundflow.sources import sentences_zh_en
from harken.soundflow.studio import Studio
from harken.soundflow.texts import dialogue_lines, is_chinese, plain
from harken.soundflow.wording import (
    Row,
    as_long,
    heard_for,
    spread,
    text_at,
    units,
    utterances,
    with_words,
    words_of,
)
from harken.stream import Prefix

UNASKED_SHARE = 0.3
"""How often an interpreting or captioning stream loses its order, and then its replies."""
TALK_SHARE = 0.8
"""How often an utterance of talk that asks nothing is exchanged."""
FOREIGN_SHARE = 0.2
"""How many streams of such talk are held in another language than English or Chinese."""
_FOREIGN = (
    "dutch", "french", "german", "italian", "japanese", "korean", "portuguese", "russian",
    "spanish", "turkish",
)  # fmt: skip
OVERHEARD_SHARE = 0.6
"""How much of it becomes a line addressed to somebody else, the rest a plain sentence."""
MISHEARD_SHARE = 0.3
"""How often the noun of a counting order is not quite what was said."""
KEPT_FOR_TEST = 12
"""One in so many translated sentences is never learnt from."""
_REWORDED = (
    "stop", "order_transcribe", "order_translate_en", "order_translate_zh", "order_narrate",
)  # fmt: skip
"""Kinds of speech whose dev lines are not drawn for others."""

_NOT_ENGLISH = re.compile(r"[^\x00-\u024f\u2010-\u201f]|[à-öø-ÿ]")


@dataclass(frozen=True, slots=True)
class Texts:
    """What may be said instead: (Chinese, English) sentences and (question, answer).

    held_out: orders and stops of dev as plain text, which are not. foreign: lines of languages in
    which nobody speaks to the listener, each by itself.
    """

    sentences: Sequence[tuple[str, str]]
    questions: Sequence[tuple[str, str]]
    held_out: frozenset[str] = frozenset()
    foreign: Sequence[Sequence[str]] = ()


def texts_to_learn() -> Texts:
    """Everything but what dev streams say, what they ask about, and the sentences kept for test."""
    dev = Studio("dev")
    spoken = {s.text for n in ("en", "zh") for s in dev.all_spoken("sentence", n)}
    asked = {plain(s.text) for n in ("en", "zh") for s in dev.all_spoken("question", n)}
    sentences = [
        pair
        for pair in sentences_zh_en()
        if not spoken & set(pair) and sha256(pair[0].encode()).digest()[0] % KEPT_FOR_TEST
    ]
    answered = [pair for pair in questions() if plain(pair[0]) not in asked]
    foreign = [dialogue_lines(language) for language in _FOREIGN]
    return Texts(sentences, answered, _dev_orders(dev), foreign)


def retell(folder: Path, times: int, seed: int = 0, only: Sequence[str] = ()) -> int:
    """Add every training stream of a task in `TELLERS` `times` more with other words.

    `only`: names of tasks to choose from; all when empty. Returns how many variants the folder
    holds.

    Raises:
        HarkenError: an unknown task, or the folder holds no such stream to train on.
    """
    originals = to_train_on(folder, TELLERS, only, without=("retold", "unjudged"))
    texts = texts_to_learn()
    for n in range(times):
        tell = partial(retold, texts=texts, random=np.random.default_rng([seed, n]))
        write_retold(folder, f"retold-{seed}-{n}", originals, tell)
    return gather(folder)


def retold(row: Row, texts: Texts, random: np.random.Generator) -> Row | None:
    """A stream with other words; None when there is nothing to exchange in it."""
    told = TELLERS[row["task"]](row, texts, random)
    new = reworded(told or row, texts.held_out, random)
    return None if told is None and new == row else new


def _interpreted(row: Row, texts: Texts, random: np.random.Generator) -> Row | None:
    """Every sentence to be interpreted is another one."""
    words, said = words_of(row), []
    for chunk, text, emotion, cause in row["said"]:
        at = heard_for(row, chunk, cause)
        if cause == "translation" and at:
            source = 1 if is_chinese(text) else 0
            pair = as_long(text_at(words, at), texts.sentences, source, random)
            text = pair[1 - source]
            words |= spread(with_slips(pair[source], random), at, words)
        said.append([chunk, text, emotion, cause])
    return _or_unasked(with_words(row, words, said), texts, random)


def _captioned(row: Row, texts: Texts, random: np.random.Generator) -> Row | None:
    """Every sentence to be written down is another one, and so is its transcript."""
    words = words_of(row)
    waiting = [
        s for s in row["said"] if s[3] == "transcript" and words.get(s[0], "").strip() == s[1]
    ]
    for at in utterances([s[0] for s in waiting]):
        heard = text_at(words, at)
        source = 0 if is_chinese(heard) else 1
        if _can_exchange(heard):
            words |= spread(as_long(heard, texts.sentences, source, random)[source], at, words)
    same = {s[0] for s in waiting}
    said = [
        [chunk, words[chunk].strip() if chunk in same else text, emotion, cause]
        for chunk, text, emotion, cause in row["said"]
    ]
    return _or_unasked(with_words(row, words, [s for s in said if s[1]]), texts, random)


def _questioned(row: Row, texts: Texts, random: np.random.Generator) -> Row | None:
    """Other questions, with their answers, and other talk between them."""
    words, said = words_of(row), []
    for at in utterances(sorted(words)):
        heard = text_at(words, at)
        is_answered = any(at[0] <= chunk <= at[-1] + 1 for chunk, *_ in row["said"])
        if not is_answered and _can_exchange(heard):
            words |= spread(_sentence_like(heard, texts, random), at, words)
    for chunk, text, emotion, cause in row["said"]:
        at = heard_for(row, chunk, cause)
        if cause == "question" and at:
            heard = text_at(words, at)
            alike = [q for q in texts.questions if is_chinese(q[0]) == is_chinese(heard)]
            question, text = as_long(heard, alike, 0, random)
            words |= spread(with_slips(question, random), at, words)
        said.append([chunk, text, emotion, cause])
    return with_words(row, words, said) if said else None


def _talked(row: Row, texts: Texts, random: np.random.Generator) -> Row | None:
    """People say something else that asks nothing, or whatever it is in a foreign language."""
    words = words_of(row)
    is_foreign = bool(texts.foreign) and random.random() < FOREIGN_SHARE
    lines = texts.foreign[int(random.integers(len(texts.foreign)))] if is_foreign else ()
    for at in utterances(sorted(words)):
        heard = text_at(words, at)
        if _can_exchange(heard) and random.random() < TALK_SHARE:
            if lines:
                said = as_long(heard, [(line, line) for line in lines], 0, random)[0]
            else:
                said = _sentence_like(heard, texts, random)
            words |= spread(said, at, words)
    return with_words(row, words, row["said"]) if words else None


def _counted(row: Row, texts: Texts, random: np.random.Generator) -> Row | None:
    """The spoken order to count is worded otherwise, or the counts come sooner or later."""

    def worded(label: str) -> str | None:
        text = counting_order(label, random) if EVENTS[label].nouns else ""
        if set(kind_counted(text)) != {label}:
            return None
        return misheard(text, random) if random.random() < MISHEARD_SHARE else text

    return _ordered_anew(row, worded, random)


def _awaited(row: Row, texts: Texts, random: np.random.Generator) -> Row | None:
    """The spoken order to wait is worded otherwise, or the report comes sooner or later."""
    return _ordered_anew(row, lambda label: awaiting_order(label, random), random)


def _ordered_anew(
    row: Row, worded: Callable[[str], str | None], random: np.random.Generator
) -> Row | None:
    moved = retimed(row, random)
    orders = [s for s in row["said"] if s[3] == "order"]
    labels = {s[3] for s in row["said"]} & EVENTS.keys()
    text = worded(*labels) if len(orders) == 1 and len(labels) == 1 else None
    at = heard_for(row, orders[0][0], "order") if text else []
    if not text or not at:
        return moved
    words = words_of(row)
    return with_words(moved or row, words | spread(text, at, words), (moved or row)["said"])


def _retimed(row: Row, texts: Texts, random: np.random.Generator) -> Row | None:
    """What is said of sounds comes sooner or later."""
    return retimed(row, random)


def _nothing_else(row: Row, texts: Texts, random: np.random.Generator) -> Row | None:
    """Nothing of its own: what ends an order is worded otherwise in every stream."""
    return None


def _remembered(row: Row, texts: Texts, random: np.random.Generator) -> Row | None:
    """Something else is told and asked for."""
    words = words_of(row)
    causes = {cause: (chunk, emotion) for chunk, _, emotion, cause in row["said"]}
    told_at, asked_at = (
        heard_for(row, causes[cause][0], cause) if cause in causes else []
        for cause in ("fact", "recall")
    )
    if not told_at or not asked_at:
        return None
    language = "zh" if is_chinese(text_at(words, told_at)) else "en"
    new = memory(language, random)
    words |= spread(new.told, told_at, words) | spread(new.asked, asked_at, words)
    said = [
        [causes["fact"][0], new.reply, causes["fact"][1], "fact"],
        [causes["recall"][0], new.recalled, causes["recall"][1], "recall"],
    ]
    return with_words(row, words, said)


TELLERS: dict[str, Callable[[Row, Texts, np.random.Generator], Row | None]] = {
    "translate": _interpreted,
    "transcribe": _captioned,
    "chat": _questioned,
    "others_talking": _talked,
    "count": _counted,
    "tell_when": _awaited,
    "remember": _remembered,
    "care": _retimed,
    "narrate": _retimed,
    "narrate_order": _retimed,
    "change_order": _nothing_else,
}
"""What is changed in the streams of a task."""


def _dev_orders(dev: Studio) -> frozenset[str]:
    """Every order and stop that is spoken there, in plain words."""
    spoken = [s for kind in _REWORDED for n in ("en", "zh") for s in dev.all_spoken(kind, n)]
    return frozenset(plain(s.text) for s in spoken)


def _or_unasked(row: Row, texts: Texts, random: np.random.Generator) -> Row:
    """The row, or, sometimes, the same sentences without the order: nothing is due then."""
    if random.random() >= UNASKED_SHARE:
        return row
    words = words_of(row)
    for chunk, _, _, cause in row["said"]:
        at = heard_for(row, chunk, cause)
        if cause in ("order", "stop") and at:
            words |= spread(_sentence_like(text_at(words, at), texts, random), at, words)
    unasked = Prefix()
    prefix = {"policy": unasked.policy, "instruction": unasked.instruction}
    return with_words(row, words, []) | {"task": "others_talking", "prefix": prefix, "due": []}


def _can_exchange(heard: str) -> bool:
    """Whether there are sentences like it: in English or Chinese, of more than one word."""
    return len(units(heard)) > 1 and (is_chinese(heard) or not _NOT_ENGLISH.search(heard))


def _sentence_like(heard: str, texts: Texts, random: np.random.Generator) -> str:
    """Something that asks nothing in the language of `heard`, about as long."""
    source = 0 if is_chinese(heard) else 1
    if random.random() < OVERHEARD_SHARE:
        lines = [overheard("en" if source else "zh", random) for _ in range(30)]
        return as_long(heard, [(line, line) for line in lines], source, random)[source]
    return as_long(heard, texts.sentences, source, random)[source]
