"""Draws sentences from Home Assistant's sentence templates.

The template language (developers.home-assistant.io, "template sentence syntax"): `(a|b)` one of
several, `[a]` may be left out, `(a;b)` in any order, `{list:slot}` a value of a list, `<rule>`
another template.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harken.errors import HarkenError

P_OPTIONAL = 0.7
"""How often an optional piece is said: mostly articles and polite words, which people do say."""

_MAX_DEPTH = 40
_TOKEN = re.compile(r"[\[\]()|;]|\{[^}]*\}|<[^>]*>|[^\[\]()|;{}<>]+")


@dataclass(frozen=True)
class Grammar:
    """What templates refer to: `rules` by `<name>`, and `values` (templates too) by `{name}`."""

    rules: Mapping[str, str]
    values: Mapping[str, Sequence[str]]


def draw(template: str, grammar: Grammar, chooser: random.Random) -> str:
    """One random sentence of `template`, with single spaces.

    Raises:
        HarkenError: the template is broken, endless, or refers to something `grammar` lacks.
    """
    return " ".join(_draw(template, grammar, chooser, 0).split())


def sentence(
    templates: Sequence[str], grammar: Grammar, language: str, chooser: np.random.Generator
) -> str:
    """One random sentence of any of the templates, written as one: in en, or in zh, unspaced.

    Raises:
        HarkenError: as `draw`.
    """
    own = random.Random(int(chooser.integers(1 << 32)))
    text = draw(own.choice(templates), grammar, own)
    if language == "zh":
        return text.replace(" ", "")
    for mark in ",?.!":
        text = text.replace(f" {mark}", mark)
    return text[0].upper() + text[1:]


def references(template: str, grammar: Grammar) -> set[str]:
    """Names of all lists that `template` and the rules it uses refer to, known or not."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [template]
    while waiting:
        for token in _TOKEN.findall(waiting.pop()):
            if token.startswith("{"):
                found.add(_list_name(token))
            elif token.startswith("<") and token not in seen:
                seen.add(token)
                # An unknown rule counts as an unknown list: both mean "cannot be drawn".
                rule = grammar.rules.get(token[1:-1])
                if rule is None:
                    found.add(token)
                else:
                    waiting.append(rule)
    return found


def _list_name(token: str) -> str:
    return token[1:-1].split(":")[0]


def _draw(template: str, grammar: Grammar, chooser: random.Random, depth: int) -> str:
    if depth > _MAX_DEPTH:
        raise HarkenError(f"the sentence template {template!r} refers to itself without end")
    tokens = _TOKEN.findall(template)
    text, rest = _alternatives(tokens, grammar, chooser, depth)
    if rest:
        raise HarkenError(f"the sentence template {template!r} has an unmatched {rest[0]!r}")
    return text


def _alternatives(
    tokens: list[str], grammar: Grammar, chooser: random.Random, depth: int
) -> tuple[str, list[str]]:
    """Read up to a closing bracket: one of the `|` branches, its `;` parts in any order."""
    branches: list[list[str]] = [[""]]
    while tokens and tokens[0] not in (")", "]"):
        token, tokens = tokens[0], tokens[1:]
        if token == "|":
            branches.append([""])
        elif token == ";":
            branches[-1].append("")
        elif token in ("(", "["):
            text, tokens = _alternatives(tokens, grammar, chooser, depth)
            closing = ")" if token == "(" else "]"
            if not tokens or tokens[0] != closing:
                raise HarkenError(f"a sentence template lacks a {closing!r}")
            tokens = tokens[1:]
            if token == "(" or chooser.random() < P_OPTIONAL:
                branches[-1][-1] += text
        else:
            branches[-1][-1] += _piece(token, grammar, chooser, depth)
    parts = chooser.choice(branches)
    if len(parts) > 1:
        chooser.shuffle(parts)
    return " ".join(parts) if len(parts) > 1 else parts[0], tokens


def _piece(token: str, grammar: Grammar, chooser: random.Random, depth: int) -> str:
    if token.startswith("{"):
        name = _list_name(token)
        if name not in grammar.values:
            raise HarkenError(f"the sentence templates lack the list {name!r}")
        return _draw(chooser.choice(grammar.values[name]), grammar, chooser, depth + 1)
    if token.startswith("<"):
        if token[1:-1] not in grammar.rules:
            raise HarkenError(f"the sentence templates lack the rule {token!r}")
        return _draw(grammar.rules[token[1:-1]], grammar, chooser, depth + 1)
    return token
