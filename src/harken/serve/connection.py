"""One websocket: frames of the client to its conversation, events of the conversation back."""

import asyncio
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from harken.serve.conversation import Conversation

CLOSED = 1000
TOO_SLOW = 4008
"""The client did not read what was sent to it; it may resume."""


DISPLACED = 4409
"""Another connection has come in the place of this one."""


GONE = (WebSocketDisconnect, RuntimeError)
"""What sending raises when there is no client: Starlette the one, and the other when the server
gave the client up by itself, as it does when a ping is not answered."""


async def converse(socket: WebSocket, conversation: Conversation, displaced: asyncio.Event) -> int:
    """Run an accepted websocket until either side ends it; the code to close it with."""
    conversation.outbox.overflowed.clear()
    async with asyncio.TaskGroup() as group:
        loops = (
            _receive(socket, conversation),
            _send(socket, conversation),
            _watch(conversation.outbox.overflowed, TOO_SLOW),
            _watch(displaced, DISPLACED),
        )
        running = [group.create_task(loop) for loop in loops]
        ended, others = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
    return max(task.result() for task in ended)


async def close(socket: WebSocket, code: int) -> None:
    """End a websocket from our side, if the client has not gone yet."""
    with suppress(*GONE):
        await socket.close(code)


async def _receive(socket: WebSocket, conversation: Conversation) -> int:
    """Frames until the client goes."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return CLOSED
        text = message.get("text")
        conversation.receive(message.get("bytes") if text is None else text)
        await conversation.room()
        await asyncio.sleep(0)  # a client that floods us still leaves others their turn


async def _send(socket: WebSocket, conversation: Conversation) -> int:
    """Events until the conversation is over and all of them are sent."""
    try:
        while (message := await conversation.outbox.take()) is not None:
            await socket.send_text(message)
    except GONE:  # the client went while we sent
        pass
    return CLOSED


async def _watch(event: asyncio.Event, code: int) -> int:
    """Give the client up at an event: it does not read, or is elsewhere now."""
    await event.wait()
    return code
