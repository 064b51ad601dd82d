"""What every composer starts from: a scene, an order in it, a sound, a reply that is due."""

from collections.abc import Callable

import numpy as np

from harken.soundflow.events import EVENTS
from harken.soundflow.generate import noise_bed
from harken.soundflow.phrases import ends_order
from harken.soundflow.scene import F32, Due, Scene, Variant
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE, Prefix

Composer = Callable[[Studio, np.random.Generator], tuple[Scene, list[Variant]]]
"""Makes a scene and its variants: the same audio under several prefixes costs the ears once."""

AGREED = "Okay."
"""What an order or its end is answered with."""
CARED_FOR = tuple(label for label, kind in EVENTS.items() if kind.care)
PLAIN = tuple(label for label, kind in EVENTS.items() if not kind.care)

_NOISE_SHARE, _AMBIENCE_SHARE = 0.9, 0.3


def bare_scene(studio: Studio, random: np.random.Generator, low_s: float, high_s: float) -> Scene:
    """A scene of that length with nothing in it but noise, often, and ambience, sometimes."""
    scene = Scene(random, int(random.uniform(low_s, high_s) * SAMPLE_RATE))
    if random.random() < _NOISE_SHARE:
        scene.lay(noise_bed(random, 4 * SAMPLE_RATE), random.uniform(-75, -42))
    if random.random() < _AMBIENCE_SHARE:
        clip, source = studio.ambience(random)
        scene.lay(clip, random.uniform(-58, -34))
        scene.sources.add(source)
    return scene


def pick(random: np.random.Generator, items: list[str] | tuple[str, ...]) -> str:
    """One of the items."""
    return items[int(random.integers(len(items)))]


def level(random: np.random.Generator) -> float:
    """A peak level for a sound in the foreground, near or across the room, dB below full scale."""
    return float(random.uniform(-22, -2))


def say(scene: Scene, studio: Studio, spoken: Spoken) -> tuple[int, int]:
    """Put an utterance here; its start and end."""
    return scene.place(studio.voice(spoken), float(scene.random.uniform(-10, -2)), spoken.kind)


def plain_sound(scene: Scene, studio: Studio) -> tuple[str, F32, str]:
    """A sound that calls for nothing: its label, its waveform float32 [n] and its source."""
    label = pick(scene.random, [n for n in studio.labels if n in PLAIN])
    return label, *studio.event(label, scene.random)


def passing_sound(scene: Scene, studio: Studio) -> bool:
    """Put such a sound here, a little away, and wait; False where it does not fit any more."""
    label, clip, source = plain_sound(scene, studio)
    if not scene.fits(clip, 1.0):
        return False
    scene.place(clip, level(scene.random) - 4, source, label)
    scene.wait(1.0, 2.0)
    return True


def answer(span: tuple[int, int], text: str, cause: str, emotion: str = "normal") -> Due:
    """A reply to what was said in `span`, due when its last word was heard."""
    return Due(*span, "words", text, emotion, cause)


def agreed(span: tuple[int, int], wanted: Spoken) -> Due:
    """What is due to an order said in `span`: it is agreed to, if it was understood."""
    return Due(*span, "words", AGREED, "normal", "order", spoken=wanted.text)


def order(scene: Scene, studio: Studio, wanted: Spoken | str) -> tuple[Prefix, list[Due]]:
    """Give a standing order at the start of a scene: aloud, or as text before it begins."""
    scene.wait(0.4, 1.5)
    if isinstance(wanted, str):
        return Prefix(instruction=wanted), []
    due = [agreed(say(scene, studio, wanted), wanted)]
    scene.wait(1.4, 2.6)
    return Prefix(), due


def sometimes_text(random: np.random.Generator, wanted: Spoken, share: float) -> Spoken | str:
    """The order itself, or in that share of cases its text."""
    return wanted.text if random.random() < share else wanted


def called_off(
    scene: Scene,
    studio: Studio,
    language: str,
    chance: float,
    of: tuple[str, ...],
    tail_s: float = 4,
) -> Due | None:
    """Sometimes say that the order ends; what is due to that, or None when nothing was said.

    of: what may be spoken of, besides nothing at all (`phrases.ends_order`).
    """
    random = scene.random
    if random.random() >= chance:
        return None
    stops = [s for s in studio.all_spoken("stop", language) if ends_order(s.text, of)]
    if not stops:
        return None
    stop = stops[int(random.integers(len(stops)))]
    if not scene.fits(studio.voice(stop), tail_s):
        return None
    due = answer(say(scene, studio, stop), AGREED, "stop")
    scene.wait(1.5, 2.5)
    return due


def language_for(random: np.random.Generator, studio: Studio, kind: str) -> str:
    """English two times of three, Chinese else, where utterances of that kind exist."""
    choices = [n for n in ("en", "en", "zh") if studio.has(kind, n)]
    if not choices:
        raise LookupError(f"no {kind} in split {studio.split}")
    return pick(random, choices)
