"""Standing orders about sounds as text: more sounds than anybody was recorded asking about."""

import numpy as np

from harken.soundflow.events import EVENTS

_COUNT = (
    "Count every {noun}.",
    "Count the {noun}s.",
    "Count the {noun}s out loud.",
    "Count each {noun} you hear.",
    "Please count every {noun} out loud.",
    "Say a number for each {noun}.",
    "Number every {noun} you hear.",
    "Keep count of the {noun}s for me.",
    "How many {noun}s are there? Count aloud.",
    "Tell me the number each time you hear a {noun}.",
    "Count how many times you hear a {noun}.",
    "Every time you hear a {noun}, say the number.",
    "Could you count the {noun}s for me?",
    "I want you to count each {noun} out loud.",
    "Please listen and count the {noun}s.",
    "Start counting the {noun}s now.",
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
    return _COUNT[int(random.integers(len(_COUNT)))].format(noun=noun)


def awaiting_order(label: str, random: np.random.Generator) -> str:
    """An order to wait for a sound of a label."""
    return _WHEN[int(random.integers(len(_WHEN)))].format(name=EVENTS[label].name)
