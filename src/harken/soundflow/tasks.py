"""Composers: each makes a scene and what is due in it, from one studio and one random generator.

A composer returns the scene and its variants: the same audio under several prefixes costs the
ears only once. Sounds that are due are far enough apart that each has its own decision.
"""

import re
from collections.abc import Callable

import numpy as np

from harken.soundflow.events import EVENTS, kind_counted
from harken.soundflow.generate import noise_bed
from harken.soundflow.scene import Due, Scene, Variant, sound_due
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE, Prefix

Composer = Callable[[Studio, np.random.Generator], tuple[Scene, list[Variant]]]

COUNTS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
AGREED = "Okay."
_CARED_FOR = tuple(label for label, kind in EVENTS.items() if kind.care)
_PLAIN = tuple(label for label, kind in EVENTS.items() if not kind.care)


def _scene(random: np.random.Generator, low_s: float, high_s: float) -> Scene:
    scene = Scene(random, int(random.uniform(low_s, high_s) * SAMPLE_RATE))
    if random.random() < 0.9:
        scene.lay(noise_bed(random, 4 * SAMPLE_RATE), random.uniform(-75, -42))
    return scene


def _pick(random: np.random.Generator, items: list[str] | tuple[str, ...]) -> str:
    return items[int(random.integers(len(items)))]


def _level(random: np.random.Generator) -> float:
    return float(random.uniform(-16, -2))


def _say(scene: Scene, studio: Studio, spoken: Spoken) -> tuple[int, int]:
    return scene.place(studio.voice(spoken), float(scene.random.uniform(-10, -2)), spoken.kind)


def _answer(span: tuple[int, int], text: str, cause: str, emotion: str = "normal") -> Due:
    return Due(*span, "words", text, emotion, cause)


