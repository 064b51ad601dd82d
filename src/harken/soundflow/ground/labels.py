"""What Harken knows about a label when it looks for its sound: classes, pauses, voices."""

import json
from functools import cache

from harken.soundflow.corpora import data_text

PAUSING = frozenset(
    {
        "alarm_clock_or_alarm",
        "beep",
        "bell_gong",
        "busy_tone",
        "dialing",
        "doorbell",
        "foghorn",
        "knock",
        "owl",
        "phone_ring",
        "reversing",
        "smoke_alarm",
        "water_drop",
    }
)
"""Labels of sounds with pauses of their own: these are their pattern and are not to be cut."""

VOICED = frozenset(
    {
        "ambience_school_hospital",
        "ambience_town",
        "baby_cry",
        "cheering",
        "children",
        "crowd_chatter",
        "crying",
        "human_pain_groan",
        "laughter",
        "scream_human",
        "sigh",
        "singing",
    }
)
"""Labels of sounds that people make with their voice, in which speech may be heard."""


def classes_of(label: str) -> tuple[str, ...]:
    """The AudioSet classes that a label stands for (`data/audioset.json`), empty if unlisted."""
    return _listed().get(label, ())


@cache
def lasting() -> frozenset[str]:
    """Labels of sounds that last: their noise is the sound itself (`data/scenes.json`)."""
    from harken.soundflow.plan import scene_book

    return scene_book().rules.ambient_labels


@cache
def _listed() -> dict[str, tuple[str, ...]]:
    return {label: tuple(names) for label, names in json.loads(data_text("audioset.json")).items()}
