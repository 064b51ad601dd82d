"""Talking to a server frame by frame, as clients do that are not the official one."""

import http.client
import json
import socket
from typing import Any, Self

import pytest
from tests.serve.conftest import Server
from tests.serve.shapes import LIVE, checked
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect
from websockets.uri import parse_uri

LIVE_PATH = "/v1/live/sessions"


def open_live(server: Server, query: str = "", **options: Any) -> ClientConnection:
    """A connection that is to be closed, or used as a context."""
    url = f"ws://{server.address}{LIVE_PATH}{query}"
    return connect(url, proxy=None, **options).__enter__()


def send(live: ClientConnection, **event: Any) -> None:
    live.send(json.dumps(event))


def receive(live: ClientConnection) -> dict[str, Any]:
    event: dict[str, Any] = checked(live.recv(timeout=60), LIVE)
    return event


def receive_until(live: ClientConnection, kind: str) -> dict[str, Any]:
    while (event := receive(live))["type"] != kind:
        pass
    return event


def get(server: Server, path: str, **headers: str) -> tuple[int, bytes]:
    """Status and body; the path goes out as it is written."""
    connection = http.client.HTTPConnection(server.address)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def refused(server: Server, query: str = "", **headers: str) -> tuple[int, str]:
    """Status and code of a refused websocket."""
    with pytest.raises(InvalidStatus) as refusal:
        open_live(server, query, additional_headers=headers)
    response = refusal.value.response
    return response.status_code, json.loads(response.body or b"")["error"]["code"]


class RawClient:
    """A websocket without a thread, on a socket that a test can misuse; use it as a context.

    receive_buffer: bytes that its system takes for it, 0 for the usual.
    """

    def __init__(self, server: Server, receive_buffer: int = 0) -> None:
        self.protocol = ClientProtocol(parse_uri(f"ws://{server.address}{LIVE_PATH}"))
        self.socket = socket.socket()
        self.socket.settimeout(120)  # a server that never answers fails the test
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        host, _, port = server.address.partition(":")
        self.socket.connect((host, int(port)))
        self.protocol.send_request(self.protocol.connect())
        self.flush()
        while self.protocol.state is State.CONNECTING:
            self.read()

    def send(self, frame: str | bytes) -> None:
        """Put a frame into the socket."""
        if isinstance(frame, str):
            self.protocol.send_text(frame.encode())
        else:
            self.protocol.send_binary(frame)
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(b"".join(self.protocol.data_to_send()))

    def read(self) -> None:
        """Take what has come, at least a byte of it."""
        self.protocol.receive_data(self.socket.recv(4_096))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()


def start(live: ClientConnection, **harken: Any) -> dict[str, Any]:
    session = {"model": "harken", "harken": {"events": True, "threshold": 0.999, **harken}}
    send(live, type="session.start", session=session)
    return receive_until(live, "session.started")["session"]  # type: ignore[no-any-return]
