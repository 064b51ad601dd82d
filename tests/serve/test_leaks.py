"""Whatever clients do, the server gives back what it took: counted before and after."""

import asyncio
import gc
import json
import os
import random
import resource
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from starlette.websockets import WebSocket
from tests.serve.conftest import Server, serving
from tests.serve.told import pcm16
from tests.serve.wire import RawClient, get

from harken.live.dialogue import Dialogue
from harken.serve.app import Service
from harken.serve.conversation import Conversation
from harken.serve.engine import Engine
from harken.serve.served import Served
from harken.serve.sessions import Limits

MOST_BYTES = 24 << 20
"""Allocators keep some of what they were given; what each of these would leave is more."""
Idle = tuple[tuple[int, int], Counter[str]]
"""Files and tasks, and what is in memory."""
START = json.dumps({"type": "session.start", "session": {"model": "harken"}})
TINY = json.dumps({"type": "session.input_audio.append", "audio": pcm16(np.full(24, 0.01))})
CHUNK = json.dumps({"type": "session.input_audio.append", "audio": pcm16(np.full(9_600, 0.01))})
CLOSE = json.dumps({"type": "session.close"})


@pytest.fixture(scope="module")
def server(engine: Engine) -> Iterator[Server]:
    """It asks its clients often whether they are there, and keeps no session for long."""
    service = Service(engine, limits=Limits(most_sessions=1_000, grace_s=0.05))
    gc.collect()
    gc.freeze()  # what other tests left is not counted, which is quick
    with serving(service, ping_s=0.5) as server:
        yield server
    gc.unfreeze()


def held(server: Server) -> tuple[int, int]:
    """Open files of the process, and tasks of the server."""
    return len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks(server.loop))


def alive() -> Counter[str]:
    """Sessions and connections in memory, by class."""
    gc.collect()
    kinds = (WebSocket, Conversation, Served, Dialogue)
    return Counter(type(one).__name__ for one in gc.get_objects() if type(one) in kinds)


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


@pytest.fixture(scope="module")
def idle(server: Server) -> Idle:
    """What is held before the first of them: what one opened may still be closing in the next."""
    return held(server), alive()


def holds_more(server: Server, idle: Idle) -> bool:
    """Than it did then, in files, tasks or memory."""
    (files, tasks), lived = idle
    now = held(server)
    return now[0] > files or now[1] > tasks or bool(alive() - lived)


def come_and_go(server: Server) -> None:
    """The line breaks before anything is said: in order, and by a reset."""
    for linger in (b"\0\0\0\0\0\0\0\0", b"\1\0\0\0\0\0\0\0"):
        with RawClient(server) as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def come_and_drop(server: Server) -> None:
    """Somebody starts a session, says something, and the line breaks."""
    with RawClient(server) as client:
        client.send(START)
        client.send(CHUNK)


def half_a_handshake(server: Server) -> None:
    """A request that is never finished, and one that is none."""
    for sent in (b"GET /v1/live/sessions HTTP/1.1\r\nHost: x\r\nUpgr", random.randbytes(400)):
        with socket.create_connection(server.address.split(":")) as raw:
            raw.sendall(sent)


def tiny_appends(server: Server) -> None:
    """A second of audio, a millisecond at a time."""
    with RawClient(server) as client:
        client.send(START)
        for _ in range(1_000):
            client.send(TINY)


def out_of_order(server: Server) -> None:
    """Everything, and every time too early, twice or too late."""
    events = [START, TINY, CLOSE, CHUNK]
    random.shuffle(events)
    with RawClient(server) as client:
        for event in events * 3:
            client.send(event)


def random_frames(server: Server) -> None:
    """Bytes, texts that are no JSON, JSON that is no event."""
    with RawClient(server) as client:
        for _ in range(30):
            client.send(random.randbytes(200))
            client.send(random.randbytes(200).decode("latin-1"))
            client.send(json.dumps({"type": random.choice(["session.start", "x"]), "session": 1}))


def giant_frame(server: Server) -> None:
    """Twice as large as a frame may be; the server hangs up while it is sent."""
    with RawClient(server) as client:
        try:
            client.send("x" * (2 << 20))
            while client.protocol.close_rcvd is None:
                client.read()
        except OSError:
            return
        assert client.protocol.close_rcvd.code == 1009


@pytest.mark.parametrize(
    ("trouble", "times"),
    [
        (come_and_go, 250),
        (come_and_drop, 20),
        (half_a_handshake, 50),
        (tiny_appends, 2),
        (out_of_order, 5),
        (random_frames, 3),
        (giant_frame, 10),
    ],
)
def test_nothing_is_left(
    server: Server, idle: Idle, trouble: Callable[[Server], None], times: int
) -> None:
    had = resident_bytes()
    for _ in range(times):
        trouble(server)
    while holds_more(server, idle):
        pass
    assert resident_bytes() - had < MOST_BYTES


def test_a_client_that_vanished_is_found_out(server: Server, idle: Idle) -> None:
    """No end of its line arrives and no answer to a ping."""
    clients = [RawClient(server) for _ in range(20)]
    for client in clients:
        with suppress(OSError):  # it may be found out before it has said all of this
            client.send(START)
    while json.loads(get(server, "/healthz")[1])["sessions"]:
        pass
    for client in clients:
        client.socket.close()
    while holds_more(server, idle):
        pass
