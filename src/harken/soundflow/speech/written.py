"""From written to spoken form: the same words in the same order, the rest as it is said aloud.

Markup goes, numerals, dates, times, amounts, units, abbreviations and addresses become words.
Nothing is reworded: a text of plain words stays as it is. The result can be spoken by any voice,
and compared with what a recogniser makes of it.
"""

# The signs that look like others are the point here.
# ruff: noqa: RUF001

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from harken.errors import HarkenError
from harken.soundflow.speech.markup import markup_rules
from harken.soundflow.speech.rule import Change, Rule, apply, rule

_PASSES = 12  # taking one mark off can bring another to light; three passes settle real texts
_KEPT_SYMBOLS = frozenset("'\"“”‘’()（）,.;:!?…-–—，。；：！？、《》「」·")
_KEPT_ZERO = "〇"  # a number by its category, but a Chinese character to the reader


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text as it is said. text: the words; changes: what was replaced, in order of the rules."""

    text: str
    changes: tuple[Change, ...]


def spoken_form(text: str, language: str) -> Spoken:
    """`text` as it is said in `en` or `zh`.

    The spoken form of a spoken form is itself, and it holds no digits, line breaks or symbols.
    It is empty when there is nothing to say, such as for a picture or a row of asterisks.

    Raises:
        HarkenError: another language.
    """
    rules = _rules(language)
    changes: list[Change] = []
    for _ in range(_PASSES):
        after, made = apply(rules, _plain_numbers(text))
        after = _tidy(after)
        changes += made
        if after == text:
            break
        text = after
    return Spoken(text, tuple(changes))


@cache
def _rules(language: str) -> tuple[Rule, ...]:
    if language == "en":
        from harken.soundflow.speech.english import english_rules

        own = english_rules()
    elif language == "zh":
        from harken.soundflow.speech.chinese import chinese_rules

        own = chinese_rules()
    else:
        raise HarkenError(f"no spoken form for {language!r}: choose en or zh")
    unsaid = rule("symbol", r"[^\w\s]|_", _if_kept)
    return (*markup_rules(language), *own, unsaid)


def _if_kept(match: re.Match[str]) -> str:
    symbol = match[0]
    is_mark = unicodedata.category(symbol).startswith("M")
    return symbol if is_mark or symbol in _KEPT_SYMBOLS else " "


def _plain_numbers(text: str) -> str:
    """Digits of every script as 0 to 9, fractions as `1/2`, other numbers as their value."""
    return "".join(map(_plain_number, text))


def _plain_number(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category not in ("No", "Nl") or character in "²³" + _KEPT_ZERO:
        return character
    plain = unicodedata.normalize("NFKC", character).replace("⁄", "/")
    if plain.isascii():
        return f" {plain} "
    value = unicodedata.numeric(character)
    return f" {int(value)} " if value.is_integer() else " "


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s+([,.;:!?，。；：！？、])", r"\1", text)
    return re.sub(r"([,;:，；：、])[,;:，；：、]+", r"\1", text)
