"""The scene book: what the offline planner knows about places (`data/scenes.json`).

Texts in it are sentence templates (`harken.soundflow.templates`): `(a|b)` one of several, `[a]` may
be left out, `{list}` a word of a list. The loader accepts no unknown field, no missing one and no
value of another type, and names the place of what is wrong as `scenes[3].sounds[2].gap_s`.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from harken.errors import HarkenError
from harken.soundflow.corpora import data_text
from harken.soundflow.events import EVENTS
from harken.soundflow.plan.answer import read_json
from harken.soundflow.plan.plan import (
    EVERYONE,
    LABELS,
    LISTENER,
    MAX_QUERY_WORDS,
    MIN_QUERY_WORDS,
    ONESELF,
    Rules,
)
from harken.soundflow.templates import Grammar, draw, references

_TRIAL_DRAWS = 24
"""So often a template is drawn when it is read; templates here have few sentences."""
MANNER = "manner"
"""The list of ways in which people talk ("cheerfully")."""


@dataclass(frozen=True, slots=True)
class SoundEntry:
    """A sound a scene may have.

    Attributes:
        lasts_s, gap_s: ranges in seconds.
        query, description: templates.
        needs: sounds that must come before and are added with it.
        after: sounds that come before if they come at all.
        apart: sounds of the scene it does not come with.
        most: how often it may come.
        weight: how likely it is beside the others.
        tags: AudioSet names; those of the label (`data/audioset.json`) if empty.
    """

    name: str
    label: str
    lasts_s: tuple[float, float]
    query: str
    description: str
    role: Literal["fg", "bg"] = "fg"
    gap_s: tuple[float, float] = (0.5, 5.0)
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    most: int = 1
    weight: float = 1.0
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AmbientEntry:
    """A sound that may lie under everything; its length is that of the stream."""

    name: str
    label: str
    query: str
    description: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TalkEntry:
    """An exchange: one of `speakers` with one of `addressed`, `turns` at least and at most."""

    speakers: tuple[str, ...]
    addressed: tuple[str, ...]
    about: tuple[str, ...]
    role: Literal["fg", "bg"] = "fg"
    turns: tuple[int, int] = (1, 4)


@dataclass(frozen=True, slots=True)
class SceneEntry:
    """One place: what is heard there and what is not (`excludes`: labels or names of groups)."""

    name: str
    situations: tuple[str, ...]
    excludes: tuple[str, ...]
    ambient: tuple[AmbientEntry, ...]
    sounds: tuple[SoundEntry, ...]
    talks: tuple[TalkEntry, ...]


@dataclass(frozen=True, slots=True)
class _Content:
    about: str
    ambient_labels: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    apart: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    people: dict[str, str]
    lists: dict[str, tuple[str, ...]]
    fixed: tuple[str, ...]
    scenes: tuple[SceneEntry, ...]


@dataclass(frozen=True, slots=True)
class SceneBook:
    """All scenes, checked.

    Attributes:
        people: for each person the AudioSet name of their voice.
        fixed: lists from which one word holds for a whole plan, such as the floor.
        fingerprint: 12 hex digits of the SHA-256 of the text it was read from.
    """

    scenes: Mapping[str, SceneEntry]
    people: Mapping[str, str]
    words: Grammar
    fixed: frozenset[str]
    rules: Rules
    fingerprint: str
    _label_tags: Mapping[str, tuple[str, ...]] = field(repr=False)

    def tags(self, label: str) -> tuple[str, ...]:
        """AudioSet names of a label; empty if none are known."""
        return self._label_tags.get(label, ())


@cache
def scene_book() -> SceneBook:
    """The scenes that ship with Harken."""
    return read_scenes(data_text("scenes.json"))


def read_scenes(text: str) -> SceneBook:
    """Read and check scenes.

    Args:
        text: JSON in the form docs/planning.md gives.

    Raises:
        HarkenError: a field is missing, unknown or wrong; the message names it.
    """
    content = read_json(_Content, text, "scenes.json")
    for place, trouble in _troubles(content):
        raise HarkenError(f"scenes.json: {place}: {trouble}; correct this field")
    rules = Rules(
        ambient_labels=frozenset(content.ambient_labels),
        excluded={s.name: frozenset(_labels(s.excludes, content)) for s in content.scenes},
        apart=frozenset(
            frozenset((one, other))
            for left, right in content.apart
            for one in _labels(left, content)
            for other in _labels(right, content)
        ),
    )
    book = SceneBook(
        scenes={s.name: s for s in content.scenes},
        people=content.people,
        words=Grammar({}, content.lists),
        fixed=frozenset(content.fixed),
        rules=rules,
        fingerprint=hashlib.sha256(text.encode()).hexdigest()[:12],
        _label_tags=_tags_of_labels(),
    )
    for place, trouble in _contradictions(book):
        raise HarkenError(f"scenes.json: {place}: {trouble}; correct this field")
    return book


def _tags_of_labels() -> dict[str, tuple[str, ...]]:
    listed: dict[str, list[str]] = json.loads(data_text("audioset.json"))
    return {label: tuple(names[:4]) for label, names in listed.items()}


def _labels(names: Iterable[str], content: _Content) -> Iterator[str]:
    for name in names:
        yield from content.groups.get(name, (name,))


Trouble = tuple[str, str]
"""The place of a field and what is wrong with it."""


def _troubles(content: _Content) -> Iterator[Trouble]:
    """What is wrong with fields on their own."""
    yield from _unknown("ambient_labels", content.ambient_labels, LABELS)
    for group, labels in content.groups.items():
        yield from _unknown(f"groups.{group}", labels, LABELS)
    for i, pair in enumerate(content.apart):
        for k, names in enumerate(pair):
            yield from _unknown(f"apart[{i}][{k}]", names, LABELS | content.groups.keys())
    if MANNER not in content.lists:
        yield "lists", f"it lacks {MANNER!r}, the ways in which people talk"
    yield from _unknown("fixed", content.fixed, content.lists)
    for name, words in content.lists.items():
        if not words:
            yield f"lists.{name}", "it has no word"
    if not content.scenes:
        yield "scenes", "there is none"
    yield from _repeated("scenes", [s.name for s in content.scenes])
    people = content.people.keys() | {LISTENER, EVERYONE, ONESELF}
    for i, scene in enumerate(content.scenes):
        at = f"scenes[{i}]"
        yield from _unknown(f"{at}.excludes", scene.excludes, LABELS | content.groups.keys())
        for key in ("situations", "ambient", "sounds", "talks"):
            if not getattr(scene, key):
                yield f"{at}.{key}", "there is none"
        yield from _repeated(f"{at}.sounds", [s.name for s in _entries(scene)])
        for k, ambient in enumerate(scene.ambient):
            yield from _unknown(f"{at}.ambient[{k}].label", [ambient.label], content.ambient_labels)
        yield from _sound_troubles(at, scene)
        for k, talk in enumerate(scene.talks):
            yield from _unknown(f"{at}.talks[{k}].speakers", talk.speakers, content.people)
            yield from _unknown(f"{at}.talks[{k}].addressed", talk.addressed, people)
            for key in ("speakers", "addressed", "about"):
                if not getattr(talk, key):
                    yield f"{at}.talks[{k}].{key}", "there is none"
            if not 1 <= talk.turns[0] <= talk.turns[1] <= 6:
                yield f"{at}.talks[{k}].turns", f"{talk.turns} must rise and lie within 1 to 6"
            if set(talk.speakers) & set(talk.addressed):
                yield f"{at}.talks[{k}].addressed", "a speaker is among them"


def _sound_troubles(at: str, scene: SceneEntry) -> Iterator[Trouble]:
    roles = {s.name: s.role for s in scene.sounds}
    for k, sound in enumerate(scene.sounds):
        here = f"{at}.sounds[{k}]"
        yield from _unknown(f"{here}.label", [sound.label], LABELS)
        for key, low, high in (("lasts_s", 0.1, 60.0), ("gap_s", 0.0, 60.0)):
            found_low, found_high = getattr(sound, key)
            if not low <= found_low <= found_high <= high:
                yield (
                    f"{here}.{key}",
                    f"({found_low}, {found_high}) must rise and lie within {low:g} to {high:g} s",
                )
        if not 1 <= sound.most <= 5:
            yield f"{here}.most", f"{sound.most} is not within 1 to 5"
        if not 0 < sound.weight <= 10:
            yield f"{here}.weight", f"{sound.weight} is not above 0 and up to 10"
        for key in ("needs", "after", "apart"):
            yield from _unknown(f"{here}.{key}", getattr(sound, key), roles)
        for key in ("needs", "after"):
            for name in getattr(sound, key):
                # The foreground does not wait for the background, so it could not come after it.
                if roles[name] == "bg":
                    yield f"{here}.{key}", f"{name!r} is a background sound"
    try:
        TopologicalSorter({s.name: (*s.needs, *s.after) for s in scene.sounds}).prepare()
    except CycleError as error:
        circle = " before ".join(error.args[1])
        yield f"{at}.sounds", f"needs and after go round in a circle: {circle}"


def _contradictions(book: SceneBook) -> Iterator[Trouble]:
    """What is wrong between fields: exclusions, tags, templates."""
    for i, scene in enumerate(book.scenes.values()):
        excluded = book.rules.excluded[scene.name]
        kinds: tuple[tuple[str, tuple[SoundEntry | AmbientEntry, ...]], ...] = (
            ("ambient", scene.ambient),
            ("sounds", scene.sounds),
        )
        for key, entries in kinds:
            for k, entry in enumerate(entries):
                here = f"scenes[{i}].{key}[{k}]"
                if entry.label in excluded:
                    yield f"{here}.label", f"{entry.label!r} is excluded from {scene.name}"
                if not (entry.tags or book.tags(entry.label)):
                    yield f"{here}.tags", f"none are known for {entry.label!r}, so name some"
                if isinstance(entry, SoundEntry) and entry.role == "bg":
                    kind = EVENTS.get(entry.label)
                    if kind is not None and kind.quiet:
                        yield f"{here}.role", f"{entry.label!r} is a danger and cannot be bg"
                for part in ("query", "description"):
                    yield from _template_trouble(f"{here}.{part}", getattr(entry, part), book)
        for k, situation in enumerate(scene.situations):
            yield from _template_trouble(f"scenes[{i}].situations[{k}]", situation, book)


def _template_trouble(place: str, template: str, book: SceneBook) -> Iterator[Trouble]:
    for name in sorted(references(template, book.words)):
        if name not in book.words.values:
            yield place, f"the list {name!r} is not in lists"
            return
    chooser = random.Random(0)
    try:
        drawn = {draw(template, book.words, chooser) for _ in range(_TRIAL_DRAWS)}
    except HarkenError as error:
        yield place, str(error)
        return
    for text in sorted(drawn) if place.endswith(".query") else ():
        if not MIN_QUERY_WORDS <= len(text.split()) <= MAX_QUERY_WORDS:
            yield place, f"{text!r} is not of {MIN_QUERY_WORDS} to {MAX_QUERY_WORDS} words"


def _entries(scene: SceneEntry) -> tuple[SoundEntry | AmbientEntry, ...]:
    return *scene.ambient, *scene.sounds


def _unknown(place: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Trouble]:
    allowed = set(known)
    for name in names:
        if name not in allowed:
            yield place, f"{name!r} is not known"


def _repeated(place: str, names: list[str]) -> Iterator[Trouble]:
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield place, f"{name!r} is there {names.count(name)} times"
