"""espeak-ng, the small voice: 10 MB, no weights, its first sound within milliseconds.

The library of the package `espeakng-loader` is called in this process; `espeak-ng/speak_lib.h`
describes its functions. It keeps its voice and its parameters in globals, so one piece is made at
a time; a piece takes some hundredths of its own length. Needs the extra `espeak`.
"""

import ctypes
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from harken.errors import HarkenError
from harken.respond.sentences import language_of, pause_s
from harken.respond.voice import Samples, Speech, Utterance, checked_emotion, has_words

_SYNCHRONOUS = 2  # espeak_Synth calls back with the sound and returns when all is made
_DONT_EXIT = 0x8000
_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_LANGUAGES = {"en": "en-us", "zh": "cmn"}
_BLOCK_S = 0.25
_GAIN = np.float32(0.7 / 32768)  # its own level is some 3 dB above Kokoro's

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How an emotion is said. rate: words a minute. pitch, range: 0 to 100, 50 is the voice's."""

    rate: int
    pitch: int
    range: int


MANNERS = {
    "normal": Manner(175, 50, 50),
    "happy": Manner(190, 60, 70),
    "sad": Manner(140, 38, 30),
    "angry": Manner(190, 42, 85),
    "surprise": Manner(185, 70, 90),
    "urgent": Manner(220, 60, 75),
}


class EspeakVoice:
    """The small voice: English well, Mandarin roughly, and whatever else espeak-ng names."""

    def __init__(self, variant: str = "") -> None:
        """variant: of the voice, such as `f2` or `m3`; none is espeak-ng's own.

        Raises HarkenError where the extra or the variant is missing.
        """
        if variant not in ("", *_espeak().variants):
            raise HarkenError(f"no espeak variant {variant!r}; choose f1 to f5 or m1 to m8")
        self.name = "espeak"
        self._variant = f"+{variant}" if variant else ""

    def speak(self, text: str, emotion: str = "normal", language: str | None = None) -> Utterance:
        """See `Voice.speak`."""
        manner = MANNERS[checked_emotion(emotion)]
        if not has_words(text):
            return
        language = language or language_of(text)
        samples, rate = _said(text, _LANGUAGES.get(language, language) + self._variant, manner)
        pause = np.zeros(round(pause_s(text) * rate), np.float32)
        whole = np.concatenate([samples, pause])
        block = round(_BLOCK_S * rate)
        for start in range(0, len(whole), block):
            yield Speech(whole[start : start + block], rate)


@dataclass(slots=True)
class _Library:
    """The loaded library. turn: held by whoever uses it. callback: kept while the library may
    call it; it fills `blocks`."""

    lib: Any
    rate: int
    variants: tuple[str, ...]
    turn: threading.Lock
    blocks: list[Samples]
    callback: Any


@cache
def _espeak() -> _Library:
    try:
        import espeakng_loader
    except ImportError as error:
        raise HarkenError(f"cannot speak ({error}): pip install 'harken[espeak]'") from error
    try:
        lib = ctypes.CDLL(espeakng_loader.get_library_path())
        data = Path(espeakng_loader.get_data_path())
    except (OSError, RuntimeError) as error:
        raise HarkenError(
            f"espeak-ng does not load ({error}): pip install --force-reinstall espeakng-loader"
        ) from error
    rate = lib.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), _DONT_EXIT)
    if rate <= 0:
        raise HarkenError(
            f"espeak-ng finds no data in {data}: pip install --force-reinstall espeakng-loader"
        )
    blocks: list[Samples] = []

    def take(wav: Any, n: int, events: Any) -> int:
        if wav and n > 0:
            blocks.append(np.ctypeslib.as_array(wav, (n,)) * _GAIN)
        return 0

    callback = _Callback(take)
    lib.espeak_SetSynthCallback(callback)
    variants = tuple(sorted(path.name for path in (data / "voices" / "!v").iterdir()))
    return _Library(lib, rate, variants, threading.Lock(), blocks, callback)


def _said(text: str, voice: str, manner: Manner) -> tuple[Samples, int]:
    espeak = _espeak()
    utf8 = text.replace("\0", " ").encode("utf-8", errors="replace")
    with espeak.turn:
        espeak.blocks.clear()
        if espeak.lib.espeak_SetVoiceByName(voice.encode()):
            raise HarkenError(
                f"espeak-ng has no voice {voice!r}; choose en, zh or a code of its own"
            )
        for parameter, value in (
            (_RATE, manner.rate), (_PITCH, manner.pitch), (_RANGE, manner.range)
        ):  # fmt: skip
            espeak.lib.espeak_SetParameter(parameter, value, 0)
        failed = espeak.lib.espeak_Synth(utf8, len(utf8) + 1, 0, 1, 0, _UTF8, None, None)
        samples = [*espeak.blocks, np.zeros(0, np.float32)]
    if failed:
        raise HarkenError(f"espeak-ng fails with {failed} on {text!r}: write it in other words")
    return np.concatenate(samples), espeak.rate
