"""Questions and memories as text: more than anybody was recorded asking.

`data/knowledge.json` holds families of questions, `open_answers.json` single ones (ours and some of
chatterbot-corpus); every answer is written by hand. `memories.json` holds things to remember and
how they are asked for.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from harken.soundflow.corpora import data_text

_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty",
)  # fmt: skip
_CHINESE_NUMBERS = "零一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class Memory:
    """Something told, what to say to it, how it is asked for, and what to say then."""

    told: str
    reply: str
    asked: str
    recalled: str


@cache
def questions() -> tuple[tuple[str, str], ...]:
    """(question, answer) in English and Chinese; none twice."""
    found = dict(_known())
    found |= dict(_sums())
    found |= json.loads(data_text("open_answers.json"))
    return tuple(found.items())


def memory(language: str, random: np.random.Generator) -> Memory:
    """Something to remember, in en or zh."""
    content = _memories()
    facts = content["facts"][language]
    # The first fact is the user's own name, which is what people tell most: it counts twice.
    fact = facts[max(0, int(random.integers(-1, len(facts))))]
    value = _pick(content["values"][language][fact["values"]], random)
    return Memory(
        _pick(fact["told"], random).format(value),
        fact["reply"].format(value),
        _pick(fact["ask"], random),
        fact["recall"].format(value),
    )


def _known() -> Iterator[tuple[str, str]]:
    for families in json.loads(data_text("knowledge.json")).values():
        for family in families:
            for subject, answer in family["pairs"]:
                reply = family["reply"].format(subject, answer)
                for ask in family["ask"]:
                    question = ask.format(subject, answer)
                    yield question[0].upper() + question[1:], reply[0].upper() + reply[1:]


def _sums() -> Iterator[tuple[str, str]]:
    """Adding, taking away and multiplying small numbers."""
    for a in range(2, 13):
        for b in range(2, 11):
            for way, result in (("plus", a + b), ("minus", a - b), ("times", a * b)):
                if 0 <= result < len(_NUMBERS):
                    sum_of = f"{_NUMBERS[a]} {way} {_NUMBERS[b]}"
                    yield f"What is {sum_of}?", f"{sum_of.capitalize()} is {_NUMBERS[result]}."
    for a in range(1, 10):
        for b in range(1, 11 - a):
            sum_of = f"{_CHINESE_NUMBERS[a]}加{_CHINESE_NUMBERS[b]}等于"
            yield f"{sum_of}多少？", f"{sum_of}{_CHINESE_NUMBERS[a + b]}。"


def _pick(items: list[str], random: np.random.Generator) -> str:
    return items[int(random.integers(len(items)))]


@cache
def _memories() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(data_text("memories.json"))
    return content
