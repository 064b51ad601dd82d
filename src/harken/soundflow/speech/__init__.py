"""Speaking: written texts as checked speech, near or far, and our own voice as an echo.

`spoken_form` says how a text is read out, a `Tts` says it, `speak_dialogue` checks it by ear,
`heard_from` moves it across the room, and `leaked` makes the echo of a reply.
"""

from harken.soundflow.speech.far_field import Distance, drawn_distance, heard_from
from harken.soundflow.speech.gate import (
    Clip,
    Dialogue,
    Dropped,
    Ear,
    Reason,
    Take,
    WhisperEar,
    counted,
    error_rate,
    speak_dialogue,
)
from harken.soundflow.speech.leakage import (
    Canceller,
    Leakage,
    drawn_leakage,
    leaked,
    overlaid,
)
from harken.soundflow.speech.rooms import Room
from harken.soundflow.speech.rule import Change
from harken.soundflow.speech.tts import (
    CosyVoice,
    EspeakNg,
    Kokoro,
    Tts,
    VoiceFailed,
    voice_of,
)
from harken.soundflow.speech.written import Spoken, spoken_form

__all__ = [
    "Canceller",
    "Change",
    "Clip",
    "CosyVoice",
    "Dialogue",
    "Distance",
    "Dropped",
    "Ear",
    "EspeakNg",
    "Kokoro",
    "Leakage",
    "Reason",
    "Room",
    "Spoken",
    "Take",
    "Tts",
    "VoiceFailed",
    "WhisperEar",
    "counted",
    "drawn_distance",
    "drawn_leakage",
    "error_rate",
    "heard_from",
    "leaked",
    "overlaid",
    "speak_dialogue",
    "spoken_form",
    "voice_of",
]
