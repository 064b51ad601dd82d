"""Finds a sound for every event of a plan, and keeps the history of what was turned down and why.

For each event the three nearest recordings are judged one after the other; if none is accepted the
generators are asked, and what they make is judged alike. An event for which there is nothing is
left out with its reason: better a shorter stream than one with a wrong label.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from harken.soundflow.ground.generator import SoundGenerator
from harken.soundflow.ground.hearing import Ear
from harken.soundflow.ground.retrieve import Shelf
from harken.soundflow.ground.verify import Decision, Judged, Verdict, judged
from harken.soundflow.manifest import Clip
from harken.soundflow.plan import SPEECH, Plan, PlannedEvent
from harken.soundflow.sources import load as load_clip

F32 = npt.NDArray[np.float32]

DRAWS = 3
"""A generator may try so often: some draws fail the ear."""
LONGEST_MADE_S = 30.0
"""An ambient sound is laid end to end, so no more of it is made."""


class Dropped(StrEnum):
    """Why an event has no sound."""

    NO_GENERATOR = "no recording fits and no generator makes it"
    MADE_REJECTED = "no recording fits and what was made was rejected"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One candidate: a clip's id or what a generator made, and every verdict on it."""

    source: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Grounded:
    """An event with its sound.

    Attributes:
        samples: float32 [n], 16 kHz.
        source: id of the clip, or what made it.
        made: whether a generator made it.
        licence, attribution: what goes with the samples.
        history: every candidate in the order it was judged; the last is the accepted one.
    """

    event: PlannedEvent
    samples: F32
    source: str
    made: bool
    licence: str
    attribution: str
    history: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """An event that has no sound, why, and what was tried."""

    event: PlannedEvent
    reason: Dropped
    history: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Grounding:
    """A plan whose sounds are found, in the plan's order.

    Speech is in neither: it is made by the next stage.
    """

    plan: Plan
    sounds: tuple[Grounded, ...]
    left: tuple[Left, ...]


def grounded(
    plan: Plan,
    clips: Shelf,
    generators: Sequence[SoundGenerator],
    ear: Ear,
    random: np.random.Generator,
    *,
    load: Callable[[Clip], F32] = load_clip,
) -> Grounding:
    """A sound for every event of `plan` that is not speech; equal arguments give equal sounds.

    A clip is used once in a plan.

    Args:
        generators: asked in this order, once no recording was accepted.
        random: a fresh generator; every event draws from one of its own, so that what one event
            needs does not change the others.
        load: gives the samples of a clip, float32 [n] at 16 kHz.

    Raises:
        HarkenError: a clip cannot be read or a server fails.
    """
    used: set[str] = set()
    sounds: list[Grounded] = []
    left: list[Left] = []
    for event, draws in zip(plan.events, random.spawn(len(plan.events)), strict=True):
        if event.label == SPEECH:
            continue
        history: list[Attempt] = []
        found = _recorded(event, clips, used, ear, load, history)
        found = found or _made(event, generators, ear, draws, history)
        if found is None:
            tried = any(generator.can(event) for generator in generators)
            reason = Dropped.MADE_REJECTED if tried else Dropped.NO_GENERATOR
            left.append(Left(event, reason, tuple(history)))
        else:
            used.add(found.source)
            sounds.append(found)
    return Grounding(plan, tuple(sounds), tuple(left))


def told(grounding: Grounding) -> Iterator[str]:
    """One line for each event: what was found, and what was turned down before it."""
    for sound in grounding.sounds:
        yield f"{sound.event.name}: {sound.source}{_turned_down(sound.history[:-1])}"
    for event in grounding.left:
        yield f"{event.event.name}: left out, {event.reason}{_turned_down(event.history)}"


def tallied(grounding: Grounding) -> Counter[str]:
    """What came of a plan's events and candidates, to be kept with what is made of it: how many
    events are `recorded`, `made` and `left: REASON`, how many candidates `cleaned: REASON` and
    `rejected: REASON`."""
    counts: Counter[str] = Counter()
    for sound in grounding.sounds:
        counts["made" if sound.made else "recorded"] += 1
    counts.update(f"left: {left.reason}" for left in grounding.left)
    histories = [s.history for s in grounding.sounds] + [e.history for e in grounding.left]
    for attempts in histories:
        for verdict in (v for attempt in attempts for v in attempt.verdicts):
            if verdict.decision is Decision.REPROCESS:
                counts[f"cleaned: {verdict.reason}"] += 1
            elif verdict.decision is Decision.REJECT:
                counts[f"rejected: {verdict.reason}"] += 1
    return counts


def _recorded(
    event: PlannedEvent,
    clips: Shelf,
    used: set[str],
    ear: Ear,
    load: Callable[[Clip], F32],
    history: list[Attempt],
) -> Grounded | None:
    for clip in clips.top(event, without=used):
        result = judged(load(clip), event, clip.label, ear)
        history.append(Attempt(clip.id, result.verdicts))
        if result.accepted:
            return _result(event, result, clip.id, False, clip.licence, clip.package, history)
    return None


def _made(
    event: PlannedEvent,
    generators: Sequence[SoundGenerator],
    ear: Ear,
    random: np.random.Generator,
    history: list[Attempt],
) -> Grounded | None:
    seconds = min(event.rough_duration_s, LONGEST_MADE_S)
    for generator in generators:
        if not generator.can(event):
            continue
        for _ in range(DRAWS):
            made = generator.generate(event, seconds, random)
            result = judged(made.samples, event, event.label, ear, made=True)
            history.append(Attempt(made.source, result.verdicts))
            if result.accepted:
                return _result(
                    event, result, made.source, True, made.licence, made.attribution, history
                )
    return None


def _result(
    event: PlannedEvent,
    result: Judged,
    source: str,
    made: bool,
    licence: str,
    attribution: str,
    history: list[Attempt],
) -> Grounded:
    return Grounded(event, result.samples, source, made, licence, attribution, tuple(history))


def _turned_down(history: Sequence[Attempt]) -> str:
    if not history:
        return ""
    listed = (f"{a.source} ({a.verdicts[-1].reason}: {a.verdicts[-1].detail})" for a in history)
    return f"; turned down: {', '.join(listed)}"
