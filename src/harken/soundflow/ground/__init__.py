"""Grounding: a recording or a made sound for every event of a plan."""

from harken.soundflow.ground.endpoints import AudioX, ElevenLabs, Requests
from harken.soundflow.ground.generator import Made, Procedural, SoundGenerator
from harken.soundflow.ground.ground import (
    Attempt,
    Dropped,
    Grounded,
    Grounding,
    Left,
    grounded,
    tallied,
    told,
)
from harken.soundflow.ground.offline import Ground, offline
from harken.soundflow.ground.retrieve import Shelf
from harken.soundflow.ground.sentence import SentenceEncoder
from harken.soundflow.ground.verify import Decision, Judged, Reason, Verdict, judged, verify

__all__ = [
    "Attempt",
    "AudioX",
    "Decision",
    "Dropped",
    "ElevenLabs",
    "Ground",
    "Grounded",
    "Grounding",
    "Judged",
    "Left",
    "Made",
    "Procedural",
    "Reason",
    "Requests",
    "SentenceEncoder",
    "Shelf",
    "SoundGenerator",
    "Verdict",
    "grounded",
    "judged",
    "offline",
    "tallied",
    "told",
    "verify",
]
