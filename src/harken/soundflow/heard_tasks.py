"""Composers of questions about what sounded: how often, whether, what first; what music it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from harken.soundflow import sources
from harken.soundflow.bursts import first_burst
from harken.soundflow.composing import PLAIN, answer, bare_scene, level, pick, say
from harken.soundflow.corpora import data_text
from harken.soundflow.events import EVENTS
from harken.soundflow.phrases import alike, music_order
from harken.soundflow.scene import Due, Scene, Sound, Variant, sound_due
from harken.soundflow.studio import Studio
from harken.soundflow.tunes import TIMBRES, tune
from harken.soundflow.vary import varied
from harken.stream import SAMPLE_RATE, Prefix

F32 = npt.NDArray[np.float32]

_ROOM_S, _LEAST_S = 60, 9
"""A scene begins with more room than its question needs, and is cut behind it."""
_TIMES = {0: "Not once.", 1: "Once.", 2: "Twice."}
_COUNTED = ("three", "four", "five", "six", "seven", "eight")


def use_what_was_heard(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Some sounds, then a question about them: how often, whether, which came first or last."""
    known: dict[str, dict[str, Any]] = json.loads(data_text("heard_questions.json"))
    asked = [
        s
        for kind in ("ask_heard", "recall")
        for s in studio.all_spoken(kind, "en")
        if s.text in known and all(n in studio.labels for n in known[s.text]["labels"])
    ]
    if not asked:
        raise LookupError(f"no question about what was heard in split {studio.split}")
    asks = pick(random, sorted({known[s.text]["asks"] for s in asked}))
    fitting = [s for s in asked if known[s.text]["asks"] == asks]
    question = fitting[int(random.integers(len(fitting)))]
    about = known[question.text]
    scene = bare_scene(studio, random, _ROOM_S, _ROOM_S)
    for label in _played(about, studio, random):
        scene.wait(0.8, 2.4)
        clip, source = studio.event(label, random)
        scene.place(first_burst(clip, 2.0), level(random), source, label)
    scene.wait(1.2, 4.0)
    span = say(scene, studio, question)
    reply = answer_heard(about, scene.sounds)
    scene.wait(2.0, 4.0)
    scene.samples = max(scene.at, _LEAST_S * SAMPLE_RATE)
    labels = [label for _, _, label in scene.sounds]
    repeated = any(EVENTS[n].care and labels.count(n) > 1 for n in labels)
    variants = []
    # Whether a second knock is worth a second word is not what this is about.
    for policy in ["care"] * (not repeated) + ["quiet"] * (repeated or random.random() < 0.3):
        due = [
            sound_due(start, end, told, label)
            for start, end, label in scene.sounds
            if (told := EVENTS[label].reply(policy))
        ]
        due.append(answer(span, reply, "heard"))
        variants.append(Variant("use_what_was_heard", Prefix(policy), tuple(due)))
    return scene, variants


def _played(about: Mapping[str, Any], studio: Studio, random: np.random.Generator) -> list[str]:
    """Labels of the sounds before a question: what it asks about, and others unlike it."""
    asks, labels = about["asks"], about["labels"]
    near = {n for label in labels for n in alike(label)}
    others = [n for n in studio.labels if n in PLAIN and n not in near]
    if asks in ("first", "last"):
        return [others[int(i)] for i in random.permutation(len(others))[: random.integers(2, 5)]]
    if asks == "before":
        n = int(random.integers(1, 3))
        before = [others[int(i)] for i in random.permutation(len(others))[:n]]
        return [*before, labels[0], *([pick(random, others)] if random.random() < 0.4 else [])]
    if asks == "which":
        return [*[pick(random, others)] * int(random.integers(2)), pick(random, labels)]
    if asks == "whether":
        played = [pick(random, labels)] * int(random.random() < 0.5)
    else:
        often = int(random.choice(9, p=[0.1, 0.2, 0.2, 0.15, 0.12, 0.1, 0.06, 0.04, 0.03]))
        played = [labels[0]] * often
    played += [pick(random, others) for _ in range(int(random.integers(not played, 4)))]
    return [played[int(i)] for i in random.permutation(len(played))]


def answer_heard(about: Mapping[str, Any], sounds: list[Sound]) -> str:
    """What a question of `heard_questions.json` is answered with after these sounds."""
    asks, labels = about["asks"], about["labels"]
    heard = [label for _, _, label in sounds]
    there = [label for label in heard if label in labels]
    if asks == "count":
        n = len(there)
        return _TIMES.get(n) or f"{_COUNTED[n - 3].capitalize()} times."
    if asks == "whether":
        if there:
            return str(about.get("yes") or f"Yes, I heard {EVENTS[there[0]].name}.")
        return str(about.get("no") or f"No, I did not hear {EVENTS[labels[0]].name}.")
    if asks == "which":
        return f"That was {EVENTS[there[-1]].name}."
    if asks == "before":
        return f"Before that I heard {EVENTS[heard[heard.index(labels[0]) - 1]].name}."
    first = asks == "first"
    name = EVENTS[heard[0 if first else -1]].name
    return f"First I heard {name}." if first else f"The last sound was {name}."


@dataclass(frozen=True, slots=True)
class Music:
    """What plays, float32 [n] at 16 kHz, and what is known of it.

    Attributes:
        instrument: with its article ("a piano"), or empty.
        pace: "slow", "fast" or empty.
        style: "classical music", or empty.
    """

    clip: F32
    source: str
    instrument: str = ""
    pace: str = ""
    style: str = ""

    def known(self, what: str) -> str:
        """The instrument, the pace or the style; of "all" a sentence: "A piano, slow."."""
        if what != "all":
            return {"instrument": self.instrument, "pace": self.pace, "style": self.style}[what]
        told = ", ".join(part for part in (self.instrument or self.style, self.pace) if part)
        return f"{told[0].upper()}{told[1:]}."


