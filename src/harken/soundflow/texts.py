"""Texts of the corpus packages: translated sentences, dialogue, and things people say to a home."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harken.errors import HarkenError
from harken.soundflow.corpora import data_text, package_dir
from harken.soundflow.templates import Grammar, draw, references

MAX_CHINESE_CHARACTERS = 40
MAX_ENGLISH_CHARACTERS = 140

# Written about code and support tickets, or about the chatterbot itself: nobody says it at home.
_UNSPOKEN_CATEGORIES = frozenset({"coding", "tech_support", "botprofile", "ai"})
_LATIN = re.compile(r"[A-Za-z]")
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Exchange:
    """Turns of one conversation, in order, under a category such as `trivia` or `greetings`."""

    category: str
    turns: tuple[str, ...]


def sentences_zh_en() -> list[tuple[str, str]]:
    """Pairs of a sentence in simplified Chinese and its English translation (hsk-sentences-audio).

    Left out: texts over 40 characters, with Latin letters, without a translation, or that occurred
    before.
    """
    path = _file("hsk-sentences-audio", "hsk_sentences_audio/data/sentences.json")
    rows = json.loads(path.read_text("utf-8"))
    pairs = {row["chinese"].strip(): row["translation"]["en"].strip() for row in reversed(rows)}
    return [
        (zh, en)
        for zh, en in reversed(pairs.items())
        if is_speakable_chinese(zh) and _is_translated(en)
    ]


def exchanges(language: str = "english") -> list[Exchange]:
    """Short conversations (chatterbot-corpus) in a language such as `english` or `chinese`.

    Left out: the categories about computers and chatterbots, and conversations with a turn that
    is too long to be said in one breath.

    Raises:
        HarkenError: the package has no such language, or is not fetched.
    """
    import yaml  # type: ignore[import-untyped, unused-ignore]

    root = _file("chatterbot-corpus", "chatterbot_corpus/data")
    if not (root / language).is_dir():
        known = ", ".join(sorted(folder.name for folder in root.iterdir() if folder.is_dir()))
        raise HarkenError(f"chatterbot-corpus has no language {language!r}: choose from {known}")
    found: list[Exchange] = []
    for path in sorted((root / language).glob("*.yml")):
        if path.stem in _UNSPOKEN_CATEGORIES:
            continue
        content = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
        for conversation in content["conversations"]:
            turns = tuple(" ".join(str(turn).split()) for turn in conversation)
            if turns and all(_is_sayable(turn) for turn in turns):
                found.append(Exchange(path.stem, turns))
    return found


def dialogue_lines(language: str = "english") -> list[str]:
    """Every turn of `exchanges` once, in order."""
    return list(dict.fromkeys(turn for each in exchanges(language) for turn in each.turns))


def home_commands(count: int = 1000, seed: int = 0, language: str = "en") -> list[str]:
    """Different things people say to their home (home-assistant-intents), at most `count`.

    Drawn from the package's sentence templates with rooms and devices filled in; the same for the
    same arguments.

    Args:
        count: how many to draw; fewer come back when the templates run dry.
        seed: of the random choices.
        language: `en` or `zh`.
    """
    file = {"en": "en.json", "zh": "zh-CN.json"}.get(language)
    if file is None:
        raise HarkenError(f"home commands in {language!r} are not prepared: choose en or zh")
    path = _file("home-assistant-intents", f"home_assistant_intents/data/{file}")
    content = json.loads(path.read_text("utf-8"))
    fillings = json.loads(data_text("home_fillings.json"))[language]
    candidates = list(_templates(content, fillings))
    chooser = random.Random(seed)
    found: dict[str, None] = {}
    for _ in range(20 * count):
        if len(found) >= count:
            break
        # Every intent equally often: some have a hundred templates, most have three.
        templates, grammar = chooser.choice(candidates)
        text = draw(chooser.choice(templates), grammar, chooser)
        if language == "zh":
            text = text.replace(" ", "")
        if _is_command(text):
            found[text] = None
    return list(found)


def stamps() -> list[tuple[str, str]]:
    """Pairs of a simplified Chinese and an English name or short phrase (tuxpaint stamps)."""
    root = _file("tuxpaint-stamps-default", "usr/share/tuxpaint/stamps")
    pairs: dict[str, str] = {}
    for path in sorted(root.rglob("*.txt")):
        english, *lines = path.read_text("utf-8", errors="replace").splitlines() or [""]
        translated = dict(line.split(".utf8=", 1) for line in lines if ".utf8=" in line)
        chinese = translated.get("zh_CN", translated.get("zh_cn", "")).strip()
        if english.strip() and is_speakable_chinese(chinese):
            pairs.setdefault(chinese, english.strip())
    return list(pairs.items())


def _is_translated(english: str) -> bool:
    """Whether the corpus has a translation: some rows hold this word for one."""
    return english.strip(".").lower() not in ("", "placeholder")


def is_chinese(text: str) -> bool:
    """Whether a text holds a Chinese character."""
    return _HAN.search(text) is not None


def is_speakable_chinese(text: str) -> bool:
    """Whether a text is Chinese, short enough to say in one breath, and without Latin letters."""
    return (
        len(text) <= MAX_CHINESE_CHARACTERS
        and _HAN.search(text) is not None
        and _LATIN.search(text) is None
    )


def _is_sayable(text: str) -> bool:
    return 0 < len(text) <= MAX_ENGLISH_CHARACTERS and "http" not in text


def _is_command(text: str) -> bool:
    """Whether it is said in words, and more than a fragment of two."""
    is_long_enough = len(text.split()) > 2 or (_HAN.search(text) is not None and len(text) > 3)
    return is_long_enough and not set(text) & set("%°{}<>")


def _templates(
    content: dict[str, Any], fillings: dict[str, Any]
) -> Iterator[tuple[list[str], Grammar]]:
    """Per intent that is worth saying: its drawable templates, and what they refer to."""
    common = {name: _values(each) for name, each in content["lists"].items()}
    common |= fillings["lists"]
    for intent, names in fillings["names_by_intent"].items():
        values = {name: each for name, each in common.items() if each} | {"name": names}
        drawable: list[str] = []
        rules = dict(content["expansion_rules"])
        for data in content["intents"].get(intent, {"data": []})["data"]:
            rules |= data.get("expansion_rules", {})
            drawable += data["sentences"]
        grammar = Grammar(rules, {name: each for name, each in values.items() if each})
        templates = [each for each in drawable if references(each, grammar) <= set(grammar.values)]
        if templates:
            yield templates, grammar


def _values(described: dict[str, Any]) -> list[str]:
    if "range" in described:
        span = described["range"]
        step = span.get("step", 5 if span["to"] >= 50 else 1)
        return [str(value) for value in range(max(span["from"], 5), span["to"] + 1, step)]
    values = described.get("values", [])
    return [each if isinstance(each, str) else each["in"] for each in values]


def _file(package: str, inside: str) -> Path:
    path = package_dir(package) / inside
    if not path.exists():
        raise HarkenError(f"the text package {package} is not fetched: run `harken data fetch`")
    return path


def plain(text: str) -> str:
    """What is said, whatever the case and the punctuation."""
    return re.sub(r"\W+", " ", text.lower()).strip()
