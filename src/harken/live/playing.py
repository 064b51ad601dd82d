"""Which replies are at the player right now, shared by those who speak, play and decide.

The voice tells what sound it made, the player how much of it was heard, the decoder cuts what is
played when a stop or another reply takes its place. Replies sound one after the other.
"""

import threading
from collections import deque
from dataclasses import dataclass

from harken.live.trace import FlushReason, FlushTrace
from harken.respond.playback import Playback

ECHO_CHUNKS = 8
"""So long after our voice ends its words may still be recognised; some rooms are slow, too."""
_AHEAD_MS = 1500.0
"""The player tells late how far it is: so much more may have sounded."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A reply that was cut short. chunk: the one it followed. heard: what was heard of its text."""

    chunk: int
    heard: str
    played_ms: float

    def trace(self, chunk: int, reason: FlushReason) -> FlushTrace:
        """The event that tells of it; `chunk` is the one after which it happened."""
        return FlushTrace(chunk, self.chunk, reason, self.heard, self.played_ms)


@dataclass(frozen=True, slots=True)
class _Aired:
    """A piece on the clock of all sound that was ever handed to the player."""

    text: str
    start_ms: float
    end_ms: float


class Playing:
    """A session's replies at the player, in their order; a reply is named by the chunk it follows.

    Any thread may call. A session in which nobody calls `begin` never cuts a reply.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._replies: dict[int, Playback] = {}
        self._cancelled: tuple[Cut, ...] = ()
        self._has_sounded = False
        self._handed_ms = 0.0
        self._aired: list[_Aired] = []
        self._heard_ms: deque[float] = deque([0.0], ECHO_CHUNKS + 2)

    # The voice

    def begin(self, chunk: int) -> None:
        """A reply will be spoken, after those that are at the player; call it at its first text."""
        with self._lock:
            self._replies[chunk] = Playback()

    def voiced(self, chunk: int, text: str, ms: float) -> bool:
        """Sound goes to the player: of the piece `text`, or more of the last one with "".

        False: the reply was cut; drop the sound and make no more.
        """
        with self._lock:
            if chunk not in self._replies:
                return False
            self._replies[chunk] = self._replies[chunk].voiced(text, ms)
            self._has_sounded = self._has_sounded or ms > 0
            start_ms, self._handed_ms = self._handed_ms, self._handed_ms + ms
            if self._aired and not text:
                text, start_ms = self._aired[-1].text, self._aired.pop().start_ms
            self._aired.append(_Aired(text, start_ms, self._handed_ms))
            return True

    def has(self, chunk: int) -> bool:
        """Whether a reply was begun and neither cut nor heard to its end."""
        with self._lock:
            return chunk in self._replies

    def end(self, chunk: int) -> None:
        """All sound of a reply is at the player."""
        with self._lock:
            if chunk in self._replies:
                self._keep(chunk, self._replies[chunk].ended())

    # The player

    def played(self, chunk: int, ms: float) -> None:
        """So much of a reply has sounded; of one that was cut it is no news."""
        with self._lock:
            if chunk in self._replies:
                self._keep(chunk, self._replies[chunk].played(ms))

    # Whoever listens and decides

    @property
    def is_sounding(self) -> bool:
        """Whether our own voice is in the air: sound was handed over and not heard yet."""
        return self.unheard_ms > 0

    @property
    def unheard_ms(self) -> float:
        """How much sound was handed over and not heard yet."""
        with self._lock:
            return self._unheard_ms()

    def take_sounded(self) -> bool:
        """Whether our own voice was in the air at any time since the last call.

        Of a chunk that has just been recorded: its beginning may hold the end of a reply.
        """
        with self._lock:
            unheard_ms = self._unheard_ms()
            is_sounding = unheard_ms > 0
            sounded, self._has_sounded = self._has_sounded or is_sounding, is_sounding
            self._heard_ms.append(self._handed_ms - unheard_ms)
            # What was cut at the player counts as heard: some of it may have been.
            self._aired = [piece for piece in self._aired if piece.end_ms > self._heard_ms[0]]
            return sounded

    @property
    def aired(self) -> str:
        """The pieces that may be heard in the chunk of the last `take_sounded`, or in one of the
        `ECHO_CHUNKS` before it."""
        with self._lock:
            until_ms = self._handed_ms - self._unheard_ms() + _AHEAD_MS
            return "".join(piece.text for piece in self._aired if piece.start_ms < until_ms)

    def cut(self) -> tuple[Cut, ...]:
        """Cut all replies at the player, in their order; none when all of them were heard."""
        with self._lock:
            cuts = tuple(Cut(c, r.heard, r.played_ms) for c, r in self._replies.items())
            self._replies.clear()
            return cuts

    def cancel(self) -> None:
        """Cut them from outside; the decoder takes it up before its next pass."""
        cuts = self.cut()
        with self._lock:
            self._cancelled += cuts

    def take_cancelled(self) -> tuple[Cut, ...]:
        """What `cancel` cut since the last call."""
        with self._lock:
            cuts, self._cancelled = self._cancelled, ()
            return cuts

    def _keep(self, chunk: int, playback: Playback) -> None:
        if playback.is_over:
            del self._replies[chunk]
        else:
            self._replies[chunk] = playback

    def _unheard_ms(self) -> float:
        return sum(reply.voiced_ms - reply.played_ms for reply in self._replies.values())