PLAYED_SHARE = 0.5
"""How often music is played by rule (`tunes`), which has a pace that is known."""
ORDERED_SHARE = 0.4
"""How often an order in text asks for it before anything plays."""
LONGEST_MUSIC_S = 9.0
LONG_ENOUGH_S = 6.0
"""Music that plays while it is asked about: less of it would be over before, at any speed."""
NAMED_AFTER_S, PACE_AFTER_S = 2.0, 4.0
"""So much of it an order to name it waits for; so much if the pace is wanted as well."""


def describe_music(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Music, and what is known of it when it is asked for, or under an order in text."""
    questions: dict[str, tuple[str, str]] = json.loads(data_text("music_questions.json"))
    can_tell = {
        "instrument",
        "pace",
        "all",
        *("style" for r, _, style in _recordings(studio.split) if style and _lasts(r)),
    }
    asked = [
        s
        for s in studio.all_spoken("ask_music", "en")
        if s.text in questions and questions[s.text][0] in can_tell
    ]
    if not asked or random.random() < ORDERED_SHARE:
        return _music_on_order(studio, random)
    line = asked[int(random.integers(len(asked)))]
    wanted, form = questions[line.text]
    is_over = " was" in form
    music = _music(wanted, studio, random, least_s=0 if is_over else LONG_ENOUGH_S)
    scene = bare_scene(studio, random, _ROOM_S, _ROOM_S)
    scene.wait(0.8, 3.0)
    peak_db = float(random.uniform(-22, -12))
    start, end = scene.place(music.clip, peak_db, music.source, "instrument_music")
    if is_over:
        scene.wait(0.6, 1.5)
    else:
        # It is asked while the music still plays.
        scene.at = min(end - SAMPLE_RATE // 2, start + 5 * SAMPLE_RATE)
    told = form.format(music.known(wanted))
    due = answer(say(scene, studio, line), told[0].upper() + told[1:], "music")
    scene.at = max(scene.at, end)
    scene.wait(2.0, 4.0)
    scene.samples = max(scene.at, _LEAST_S * SAMPLE_RATE)
    return scene, [Variant("describe_music", Prefix(), (due,))]


def _lasts(recording: sources.Clip) -> bool:
    return recording.seconds >= LONG_ENOUGH_S


def _music_on_order(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Music among other sounds, named under an order in text and by nobody without it."""
    scene = bare_scene(studio, random, 22, 34)
    with_pace = random.random() < 0.4
    due: list[Due] = []
    scene.wait(1.0, 3.0)
    others = [n for n in studio.labels if n in PLAIN and n not in alike("music")]
    while True:
        if due and random.random() < 0.4:
            label = pick(random, others)
            clip, source = studio.event(label, random)
            if not scene.fits(clip, 1.2):
                break
            scene.place(clip, level(random), source, label)
        else:
            music = _music("pace" if with_pace else "instrument", studio, random)
            if not scene.fits(music.clip, 1.2):
                break
            start, end = scene.place(music.clip, level(random), music.source, "instrument_music")
            heard = int((PACE_AFTER_S if with_pace else NAMED_AFTER_S) * SAMPLE_RATE)
            text = music.known("all" if with_pace else "instrument")
            text = text if with_pace else f"{text[0].upper()}{text[1:]}."
            due.append(Due(start, min(end, start + heard), "sound", text, "normal", "music"))
        scene.wait(1.4, 3.0)
    ordered = Prefix(instruction=music_order(with_pace, random))
    variants = [Variant("describe_music", ordered, tuple(due))]
    if random.random() < 0.4:
        variants.append(Variant("background", Prefix(), ()))
    return scene, variants


def _music(wanted: str, studio: Studio, random: np.random.Generator, least_s: float = 0.0) -> Music:
    """Music of which the instrument, the pace or the style is known, or any for "all".

    Played by rule, or a recording of at least `least_s`; of recordings nobody has told the pace.
    """
    place = {"instrument": 1, "style": 2}.get(wanted)
    known = [
        one
        for one in _recordings(studio.split)
        if one[0].seconds >= least_s and (place is None or one[place])
    ]
    by_rule = wanted != "style" and random.random() < PLAYED_SHARE
    if wanted == "pace" or by_rule or not known:
        instrument = pick(random, tuple(TIMBRES))
        pace = pick(random, ("slow", "fast"))
        clip = tune(instrument, pace, random.uniform(6, LONGEST_MUSIC_S), random)
        return Music(clip, f"made:{instrument}", instrument, pace)
    recording, instrument, style = known[int(random.integers(len(known)))]
    x = sources.load(recording)
    begin = int(np.argmax(np.abs(x) > 0.03 * np.abs(x).max()))
    x = x[begin : begin + int(LONGEST_MUSIC_S * SAMPLE_RATE)]
    return Music(varied(x, random), recording.id, instrument, style=style)


@cache
def _recordings(split: str) -> tuple[tuple[sources.Clip, str, str], ...]:
    """Recordings with what their names tell (`music.json`): the instrument, or the style."""
    known: dict[str, dict[str, dict[str, str]]] = json.loads(data_text("music.json"))

    def told(what: str, clip: sources.Clip) -> str:
        return known[what].get(clip.package, {}).get(clip.path.name, "")

    listed = [
        (clip, told("instruments", clip), told("styles", clip))
        for clip in sources.clips(split=split, kind="event")
    ]
    return tuple(one for one in listed if one[1] or one[2])
