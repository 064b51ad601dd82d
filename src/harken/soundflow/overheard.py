"""What people say to each other: requests, questions and announcements that a listener overhears.

They resemble what is asked of the listener ("Tell me when …", "Count the …", "Could you …?") and
are addressed to somebody else, which is what it has to tell from the words.
"""

import json
from functools import cache

import numpy as np

from harken.soundflow.corpora import data_text
from harken.soundflow.templates import Grammar, sentence


def overheard(language: str, chooser: np.random.Generator) -> str:
    """A random line of talk in en or zh (`data/overheard.json`)."""
    templates, grammar = _content()[language]
    return sentence(templates, grammar, language, chooser)


@cache
def _content() -> dict[str, tuple[list[str], Grammar]]:
    content = json.loads(data_text("overheard.json"))
    return {
        language: (each["templates"], Grammar({}, each["lists"]))
        for language, each in content.items()
    }
