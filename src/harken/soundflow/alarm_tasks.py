"""Composer of an alarm that goes on: it is spoken of once, there and in the streams of others."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harken.soundflow.clean import spec_smooth
from harken.soundflow.composing import CARED_FOR, PLAIN, Composer, bare_scene, level, pick
from harken.soundflow.events import EVENTS
from harken.soundflow.phrases import alike
from harken.soundflow.scene import Scene, Sound, Variant, sound_due
from harken.soundflow.studio import Studio
from harken.stream import SAMPLE_RATE, Prefix

COMES_BACK_SHARE = 0.25
"""How often a danger comes back after a silence."""
SAME_ALARM_S = 30.0
"""A danger that comes again so soon after it was last heard is the one that was spoken of."""
NEW_ALARM_S = 60.0
"""After so long a silence it is a new one. What lies between the two is not composed."""
PERSISTENT = (
    "smoke_alarm",
    "alarm_clock_or_alarm",
    "siren_or_fire_station",
    "baby_cry",
    "doorbell",
    "knock",
)
"""What goes on, or comes again for the same reason: an alarm, a siren, a visitor who waits."""

_LONGEST_S = 2.5

_UNASKED = ("care", "quiet", "bench")
"""Tasks of variants in which nobody gave an order."""

Clip = tuple[npt.NDArray[np.float32], str]
"""Samples, and where they come from."""


def say_once(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """An alarm that goes on, among other sounds: due is one word to it, and one to another danger.

    Heard again within `SAME_ALARM_S` it is the same one, after `NEW_ALARM_S` of silence a new one.
    `live.say_once` agrees: what it holds back, the same text within seconds, is never due here.
    """
    comes_back = random.random() < COMES_BACK_SHARE
    scene = bare_scene(studio, random, *((76, 79) if comes_back else (22, 40)))
    label = pick(random, [n for n in PERSISTENT if n in studio.labels])
    clip, source = studio.event(label, random)
    sound = spec_smooth(clip[: int(_LONGEST_S * SAMPLE_RATE)]), source
    scene.wait(0.8, 2.0)
    new = [_placed(scene, sound, label)]
    if comes_back:
        _come_back(scene, studio, label, sound)
        new.append(_placed(scene, sound, label))
    else:
        new += _go_on(scene, studio, label, sound)
    variants = []
    for policy in ["care"] + ["quiet"] * (random.random() < 0.5):
        due = [
            sound_due(start, end, reply, this)
            for start, end, this in new
            if (reply := EVENTS[this].reply(policy))
        ]
        variants.append(Variant("say_once", Prefix(policy), tuple(due)))
    return scene, variants


def spoken_of_once(
    composer: Composer, studio: Studio, random: np.random.Generator
) -> tuple[Scene, list[Variant]]:
    """What a composer makes, with one word alone to what goes on, where nobody gave an order.

    A variant is left out if it is not clear whether a sound is the one that was spoken of.

    Raises:
        LookupError: no variant is left.
    """
    scene, variants = composer(studio, random)
    clear = [once for variant in variants if (once := _once(variant, scene.sounds))]
    if not clear:
        raise LookupError("under no policy it is clear whether an alarm is a new one")
    return scene, clear


def _once(variant: Variant, sounds: list[Sound]) -> Variant | None:
    """The variant without what is due to a sound that was spoken of; None if that is not clear."""
    if variant.task not in _UNASKED:
        return variant
    repeats, ended = set[int](), dict[str, int]()
    for start, end, label in sounds:
        if label in PERSISTENT and EVENTS[label].reply(variant.prefix.policy):
            silent_s = (start - ended[label]) / SAMPLE_RATE if label in ended else np.inf
            if SAME_ALARM_S < silent_s < NEW_ALARM_S:
                return None
            if silent_s <= SAME_ALARM_S:
                repeats.add(start)
            ended[label] = end
    due = tuple(d for d in variant.due if d.waits_for != "sound" or d.start not in repeats)
    return replace(variant, due=due)


def _come_back(scene: Scene, studio: Studio, label: str, sound: Clip) -> None:
    """Perhaps the sound once more, then so long without it that the next one is a new one."""
    random = scene.random
    if random.random() < 0.5:
        scene.wait(0.6, 3.0)
        _placed(scene, sound, label)
    back = scene.at + int((NEW_ALARM_S + 1) * SAMPLE_RATE)
    _others(scene, studio, label, back)
    scene.at = back


def _go_on(scene: Scene, studio: Studio, label: str, sound: Clip) -> list[Sound]:
    """The sound again and again; in between harmless ones and, perhaps, another danger: that."""
    random, new = scene.random, list[Sound]()
    rings = int(random.integers(2, 7))
    other = ""
    if random.random() < 0.5:
        other = pick(random, [n for n in CARED_FOR if n in studio.labels and n not in alike(label)])
    for n in range(rings):
        scene.wait(0.4, 3.0)
        if random.random() < 0.3:
            _others(scene, studio, label, scene.at + int(random.uniform(2, 12) * SAMPLE_RATE))
        if other and n == rings // 2:
            danger = studio.event(other, random)
            if scene.fits(danger[0], 1.4):
                new.append(_placed(scene, danger, other))
            scene.wait(0.8, 2.5)
        if not scene.fits(sound[0], 1.4):
            break
        _placed(scene, sound, label)
    return new


def _placed(scene: Scene, sound: Clip, label: str) -> Sound:
    clip, source = sound
    return *scene.place(clip, level(scene.random), source, label), label


def _others(scene: Scene, studio: Studio, label: str, until: int) -> None:
    """Harmless sounds unlike that of `label` up to a sample, with pauses."""
    random = scene.random
    pool = [n for n in studio.labels if n in PLAIN and n not in alike(label)]
    scene.wait(0.6, 2.0)
    while random.random() < 0.8:
        this = pick(random, pool)
        clip, source = studio.event(this, random)
        if scene.at + len(clip) > min(until, scene.samples):
            return
        scene.place(clip, level(random) - 3, source, this)
        scene.wait(1.0, 4.0)
