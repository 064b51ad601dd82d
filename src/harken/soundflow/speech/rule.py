"""A rule of reading aloud: a pattern, what is said for it, and a record of what was changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One replacement. kind: such as `date` or `unit`; written, spoken: before and after."""

    kind: str
    written: str
    spoken: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What is said for each match of a pattern."""

    kind: str
    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str]


def rule(
    kind: str, pattern: str, say: str | Callable[[re.Match[str]], str], flags: int = 0
) -> Rule:
    """A rule from the source of its pattern; `say` may be one text for every match."""
    if isinstance(say, str):
        said = say
        return Rule(kind, re.compile(pattern, flags), lambda _: said)
    return Rule(kind, re.compile(pattern, flags), say)


def apply(rules: Iterable[Rule], text: str) -> tuple[str, list[Change]]:
    """`text` after all rules in their order, and what they changed."""
    changes: list[Change] = []
    for each in rules:

        def said(match: re.Match[str], each: Rule = each) -> str:
            spoken = each.say(match)
            if spoken.strip() != match[0].strip():
                changes.append(Change(each.kind, match[0].strip(), spoken.strip()))
            return spoken

        text = each.pattern.sub(said, text)
    return text, changes
