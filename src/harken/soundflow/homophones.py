"""Chinese as a recogniser mishears it: other characters of the same sound.

A syllable stands for many characters, and the words ear, which knows little of what is talked
about, often takes another one: 28 of 54 spoken training sentences came back with such slips
(docs/log.md, 2026-11-29). A listener that learns from flawless text alone translates the slip.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from pypinyin import lazy_pinyin

from harken.soundflow.sources import sentences_zh_en
from harken.soundflow.texts import is_chinese

SLIPPED_SHARE = 0.5
"""How many utterances have a slip at all."""
EXCHANGED_SHARE = 0.2
"""How many characters of such a one are exchanged."""
UNPAUSED_SHARE = 0.5
"""How often the punctuation within an utterance is not heard."""


def with_slips(text: str, random: np.random.Generator) -> str:
    """`text` as it may be recognised; what is not Chinese stays as it is."""
    if not is_chinese(text):
        return text
    if random.random() < UNPAUSED_SHARE:
        text = "".join(c for c in text[:-1] if c not in "，、：；“”") + text[-1]
    if random.random() >= SLIPPED_SHARE:
        return text
    return "".join(_like(c, random) if random.random() < EXCHANGED_SHARE else c for c in text)


def _like(character: str, random: np.random.Generator) -> str:
    """Another character of the sentences with the same sound, if there is one."""
    others = [c for c in _alike().get(_sound(character), ()) if c != character]
    return others[int(random.integers(len(others)))] if others else character


@cache
def _alike() -> Mapping[str, Sequence[str]]:
    """Characters of the sentences by sound."""
    found: dict[str, list[str]] = defaultdict(list)
    for character in sorted({c for chinese, _ in sentences_zh_en() for c in chinese}):
        found[_sound(character)].append(character)
    return found


@cache
def _sound(character: str) -> str:
    """Its syllable without the tone; punctuation is its own."""
    return "".join(lazy_pinyin(character))
