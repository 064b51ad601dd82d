"""What a stream shall contain before a single clip is chosen: a scene and its events.

A plan says which sounds come, in which order, how far apart, in which role and who speaks to whom.
Later stages look for the clips (`query`, `accept_tags`) and place them; so times here are ranges
and durations are rough. The shape follows the first two stages of the published event curation
(arXiv 2606.05121, section "Hierarchical event curation"): 3 to 15 events, three roles, at least one
ambient sound under everything, a retrieval query of 4 to 12 words.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, Protocol

from harken.errors import HarkenError
from harken.soundflow.events import AMBIENCE, EVENTS

Role = Literal["fg", "bg", "ambient"]
"""Foreground (what the stream is about), background (beneath it), ambient (under everything)."""

SPEECH = "speech"
OTHER = "other_effect"
"""Label of a sound that `EVENTS` has no name for."""
LABELS = frozenset({*EVENTS, *AMBIENCE, SPEECH, OTHER})

LISTENER, EVERYONE, ONESELF = "listener", "everyone", "oneself"
"""Whom talk is addressed to if to no other person: Harken, all who hear it, the speaker."""

MIN_EVENTS, MAX_EVENTS = 3, 15
MIN_QUERY_WORDS, MAX_QUERY_WORDS = 4, 12
MAX_GAP_S, MAX_PLAN_S = 60.0, 600.0
_MAX_TAGS, _MAX_TEXT = 8, 400
_SLACK_S = 1e-6


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """One sound or one turn of talk.

    Attributes:
        name: unique in the plan, lower-case letters, digits and underscores.
        label: a key of `EVENTS` or one of `AMBIENCE`, "speech" or "other_effect".
        start_after: seconds (at least, at most) to wait after the end of the foreground event
            listed before this one, or after the start of the stream if there is none. The
            foreground never waits for the background. Ambient sounds count from the start.
        rough_duration_s: seconds; a clip of half to twice this length will do.
        description: a caption of one or two sentences, from which a sound can be generated.
        query: 4 to 12 words to search clips with.
        accept_tags: names of the AudioSet ontology that a fitting clip may carry.
        speaker, addressed_to: who talks and to whom; empty unless the label is "speech".
    """

    name: str
    label: str
    role: Role
    start_after: tuple[float, float]
    rough_duration_s: float
    description: str
    query: str
    accept_tags: tuple[str, ...]
    speaker: str = ""
    addressed_to: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """One stream to be made.

    Attributes:
        scene: name of the place.
        events: in the order in which they come; ambient sounds first.
        seed, planner: what made it, so that it can be made again.
        situation: what goes on, in one sentence.
        orders: pairs of names: the first event has ended before the second begins.
    """

    scene: str
    events: tuple[PlannedEvent, ...]
    seed: int
    planner: str
    situation: str = ""
    orders: tuple[tuple[str, str], ...] = ()


class Planner(Protocol):
    """Makes plans; the same seed gives the same plan."""

    def plan(self, seed: int) -> Plan:
        """A valid plan.

        Raises:
            HarkenError: no valid plan could be had.
        """
        ...


class Reason(StrEnum):
    """What can be wrong with a plan."""

    COUNT = "number of events"
    SCENE = "unknown scene"
    NAME = "name"
    LABEL = "unknown label"
    ROLE = "role"
    GAP = "gap"
    DURATION = "duration"
    TEXT = "description"
    QUERY = "query"
    TAGS = "tags"
    TALK = "talk"
    NO_AMBIENT = "no ambient sound"
    NOT_COVERED = "not covered by an ambient sound"
    ORDER = "order"
    EXCLUSION = "exclusion"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: why, with which event (empty: the whole plan), and the values."""

    reason: Reason
    event: str
    detail: str

    def __str__(self) -> str:
        place = f" of {self.event}" if self.event else ""
        return f"{self.reason}{place}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Rules:
    """What may sound together.

    Attributes:
        ambient_labels: labels that last and may lie under a whole stream.
        excluded: for each known scene the labels that do not belong there.
        apart: pairs of labels that no place has both of.
    """

    ambient_labels: frozenset[str]
    excluded: Mapping[str, frozenset[str]]
    apart: frozenset[frozenset[str]] = field(default=frozenset())


