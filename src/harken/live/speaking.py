"""Replies spoken as they come: events in, sentence pieces to a voice, its sound to a player.

    on_event -> Script -> lines -> (a thread of its own) voice -> player -> Playing

A voice takes longer than the decoder may wait, so `Speaking` has a thread. What is cut in the
meantime is dropped: `Playing` refuses its sound.
"""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from harken.errors import HarkenError
from harken.live.mailbox import Aborted, Mailbox
from harken.live.playing import Playing
from harken.live.trace import Event, FlushTrace, ResponseTrace, TextPiece
from harken.respond.sentences import SentenceCutter
from harken.respond.voice import Speech, Voice


class Player(Protocol):
    """Plays replies one after the other and tells `Playing.played` how far it is."""

    def play(self, chunk: int, speech: Speech) -> None:
        """More sound of the reply after `chunk`."""
        ...

    def flush(self, chunk: int) -> None:
        """Drop what is left of the reply after `chunk`, and what may still come of it."""
        ...

    def finish(self) -> None:
        """Wait until all was heard."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence piece of the reply after `chunk`; an empty one is the reply's end."""

    chunk: int
    text: str
    emotion: str


class Script:
    """Cuts the replies of a session into lines, each as early as it can be spoken."""

    def __init__(self, playing: Playing) -> None:
        self._playing = playing
        self._chunk: int | None = None
        self._cutter = SentenceCutter()

    def lines(self, event: Event) -> list[Line]:
        """What there is to speak after an event."""
        match event:
            case TextPiece():
                if event.chunk != self._chunk:
                    self._chunk, self._cutter = event.chunk, SentenceCutter()
                    self._playing.begin(event.chunk)
                pieces = self._cutter.push(event.text)
            case ResponseTrace():
                pieces = [*self._cutter.finish(), ""]
            case _:
                return []
        return [Line(event.chunk, piece, event.emotion) for piece in pieces]


def speak_line(
    line: Line, voice: Voice, playing: Playing, play: Callable[[int, Speech], None]
) -> None:
    """Speak one line until its end, or until its reply is cut."""
    if not playing.has(line.chunk):
        return
    if not line.text:
        playing.end(line.chunk)
        return
    text = line.text
    with closing(voice.speak(line.text, line.emotion)) as utterance:
        for speech in utterance:
            if not playing.voiced(line.chunk, text, 1000 * speech.seconds):
                return
            text = ""
            play(line.chunk, speech)
    if text:  # there was nothing to say in it
        playing.voiced(line.chunk, text, 0)


class Speaking:
    """Speaks the replies of one session through a player, in a thread of its own.

    A voice that fails is told to `on_error` and says no more; the session goes on in text.
    """

    def __init__(
        self,
        voice: Voice,
        player: Player,
        playing: Playing,
        on_error: Callable[[HarkenError], None],
    ) -> None:
        self._voice, self._player, self._playing = voice, player, playing
        self._on_error = on_error
        self._is_mute = False
        self._script = Script(playing)
        self._lines = Mailbox[Line]()
        self._worker = threading.Thread(target=self._speak, name="harken-voice", daemon=True)
        self._worker.start()

    def event(self, event: Event) -> None:
        """Take an event of the session, in order; returns at once."""
        if isinstance(event, FlushTrace):
            self._player.flush(event.reply_chunk)
        if self._is_mute:
            return
        try:
            for line in self._script.lines(event):
                self._lines.put(line)
        except Aborted:
            pass

    def finish(self) -> None:
        """Wait until the last reply was heard."""
        self._lines.end()
        self._worker.join()
        self._player.finish()

    def close(self) -> None:
        """Say no more."""
        self._lines.abort()
        self._playing.cancel()
        self._worker.join()

    def _speak(self) -> None:
        try:
            while lines := self._lines.take(1, 1):
                speak_line(lines[0], self._voice, self._playing, self._player.play)
        except Aborted:
            pass
        except HarkenError as error:
            self._is_mute = True
            self._lines.abort()
            self._playing.cancel()
            self._on_error(error)
