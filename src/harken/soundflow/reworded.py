"""Standing orders and what ends them, worded otherwise (`data/orders.json`).

A few dozen ways to say "stop" were recorded; people have hundreds. Whoever knows only the former
takes the others for one more sentence to be written down or interpreted.
"""

import json
from collections.abc import Collection, Sequence
from functools import cache

import numpy as np

from harken.soundflow.corpora import data_text
from harken.soundflow.templates import Grammar, sentence
from harken.soundflow.texts import is_chinese, plain
from harken.soundflow.wording import Row, as_long, heard_for, spread, text_at, words_of

REWORDED_SHARE = 0.7
"""How often an order or a stop is worded otherwise."""
_DRAWN = 24
"""Among so many one is likely to be as long as what was heard."""
_NOTHING = Grammar({}, {})


def reworded(row: Row, held_out: Collection[str], chooser: np.random.Generator) -> Row:
    """The row with other orders and stops in the places of those heard and of its instruction.

    held_out: plain texts that are never said. Orders that depend on a sound or a tool stay.
    """
    words, order = words_of(row), _order(row)
    for chunk, _, _, cause in row["said"]:
        kinds = _ends(row) if cause == "stop" else [order] if cause == "order" and order else []
        at = heard_for(row, chunk, cause) if kinds else []
        if at and chooser.random() < REWORDED_SHARE:
            heard = text_at(words, at)
            said = _sayings(kinds, heard, held_out, chooser)
            words |= spread(as_long(heard, [(s, s) for s in said], 0, chooser)[0], at, words)
    prefix = row["prefix"]
    if order and prefix["instruction"] and chooser.random() < REWORDED_SHARE:
        said = _sayings([order], prefix["instruction"], held_out, chooser)
        prefix = prefix | {"instruction": said[0]}
    return row | {"words": [[c, t] for c, t in sorted(words.items()) if t], "prefix": prefix}


def saying(kind: str, language: str, chooser: np.random.Generator) -> str:
    """A random order, or what ends one, in en or zh: a kind of `data/orders.json`."""
    return sentence(_templates()[kind][language], _NOTHING, language, chooser)


def _sayings(
    kinds: Sequence[str], heard: str, held_out: Collection[str], chooser: np.random.Generator
) -> list[str]:
    """Some in the language of what was heard, none of them held out."""
    language = "zh" if is_chinese(heard) else "en"
    drawn = [
        saying(kinds[int(chooser.integers(len(kinds)))], language, chooser) for _ in range(_DRAWN)
    ]
    return [text for text in drawn if plain(text) not in held_out] or [heard.strip()]


def _order(row: Row) -> str:
    """The kind of its one standing order; empty when it has others or several."""
    if sum(cause == "order" for *_, cause in row["said"]) > 1:
        return ""
    if row["task"] == "translate":
        into = {is_chinese(text) for _, text, _, cause in row["said"] if cause == "translation"}
        if len(into) != 1:
            return ""
        return "into Chinese" if into == {True} else "into English"
    return row["task"] if row["task"] in _templates() else ""


def _ends(row: Row) -> list[str]:
    """Kinds of what ends it: any order, and the order of this task."""
    own = f"stop {row['task']}"
    return ["stop", own] if own in _templates() else ["stop"]


@cache
def _templates() -> dict[str, dict[str, list[str]]]:
    content: dict[str, dict[str, list[str]]] = json.loads(data_text("orders.json"))
    return content
