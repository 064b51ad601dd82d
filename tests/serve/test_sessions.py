"""Sessions over a server with its ears and decoder: coming back, wrong wishes, records."""

import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.serve.conftest import Serve, Server
from tests.serve.told import pcm16
from tests.serve.wire import open_live, receive, receive_until, refused, send, start
from websockets.exceptions import ConnectionClosed

from harken.serve.engine import Engine


def test_a_client_comes_back_to_its_session(server: Server) -> None:
    half = np.full(12_000, 0.01, np.float32)
    live = open_live(server)
    session_id = start(live)["id"]
    send(live, type="session.input_audio.append", audio=pcm16(half))
    assert receive_until(live, "harken.chunk")["chunk"] == 0
    live.socket.shutdown(socket.SHUT_RDWR)  # the network breaks
    query = f"?session_id={session_id}"
    with open_live(server, query) as live:
        started = receive_until(live, "session.started")["session"]
        assert (started["id"], started["harken"]["resumed"]) == (session_id, True)
        send(live, type="session.start", session={"model": "harken"})
        assert receive_until(live, "error")["error"]["code"] == "session_already_started"
        send(live, type="session.input_audio.append", audio=pcm16(half))
        assert receive_until(live, "harken.chunk")["chunk"] == 1
        send(live, type="session.close")
        receive_until(live, "session.closed")
    assert refused(server, query) == (404, "session_not_found")


def test_a_session_has_one_client_the_newest(server: Server) -> None:
    """One that comes back another way does not wait until the old line is found to be dead."""
    with open_live(server) as old:
        query = f"?session_id={start(old)['id']}"
        with open_live(server, query) as new:
            assert receive_until(new, "session.started")["session"]["harken"]["heard_s"] == 0
            with pytest.raises(ConnectionClosed) as closed:
                old.recv(timeout=60)
                old.recv(timeout=60)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4409
            send(new, type="session.input_audio.append", audio=pcm16(np.full(12_000, 0.01)))
            assert receive_until(new, "harken.chunk")["chunk"] == 0
        with open_live(server, query) as third:
            resumed = receive_until(third, "session.started")["session"]["harken"]
            assert (resumed["resumed"], resumed["heard_s"]) == (True, 0.5)
            send(third, type="session.close")
            receive_until(third, "session.closed")


def test_a_session_that_cannot_start_says_why_and_ends(server: Server) -> None:
    with open_live(server) as live:
        session = {"model": "harken", "harken": {"policy": "loud"}}
        send(live, type="session.start", session=session)
        assert "loud" in receive(live)["error"]["message"]
        with pytest.raises(ConnectionClosed):
            live.recv(timeout=60)


def test_an_instruction_that_is_too_long_says_so(server: Server) -> None:
    with open_live(server) as live:
        session = {"model": "harken", "instructions": "count the barks " * 400}
        send(live, type="session.start", session=session)
        assert "positions" in receive(live)["error"]["message"]


def test_a_thousand_tiny_appends_are_one_stream(server: Server) -> None:
    with open_live(server) as live:
        start(live)
        for _ in range(1_000):
            send(live, type="session.input_audio.append", audio=pcm16(np.full(12, 0.01)))
        assert receive_until(live, "harken.chunk")["chunk"] == 0


def test_a_session_is_recorded_when_asked_for_only(
    serve: Serve, engine: Engine, tmp_path: Path
) -> None:
    server = serve(engine=engine, record=tmp_path / "kept")
    with open_live(server) as live:
        session_id = start(live)["id"]
        send(live, type="session.input_audio.append", audio=pcm16(np.full(9_600, 0.1)))
        send(live, type="session.close")
        receive_until(live, "session.closed")
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.name == f"{session_id}.flac"
    assert kept.stat().st_mode & 0o077 == 0
    samples, rate = soundfile.read(kept)
    assert rate == 16_000
    assert samples[1_000:5_000].mean() == pytest.approx(0.1, abs=1e-3)


def test_a_wrong_wish_gets_an_error_and_the_session_goes_on(server: Server) -> None:
    with open_live(server) as live:
        start(live)
        send(live, type="session.input_audio.append", audio="no base64!")
        assert receive_until(live, "error")["error"]["code"] == "invalid_value"
        send(live, type="harken.policy.set", policy="loud")
        assert "loud" in receive_until(live, "error")["error"]["message"]
        send(live, type="harken.order.add", text="Count the barks.")
        orders = receive_until(live, "harken.orders")["orders"]
        assert orders == [{"id": "order_1", "text": "Count the barks."}]
        send(live, type="session.close")
        receive_until(live, "session.closed")
