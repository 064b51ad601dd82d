"""Composers of talk that needs what came before: follow-ups, another direction of interpreting."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from harken.soundflow import sources
from harken.soundflow.bursts import first_burst
from harken.soundflow.composing import (
    agreed,
    answer,
    bare_scene,
    language_for,
    level,
    order,
    pick,
    plain_sound,
    say,
    sometimes_text,
)
from harken.soundflow.corpora import data_text
from harken.soundflow.phrases import BOTH_WAYS
from harken.soundflow.questions import questions
from harken.soundflow.scene import Due, Scene, Variant
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE, Prefix

BOTH_WAYS_SHARE = 0.4
"""How often one order asks for both directions, instead of a second order for the other one."""

_SAME_LANGUAGE_SHARE = 0.15
"""How often a sentence is already in the language that is asked for: nothing is due to it."""
_OTHER_LANGUAGE = {"en": "zh", "zh": "en"}
_ORDER = {"en": "order_translate_zh", "zh": "order_translate_en"}
"""The kind of order that has sentences of a language translated."""


def switch_direction(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Interpreting from one language, then from the other one: on request, or both ways."""
    scene = bare_scene(studio, random, 28, 40)
    now = "en" if random.random() < 0.5 else "zh"
    both = random.random() < BOTH_WAYS_SHARE
    prefix, due = order(
        scene, studio, _both_ways(studio, random) if both else _into(now, studio, random)
    )
    switches_at = int(scene.samples * random.uniform(0.4, 0.55))
    switched = False
    while True:
        spoken = now
        if not both and random.random() < _SAME_LANGUAGE_SHARE:
            spoken = _OTHER_LANGUAGE[now]
        line = studio.spoken("sentence", spoken, random)
        if not scene.fits(studio.voice(line), 1.8):
            break
        span = say(scene, studio, line)
        if spoken == now:
            due.append(answer(span, line.other, "translation"))
        scene.wait(1.7, 2.8)
        if both:
            now = _OTHER_LANGUAGE[now] if random.random() < 0.6 else now
        elif not switched and scene.at > switches_at:
            now, switched = _OTHER_LANGUAGE[now], True
            wanted = studio.spoken(_ORDER[now], language_for(random, studio, _ORDER[now]), random)
            due.append(agreed(say(scene, studio, wanted), wanted))
            scene.wait(1.6, 2.4)
    return scene, [Variant("switch_direction", prefix, tuple(due))]


def _into(now: str, studio: Studio, random: np.random.Generator) -> Spoken | str:
    kind = _ORDER[now]
    return sometimes_text(
        random, studio.spoken(kind, language_for(random, studio, kind), random), 0.3
    )


def _both_ways(studio: Studio, random: np.random.Generator) -> Spoken | str:
    lines = [s for n in ("en", "zh") for s in studio.all_spoken("order_both_ways", n)]
    if lines and random.random() < 0.6:
        return lines[int(random.integers(len(lines)))]
    return pick(random, BOTH_WAYS)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question, its answer, and a second one that needs the first, with the answer to that."""

    first: Spoken
    then: Spoken
    reply: str


def follow_up(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A question and one or two that need it, sometimes with a sound or talk in between."""
    pairs = _pairs(studio)
    if not pairs:
        raise LookupError(f"no question and follow-up in split {studio.split}")
    scene = bare_scene(studio, random, 28, 38)
    scene.wait(0.6, 2.5)
    due: list[Due] = []
    while True:
        first = pairs[int(random.integers(len(pairs)))].first
        # One for each answer: the same is not asked twice.
        thens = list({p.reply: p for p in pairs if p.first.text == first.text}.values())
        chosen = [thens[int(i)] for i in random.permutation(len(thens))[: random.integers(1, 3)]]
        if _is_sum(first.text):
            # A second step would start from the result of the first, not from the question.
            chosen = chosen[:1]
        needed = sum(len(studio.voice(s)) for s in (first, *(p.then for p in chosen)))
        if scene.at + needed + 5 * (1 + len(chosen)) * SAMPLE_RATE > scene.samples:
            break
        due.append(answer(say(scene, studio, first), first.other, "question"))
        for pair in chosen:
            scene.wait(2.2, 3.4)
            if random.random() < 0.2:
                _aside(scene, studio)
            due.append(answer(say(scene, studio, pair.then), pair.reply, "follow_up"))
        scene.wait(2.5, 4.0)
    return scene, [Variant("follow_up", Prefix(), tuple(due))]


