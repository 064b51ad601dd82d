"""What was said a moment ago sounds at once: a voice that keeps the pieces it made last."""

import threading
from collections import OrderedDict
from contextlib import closing

from harken.respond.voice import Speech, Utterance, Voice

KEPT_S = 120.0
"""Seconds of sound that a voice keeps: 12 MB of Kokoro's."""


class RememberingVoice:
    """A `Voice` that makes a piece once and gives it again while it is among the latest.

    The same text, emotion and language are the same piece. Sessions and threads may share it: two
    that ask at once for what is not there yet both make it. What is closed before its end is not
    kept. Samples are read-only, as several listeners get the same.
    """

    def __init__(self, voice: Voice, kept_s: float = KEPT_S) -> None:
        """voice: who makes what is not there. kept_s: how many seconds of sound are kept."""
        self.name = voice.name
        self.voice = voice
        self._kept_s = kept_s
        self._held_s = 0.0
        self._pieces: OrderedDict[tuple[str, str, str | None], tuple[Speech, ...]] = OrderedDict()
        self._turn = threading.Lock()

    def speak(self, text: str, emotion: str = "normal", language: str | None = None) -> Utterance:
        """See `Voice.speak`."""
        asked = (text, emotion, language)
        with self._turn:
            known = self._pieces.get(asked)
            if known is not None:
                self._pieces.move_to_end(asked)
        if known is not None:
            yield from known
            return
        made = []
        with closing(self.voice.speak(text, emotion, language)) as utterance:
            for speech in utterance:
                speech.samples.setflags(write=False)
                made.append(speech)
                yield speech
        self._keep(asked, tuple(made))

    def _keep(self, asked: tuple[str, str, str | None], made: tuple[Speech, ...]) -> None:
        if not made or _seconds(made) > self._kept_s:
            return
        with self._turn:
            self._held_s += _seconds(made) - _seconds(self._pieces.pop(asked, ()))
            self._pieces[asked] = made
            while self._held_s > self._kept_s:
                _, oldest = self._pieces.popitem(last=False)
                self._held_s -= _seconds(oldest)


def _seconds(pieces: tuple[Speech, ...]) -> float:
    return sum(speech.seconds for speech in pieces)
