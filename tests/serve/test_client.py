"""Our own client against a real server, with and without asyncio."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from tests.serve.conftest import Serve, Server

from harken.client import Event, connect, connect_async, sound_of
from harken.errors import HarkenError
from harken.serve.access import Access

ROOT = Path(__file__).parents[2]


def test_a_refusal_says_why(serve: Serve) -> None:
    server = serve(access=Access(token="s3cret"))
    with pytest.raises(HarkenError, match="token"), connect(f"ws://{server.address}", token="no"):
        pass
    with (
        pytest.raises(HarkenError, match="s3ss"),
        connect(f"ws://{server.address}", token="s3cret", session_id="s3ss"),
    ):
        pass


def test_nobody_there_is_told_in_one_line() -> None:
    with pytest.raises(HarkenError, match=r"127\.0\.0\.1:9"), connect("ws://127.0.0.1:9"):
        pass


def test_a_wish_that_cannot_be_followed_is_told(server: Server) -> None:
    with (
        pytest.raises(HarkenError, match="loud"),
        connect(f"ws://{server.address}", policy="loud"),
    ):
        pass


def test_audio_goes_in_and_events_come_out(server: Server) -> None:
    with connect(f"ws://{server.address}", threshold=0.999) as session:
        session.tell("harken.order.add", text="Count the barks.")
        session.send(np.zeros(6_400, np.float32))
        session.finish()
        events = [*session]
    types = [event["type"] for event in events]
    assert "harken.chunk" in types and types[-1] == "session.closed"
    assert "harken.orders" in types


def test_the_example_of_the_documentation_runs(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it is written, but for the port and for a threshold that the tiny listener passes."""
    written = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
    example = written.split("```python\n")[1].split("```")[0]
    assert len(example.splitlines()) <= 20
    monkeypatch.chdir(ROOT)
    example = example.replace("127.0.0.1:8765", server.address)
    exec(example.replace('"narrate"', '"narrate", threshold=1e-6'), {})
    assert " s  " in capsys.readouterr().out


@pytest.mark.parametrize("voice", ["hum", "slow"])
def test_the_same_by_asyncio_and_with_a_voice(server: Server, voice: str) -> None:
    """All of a reply is spoken, though the client has finished before the voice has begun."""

    async def listen() -> list[Event]:
        url = f"ws://{server.address}"
        async with connect_async(url, threshold=1e-6, voice=voice) as session:
            await session.send(np.zeros(6_400, np.float32))
            events = []
            async for event in session:
                events.append(event)
                if event["type"] == "harken.response":
                    await session.finish()
            return events

    events = asyncio.run(listen())
    sound = [sound_of(e) for e in events if e["type"] == "session.output_audio.delta"]
    assert sum(map(len, sound)) > 1_600
    assert events[-1]["type"] == "session.closed"
