"""Composer of a standing order that is changed: another one takes its place, or none."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from harken.soundflow.bursts import first_burst
from harken.soundflow.composing import (
    AGREED,
    PLAIN,
    agreed,
    answer,
    bare_scene,
    language_for,
    level,
    order,
    pick,
    say,
)
from harken.soundflow.events import EVENTS, kind_counted
from harken.soundflow.phrases import awaited_instead, ends_order
from harken.soundflow.scene import Due, Scene, Variant, sound_due
from harken.soundflow.sound_tasks import COUNTS, awaiting_order_of, counting_order_of
from harken.soundflow.spoken_tasks import ENDS_CAPTIONS, ENDS_INTERPRETING, ENDS_NARRATION
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE

CANCEL_SHARE = 0.35
"""How often an order is called off with nothing in its place."""
INSTEAD_SHARE = 0.5
"""How often another order says itself that it takes the place of the old one."""
TALK_SHARE = 0.85
"""How much of what is heard under captions and interpreting is sentences; the rest is sounds."""
AGAIN_SHARE = 0.3
"""How often a count is ordered once more for the same sound: it begins at one again."""

ENDS_COUNTING, ENDS_AWAITING = ("count", "listening for"), ("hear", "listening for")
"""What a stop that fits these orders may speak of."""


@dataclass(frozen=True, slots=True)
class _Order:
    """A standing order: what it is, how it is given, the sounds it is about, and the reply to one.

    ends: what a stop that fits it may speak of, besides nothing at all.
    language: of the sentences that it has translated; empty for other orders.
    """

    kind: str
    given: Spoken | str
    ends: tuple[str, ...]
    labels: tuple[str, ...] = ()
    language: str = ""

    @property
    def is_instead(self) -> bool:
        """Whether it says itself that it takes the place of another."""
        return not isinstance(self.given, str) and self.given.kind == "order_instead"

    def reply(self, label: str, counted: int) -> str:
        """What is said to a sound: `counted` of them came before. Empty for nothing."""
        if self.kind == "narrate":
            return f"I hear {EVENTS[label].name}."
        if label not in self.labels:
            return ""
        return f"{COUNTS[counted]}." if self.kind == "count" else f"I hear {EVENTS[label].name}."


_Maker = Callable[[Studio, np.random.Generator], _Order]


def change_order(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """An order, then another one in its place or none, and what is due under each."""
    old = _first(studio, random)
    new = None if random.random() < CANCEL_SHARE else _other(old, studio, random)
    scene = bare_scene(studio, random, 30, 44)
    prefix, due = order(scene, studio, old.given)
    about = [o for o in (old, new) if o]
    due += _under(old, about, studio, scene, scene.samples // 2)
    if new and new.kind == old.kind == "await" and not new.is_instead and random.random() < 0.5:
        # Who waits for the phone and then for the dog as well waits for both.
        due += _told([new.given], "order", studio, scene)
        new = replace(new, labels=old.labels + new.labels)
    else:
        due += _change(old, new, studio, scene)
    due += _under(new, about, studio, scene, scene.samples)
    return scene, [Variant("change_order", prefix, tuple(due))]


def _first(studio: Studio, random: np.random.Generator) -> _Order:
    makers: tuple[_Maker, ...] = (_count, _await, _narrate, _captions, _interpret)
    chances = (0.35, 0.25, 0.1, 0.15, 0.15)
    return makers[int(random.choice(len(makers), p=chances))](studio, random)


def _other(old: _Order, studio: Studio, random: np.random.Generator) -> _Order:
    """An order aloud to take the place of the old one.

    Whoever has barks counted and then wants to hear of the doorbell may want both. It is plain
    where the new order says so, between two counts, and between captions and interpreting.
    """
    sounds = old.kind in ("count", "await")
    if sounds and random.random() < INSTEAD_SHARE and studio.has("order_instead", "en"):
        return _instead(old, studio, random)
    if old.kind == "count" and random.random() < AGAIN_SHARE:
        with suppress(LookupError):  # an order in text may be about what nobody was recorded asking
            return _aloud(_count, studio, random, lambda new: new.labels == old.labels)
    if old.kind == "narrate":
        return _aloud(_count, studio, random, lambda _: True)
    if old.kind in ("captions", "interpret"):
        makers: tuple[_Maker, ...] = (_captions, _interpret)
        make = makers[int(random.integers(2))] if old.kind == "interpret" else _interpret
        fits = (lambda new: new.language != old.language) if make is _interpret else None
        return _aloud(make, studio, random, fits or (lambda _: True))
    make = _count if old.kind == "count" else _await
    return _aloud(make, studio, random, lambda new: not set(new.labels) & set(old.labels))


def _aloud(
    make: _Maker, studio: Studio, random: np.random.Generator, fits: Callable[[_Order], bool]
) -> _Order:
    for _ in range(60):
        made = make(studio, random)
        if not isinstance(made.given, str) and fits(made):
            return made
    raise LookupError("no spoken order can take the place of the one before")


def _instead(old: _Order, studio: Studio, random: np.random.Generator) -> _Order:
    """An order of `order_instead` about other sounds than the old one."""
    found = []
    for line in studio.all_spoken("order_instead", "en"):
        awaited = awaited_instead(line.text)
        labels = (awaited,) if awaited else tuple(kind_counted(line.text))
        if _can_be_asked(labels, studio) and not set(labels) & set(old.labels):
            kind, ends = ("await", ENDS_AWAITING) if awaited else ("count", ENDS_COUNTING)
            found.append(_Order(kind, line, ends, labels))
    if not found:
        raise LookupError("no order instead of the one before is about another sound")
    return found[int(random.integers(len(found)))]


def _count(studio: Studio, random: np.random.Generator) -> _Order:
    return _of_sounds("count", ENDS_COUNTING, counting_order_of, studio, random)


def _await(studio: Studio, random: np.random.Generator) -> _Order:
    return _of_sounds("await", ENDS_AWAITING, awaiting_order_of, studio, random)


def _of_sounds(
    kind: str,
    ends: tuple[str, ...],
    draw: Callable[[Studio, np.random.Generator], tuple[Spoken | str, list[str]]],
    studio: Studio,
    random: np.random.Generator,
) -> _Order:
    for _ in range(60):
        given, labels = draw(studio, random)
        if _can_be_asked(labels, studio):
            return _Order(kind, given, ends, tuple(labels))
    raise LookupError(f"no order to {kind} a sound that can be played")


def _can_be_asked(labels: list[str] | tuple[str, ...], studio: Studio) -> bool:
    """Whether there is such a sound, and no danger: whether an order silences a warning is not
    for these streams to teach."""
    there = any(label in studio.labels for label in labels)
    return there and not any(EVENTS[label].quiet for label in labels)


def _narrate(studio: Studio, random: np.random.Generator) -> _Order:
    lines = [s for s in studio.all_spoken("order_narrate", "en") if "count" not in s.text.lower()]
    if not lines:
        raise LookupError("no order to narrate")
    return _Order("narrate", lines[int(random.integers(len(lines)))], ENDS_NARRATION)


def _captions(studio: Studio, random: np.random.Generator) -> _Order:
    language = language_for(random, studio, "order_transcribe")
    given = studio.spoken("order_transcribe", language, random)
    return _Order("captions", given, ENDS_CAPTIONS)


def _interpret(studio: Studio, random: np.random.Generator) -> _Order:
    source, kind = [("en", "order_translate_zh"), ("zh", "order_translate_en")][
        int(random.integers(2))
    ]
    given = studio.spoken(kind, language_for(random, studio, kind), random)
    return _Order("interpret", given, ENDS_INTERPRETING, language=source)


def _change(old: _Order, new: _Order | None, studio: Studio, scene: Scene) -> list[Due]:
    """Say the new order, or that the old one ends; both where the new one might be one more."""
    given: list[Spoken | str] = [new.given] if new else []
    if new is None or (old.kind in ("narrate", "await") and not new.is_instead):
        stops = [s for s in studio.all_spoken("stop", "en") if ends_order(s.text, old.ends)]
        if not stops:
            raise LookupError(f"nothing ends the order to {old.kind}")
        given = [stops[int(scene.random.integers(len(stops)))], *given]
    return _told(given, "order" if new else "stop", studio, scene)


def _told(given: list[Spoken | str], cause: str, studio: Studio, scene: Scene) -> list[Due]:
    due = []
    for line in given:
        if isinstance(line, str):
            raise TypeError(f"{line!r} is text: what is told in the middle of a scene is spoken")
        span = say(scene, studio, line)
        is_order = line.kind.startswith("order")
        due.append(agreed(span, line) if is_order else answer(span, AGREED, cause))
        scene.wait(1.6, 2.4)
    return due


def _under(
    now: _Order | None, about: list[_Order], studio: Studio, scene: Scene, until: int
) -> list[Due]:
    """Sounds and sentences up to a sample; `about` says which orders they may concern."""
    random, due, counted = scene.random, list[Due](), 0
    talk = any(o.kind in ("captions", "interpret") for o in about)
    languages = [o.language for o in about if o.language] or ["en", "zh"]
    # What care would speak of unasked is played only under the order that it belongs to.
    meant = [n for o in about for n in o.labels if n in PLAIN or o is now]
    meant = [n for n in meant if n in studio.labels]
    others = [n for n in studio.labels if n in PLAIN and not any(n in o.labels for o in about)]
    while True:
        if talk and random.random() < TALK_SHARE:
            line = studio.spoken("sentence", pick(random, languages), random)
            if scene.at + len(studio.voice(line)) + 2 * SAMPLE_RATE > until:
                break
            span = say(scene, studio, line)
            if now and now.kind == "captions":
                due.append(Due(*span, "each", line.text, "normal", "transcript"))
            elif now and now.language == line.language:
                due.append(answer(span, line.other, "translation"))
            scene.wait(1.7, 2.6)
            continue
        label = pick(random, meant if meant and random.random() < 0.65 else others)
        clip, source = studio.event(label, random)
        clip = first_burst(clip, 1.6)
        if scene.at + len(clip) + int(1.2 * SAMPLE_RATE) > until or counted == len(COUNTS):
            break
        start, end = scene.place(clip, level(random), source, label)
        if now and (text := now.reply(label, counted)):
            is_count = now.kind == "count"
            counted += is_count
            due.append(
                Due(start, end, "sound", text, "normal", label)
                if is_count
                else sound_due(start, end, (text, "normal"), label)
            )
        scene.wait(1.0, 2.2)
    return due
