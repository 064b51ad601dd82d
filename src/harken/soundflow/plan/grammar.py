"""Plans without a network: scenes drawn from the scene book by a seed.

A place, one or two ambient sounds, then sounds and exchanges of talk until the plan is as long as
was drawn, each with what it needs; at last an order in which nothing comes before what it follows.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harken.errors import HarkenError
from harken.soundflow.plan.plan import (
    EVERYONE,
    LISTENER,
    MAX_EVENTS,
    MAX_QUERY_WORDS,
    MIN_EVENTS,
    ONESELF,
    SPEECH,
    Plan,
    PlannedEvent,
    check,
    covered,
)
from harken.soundflow.plan.scenes import (
    MANNER,
    AmbientEntry,
    SceneBook,
    SceneEntry,
    SoundEntry,
    TalkEntry,
    scene_book,
)
from harken.soundflow.templates import Grammar, draw

Words = Mapping[str, tuple[str, ...]]
"""For each list the words to draw from."""

_P_SECOND_AMBIENT, _P_TALK, _P_AGAIN = 0.3, 0.75, 0.4
_TURN_S = (1.5, 6.0)
"""How long a turn of talk lasts."""
_TALK_GAP_S, _REPLY_GAP_S = (0.5, 5.0), (0.2, 1.2)
_ON_GAP_S = (2.0, 8.0)
"""Before the same speaker goes on: time for the listener to reply, or for a pause."""
_TALK_TAGS = ("Speech", "Conversation")


@dataclass(frozen=True, slots=True)
class _Unit:
    """What stays together in the plan: a sound, or all turns of an exchange.

    `sound` is the name in the book of the sound that it is an occurrence of, empty for talk.
    """

    events: tuple[PlannedEvent, ...]
    sound: str = ""


class GrammarPlanner:
    """A `Planner` that draws from the scene book; equal seeds give equal plans."""

    def __init__(self, scenes: Sequence[str] = (), *, book: SceneBook | None = None) -> None:
        """
        Args:
            scenes: names of the scenes to draw from; all of the book if empty.
            book: the scenes; those that ship with Harken if None.

        Raises:
            HarkenError: there is no scene of such a name.
        """
        self._book = book or scene_book()
        for name in scenes:
            if name not in self._book.scenes:
                raise HarkenError(
                    f"no scene {name!r} to plan in; choose from {', '.join(self._book.scenes)}"
                )
        self._scenes = tuple(scenes) or tuple(self._book.scenes)
        self.name = f"grammar {self._book.fingerprint}"

    def plan(self, seed: int) -> Plan:
        """The plan of a seed, any whole number.

        Raises:
            HarkenError: the scene book leads to an invalid plan.
        """
        # Seeded with text because Random(-1) is Random(1).
        chooser = random.Random(f"harken plan {seed}")
        book, scene = self._book, self._book.scenes[chooser.choice(self._scenes)]
        fixed = {name: book.words.values[name] for name in sorted(book.fixed)}
        place = {name: (chooser.choice(words),) for name, words in fixed.items()}
        ambient = _ambient(scene, book, place, chooser)
        room = chooser.randint(MIN_EVENTS, MAX_EVENTS) - len(ambient)
        talk = _talk(scene, book, chooser, room) if chooser.random() < _P_TALK else None
        taken = {e.label for e in ambient} | ({SPEECH} if talk else set())
        room -= len(talk.events) if talk else 0
        chosen = _sounds(scene, book, taken, chooser, room)
        units = [_occurrence(sound, book, place, chooser) for sound in chosen]
        ordered = _in_order([*units, *([talk] if talk else [])], scene, chooser)
        events = covered((*ambient, *(e for unit in ordered for e in unit.events)))
        plan = Plan(
            scene=scene.name,
            events=events,
            seed=seed,
            planner=self.name,
            situation=_sentence(chooser.choice(scene.situations), book.words, chooser),
            orders=_orders(ordered, scene),
        )
        return check(plan, book.rules)


def _ambient(
    scene: SceneEntry, book: SceneBook, place: Words, chooser: random.Random
) -> list[PlannedEvent]:
    count = 2 if chooser.random() < _P_SECOND_AMBIENT else 1
    drawn: list[AmbientEntry] = []
    for entry in chooser.sample(scene.ambient, len(scene.ambient)):
        if len(drawn) < count and _goes_with(entry.label, {e.label for e in drawn}, book):
            drawn.append(entry)
    words = _wording(book, place, chooser)
    return [
        PlannedEvent(
            name=entry.name,
            label=entry.label,
            role="ambient",
            start_after=(0.0, 0.0),
            rough_duration_s=1.0,
            description=_sentence(entry.description, words, chooser),
            query=draw(entry.query, words, chooser),
            accept_tags=entry.tags or book.tags(entry.label),
        )
        for entry in drawn
    ]


def _sounds(
    scene: SceneEntry, book: SceneBook, taken: set[str], chooser: random.Random, room: int
) -> list[SoundEntry]:
    """`room` sounds if the scene has as many; one that occurs twice is listed twice."""
    by_name = {s.name: s for s in scene.sounds}
    counts: dict[str, int] = {}
    while sum(counts.values()) < room:
        fitting: list[tuple[list[str], float]] = []
        for sound in scene.sounds:
            added = [n for n in _with_needs(sound, by_name) if n not in counts]
            fits = _may_join(added, counts, by_name, taken, book)
            if added and fits and sum(counts.values()) + len(added) <= room:
                fitting.append((added, sound.weight))
        again = [s for s in scene.sounds if 0 < counts.get(s.name, 0) < s.most]
        if again and (not fitting or chooser.random() < _P_AGAIN):
            counts[chooser.choice(again).name] += 1
        elif fitting:
            weights = [weight for _, weight in fitting]
            ((added, _),) = chooser.choices(fitting, weights)
            counts |= dict.fromkeys(added, 1)
        else:
            break
    return [by_name[name] for name, count in counts.items() for _ in range(count)]


def _with_needs(sound: SoundEntry, by_name: dict[str, SoundEntry]) -> list[str]:
    names = [sound.name]
    for name in names:
        names += [n for n in by_name[name].needs if n not in names]
    return names


def _may_join(
    added: list[str],
    counts: dict[str, int],
    by_name: dict[str, SoundEntry],
    taken: set[str],
    book: SceneBook,
) -> bool:
    present = [*counts, *added]
    apart = {(name, other) for name in present for other in by_name[name].apart}
    if any(one in present and other in present for one, other in apart):
        return False
    labels = {by_name[n].label for n in counts} | taken
    ambient = taken - {SPEECH}
    return all(
        by_name[n].label not in ambient
        and _goes_with(by_name[n].label, labels | {by_name[m].label for m in added}, book)
        for n in added
    )


def _goes_with(label: str, labels: Iterable[str], book: SceneBook) -> bool:
    return not any(frozenset((label, other)) in book.rules.apart for other in labels)


def _occurrence(sound: SoundEntry, book: SceneBook, place: Words, chooser: random.Random) -> _Unit:
    words = _wording(book, place, chooser)
    event = PlannedEvent(
        name=sound.name,
        label=sound.label,
        role=sound.role,
        start_after=_gap(sound.gap_s, chooser),
        rough_duration_s=round(chooser.uniform(*sound.lasts_s), 1),
        description=_sentence(sound.description, words, chooser),
        query=draw(sound.query, words, chooser),
        accept_tags=sound.tags or book.tags(sound.label),
    )
    return _Unit((event,), sound.name)


def _talk(scene: SceneEntry, book: SceneBook, chooser: random.Random, room: int) -> _Unit | None:
    """One exchange of at most half the room; None if there is no room for any."""
    fitting = [t for t in scene.talks if t.turns[0] <= max(1, room // 2)]
    if not fitting or room < 1:
        return None
    entry = chooser.choice(fitting)
    speaker, addressed = chooser.choice(entry.speakers), chooser.choice(entry.addressed)
    about = chooser.choice(entry.about)
    turns = chooser.randint(entry.turns[0], min(entry.turns[1], max(1, room // 2)))
    answers = addressed in book.people
    pairs = [(speaker, addressed), (addressed, speaker) if answers else (speaker, addressed)]
    next_gap_s = _REPLY_GAP_S if answers else _ON_GAP_S
    said = tuple(
        _turn(n, *pairs[n % 2], about, _TALK_GAP_S if n == 0 else next_gap_s, entry, book, chooser)
        for n in range(turns)
    )
    return _Unit(_one_by_one(said) if entry.role == "bg" else said)


def _one_by_one(turns: tuple[PlannedEvent, ...]) -> tuple[PlannedEvent, ...]:
    """Background turns all count from one foreground event, so each waits for those before it."""
    waited_s = 0.0
    queued = []
    for turn in turns:
        low_s, high_s = (round(waited_s + gap_s, 2) for gap_s in turn.start_after)
        queued.append(replace(turn, start_after=(low_s, high_s)))
        waited_s = high_s + turn.rough_duration_s
    return tuple(queued)


def _turn(
    number: int,
    speaker: str,
    addressed: str,
    about: str,
    gap_s: tuple[float, float],
    entry: TalkEntry,
    book: SceneBook,
    chooser: random.Random,
) -> PlannedEvent:
    listener = {
        LISTENER: "the voice assistant",
        EVERYONE: "everyone",
        ONESELF: "nobody",
    }.get(addressed, f"the {addressed}")
    manner = chooser.choice(book.words.values[MANNER])
    query = f"{speaker} talking to {listener} about {about}".split()[:MAX_QUERY_WORDS]
    return PlannedEvent(
        name=f"talk_{number + 1}",
        label=SPEECH,
        role=entry.role,
        start_after=_gap(gap_s, chooser),
        rough_duration_s=round(chooser.uniform(*_TURN_S), 1),
        description=f"The {speaker} speaks {manner} to {listener} about {about}.",
        query=" ".join(query),
        accept_tags=(*_TALK_TAGS, book.people[speaker]),
        speaker=speaker,
        addressed_to=addressed,
    )


def _in_order(units: list[_Unit], scene: SceneEntry, chooser: random.Random) -> list[_Unit]:
    """A random order in which nothing comes before what it follows; occurrences are numbered."""
    follows = {s.name: {*s.needs, *s.after} for s in scene.sounds}
    waiting = list(units)
    ordered: list[_Unit] = []
    counts: Counter[str] = Counter()
    while waiting:
        pending = {unit.sound for unit in waiting}
        ready = [u for u in waiting if not follows.get(u.sound, set()) & pending]
        unit = chooser.choice(ready)
        waiting.remove(unit)
        counts[unit.sound] += 1
        ordered.append(_numbered(unit, counts[unit.sound]))
    return ordered


def _numbered(unit: _Unit, count: int) -> _Unit:
    if not unit.sound or count == 1:
        return unit
    (event,) = unit.events
    return replace(unit, events=(replace(event, name=f"{event.name}_{count}"),))


def _orders(units: list[_Unit], scene: SceneEntry) -> tuple[tuple[str, str], ...]:
    follows = {s.name: {*s.needs, *s.after} for s in scene.sounds}
    return tuple(
        (before.events[0].name, unit.events[0].name)
        for unit in units
        for before in units
        if unit.sound and before.sound in follows[unit.sound]
    )


def _gap(range_s: tuple[float, float], chooser: random.Random) -> tuple[float, float]:
    """A range within the given one, so that streams of one scene differ in their pace."""
    low_s, high_s = range_s
    pace = chooser.uniform(0.3, 1.0)
    return round(low_s, 2), round(low_s + pace * (high_s - low_s), 2)


def _wording(book: SceneBook, place: Words, chooser: random.Random) -> Grammar:
    """The lists cut down to one word each, so that query and caption tell of the same sound."""
    words = {name: (chooser.choice(words),) for name, words in book.words.values.items()}
    return Grammar({}, {**words, **place})


def _sentence(template: str, words: Grammar, chooser: random.Random) -> str:
    text = draw(template, words, chooser)
    return f"{text[0].upper()}{text[1:].rstrip('.')}."
