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
)
_WHEN = (
    "Tell me when you hear {name}.",
    "Let me know if there is {name}.",
    "Warn me as soon as you hear {name}.",
    "Only speak up when you hear {name}.",
    "I am waiting for {name}, tell me when it comes.",
    "Say something when you hear {name}.",
)


def counting_order(label: str, random: np.random.Generator) -> str:
    """An order to count sounds of a label that has a noun."""
    nouns = EVENTS[label].nouns
    noun = nouns[int(random.integers(len(nouns)))]
    return _COUNT[int(random.integers(len(_COUNT)))].format(noun=noun)


def awaiting_order(label: str, random: np.random.Generator) -> str:
    """An order to wait for a sound of a label."""
    return _WHEN[int(random.integers(len(_WHEN)))].format(name=EVENTS[label].name)
