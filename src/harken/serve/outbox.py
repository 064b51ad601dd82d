"""What waits to be sent to one client, bounded: a client that does not read holds up nobody."""

import asyncio
import json
from collections import deque

from harken.serve.dialects.dialect import Event


class Outbox:
    """Events in order, as JSON. For the event loop only.

    `overflowed` is set when events had to go, the oldest first, because nobody took them.
    """

    def __init__(self, most_bytes: int) -> None:
        self.overflowed = asyncio.Event()
        self._most_bytes = most_bytes
        self._messages: deque[str] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._is_ended = False

    def put(self, event: Event) -> None:
        """Add an event."""
        message = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        self._messages.append(message)
        self._bytes += len(message)
        while self._bytes > self._most_bytes and len(self._messages) > 1:
            self._bytes -= len(self._messages.popleft())
            self.overflowed.set()
        self._changed.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._is_ended = True
        self._changed.set()

    async def take(self) -> str | None:
        """The next message, as soon as there is one; None when all were taken and it has ended."""
        while not self._messages:
            if self._is_ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        message = self._messages.popleft()
        self._bytes -= len(message)
        return message
