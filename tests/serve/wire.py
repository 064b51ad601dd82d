"""Talking to a server frame by frame, as clients do that are not the official one."""

import http.client
import json
from typing import Any

import pytest
from tests.serve.conftest import Server
from tests.serve.shapes import LIVE, checked
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

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


def start(live: ClientConnection, **harken: Any) -> dict[str, Any]:
    session = {"model": "harken", "harken": {"events": True, "threshold": 0.999, **harken}}
    send(live, type="session.start", session=session)
    return receive_until(live, "session.started")["session"]  # type: ignore[no-any-return]
