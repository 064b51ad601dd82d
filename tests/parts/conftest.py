"""Tiny parts with real sources: an official server on loopback, wheels that pip finds."""

import hashlib
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harken.parts import official
from harken.parts.catalogue import Carrier, Part, PartFile


@dataclass
class OfficialServer:
    """A file server with Range support, and with the faults that real ones have."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    ignores_range: bool = False
    cut_first_answer_at: int | None = None
    """Close the connection of the first answer after that many bytes."""
    hold_at: int | None = None
    """Stop sending after that many bytes of the file until ``release`` is set."""
    release: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range header of each request."""


def _handler(server: OfficialServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted_range = self.headers["Range"]
            first_answer = not server.asked
            server.asked.append((self.path, wanted_range))
            content = server.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = 0
            if wanted_range and not server.ignores_range:
                start = int(wanted_range.removeprefix("bytes=").rstrip("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = len(content)
            if first_answer and server.cut_first_answer_at is not None:
                end = server.cut_first_answer_at
            try:
                if server.hold_at is not None and start < server.hold_at:
                    self.wfile.write(content[start : server.hold_at])
                    server.release.wait(timeout=30)
                    start = server.hold_at
                self.wfile.write(content[start:end])
            except OSError:
                return  # The client was killed, as the test wants it.

        def log_message(self, *_: object) -> None:
            return

    return Handler


@pytest.fixture
def official_server() -> Iterator[OfficialServer]:
    """A server on a free port of loopback."""
    listening = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server = OfficialServer(f"http://127.0.0.1:{listening.server_port}")
    listening.RequestHandlerClass = _handler(server)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.release.set()
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no remembered hosts, and no way out to the network."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HARKEN_CACHE", str(folder))
    monkeypatch.setattr(official, "_silent_hosts", set())
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return folder


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which pip looks for wheels."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


AddWheel = Callable[[Path, str, dict[str, bytes]], None]


@pytest.fixture
def add_wheel() -> AddWheel:
    """Makes a wheel of version 1.0 that holds these members."""

    def add(folder: Path, package: str, members: dict[str, bytes]) -> None:
        module = package.replace("-", "_")
        info = f"{module}-1.0.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        with zipfile.ZipFile(folder / f"{module}-1.0-py3-none-any.whl", "w") as wheel:
            for name, content in members.items():
                wheel.writestr(name, content)
            wheel.writestr(f"{info}/METADATA", metadata)
            wheel.writestr(f"{info}/WHEEL", tags)
            wheel.writestr(f"{info}/RECORD", "")

    return add


MakePart = Callable[..., Part]


@pytest.fixture
def make_part() -> MakePart:
    """Makes a part of one file from its expected content and its sources."""

    def make(
        content: bytes,
        official_address: str = "http://127.0.0.1:1/weights.bin",
        carriers: tuple[Carrier, ...] = (),
    ) -> Part:
        file = PartFile(
            name="weights.bin",
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
            official=official_address,
            carriers=carriers,
        )
        return Part("tiny", "a part for tests", (file,), licence="CC0-1.0")

    return make
