"""Standing orders about sounds as text: more sounds than anybody was recorded asking about."""

import json
from functools import cache

import numpy as np

from harken.soundflow.corpora import data_text
from harken.soundflow.events import EVENTS, kind_counted

_COUNT = (
    "Count every {noun}.",
    "Count the {nouns}.",
    "Count the {nouns} out loud.",
    "Count each {noun} you hear.",
    "Please count every {noun} out loud.",
    "Say a number for each {noun}.",
    "Number every {noun} you hear.",
    "Keep count of the {nouns} for me.",
    "How many {nouns} are there? Count aloud.",
    "Tell me the number each time you hear a {noun}.",
    "Count how many times you hear a {noun}.",
    "Every time you hear a {noun}, say the number.",
    "Could you count the {nouns} for me?",
    "I want you to count each {noun} out loud.",
    "Please listen and count the {nouns}.",
    "Start counting the {nouns} now.",
)
_WHEN = (
    "Tell me when you hear {name}.",
    "Let me know if there is {name}.",
    "Warn me as soon as you hear {name}.",
    "Only speak up when you hear {name}.",
    "I am waiting for {name}, tell me when it comes.",
    "Say something when you hear {name}.",
    "Tell me if you hear {name}.",
    "Alert me if there is {name}.",
    "Let me know when you hear {name}.",
    "Please tell me as soon as there is {name}.",
    "Stay quiet until you hear {name}.",
    "When you hear {name}, tell me.",
)


def counting_order(label: str, random: np.random.Generator) -> str:
    """An order to count sounds of a label that has a noun."""
    nouns = EVENTS[label].nouns
    noun = nouns[int(random.integers(len(nouns)))]
    plural = f"{noun}es" if noun.endswith(("s", "sh", "ch", "x")) else f"{noun}s"
    return _COUNT[int(random.integers(len(_COUNT)))].format(noun=noun, nouns=plural)


def misheard(order: str, random: np.random.Generator) -> str:
    """A counting order with its noun as the words ear may take it ("box" for "bark").

    As it is when it has no such noun, or would mean another sound (`data/misheard.json`). Of the
    spoken orders composed for training a fifth are heard so.
    """
    found = [noun for noun in _misheard() if f" {noun}" in order]
    if not found:
        return order
    noun = max(found, key=len)
    like = _misheard()[noun][int(random.integers(len(_misheard()[noun])))]
    new = order.replace(f" {noun}", f" {like}")
    return order if set(kind_counted(new)) - set(kind_counted(order)) else new


@cache
def _misheard() -> dict[str, list[str]]:
    content: dict[str, list[str]] = json.loads(data_text("misheard.json"))
    return content


def awaiting_order(label: str, random: np.random.Generator) -> str:
    """An order to wait for a sound of a label."""
    return _WHEN[int(random.integers(len(_WHEN)))].format(name=EVENTS[label].name)


_ALIKE = (
    "doorbell phone_ring bell_gong beep ui_notification alarm_clock_or_alarm smoke_alarm "
    "siren_or_fire_station brass_horn clock_tick music instrument_music",
    "knock doorbell door footsteps tools_hammer_saw gunshot explosion_firework applause_clap "
    "thunder_lightning glass_break",
    "rain_storm water_flowing_bubbles water_drop splash wind fire_crackle applause_clap",
    "scream_human baby_cry human_pain_groan laughter cat_meow crowd_chatter sneeze cough",
    "dog_bark wolf_howl_growl cat_meow pig cow_deer sheep_goat horse duck_goose frog owl birds "
    "rooster_chicken crickets_insects buzzing_insect",
    "train helicopter airplane_jet_rocket vehicle_engine_traffic machine_factory_appliance wind "
    "thunder_lightning siren_or_fire_station",
)


def alike(label: str) -> set[str]:
    """Labels that somebody could take for this one or call by its name, and the label itself."""
    groups = (set(group.split()) for group in _ALIKE)
    return {label}.union(*(group for group in groups if label in group))


_ENDS = (
    "caption", "count", "transcrib", "translat", "interpret", "describ", "narrat", "hear",
    "listening for", "翻译", "数",
)  # fmt: skip


def ends_order(stop: str, of: tuple[str, ...]) -> bool:
    """Whether what is said to stop fits an order of which these words speak; most fit any."""
    spoken_of = {word for word in _ENDS if word in stop.lower()}
    return not spoken_of or bool(spoken_of & set(of))


_AWAITED_INSTEAD = {
    "bell": "bell_gong",
    "bird": "birds",
    "cat": "cat_meow",
    "dog": "dog_bark",
    "thunder": "thunder_lightning",
}


def awaited_instead(text: str) -> str:
    """The label to be waited for after "Tell me when you hear a cat instead."; else empty."""
    if "listen for " not in text.lower() and "you hear " not in text:
        return ""
    return next((label for noun, label in _AWAITED_INSTEAD.items() if noun in text), "")


BOTH_WAYS = (
    "Interpret between English and Chinese.",
    "Translate English into Chinese and Chinese into English.",
    "Interpret both ways between English and Chinese.",
    "Two people talk, one in English and one in Chinese: interpret for both.",
    "请在中文和英文之间互译。",
)
"""Orders to interpret whatever is said into the other language."""

_NAME_MUSIC = (
    "When music plays, name the instrument.",
    "Tell me which instrument you hear.",
    "Name every instrument that plays.",
    "Say what instrument it is whenever one plays.",
)
_DESCRIBE_MUSIC = (
    "When music plays, name the instrument and say whether it is slow or fast.",
    "Describe any music you hear: what plays, and is it slow or fast?",
    "Tell me the instrument and the pace of the music you hear.",
)


def music_order(with_pace: bool, random: np.random.Generator) -> str:
    """An order to name what instrument plays, and, if wished, whether it plays slowly or fast."""
    ways = _DESCRIBE_MUSIC if with_pace else _NAME_MUSIC
    return ways[int(random.integers(len(ways)))]


_WHEN_THEN = (
    "When you hear {name}, {wish}",
    "Whenever there is {name}, {wish}",
    "If you hear {name}, {wish}",
    "As soon as you hear {name}, {wish}",
    "Every time you hear {name}, {wish}",
)


def conditional_order(label: str, wish: str, random: np.random.Generator) -> str:
    """An order to do something at each sound of a label; `wish` is a sentence."""
    said = wish[0].lower() + wish[1:]
    way = _WHEN_THEN[int(random.integers(len(_WHEN_THEN)))]
    return way.format(name=EVENTS[label].name, wish=said)
