"""What people say to each other: requests, questions and announcements that a listener overhears.

They resemble what is asked of the listener ("Tell me when …", "Count the …", "Could you …?") and
are addressed to somebody else, which is what it has to tell from the words.
"""

import json
import random
from functools import cache

import numpy as np

from harken.soundflow.corpora import data_text
from harken.soundflow.templates import Grammar, draw


def overheard(language: str, chooser: np.random.Generator) -> str:
    """A random line of talk in en or zh (`data/overheard.json`)."""
    templates, grammar = _content()[language]
    own = random.Random(int(chooser.integers(1 << 32)))
    line = draw(own.choice(templates), grammar, own)
    if language == "zh":
        return line.replace(" ", "")
    line = line.replace(" ,", ",").replace(" ?", "?").replace(" .", ".").replace(" !", "!")
    return line[0].upper() + line[1:]


@cache
def _content() -> dict[str, tuple[list[str], Grammar]]:
    content = json.loads(data_text("overheard.json"))
    return {
        language: (each["templates"], Grammar({}, each["lists"]))
        for language, each in content.items()
    }
