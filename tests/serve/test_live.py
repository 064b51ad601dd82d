"""The Live dialect through the official client: a real session, every event of the right shape."""

import asyncio
from typing import Any

import numpy as np
import openai
import pytest
from tests.serve.conftest import Serve, Server
from tests.serve.shapes import LIVE, checked
from tests.serve.told import pcm16

from harken.serve.engine import Engine

BLOCK = 4_800


async def session_over(server: Server, config: dict[str, Any], audio: np.ndarray) -> list[Any]:
    """All events of a session that hears `audio` and is closed."""
    client = openai.AsyncOpenAI(api_key="none", base_url=f"http://{server.address}/v1")
    events: list[Any] = []
    async with client.live.connect() as live:
        await live.session.start(session={"model": "harken", **config})
        events.append(checked(await live.recv_bytes(), LIVE))
        for first in range(0, len(audio), BLOCK):
            await live.session.input_audio.append(audio=pcm16(audio[first : first + BLOCK]))
        await live.session.close()
        while events[-1]["type"] not in ("session.closed", "error"):
            events.append(checked(await live.recv_bytes(), LIVE))
    return events


@pytest.mark.slow
def test_a_session_hears_words_and_replies(
    serve: Serve, hearing_engine: Engine, said: np.ndarray
) -> None:
    """The checkpoint is random: that it replies and how does not matter, that all arrives does."""
    config = {"harken": {"events": True, "threshold": 0.8}}
    events = asyncio.run(session_over(serve(engine=hearing_engine), config, said))
    by_type: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        by_type.setdefault(event["type"], []).append(event)
    chunks = by_type["harken.chunk"]
    assert [chunk["chunk"] for chunk in chunks] == [*range(len(chunks))]
    assert chunks[-1]["queued"] == 0
    words = "".join(event["delta"] for event in by_type["session.input_transcript.delta"])
    assert "placed" in words
    responses = by_type["harken.response"]
    assert {r["chunk"] for r in responses} == {
        c["chunk"] for c in chunks if c["decision"] == "respond"
    }
    for response in responses:
        pieces = [
            event["delta"]
            for event in by_type["session.output_transcript.delta"]
            if event["response_id"] == response["response_id"]
        ]
        assert "".join(pieces) == response["text"]
    closed = events[-1]
    assert closed["reason"] == "close_requested"
    assert closed["usage"]["seconds"] == pytest.approx(len(said) / 24_000, abs=0.4)
