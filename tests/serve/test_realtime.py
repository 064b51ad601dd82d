"""The Realtime dialect through the official client: voice out, a response on request, a stop."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import openai
import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from tests.serve.conftest import Serve, Server
from tests.serve.shapes import REALTIME, checked
from tests.serve.told import pcm16

from harken.serve.audio import Format
from harken.serve.engine import Engine

BY_HAND: dict[str, Any] = {"format": {"type": "audio/pcm", "rate": 24_000}, "turn_detection": None}


class Talk:
    """A connection; every event is checked."""

    def __init__(self, realtime: AsyncRealtimeConnection) -> None:
        self.realtime = realtime
        self.events: list[dict[str, Any]] = []

    async def until(self, kind: str) -> dict[str, Any]:
        while True:
            event: dict[str, Any] = checked(await self.realtime.recv_bytes(), REALTIME)
            self.events.append(event)
            assert event["type"] != "error" or kind == "error", event
            if event["type"] == kind:
                return event

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]


@asynccontextmanager
async def talking(server: Server, **session: Any) -> AsyncIterator[Talk]:
    client = openai.AsyncOpenAI(api_key="none", base_url=f"http://{server.address}/v1")
    async with client.realtime.connect(model="harken") as realtime:
        talk = Talk(realtime)
        await talk.until("session.created")
        await realtime.session.update(session={"type": "realtime", **session})  # type: ignore[misc]
        await talk.until("session.updated")
        yield talk


def test_a_question_in_text_is_answered_by_a_voice(server: Server) -> None:
    async def ask() -> Talk:
        audio = {"input": BY_HAND, "output": {"format": {"type": "audio/pcmu"}, "voice": "hum"}}
        async with talking(server, audio=audio, output_modalities=["audio"]) as talk:
            content: Any = [{"type": "input_text", "text": "What do you hear?"}]
            await talk.realtime.conversation.item.create(
                item={"type": "message", "role": "user", "content": content}
            )
            await talk.until("conversation.item.done")
            await talk.realtime.response.create()
            await talk.until("response.done")
            return talk

    talk = asyncio.run(ask())
    response = talk.events[-1]["response"]
    assert (response["status"], response["output_modalities"]) == ("completed", ["audio"])
    said = "".join(e["delta"] for e in talk.of("response.output_audio_transcript.delta"))
    assert said == response["output"][0]["content"][0]["transcript"]
    voice = b"".join(base64.b64decode(e["delta"]) for e in talk.of("response.output_audio.delta"))
    assert len(voice) > 0.1 * 8_000 and len(set(voice)) > 20
    assert talk.of("response.output_audio.done")


def test_a_telephone_is_heard_and_answered(server: Server) -> None:
    """G.711 both ways: what is heard and what is said keep their level."""
    line = Format("audio/pcma", 8_000)
    tone = 0.25 * np.sin(2 * np.pi * 400 / 8_000 * np.arange(9_600, dtype=np.float32))

    async def call() -> Talk:
        spoken = {"format": {"type": "audio/pcma"}, "voice": "hum"}
        audio = {"input": {"format": {"type": "audio/pcma"}, "turn_detection": None}}
        own = {"events": True}
        async with talking(server, audio=audio | {"output": spoken}, harken=own) as talk:
            await talk.realtime.input_audio_buffer.append(audio=line.encode(tone))
            await talk.realtime.response.create()
            await talk.until("response.done")
            return talk

    talk = asyncio.run(call())
    heard = [event["level_db"] for event in talk.of("harken.chunk")][:3]
    assert heard == pytest.approx([20 * np.log10(0.25 / 2**0.5)] * 3, abs=1)
    said = np.concatenate([line.decode(e["delta"]) for e in talk.of("response.output_audio.delta")])
    assert np.sqrt(np.mean(said**2)) == pytest.approx(0.5 / 2**0.5, rel=0.1)


@pytest.mark.slow
def test_speech_is_heard_and_answered_in_text_when_asked(
    serve: Serve, hearing_engine: Engine, said: np.ndarray
) -> None:
    server = serve(engine=hearing_engine)

    async def ask() -> Talk:
        async with talking(
            server, audio={"input": BY_HAND}, output_modalities=["text"], instructions="Be brief."
        ) as talk:
            for first in range(0, len(said), 4_800):
                await talk.realtime.input_audio_buffer.append(audio=pcm16(said[first:][:4_800]))
            await talk.realtime.response.create()
            await talk.until("response.done")
            await talk.realtime.input_audio_buffer.commit()
            await talk.until("conversation.item.done")
            return talk

    talk = asyncio.run(ask())
    assert len(talk.of("response.created")) == 1
    item = talk.events[-1]["item"]
    assert "placed" in item["content"][0]["transcript"]


def test_a_response_is_cancelled(server: Server) -> None:
    async def ask() -> Talk:
        async with talking(server, audio={"input": BY_HAND}, output_modalities=["text"]) as talk:
            await talk.realtime.input_audio_buffer.append(audio=pcm16(np.zeros(9_600)))
            await talk.realtime.response.create()
            await talk.until("response.created")
            await talk.realtime.response.cancel()
            done = await talk.until("response.done")
            if done["response"]["status"] == "cancelled":  # it may have been quicker than we
                assert done["response"]["status_details"]["reason"] == "client_cancelled"
            await talk.realtime.response.cancel()
            await talk.until("error")
            return talk

    error = asyncio.run(ask()).events[-1]["error"]
    assert error["code"] == "response_cancel_not_active"
