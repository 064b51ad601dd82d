"""Composers of speech: orders, captions, interpreting, questions, memory, talk of others."""

import re

import numpy as np

from harken.soundflow.composing import (
    answer,
    bare_scene,
    called_off,
    language_for,
    level,
    order,
    passing_sound,
    pick,
    plain_sound,
    say,
    sometimes_text,
)
from harken.soundflow.events import EVENTS
from harken.soundflow.phrases import awaiting_order, counting_order
from harken.soundflow.scene import Due, Scene, Variant, sound_due
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE, Prefix

ENDS_NARRATION = ("describ", "narrat", "hear")
ENDS_CAPTIONS = ("caption", "transcrib")
ENDS_INTERPRETING = ("translat", "interpret", "翻译")
"""What a stop that fits an order may speak of."""


def narrate_on_request(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A spoken wish to name every sound, under the default policy; sometimes called off again."""
    scene = bare_scene(studio, random, 18, 26)
    orders = [s for n in ("en", "zh") for s in studio.all_spoken("order_narrate", n)]
    # The starter pack files two Chinese orders of other kinds under this one.
    orders = [s for s in orders if "数一数" not in s.text and "敲门" not in s.text]
    if not orders:
        raise LookupError("no order to narrate")
    wanted = orders[int(random.integers(len(orders)))]
    prefix, due = order(scene, studio, sometimes_text(random, wanted, 0.1))
    active = True
    while True:
        label = pick(random, studio.labels)
        clip, source = studio.event(label, random)
        if not scene.fits(clip, 1.2):
            break
        span = scene.place(clip, level(random), source, label)
        reply = EVENTS[label].reply("narrate" if active else "care")
        if reply:
            due.append(sound_due(*span, reply, label))
        scene.wait(1.4, 3.2)
        if active and (end := called_off(scene, studio, "en", 0.12, ENDS_NARRATION)):
            due.append(end)
            active = False
    return scene, [Variant("narrate_order", prefix, tuple(due))]


def transcribe(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Live captions on request: the committed words as they come, until told to stop."""
    scene = bare_scene(studio, random, 18, 28)
    language = language_for(random, studio, "order_transcribe")
    wanted = studio.spoken("order_transcribe", language, random)
    prefix, due = order(scene, studio, sometimes_text(random, wanted, 0.2))
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
        if active and (end := called_off(scene, studio, "en", 0.2, ENDS_CAPTIONS, 3)):
            due.append(end)
            active = False
    return scene, [Variant("transcribe", prefix, tuple(due))]


def translate(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Interpreting between English and Chinese on request, sentence by sentence."""
    scene = bare_scene(studio, random, 18, 28)
    to_chinese = random.random() < 0.5
    source_language = "en" if to_chinese else "zh"
    kind = "order_translate_zh" if to_chinese else "order_translate_en"
    wanted = studio.spoken(kind, language_for(random, studio, kind), random)
    prefix, due = order(scene, studio, sometimes_text(random, wanted, 0.2))
    active = True
    while True:
        s = studio.spoken("sentence", source_language, random)
        clip = studio.voice(s)
        if not scene.fits(clip, 1.8):
            break
        span = say(scene, studio, s)
        if active:
            due.append(answer(span, s.other, "translation"))
        scene.wait(1.5, 2.8)
        if active and (end := called_off(scene, studio, source_language, 0.15, ENDS_INTERPRETING)):
            due.append(end)
            active = False
    return scene, [Variant("translate", prefix, tuple(due))]


def chat(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Questions asked of the listener, between talk and sounds that are none of its business."""
    scene = bare_scene(studio, random, 14, 24)
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
            span = say(scene, studio, s)
            if s.other:
                due.append(answer(span, s.other, "question"))
            scene.wait(2.0, 4.0)
        elif draw < 0.8:
            s = studio.spoken("not_addressed", "en", random)
            if not scene.fits(studio.voice(s), 1.0):
                break
            say(scene, studio, s)
            scene.wait(1.5, 3.0)
        elif not passing_sound(scene, studio):
            break
    return scene, [Variant("chat", Prefix(), tuple(due))]


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
    scene = bare_scene(studio, random, *((45, 70) if long else (18, 30)))
    scene.wait(0.6, 2.0)
    told, asked, greeting, recalled = memories[int(random.integers(len(memories)))]
    due = [answer(say(scene, studio, told), greeting, "fact", "happy")]
    scene.wait(2.5, 4.0)
    question = asked[int(random.integers(len(asked)))]
    room = len(studio.voice(question)) + 4 * SAMPLE_RATE
    while True:
        label = None
        if random.random() < 0.5:
            label, clip, source = plain_sound(scene, studio)
        else:
            s = studio.spoken("not_addressed", "en", random)
            clip, source = studio.voice(s), s.kind
        if scene.at + len(clip) + room > scene.samples:
            break
        scene.place(clip, level(random) - 3, source, label)
        scene.wait(1.2, 3.5)
    due.append(answer(say(scene, studio, question), recalled, "recall"))
    return scene, [Variant("remember", Prefix(), tuple(due))]


def others_talking(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """People, announcements and television that ask nothing of the listener."""
    scene = bare_scene(studio, random, 16, 26)
    alone = random.random() < 0.7
    if not alone:
        clip, source = studio.background(random)
        scene.lay(clip, random.uniform(-50, -32))
        scene.sources.add(source)
    scene.wait(0.5, 2.0)
    while True:
        draw = random.random()
        if draw < 0.3:
            s = studio.spoken(
                "not_addressed", language_for(random, studio, "not_addressed"), random
            )
            clip, source = studio.voice(s), s.kind
        elif draw < 0.6:
            s = studio.spoken("sentence", language_for(random, studio, "sentence"), random)
            clip, source = studio.voice(s), s.kind
        else:
            clip, _, source = studio.talk(random, english=random.random() < 0.5)
        if not scene.fits(clip, 0.6):
            break
        scene.place(clip, float(random.uniform(-16, -3)), source)
        scene.wait(0.4, 2.5)
    variants = [Variant("others_talking", Prefix(), ())]
    if alone:  # else a background might be what is narrated, counted or awaited
        sound = pick(random, [n for n in studio.labels if EVENTS[n].nouns])
        asked = awaiting_order if random.random() < 0.5 else counting_order
        ordered = Prefix(instruction=asked(sound, random))
        prefix = Prefix("narrate") if random.random() < 0.4 else ordered
        variants.append(Variant("others_talking", prefix, ()))
    return scene, variants
