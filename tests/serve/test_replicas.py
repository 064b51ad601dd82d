"""Two replicas in a Ray cluster of this machine, which share nothing but the address."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.serve.told import pcm16
from tests.serve.wire import get, open_live, receive_until, refused, send, start
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from harken.serve.session_id import server_of
from harken.train.model import BaseParts

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PATIENT = ("PROXY_READY_CHECK", "PROXY_HEALTH_CHECK", "USER_HEALTH_CHECK_PROBE")


@dataclass(frozen=True)
class Cluster:
    """pids: a folder with a file for each replica, of its name, with the id of its process."""

    address: str
    pids: Path


@pytest.fixture
def cluster(tiny_parts: BaseParts, tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("ray.serve", reason="ray[serve] is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    shapes = json.dumps(tiny_parts.decoder.from_checkpoint)
    patient = {f"RAY_SERVE_{name}_TIMEOUT_S": "600" for name in PATIENT}  # slow is not dead
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.serve.tiny", tiny_parts.folder, shapes, tmp_path, port],
        cwd=ROOT,
        env={**os.environ, **patient, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with program:
        assert program.stdout is not None and program.stdout.readline() == b"ready\n"
        yield Cluster(f"127.0.0.1:{port}", tmp_path)
        program.communicate()
    assert program.returncode == 0


def test_sessions_stay_with_their_replica_and_only_die_with_it(cluster: Cluster) -> None:
    lines = [open_live(cluster) for _ in range(4)]
    ids = [start(line)["id"] for line in lines]
    names = {path.name for path in cluster.pids.iterdir()}
    assert sorted(map(server_of, ids)) == sorted([*names, *names])
    assert refused(cluster) == (503, "server_full")
    for name in names:
        shown = json.loads(get(cluster, f"/healthz?replica={name}")[1])
        assert (shown["name"], shown["sessions"]) == (name, 2)

    for n, (line, session_id) in enumerate(zip(lines, ids, strict=True)):
        assert _heard(line) == 0
        line.socket.shutdown(socket.SHUT_RDWR)  # the network breaks
        lines[n] = open_live(cluster, f"?session_id={session_id}")
        assert receive_until(lines[n], "session.started")["session"]["id"] == session_id
        assert _heard(lines[n]) == 1

    dying = server_of(ids[0])
    os.kill(int((cluster.pids / dying).read_text()), signal.SIGKILL)
    for line, session_id in zip(lines, ids, strict=True):
        if server_of(session_id) == dying:
            with pytest.raises(ConnectionClosed):
                while True:
                    line.recv(timeout=60)
            query = f"?session_id={session_id}"
            assert refused(cluster, query) == (404, "session_not_found")
        else:
            assert _heard(line) == 2
            send(line, type="session.close")
            receive_until(line, "session.closed")
    with open_live(cluster) as line:
        assert server_of(start(line)["id"]) in names - {dying}


def _heard(line: ClientConnection) -> int:
    """The next chunk, after half a second of sound."""
    send(line, type="session.input_audio.append", audio=pcm16(np.full(12_000, 0.01, np.float32)))
    number: int = receive_until(line, "harken.chunk")["chunk"]
    return number