def timed(
    events: Sequence[PlannedEvent], shares: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """Start and end in seconds of each event.

    Args:
        shares: for each event where in its gap range the gap lies, from 0 to 1.
    """
    foreground_end_s = 0.0
    times = []
    for event, share in zip(events, shares, strict=True):
        low_s, high_s = event.start_after
        gap_s = low_s + share * (high_s - low_s)
        start_s = gap_s if event.role == "ambient" else foreground_end_s + gap_s
        end_s = start_s + event.rough_duration_s
        if event.role == "fg":
            foreground_end_s = end_s
        times.append((start_s, end_s))
    return tuple(times)


def latest_end_s(events: Sequence[PlannedEvent]) -> float:
    """When the last event that is not ambient has ended if every gap is as long as it may be."""
    times = timed(events, [1.0] * len(events))
    ends = [end for (_, end), e in zip(times, events, strict=True) if e.role != "ambient"]
    return max(ends, default=0.0)


def covered(events: Sequence[PlannedEvent], tail_s: float = 1.0) -> tuple[PlannedEvent, ...]:
    """The events with every ambient sound stretched from the start to `tail_s` after the last."""
    tenths = (latest_end_s(events) + tail_s) * 10
    if not math.isfinite(tenths):
        return tuple(events)  # A fault of its own: `faults` tells which event it is.
    total_s = math.ceil(tenths) / 10
    return tuple(
        replace(e, start_after=(0.0, 0.0), rough_duration_s=total_s) if e.role == "ambient" else e
        for e in events
    )


def faults(plan: Plan, rules: Rules) -> tuple[Fault, ...]:
    """Everything that is wrong with a plan; empty if it is valid."""
    found = [fault for event in plan.events for fault in _event_faults(event, rules)]
    found += _count_faults(plan)
    found += _exclusion_faults(plan, rules)
    if not any(f.reason in (Reason.GAP, Reason.DURATION) for f in found):
        found += _cover_faults(plan)
        found += _order_faults(plan)
    return tuple(found)


def check(plan: Plan, rules: Rules) -> Plan:
    """The plan itself if it is valid.

    Raises:
        HarkenError: it is not; the message names every fault.
    """
    found = faults(plan, rules)
    if found:
        raise HarkenError(
            f"the plan of {plan.planner} for seed {plan.seed} ({plan.scene}) is not valid: "
            f"{'; '.join(map(str, found))}; mend these or plan with another seed"
        )
    return plan


def _event_faults(event: PlannedEvent, rules: Rules) -> Iterable[Fault]:
    def fault(reason: Reason, detail: str) -> Fault:
        return Fault(reason, event.name, detail)

    if not re.fullmatch(r"[a-z0-9_]{1,40}", event.name):
        yield fault(Reason.NAME, f"{event.name!r} must be 1 to 40 lower-case letters, digits and _")
    if event.label not in LABELS:
        yield fault(Reason.LABEL, f"{event.label!r} is not a label of harken.soundflow.events")
    low_s, high_s = event.start_after
    if not 0 <= low_s <= high_s <= MAX_GAP_S:
        yield fault(
            Reason.GAP, f"({low_s}, {high_s}) s must rise and lie within 0 to {MAX_GAP_S:g}"
        )
    if not 0.1 <= event.rough_duration_s <= MAX_PLAN_S:
        yield fault(
            Reason.DURATION, f"{event.rough_duration_s} s is not within 0.1 to {MAX_PLAN_S:g}"
        )
    if not event.description.strip() or len(event.description) > _MAX_TEXT:
        yield fault(
            Reason.TEXT, f"{len(event.description)} characters are not within 1 to {_MAX_TEXT}"
        )
    words = len(event.query.split())
    if not MIN_QUERY_WORDS <= words <= MAX_QUERY_WORDS:
        yield fault(
            Reason.QUERY,
            f"{event.query!r} has {words} words instead of {MIN_QUERY_WORDS} to {MAX_QUERY_WORDS}",
        )
    if not 1 <= len(event.accept_tags) <= _MAX_TAGS or not all(map(str.strip, event.accept_tags)):
        yield fault(Reason.TAGS, f"{list(event.accept_tags)} must be 1 to {_MAX_TAGS} names")
    yield from (fault(Reason.TALK, detail) for detail in _talk_details(event))
    yield from (fault(Reason.ROLE, detail) for detail in _role_details(event, rules))


def _talk_details(event: PlannedEvent) -> Iterable[str]:
    if event.label != SPEECH:
        if event.speaker or event.addressed_to:
            yield f"only {SPEECH} has a speaker, {event.label!r} names {event.speaker!r}"
    elif not event.speaker.strip() or not event.addressed_to.strip():
        yield f"speaker {event.speaker!r} and addressed_to {event.addressed_to!r} must be named"
    elif event.speaker == event.addressed_to:
        yield f"{event.speaker!r} talks to themselves; then addressed_to is {ONESELF!r}"


def _role_details(event: PlannedEvent, rules: Rules) -> Iterable[str]:
    kind = EVENTS.get(event.label)
    if event.role not in ("fg", "bg", "ambient"):
        yield f"{event.role!r} is not fg, bg or ambient"
    elif event.role == "ambient" and event.label not in rules.ambient_labels:
        yield f"{event.label!r} does not last, so it cannot be ambient"
    elif event.role == "fg" and event.label in AMBIENCE:
        yield f"{event.label!r} is a background and cannot be fg"
    elif event.role == "bg" and kind is not None and kind.quiet:
        yield f"{event.label!r} is a danger and belongs in the foreground"


def _count_faults(plan: Plan) -> Iterable[Fault]:
    count = len(plan.events)
    if not MIN_EVENTS <= count <= MAX_EVENTS:
        yield Fault(Reason.COUNT, "", f"{count} events are not within {MIN_EVENTS} to {MAX_EVENTS}")
    names = [e.name for e in plan.events]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield Fault(Reason.NAME, name, f"{names.count(name)} events have this name")
    ambient = {e.label for e in plan.events if e.role == "ambient"}
    for event in plan.events:
        if event.role != "ambient" and event.label in ambient:
            yield Fault(Reason.ROLE, event.name, f"{event.label!r} is ambient in this plan already")


def _exclusion_faults(plan: Plan, rules: Rules) -> Iterable[Fault]:
    excluded = rules.excluded.get(plan.scene)
    if excluded is None:
        known = ", ".join(sorted(rules.excluded))
        yield Fault(Reason.SCENE, "", f"{plan.scene!r} is not one of {known}")
    for index, event in enumerate(plan.events):
        if excluded and event.label in excluded:
            yield Fault(
                Reason.EXCLUSION, event.name, f"{event.label!r} does not belong in {plan.scene}"
            )
        for other in plan.events[:index]:
            if frozenset((event.label, other.label)) in rules.apart:
                yield Fault(
                    Reason.EXCLUSION,
                    event.name,
                    f"{event.label!r} and {other.label!r} of {other.name} are never in one place",
                )


def _cover_faults(plan: Plan) -> Iterable[Fault]:
    ambient = [e for e in plan.events if e.role == "ambient"]
    end_s = latest_end_s(plan.events)
    if not ambient:
        yield Fault(Reason.NO_AMBIENT, "", "one must lie under everything")
    elif not any(
        e.start_after[1] <= _SLACK_S and e.rough_duration_s >= end_s - _SLACK_S for e in ambient
    ):
        yield Fault(
            Reason.NOT_COVERED, "", f"none lasts from the start to the last end at {end_s:.1f} s"
        )
    longest_s = max([end_s, *(e.rough_duration_s for e in ambient)])
    if longest_s > MAX_PLAN_S:
        yield Fault(
            Reason.DURATION, "", f"the whole takes {longest_s:.1f} s, more than {MAX_PLAN_S:g}"
        )


def _order_faults(plan: Plan) -> Iterable[Fault]:
    places = {event.name: index for index, event in enumerate(plan.events)}
    for before, after in plan.orders:
        missing = [name for name in (before, after) if name not in places]
        if missing:
            yield Fault(Reason.ORDER, missing[0], f"({before}, {after}) names no event of the plan")
        elif not _ends_before(plan.events, places[before], places[after]):
            yield Fault(Reason.ORDER, after, f"may begin before {before} has ended")


def _ends_before(events: Sequence[PlannedEvent], first: int, second: int) -> bool:
    """Whether `first` has ended when `second` begins, whatever the gaps turn out to be."""
    if "ambient" in (events[first].role, events[second].role) or second <= first:
        return False
    # Worst case: the first of the two comes late, all else as early as it may. What both wait
    # for shifts both alike.
    times = timed(events, [1.0 if i == first else 0.0 for i in range(len(events))])
    return times[second][0] >= times[first][1] - _SLACK_S
