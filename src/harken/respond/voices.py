"""Voices by name: ours, and those of other packages by entry point.

A name may bring an argument behind a colon: `kokoro:af_bella`, `espeak:f2`,
`cosyvoice:http://127.0.0.1:50000`. A package adds a voice by an entry point of the group
`harken.voices`: a callable that takes the argument ("" without one) and returns a `Voice`.
Voices that are made in this process remember what they said last.
"""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TypeAlias

from harken.errors import HarkenError
from harken.respond.remembered import RememberingVoice
from harken.respond.voice import Voice

Maker: TypeAlias = Callable[[str], Voice]

GROUP = "harken.voices"


def voice_named(name: str) -> Voice:
    """The voice of that name, ready to speak.

    Raises:
        HarkenError: no such voice, or it is not installed; the message names the fix.
    """
    chosen, _, argument = name.partition(":")
    if chosen in _OURS:
        return _OURS[chosen](argument)
    for point in entry_points(group=GROUP, name=chosen):
        maker: Maker = point.load()
        return maker(argument)
    raise HarkenError(f"no voice {name!r}; choose one of {', '.join(voice_names())}")


def voice_names() -> tuple[str, ...]:
    """What `voice_named` knows, without arguments."""
    others = {point.name for point in entry_points(group=GROUP)} - set(_OURS)
    return (*_OURS, *sorted(others))


def _kokoro(argument: str) -> Voice:
    from harken.respond.kokoro import KokoroVoice

    if argument.startswith("z"):
        return RememberingVoice(KokoroVoice(chinese=argument))
    return RememberingVoice(KokoroVoice(english=argument) if argument else KokoroVoice())


def _espeak(argument: str) -> Voice:
    from harken.respond.espeak import EspeakVoice

    return RememberingVoice(EspeakVoice(argument))


def _cosyvoice(argument: str) -> Voice:
    from harken.respond.cosyvoice import CosyVoice

    return CosyVoice(argument)


_OURS: dict[str, Maker] = {"kokoro": _kokoro, "espeak": _espeak, "cosyvoice": _cosyvoice}