@lru_cache(maxsize=2)
def _pairs(studio: Studio) -> tuple[FollowUp, ...]:
    """Worked out once: it takes seconds."""
    return tuple(follow_ups(studio))


def _aside(scene: Scene, studio: Studio) -> None:
    """A short harmless sound."""
    random = scene.random
    label, clip, source = plain_sound(scene, studio)
    scene.place(first_burst(clip, 1.2), level(random) - 4, source, label)
    scene.wait(0.8, 1.4)


_SUBJECTS = (
    ("And what about {}?", ""),
    ("What about {}?", ""),
    ("And of {}?", "of {0}"),
    ("And for {}?", "for {0}"),
    ("And in {}?", "in {0}"),
    ("And {}?", ""),
    ("那{}呢？", ""),
)
"""How a follow-up names its subject, and what the question must say for it to fit."""
_SUM: dict[str, Callable[[int, int], int]] = {
    "And times {}?": lambda a, b: a * b,
    "And plus {}?": lambda a, b: a + b,
    "And minus {}?": lambda a, b: a - b,
}
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10}
_RESULTS = {
    "What is five plus seven?": 12,
    "What is nine plus six?": 15,
    "What is two plus two?": 4,
    "What is ten minus three?": 7,
    "What is fifteen minus eight?": 7,
    "What is six times six?": 36,
    "What is twenty minus six?": 14,
    "What is three times four?": 12,
    "What is seven times eight?": 56,
    "What is nine times nine?": 81,
    "What is ten divided by two?": 5,
    "What is one hundred divided by four?": 25,
    "What is half of fifty?": 25,
    "What is twice thirty?": 60,
    "What is the square root of eighty one?": 9,
}


def follow_ups(studio: Studio) -> Iterator[FollowUp]:
    """Every question of a split with every follow-up that has an answer after it.

    The answer is the one that the whole question has where it is asked at once ("And of Italy?"
    after the capital of Austria: "What is the capital of Italy?"); streams to train on leave out
    what dev streams ask.
    """
    known = _answers(studio.split)
    for language in ("en", "zh"):
        firsts = [s for s in studio.all_spoken("question", language) if s.other]
        for then in studio.all_spoken("follow_up", language):
            for first in firsts:
                reply = _summed(first.text, then.text) or _whole(first.text, then.text, known)
                if reply and reply != first.other:
                    yield FollowUp(first, then, reply)


def _is_sum(question: str) -> bool:
    return question in _RESULTS


def _summed(first: str, then: str) -> str:
    """The answer to "And times two?" after a sum; empty for anything else."""
    result = _RESULTS.get(first)
    for form, work in _SUM.items():
        number = _NUMBERS.get(_filled(form, then))
        if result is not None and number is not None:
            return f"That is {work(result, number)}."
    return ""


def _whole(first: str, then: str, known: Mapping[str, str]) -> str:
    """The answer to the question that both make together; empty if they make none."""
    for ask, pairs in _families():
        subject = _filled(ask, first)
        if not subject:
            continue
        if then == "And after that?":
            later = pairs.get(subject, "") if "after {0}" in ask else ""
            return known.get(ask.format(later), "") if later else ""
        for form, needed in _SUBJECTS:
            other = _filled(form, then)
            if other and needed in ask and (answered := known.get(ask.format(other))):
                return answered
    return ""


def _filled(form: str, text: str) -> str:
    """What stands in the place of `{}` or `{0}` in a text of that form; empty if it is not."""
    before, after = re.split(r"\{0?\}", form, maxsplit=1)
    fits = text.startswith(before) and text.endswith(after) and len(text) > len(before + after)
    return text[len(before) : len(text) - len(after)] if fits else ""


@cache
def _families() -> tuple[tuple[str, dict[str, str]], ...]:
    """The ways to ask of `knowledge.json`, each with its subjects and what is told of them."""
    content: dict[str, list[dict[str, Any]]] = json.loads(data_text("knowledge.json"))
    return tuple(
        (ask, {subject: told for subject, told in family["pairs"]})
        for families in content.values()
        for family in families
        for ask in family["ask"]
        # Without words around it any text would be one of its subjects.
        if len(ask.replace("{0}", "")) > 3 and "{1}" not in ask
    )


@cache
def _answers(split: str) -> dict[str, str]:
    known = dict(questions())
    for clip in sources.speech_pack(split):
        if clip.kind == "question" and clip.other:
            known.setdefault(clip.text, clip.other)
    if split == "train":
        asked = {clip.text for clip in sources.speech_pack("dev") if clip.kind == "question"}
        known = {text: reply for text, reply in known.items() if text not in asked}
    return known
