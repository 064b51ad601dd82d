"""Which reply sounds right now, shared by those who speak, play and decide.

The voice tells what sound it made, the player how much of it was heard, the decoder cuts the reply
when another one or a stop takes its place. There is one reply at a time: the newest.
"""

import threading
from dataclasses import dataclass

from harken.live.trace import FlushReason, FlushTrace
from harken.respond.playback import Playback


@dataclass(frozen=True, slots=True)
class Cut:
    """A reply that was cut short. chunk: the one it followed. heard: what was heard of its text."""

    chunk: int
    heard: str
    played_ms: float

    def trace(self, chunk: int, reason: FlushReason) -> FlushTrace:
        """The event that tells of it; `chunk` is the one after which it happened."""
        return FlushTrace(chunk, self.chunk, reason, self.heard, self.played_ms)


class Playing:
    """A session's reply at the player; a reply is named by the chunk it follows.

    Any thread may call. A session in which nobody calls `begin` never cuts a reply.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chunk: int | None = None
        self._playback = Playback()
        self._cancelled: Cut | None = None

    # The voice

    def begin(self, chunk: int) -> None:
        """A reply will be spoken; call it at its first text."""
        with self._lock:
            self._chunk, self._playback = chunk, Playback()

    def voiced(self, chunk: int, text: str, ms: float) -> bool:
        """Sound goes to the player: of the piece `text`, or more of the last one with "".

        False: the reply was cut; drop the sound and make no more.
        """
        with self._lock:
            if chunk != self._chunk:
                return False
            self._playback = self._playback.voiced(text, ms)
            return True

    def has(self, chunk: int) -> bool:
        """Whether a reply was begun and neither cut nor heard to its end."""
        with self._lock:
            return chunk == self._chunk

    def end(self, chunk: int) -> None:
        """All sound of a reply is at the player."""
        with self._lock:
            if chunk == self._chunk:
                self._playback = self._playback.ended()
                self._settle()

    # The player

    def played(self, chunk: int, ms: float) -> None:
        """So much of a reply has sounded; of one that was cut it is no news."""
        with self._lock:
            if chunk == self._chunk:
                self._playback = self._playback.played(ms)
                self._settle()

    # Whoever listens and decides

    @property
    def is_sounding(self) -> bool:
        """Whether our own voice is in the air: sound was handed over and not heard yet."""
        with self._lock:
            return self._chunk is not None and self._playback.is_sounding

    def cut(self) -> Cut | None:
        """Cut the reply; None when there is none, or all of it was heard."""
        with self._lock:
            if self._chunk is None:
                return None
            cut = Cut(self._chunk, self._playback.heard, self._playback.played_ms)
            self._chunk = None
            return cut

    def cancel(self) -> None:
        """Cut the reply from outside; the decoder takes it up before its next pass."""
        cut = self.cut()
        with self._lock:
            self._cancelled = cut or self._cancelled

    def take_cancelled(self) -> Cut | None:
        """What `cancel` cut since the last call."""
        with self._lock:
            cut, self._cancelled = self._cancelled, None
            return cut

    def _settle(self) -> None:
        if self._playback.is_over:
            self._chunk = None
