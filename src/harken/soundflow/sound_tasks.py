"""Composers of sounds: unasked, counted, awaited, asked about, and nothing to say."""

import numpy as np

from harken.soundflow.bursts import bursts, first_burst
from harken.soundflow.composing import (
    CARED_FOR,
    PLAIN,
    answer,
    bare_scene,
    level,
    order,
    pick,
    plain_sound,
    say,
)
from harken.soundflow.events import EVENTS, kind_counted
from harken.soundflow.phrases import awaiting_order, counting_order
from harken.soundflow.scene import Due, Scene, Sound, Variant, sound_due
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE, Prefix

COUNTS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")

TEXT_SHARE = 0.4
"""How often a standing order is given as text before the session begins."""

OTHERS_SHARE = 0.35
"""How often another sound comes while one is counted."""


def events(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Alarming and harmless sounds, unasked: care and quiet speak up for their own, narrate all."""
    scene = bare_scene(studio, random, 16, 24)
    known = studio.labels
    repeating: set[str] = set()
    scene.wait(1.0, 3.5)
    while True:
        draw = random.random()
        if draw < 0.12:
            clip, source = studio.harmless(random)
            label = ""
        else:
            pool = [n for n in (CARED_FOR if draw < 0.5 else PLAIN) if n in known]
            label = pick(random, pool or known)  # a lesson may know sounds of one kind alone
            clip, source = studio.event(label, random)
        if not scene.fits(clip, 1.2):
            break
        scene.place(clip, level(random), source, label)
        if label and len(bursts(clip)) > 1:
            repeating.add(label)
        scene.wait(1.3, 4.0)

    heard = [sound for sound in scene.sounds if sound[2]]
    variants = [_unasked("care", heard)]
    if len(heard) == len(scene.sounds):
        variants.append(_unasked("narrate", heard))
    if random.random() < 0.3:
        variants.append(_unasked("quiet", heard))
    variants += _ordered(heard, repeating, studio, random)
    if len(heard) == len(scene.sounds) and random.random() < 0.3:
        variants.append(_unasked("bench", heard))
    return scene, variants


def _ordered(
    heard: list[Sound], repeating: set[str], studio: Studio, random: np.random.Generator
) -> list[Variant]:
    """The same sounds under an order in text to count or await one of them, or one that is absent.

    Sounds in `repeating` came several times within a clip and are not counted. Left out where
    danger sounds: whether an order silences a warning is not for it to teach.
    """
    if any(EVENTS[label].quiet for _, _, label in heard):
        return []
    there = sorted({label for _, _, label in heard}) or studio.labels
    label = pick(random, there if random.random() < 0.7 else studio.labels)
    text = counting_order(label, random) if EVENTS[label].nouns else ""
    meant = kind_counted(text)
    if text and not repeating & set(meant) and random.random() < 0.6:
        spans = [(start, end, this) for start, end, this in heard if this in meant]
        due = [
            Due(start, end, "sound", f"{COUNTS[n]}.", "normal", this)
            for n, (start, end, this) in enumerate(spans)
        ]
        return [Variant("count", Prefix(instruction=text), tuple(due))]
    due = [
        sound_due(start, end, (f"I hear {EVENTS[this].name}.", "normal"), this)
        for start, end, this in heard
        if this == label
    ]
    return [Variant("tell_when", Prefix(instruction=awaiting_order(label, random)), tuple(due))]


def _unasked(policy: str, heard: list[Sound]) -> Variant:
    """What a policy says about sounds without any order."""
    due = [
        sound_due(start, end, reply, label)
        for start, end, label in heard
        if (reply := EVENTS[label].reply(policy))
    ]
    return Variant(policy, Prefix(policy), tuple(due))


def count(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A standing order to count one sound, burst by burst, among other sounds."""
    wanted, labels = counting_order_of(studio, random)
    label = pick(random, [n for n in labels if n in studio.labels])
    n = int(random.integers(1, 9))
    scene = bare_scene(studio, random, 12 + 2.6 * n, 15 + 3.0 * n)
    prefix, due = order(scene, studio, wanted)
    scene.wait(0.3, 1.0)
    # Whether a count silences a warning is not for it to teach.
    others = [x for x in studio.labels if x not in labels and not EVENTS[x].quiet]
    sound, source = studio.event(label, random)
    sound = first_burst(sound, random.uniform(0.8, 1.6))
    peak_db = level(random)
    counted = 0
    while counted < n:
        this = pick(random, others) if random.random() < OTHERS_SHARE else label
        clip, where = sound, source
        if this != label or random.random() < 0.3:
            clip, where = studio.event(this, random)
            clip = first_burst(clip, 1.6)
        if not scene.fits(clip, 1.5):
            break
        start, end = scene.place(clip, peak_db + float(random.uniform(-3, 1)), where, this)
        if this == label:
            # A count is due when the sound ends, however long: the next may follow at once.
            due.append(Due(start, end, "sound", f"{COUNTS[counted]}.", "normal", label))
            counted += 1
        scene.wait(0.7, 1.8)
    while random.random() < OTHERS_SHARE:
        this = pick(random, others)
        clip, where = studio.event(this, random)
        if not scene.fits(clip, 0.8):
            break
        scene.place(clip, peak_db + float(random.uniform(-3, 1)), where, this)
        scene.wait(0.7, 1.8)
    variants = [Variant("count", prefix, tuple(due))]
    if prefix.instruction:
        variants.append(_unasked("care", scene.sounds))
    return scene, variants


def counting_order_of(
    studio: Studio, random: np.random.Generator
) -> tuple[Spoken | str, list[str]]:
    """An order to count, aloud or as text, and the labels it may mean: one can be played."""
    if random.random() < TEXT_SHARE or not studio.has("order_count", "en"):
        text = counting_order(pick(random, [n for n in studio.labels if EVENTS[n].nouns]), random)
        return text, kind_counted(text)
    for _ in range(40):
        wanted = studio.spoken("order_count", "en", random)
        labels = kind_counted(wanted.text)
        if any(n in studio.labels for n in labels):
            return wanted, labels
    raise LookupError("no counting order has a sound to count")


_WHEN = {
    "knock": ("knock",),
    "dog": ("dog_bark",),
    "laugh": ("laughter",),
    "phone": ("phone_ring",),
    "doorbell": ("doorbell",),
    "car ": ("vehicle_engine_traffic",),
    "glass": ("glass_break",),
    " rain": ("rain_storm",),
    "baby": ("baby_cry",),
    "alarm": ("alarm_clock_or_alarm", "smoke_alarm"),
    "cat": ("cat_meow",),
    "thunder": ("thunder_lightning",),
    "cough": ("cough",),
    "sneez": ("sneeze",),
    "scream": ("scream_human",),
    "siren": ("siren_or_fire_station",),
    " bell rings": ("bell_gong",),
    "applau": ("applause_clap",),
    "clap": ("applause_clap",),
    "train": ("train",),
    "rooster": ("rooster_chicken",),
    "dripping": ("water_drop",),
    "clock": ("clock_tick",),
    "explosion": ("explosion_firework",),
    "walks": ("footsteps",),
    "horse": ("horse",),
    "door opens": ("door",),
    "helicopter": ("helicopter",),
    "bird": ("birds",),
    "cow": ("cow_deer",),
    "keyboard": ("keyboard_typing",),
    " wind ": ("wind",),
    "owl": ("owl",),
}
"""What is awaited where an order speaks of it; no order speaks of two (a test holds it)."""


def tell_when(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A conditional order: silent for other sounds, a word when the awaited one comes."""
    wanted, labels = awaiting_order_of(studio, random)
    scene = bare_scene(studio, random, 18, 26)
    prefix, due = order(scene, studio, wanted)
    scene.wait(0.3, 1.0)
    others = [n for n in studio.labels if n in PLAIN and n not in labels]
    while True:
        awaited = random.random() < 0.4
        label = pick(random, labels if awaited else others)
        clip, source = studio.event(label, random)
        if not scene.fits(clip, 1.2):
            break
        span = scene.place(clip, level(random), source, label)
        if awaited:
            due.append(sound_due(*span, (f"I hear {EVENTS[label].name}.", "normal"), label))
        scene.wait(1.4, 3.4)
    variants = [Variant("tell_when", prefix, tuple(due))]
    if prefix.instruction:
        variants.append(_unasked("care", scene.sounds))
    return scene, variants


def awaiting_order_of(
    studio: Studio, random: np.random.Generator
) -> tuple[Spoken | str, list[str]]:
    """An order to wait for a sound, aloud or as text, and the labels that fulfil it."""
    if random.random() < TEXT_SHARE or not studio.has("order_when", "en"):
        label = pick(random, studio.labels)
        return awaiting_order(label, random), [label]
    orders = [
        (o, [n for n in labels if n in studio.labels])
        for o in studio.all_spoken("order_when", "en")
        for key, labels in _WHEN.items()
        if key in f" {o.text.lower()} "
    ]
    orders = [(o, labels) for o, labels in orders if labels]
    if not orders:
        raise LookupError("no conditional order has a sound to wait for")
    return orders[int(random.integers(len(orders)))]


def what_was_that(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A question about a sound that was just heard."""
    scene = bare_scene(studio, random, 12, 18)
    scene.wait(1.0, 2.5)
    label, clip, source = plain_sound(scene, studio)
    scene.place(clip, level(random), source, label)
    scene.wait(1.0, 2.5)
    asked = [s for s in studio.all_spoken("recall", "en") if "sound" in s.text or "hear" in s.text]
    asked = [s for s in asked if "first" not in s.text]
    if not asked:
        raise LookupError("no question about sounds")
    s = asked[int(random.integers(len(asked)))]
    name = EVENTS[label].name
    due = (answer(say(scene, studio, s), f"That was {name}.", "recall"),)
    return scene, [Variant("what_was_that", Prefix(), due)]


def background(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Ambience, music, silence and harmless sounds: nothing to say."""
    scene = bare_scene(studio, random, 16, 26)
    if random.random() < 0.8:
        clip, source = studio.background(random)
        scene.lay(clip, random.uniform(-45, -18), int(random.uniform(0, 4) * SAMPLE_RATE))
        scene.sources.add(source)
    while random.random() < 0.75:
        scene.wait(1.5, 6.0)
        label = pick(random, [n for n in studio.labels if n in PLAIN])
        if random.random() < 0.4:
            label = ""
        clip, source = studio.event(label, random) if label else studio.harmless(random)
        if not scene.fits(clip, 0.5):
            break
        scene.place(clip, level(random) - 3, source, label)
    variants = [Variant("background", Prefix(), ())]
    if random.random() < 0.3:
        variants.append(Variant("background", Prefix("quiet"), ()))
    return scene, variants
