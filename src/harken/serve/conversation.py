"""The event loop's side of one session: what a client sends becomes work, what comes of it events.

It outlives its connection: a client that comes back in time finds it where it was.
"""

import asyncio
from functools import partial
from pathlib import Path

import numpy as np

from harken.errors import HarkenError
from harken.live.trace import FlushTrace
from harken.perceive.chunks import Chunk, Chunker
from harken.serve.commands import (
    Adopt,
    Cancel,
    Command,
    Finish,
    Hear,
    Played,
    Read,
    Respond,
    Start,
)
from harken.serve.dialects.dialect import Dialect, ProtocolError, Received, parsed
from harken.serve.engine import Engine
from harken.serve.metrics import Metrics
from harken.serve.outbox import Outbox
from harken.serve.outcomes import Ended, Judged, Outcome, Voiced
from harken.serve.recording import Recorder
from harken.serve.served import Served
from harken.serve.speaking import AssumedPlayer
from harken.stream import SAMPLE_RATE

ROOM_CHUNKS = 150
"""A client may be a minute ahead of the ears, then its socket is not read until they caught up."""
_TAIL_S = 0.8
"""Silence behind which a pause commits the last words."""


class Conversation:
    """One session of one client, in one dialect. For the event loop only."""

    def __init__(
        self,
        dialect: Dialect,
        engine: Engine,
        metrics: Metrics,
        outbox: Outbox,
        record: Path | None = None,
    ) -> None:
        """record: the folder in which its audio is kept; None, nowhere."""
        self.dialect, self.outbox = dialect, outbox
        self.is_over = False
        self._engine, self._metrics, self._record = engine, metrics, record
        self._recorder: Recorder | None = None
        self._loop = asyncio.get_running_loop()
        self._served: Served | None = None
        self._chunker = Chunker()
        self._rate = SAMPLE_RATE
        self._player: AssumedPlayer | None = None
        self._typed: list[str] = []
        self._has_room = asyncio.Event()
        self.line = asyncio.Lock()
        self._displaced = asyncio.Event()

    @property
    def id(self) -> str:
        return self.dialect.session_id

    @property
    def can_resume(self) -> bool:
        """Whether there is something to come back to."""
        return self._served is not None

    # From the client

    def displace(self) -> asyncio.Event:
        """A client comes, in the place of one that may still be there; it holds `line` while it
        talks. The event is set when another one comes in its place."""
        self._displaced.set()
        self._displaced = asyncio.Event()
        return self._displaced

    def greet(self, *, is_back: bool) -> None:
        """A client has connected, or has come back."""
        self._do(self.dialect.resumed() if is_back else self.dialect.opened())

    def receive(self, message: str | bytes | None) -> None:
        """One frame of the client; what is wrong with it is told in an error event."""
        cause = ""
        try:
            event = parsed(message)
            given = event.get("event_id")
            cause = given if isinstance(given, str) else ""
            self._do(self.dialect.receive(event))
        except ProtocolError as wrong:
            error = self.dialect.error(wrong.code, wrong.message, wrong.param, cause)
            self.outbox.put(error)
        except HarkenError as wrong:
            self.outbox.put(self.dialect.error("invalid_value", str(wrong), cause=cause))

    async def room(self) -> None:
        """Wait until the ears are less than a minute behind the client."""
        while self._served and self._served.waiting_chunks > ROOM_CHUNKS:
            self._has_room.clear()
            await self._has_room.wait()

    def close(self) -> None:
        """Drop the session and what waits in it."""
        if self._served:
            self._engine.drop(self._served)
            self._served = None
        if self._recorder:
            self._recorder.close()
        self.is_over = True
        self.outbox.end()
        self._has_room.set()

    def _do(self, received: Received) -> None:
        for event in received.events:
            self.outbox.put(event)
        for command in received.commands:
            self._follow(command)
        if received.commands:
            self._engine.wake()

    def _follow(self, command: Command) -> None:
        match command:
            case Start():
                self._chunker, self._rate = Chunker(command.rate), command.rate
                self._start(command)
            case Read():
                self._typed.append(command.text)
            case _ if self.is_over:
                pass
            case _ if self._served is None:
                raise ProtocolError("session_not_started", "the session is not listening yet")
            case Hear():
                self._put(self._chunker.push(command.samples))
            case Respond():
                self._put(self._tail(), is_asked=True)
            case Adopt():
                self._served.adopt(command.settings)
            case Cancel():
                self._served.cancel()
            case Played():
                self._player = None
                self._served.playing.played(command.chunk, command.played_ms)
            case Finish():
                self._put(self._chunker.finish())
                self._served.finish()

    def _start(self, start: Start) -> None:
        """Begin to listen; settings that cannot be followed end the conversation."""
        try:
            self._recorder = Recorder(self._record, self.id) if self._record else None
            self._served = self._engine.open(start, self._from_worker)
        except HarkenError as wrong:
            self.outbox.put(self.dialect.error("invalid_value", str(wrong)))
            self.close()
            return
        self._player = AssumedPlayer(self._served.playing)

    def _put(self, chunks: list[Chunk], *, is_asked: bool = False) -> None:
        """Chunks for the ears. is_asked: a response is due after the last of them."""
        assert self._served is not None
        if self._player:
            self._player.tick()
        for chunk in chunks:
            if self._recorder:
                self._recorder.write(chunk.samples[: chunk.n_real])
            typed, self._typed = " ".join(self._typed), []
            is_last = chunk is chunks[-1]
            self._served.put(chunk, typed=typed, is_asked=is_asked and is_last)

    def _tail(self) -> list[Chunk]:
        """Silence that ends in a complete chunk, long enough for a pause."""
        return self._chunker.push(np.zeros(round(_TAIL_S * self._rate), np.float32))

    # To the client

    def _from_worker(self, outcome: Outcome) -> None:
        """Called from a worker's thread."""
        self._loop.call_soon_threadsafe(partial(self._take, outcome))

    def _take(self, outcome: Outcome) -> None:
        self._metrics.count(outcome)
        if isinstance(outcome, Judged):
            self._has_room.set()
        elif isinstance(outcome, Voiced) and self._player:
            self._player.got(outcome)
        elif isinstance(outcome, FlushTrace) and self._player:
            self._player.flushed()
        for event in self.dialect.tell(outcome):
            self.outbox.put(event)
        if isinstance(outcome, Ended):
            self.close()