def events(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Alarming and harmless sounds, unasked: care and quiet speak up for their own, narrate all."""
    scene = _scene(random, 16, 24)
    known = studio.labels
    heard: list[tuple[int, int, str]] = []
    unnamed = False
    scene.wait(1.0, 3.5)
    while True:
        draw = random.random()
        if draw < 0.12:
            clip, source = studio.harmless(random)
            label = ""
        else:
            pool = [n for n in (_CARED_FOR if draw < 0.5 else _PLAIN) if n in known]
            label = _pick(random, pool)
            clip, source = studio.event(label, random)
        if not scene.fits(clip, 1.2):
            break
        start, end = scene.place(clip, _level(random), source)
        unnamed |= not label
        if label:
            heard.append((start, end, label))
        scene.wait(1.3, 4.0)

    def due(policy: str) -> tuple[Due, ...]:
        found = []
        for start, end, label in heard:
            reply = EVENTS[label].reply(policy)
            if reply:
                found.append(sound_due(start, end, reply, label))
        return tuple(found)

    variants = [Variant("care", Prefix("care"), due("care"))]
    if not unnamed:
        variants.append(Variant("narrate", Prefix("narrate"), due("narrate")))
    if random.random() < 0.3:
        variants.append(Variant("quiet", Prefix("quiet"), due("quiet")))
    return scene, variants


def narrate_on_request(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A spoken wish to name every sound, under the default policy; sometimes called off again."""
    scene = _scene(random, 18, 26)
    scene.wait(0.4, 1.5)
    orders = [s for n in ("en", "zh") for s in studio.all_spoken("order_narrate", n)]
    # The starter pack files two Chinese orders of other kinds under this one.
    orders = [s for s in orders if "数一数" not in s.text and "敲门" not in s.text]
    if not orders:
        raise LookupError("no order to narrate")
    order = orders[int(random.integers(len(orders)))]
    due = [_answer(_say(scene, studio, order), AGREED, "order")]
    scene.wait(1.5, 3.0)
    active = True
    while True:
        label = _pick(random, studio.labels)
        clip, source = studio.event(label, random)
        if not scene.fits(clip, 1.2):
            break
        span = scene.place(clip, _level(random), source)
        reply = EVENTS[label].reply("narrate" if active else "care")
        if reply:
            due.append(sound_due(*span, reply, label))
        scene.wait(1.4, 3.2)
        if active and random.random() < 0.12 and studio.has("stop", "en"):
            stop = studio.spoken("stop", "en", random)
            if scene.fits(studio.voice(stop), 4):
                due.append(_answer(_say(scene, studio, stop), AGREED, "stop"))
                scene.wait(1.5, 2.5)
                active = False
    return scene, [Variant("narrate_order", Prefix(), tuple(due))]


def count(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A standing order to count one sound, with other sounds in between."""
    for _ in range(40):
        order = studio.spoken("order_count", "en", random)
        labels = [n for n in kind_counted(order.text) if n in studio.labels]
        if labels:
            break
    else:
        raise LookupError("no counting order has a sound to count")
    label = _pick(random, labels)
    n = int(random.integers(1, 9))
    scene = _scene(random, 12 + 2.2 * n, 15 + 2.6 * n)
    in_text = random.random() < 0.2
    scene.wait(0.4, 1.5)
    due = []
    if not in_text:
        due.append(_answer(_say(scene, studio, order), AGREED, "order"))
        scene.wait(1.4, 2.5)
    sound, source = studio.event(label, random)
    sound = sound[: int(random.uniform(0.8, 1.6) * SAMPLE_RATE)]
    counted = 0
    level = _level(random)
    while counted < n:
        if random.random() < 0.18:
            other = _pick(random, [x for x in studio.labels if x not in labels and x in _PLAIN])
            clip, where = studio.event(other, random)
            clip = clip[: int(1.5 * SAMPLE_RATE)]
        else:
            other, clip, where = "", sound, source
            if random.random() < 0.3:
                clip, where = studio.event(label, random)
                clip = clip[: int(1.5 * SAMPLE_RATE)]
        if not scene.fits(clip, 1.5):
            break
        span = scene.place(clip, level + float(random.uniform(-3, 1)), where)
        if not other:
            counted += 1
            text = f"{COUNTS[counted - 1]}."
            # A count is due when the sound ends, however long: the next may follow at once.
            due.append(Due(*span, "sound", text, "normal", label))
        scene.wait(0.7, 1.8)
    prefix = Prefix(instruction=order.text) if in_text else Prefix()
    return scene, [Variant("count", prefix, tuple(due))]


_WHEN = {
    "knock": ("knock",),
    "dog": ("dog_bark",),
    "laugh": ("laughter",),
    "phone": ("phone_ring",),
    "doorbell": ("doorbell",),
    "car ": ("vehicle_engine_traffic",),
    "glass": ("glass_break",),
    "rain": ("rain_storm",),
    "baby": ("baby_cry",),
    "alarm": ("alarm_clock_or_alarm", "smoke_alarm"),
    "cat": ("cat_meow",),
    "thunder": ("thunder_lightning",),
    "cough": ("cough",),
    "sneez": ("sneeze",),
    "scream": ("scream_human",),
    "siren": ("siren_or_fire_station",),
    "bell rings": ("bell_gong",),
    "applau": ("applause_clap",),
    "train": ("train",),
    "rooster": ("rooster_chicken",),
}


def tell_when(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A conditional order: silent for other sounds, a word when the awaited one comes."""
    orders = [
        (o, [n for n in labels if n in studio.labels])
        for o in studio.all_spoken("order_when", "en")
        for key, labels in _WHEN.items()
        if key in o.text.lower() + " "
    ]
    orders = [(o, labels) for o, labels in orders if labels]
    if not orders:
        raise LookupError("no conditional order has a sound to wait for")
    order, labels = orders[int(random.integers(len(orders)))]
    scene = _scene(random, 18, 26)
    scene.wait(0.4, 1.5)
    in_text = random.random() < 0.2
    due = [] if in_text else [_answer(_say(scene, studio, order), AGREED, "order")]
    scene.wait(1.4, 2.6)
    while True:
        awaited = random.random() < 0.4
        label = _pick(random, labels) if awaited else _pick(
            random, [n for n in studio.labels if n in _PLAIN and n not in labels]
        )  # fmt: skip
        clip, source = studio.event(label, random)
        if not scene.fits(clip, 1.2):
            break
        span = scene.place(clip, _level(random), source)
        if awaited:
            due.append(sound_due(*span, (f"I hear {EVENTS[label].name}.", "normal"), label))
        scene.wait(1.4, 3.4)
    prefix = Prefix(instruction=order.text) if in_text else Prefix()
    return scene, [Variant("tell_when", prefix, tuple(due))]


def _language(random: np.random.Generator, studio: Studio, kind: str) -> str:
    choices = [n for n in ("en", "en", "zh") if studio.has(kind, n)]
    if not choices:
        raise LookupError(f"no {kind} in split {studio.split}")
    return _pick(random, choices)


def transcribe(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Live captions on request: the committed words as they come, until told to stop."""
    scene = _scene(random, 18, 28)
    scene.wait(0.4, 1.5)
    order = studio.spoken("order_transcribe", _language(random, studio, "order_transcribe"), random)
    in_text = random.random() < 0.2
    due = [] if in_text else [_answer(_say(scene, studio, order), AGREED, "order")]
    scene.wait(1.4, 2.6)
    chinese = random.random() < 0.3
    active = True
    while True:
        if random.random() < 0.5 and not chinese:
            clip, text, source = studio.talk(random, english=random.random() < 0.8)
        else:
            s = studio.spoken("sentence", "zh" if chinese else "en", random)
            clip, text, source = studio.voice(s), s.text, s.kind
        if not scene.fits(clip, 1.6):
            break
        span = scene.place(clip, float(random.uniform(-10, -2)), source)
        if active:
            due.append(Due(*span, "each", text, "normal", "transcript"))
        scene.wait(1.3, 2.6)
        if active and random.random() < 0.2 and studio.has("stop", "en"):
            stop = studio.spoken("stop", "en", random)
            if scene.fits(studio.voice(stop), 3):
                due.append(_answer(_say(scene, studio, stop), AGREED, "stop"))
                scene.wait(1.4, 2.2)
                active = False
    prefix = Prefix(instruction=order.text) if in_text else Prefix()
    return scene, [Variant("transcribe", prefix, tuple(due))]


def translate(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Interpreting between English and Chinese on request, sentence by sentence."""
    scene = _scene(random, 18, 28)
    scene.wait(0.4, 1.5)
    to_chinese = random.random() < 0.5
    source_language = "en" if to_chinese else "zh"
    kind = "order_translate_zh" if to_chinese else "order_translate_en"
    order = studio.spoken(kind, _language(random, studio, kind), random)
    in_text = random.random() < 0.2
    due = [] if in_text else [_answer(_say(scene, studio, order), AGREED, "order")]
    scene.wait(1.4, 2.6)
    active = True
    while True:
        s = studio.spoken("sentence", source_language, random)
        clip = studio.voice(s)
        if not scene.fits(clip, 1.8):
            break
        span = _say(scene, studio, s)
        if active:
            due.append(_answer(span, s.other, "translation"))
        scene.wait(1.5, 2.8)
        if active and random.random() < 0.15 and studio.has("stop", source_language):
            stop = studio.spoken("stop", source_language, random)
            if scene.fits(studio.voice(stop), 4):
                due.append(_answer(_say(scene, studio, stop), AGREED, "stop"))
                scene.wait(1.5, 2.2)
                active = False
    prefix = Prefix(instruction=order.text) if in_text else Prefix()
    return scene, [Variant("translate", prefix, tuple(due))]


def chat(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Questions asked of the listener, between talk and sounds that are none of its business."""
    scene = _scene(random, 14, 24)
    due: list[Due] = []
    scene.wait(0.6, 2.5)
    while True:
        draw = random.random()
        if draw < 0.6:
            language = "zh" if random.random() < 0.2 and studio.has("question", "zh") else "en"
            s = studio.spoken("question", language, random)
            clip = studio.voice(s)
            if not scene.fits(clip, 1.8):
                break
            span = _say(scene, studio, s)
            if s.other:
                due.append(_answer(span, s.other, "question"))
            scene.wait(2.0, 4.0)
        elif draw < 0.8:
            s = studio.spoken("not_addressed", "en", random)
            if not scene.fits(studio.voice(s), 1.0):
                break
            _say(scene, studio, s)
            scene.wait(1.5, 3.0)
        else:
            label = _pick(random, [n for n in studio.labels if n in _PLAIN])
            clip, source = studio.event(label, random)
            if not scene.fits(clip, 1.0):
                break
            scene.place(clip, _level(random) - 4, source)
            scene.wait(1.0, 2.0)
    return scene, [Variant("chat", Prefix(), tuple(due))]


def what_was_that(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A question about a sound that was just heard."""
    scene = _scene(random, 12, 18)
    scene.wait(1.0, 2.5)
    label = _pick(random, [n for n in studio.labels if n in _PLAIN])
    clip, source = studio.event(label, random)
    scene.place(clip, _level(random), source)
    scene.wait(1.0, 2.5)
    asked = [s for s in studio.all_spoken("recall", "en") if "sound" in s.text or "hear" in s.text]
    asked = [s for s in asked if "first" not in s.text]
    if not asked:
        raise LookupError("no question about sounds")
    s = asked[int(random.integers(len(asked)))]
    name = EVENTS[label].name
    due = (_answer(_say(scene, studio, s), f"That was {name}.", "recall"),)
    return scene, [Variant("what_was_that", Prefix(), due)]


_TOLD_NAME = re.compile(r"^(?:My name is|Please call me|Call me|By the way, I am|I am) (\w+)\.$")
_TOLD_CALLED = re.compile(r"^My (\w+) is called (\w+)\.$")
_TOLD_CHINESE = re.compile(r"^我叫(\w+)。$")


def _memories(studio: Studio) -> list[tuple[Spoken, list[Spoken], str, str]]:
    """Facts with the questions that ask for them: fact, questions, what to say to each."""
    english, chinese = studio.all_spoken("recall", "en"), studio.all_spoken("recall", "zh")
    found = []
    for fact in [*studio.all_spoken("fact", "en"), *studio.all_spoken("fact", "zh")]:
        if told := _TOLD_NAME.match(fact.text):
            asked = [s for s in english if "my name" in s.text and "?" in s.text]
            replies = f"Nice to meet you, {told[1]}.", f"Your name is {told[1]}."
        elif told := _TOLD_CALLED.match(fact.text):
            noun, name = told[1], told[2]
            questions = f"What is my {noun} called?", f"Who is my {noun}?"
            asked = [s for s in english if s.text in questions]
            replies = f"{name}, I will remember that.", f"Your {noun} is called {name}."
        elif told := _TOLD_CHINESE.match(fact.text):
            asked = [s for s in chinese if "名字" in s.text]
            replies = f"你好，{told[1]}。", f"你叫{told[1]}。"
        else:
            continue
        if asked:
            found.append((fact, asked, *replies))
    return found


def remember(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A name told early and asked for after other things have passed."""
    memories = _memories(studio)
    if not memories:
        raise LookupError("no facts told and asked for")
    long = random.random() < 0.4
    scene = _scene(random, *((45, 70) if long else (18, 30)))
    scene.wait(0.6, 2.0)
    told, asked, greeting, answer = memories[int(random.integers(len(memories)))]
    due = [_answer(_say(scene, studio, told), greeting, "fact", "happy")]
    scene.wait(2.5, 4.0)
    question = asked[int(random.integers(len(asked)))]
    room = len(studio.voice(question)) + 4 * SAMPLE_RATE
    while True:
        if random.random() < 0.5:
            label = _pick(random, [n for n in studio.labels if n in _PLAIN])
            clip, source = studio.event(label, random)
        else:
            s = studio.spoken("not_addressed", "en", random)
            clip, source = studio.voice(s), s.kind
        if scene.at + len(clip) + room > scene.samples:
            break
        scene.place(clip, _level(random) - 3, source)
        scene.wait(1.2, 3.5)
    due.append(_answer(_say(scene, studio, question), answer, "recall"))
    return scene, [Variant("remember", Prefix(), tuple(due))]


def background(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Ambience, music, silence and harmless sounds: nothing to say."""
    scene = _scene(random, 16, 26)
    if random.random() < 0.8:
        clip, source = studio.background(random)
        scene.lay(clip, random.uniform(-45, -18), int(random.uniform(0, 4) * SAMPLE_RATE))
        scene.sources.add(source)
    while random.random() < 0.75:
        scene.wait(1.5, 6.0)
        label = _pick(random, [n for n in studio.labels if n in _PLAIN])
        clip, source = studio.harmless(random) if random.random() < 0.4 else studio.event(
            label, random
        )  # fmt: skip
        if not scene.fits(clip, 0.5):
            break
        scene.place(clip, _level(random) - 3, source)
    variants = [Variant("background", Prefix(), ())]
    if random.random() < 0.3:
        variants.append(Variant("background", Prefix("quiet"), ()))
    return scene, variants


def others_talking(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """People, announcements and television that ask nothing of the listener."""
    scene = _scene(random, 16, 26)
    if random.random() < 0.3:
        clip, source = studio.background(random)
        scene.lay(clip, random.uniform(-50, -32))
        scene.sources.add(source)
    scene.wait(0.5, 2.0)
    while True:
        draw = random.random()
        if draw < 0.3:
            s = studio.spoken("not_addressed", _language(random, studio, "not_addressed"), random)
            clip, source = studio.voice(s), s.kind
        elif draw < 0.6:
            s = studio.spoken("sentence", _language(random, studio, "sentence"), random)
            clip, source = studio.voice(s), s.kind
        else:
            clip, _, source = studio.talk(random, english=random.random() < 0.5)
        if not scene.fits(clip, 0.6):
            break
        scene.place(clip, float(random.uniform(-16, -3)), source)
        scene.wait(0.4, 2.5)
    return scene, [Variant("others_talking", Prefix(), ())]


COMPOSERS: dict[str, tuple[Composer, float]] = {
    "events": (events, 0.28),
    "count": (count, 0.14),
    "narrate_order": (narrate_on_request, 0.07),
    "tell_when": (tell_when, 0.07),
    "transcribe": (transcribe, 0.09),
    "translate": (translate, 0.10),
    "chat": (chat, 0.08),
    "what_was_that": (what_was_that, 0.02),
    "remember": (remember, 0.05),
    "background": (background, 0.05),
    "others_talking": (others_talking, 0.05),
}
"""Composer and share of the mix."""
