"""A client of `harken serve`: audio in, events out, by asyncio or without.

    with connect("ws://127.0.0.1:8765", policy="narrate") as session:
        for block in blocks:            # float32 [n] from -1 to 1, 16 kHz
            session.send(block)
        session.finish()
        for event in session:
            if event["type"] == "harken.response":
                print(event["time_s"], event["text"])

Events are those of the Live dialect and our own under `harken.` (docs/serve.md). It needs the
package `websockets`, which the extra `serve` brings.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as _connect_async
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection as SyncConnection
from websockets.sync.client import connect as _connect_sync

from harken.errors import HarkenError

Event = dict[str, Any]
Samples = npt.NDArray[np.float32]

PATH = "/v1/live/sessions"
_TIMEOUT_S = 30.0
_MOST_EVENT_BYTES = 16 << 20


@contextmanager
def connect(
    url: str, *, token: str = "", session_id: str = "", **options: Any
) -> Iterator["Session"]:
    """A session on the server at `url` (`ws://host:port`), which ends with the block.

    session_id: come back to a session that lost its connection. options: `instructions`, `policy`,
    `voice` and `threshold` of a new one.

    Raises:
        HarkenError: the server cannot be reached, or refuses.
    """
    try:
        socket = _connect_sync(_address(url, session_id), **_transport(token))
    except (OSError, InvalidHandshake) as refusal:
        raise _refused(url, refusal) from refusal
    with socket:
        if not session_id:
            socket.send(_start(options))
        try:
            first = socket.recv(timeout=_TIMEOUT_S)
        except (TimeoutError, ConnectionClosed) as silence:
            raise _refused(url, silence) from silence
        yield Session(socket, _started(first))


@asynccontextmanager
async def connect_async(
    url: str, *, token: str = "", session_id: str = "", **options: Any
) -> AsyncIterator["AsyncSession"]:
    """The same for asyncio."""
    try:
        socket = await _connect_async(_address(url, session_id), **_transport(token))
    except (OSError, InvalidHandshake) as refusal:
        raise _refused(url, refusal) from refusal
    async with socket:
        if not session_id:
            await socket.send(_start(options))
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                first = await socket.recv()
        except (TimeoutError, ConnectionClosed) as silence:
            raise _refused(url, silence) from silence
        yield AsyncSession(socket, _started(first))


class Session:
    """A session that listens. `id` is what `session_id` of `connect` takes."""

    def __init__(self, socket: SyncConnection, started: Event) -> None:
        self.id: str = started["session"]["id"]
        self._socket = socket

    def send(self, samples: Samples) -> None:
        """The next samples, float32 [n] from -1 to 1 at 16 kHz, in blocks of any size."""
        self._socket.send(_append(samples))

    def tell(self, kind: str, **fields: Any) -> None:
        """Any other event, as `tell("harken.order.add", text="Count the barks.")`."""
        self._socket.send(json.dumps({"type": kind, **fields}))

    def finish(self) -> None:
        """Nothing more will come; events end when all is decided and said."""
        self.tell("session.close")

    def __iter__(self) -> Iterator[Event]:
        """Events, until the session or its connection ends."""
        try:
            for message in self._socket:
                yield json.loads(message)
        except ConnectionClosed as closed:
            raise _lost(self.id, closed) from closed


class AsyncSession:
    """`Session` for asyncio."""

    def __init__(self, socket: ClientConnection, started: Event) -> None:
        self.id: str = started["session"]["id"]
        self._socket = socket

    async def send(self, samples: Samples) -> None:
        """The next samples, float32 [n] from -1 to 1 at 16 kHz, in blocks of any size."""
        await self._socket.send(_append(samples))

    async def tell(self, kind: str, **fields: Any) -> None:
        """Any other event, as `tell("harken.order.add", text="Count the barks.")`."""
        await self._socket.send(json.dumps({"type": kind, **fields}))

    async def finish(self) -> None:
        """Nothing more will come; events end when all is decided and said."""
        await self.tell("session.close")

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Events, until the session or its connection ends."""
        try:
            async for message in self._socket:
                yield json.loads(message)
        except ConnectionClosed as closed:
            raise _lost(self.id, closed) from closed


def sound_of(event: Event) -> Samples:
    """The samples of a `session.output_audio.delta`, float32 [n] at 16 kHz."""
    data = base64.b64decode(event["delta"])
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)


def _append(samples: Samples) -> str:
    data = np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes()
    audio = base64.b64encode(data).decode("ascii")
    return json.dumps({"type": "session.input_audio.append", "audio": audio})


def _start(options: dict[str, Any]) -> str:
    instructions = options.pop("instructions", "")
    session = {
        "model": "harken",
        "instructions": instructions,
        "audio": {"format": {"type": "audio/pcm", "rate": 16_000}},
        "harken": {"events": True, **options},
    }
    return json.dumps({"type": "session.start", "session": session})


def _started(message: str | bytes) -> Event:
    event: Event = json.loads(message)
    if event["type"] != "session.started":
        raise HarkenError(f"the server did not start: {event.get('error', event)['message']}")
    return event


def _address(url: str, session_id: str) -> str:
    base = url.rstrip("/") + PATH
    return f"{base}?session_id={quote(session_id)}" if session_id else base


def _transport(token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return {"additional_headers": headers, "max_size": _MOST_EVENT_BYTES, "proxy": None}


def _refused(url: str, refusal: Exception) -> HarkenError:
    response = getattr(refusal, "response", None)
    try:
        told = json.loads(response.body)["error"]["message"] if response else ""
    except (ValueError, KeyError, TypeError):
        told = ""
    told = told or str(refusal) or f"no answer within {_TIMEOUT_S:g} s"
    return HarkenError(f"no session on {url}: {told}")


def _lost(session_id: str, closed: ConnectionClosed) -> HarkenError:
    return HarkenError(f"the connection broke ({closed}); connect again with {session_id=}")
