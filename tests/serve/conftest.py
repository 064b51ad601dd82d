"""Servers of their own on free loopback ports."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from tests.live.conftest import listener, perception, random_checkpoint, speech
from tests.train.conftest import tiny_parts

from harken.decide import onnx_listener
from harken.decide.batched_listener import BatchedListener
from harken.decide.onnx_listener import OnnxListener
from harken.perceive.perception import Perception
from harken.respond.voice import Speech
from harken.serve.app import Service, build_app
from harken.serve.engine import Engine
from harken.serve.shedding import Shedding
from harken.serve.speaking import Voices
from harken.stream import profile_named
from harken.train.model import BaseParts

__all__ = ["listener", "perception", "random_checkpoint", "speech", "tiny_parts"]


class Server:
    """A running server. ping_s: how often it asks whether a client is still there, and how long it
    waits for the answer; by default it does not, a slow machine is no lost client."""

    def __init__(self, service: Service, ping_s: float | None = None) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.engine = service.engine
        config = uvicorn.Config(
            build_app(service),
            ws="websockets-sansio",
            ws_max_size=1 << 20,
            ws_ping_interval=ping_s,
            ws_ping_timeout=ping_s,
            lifespan="on",
            log_config=None,
        )
        self._server = uvicorn.Server(config)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(30)

    def _run(self) -> None:
        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            serving = asyncio.create_task(self._server.serve([self.socket]))
            while not self._server.started and not serving.done():
                await asyncio.sleep(0)
            self._ready.set()
            await serving

        asyncio.run(serve())

    def stop(self) -> None:
        """End it and wait for it."""
        self._server.should_exit = True
        self._thread.join()


Serve = Callable[..., Server]


# However slow the machine is that tests run on, all ears listen.
PATIENT = Shedding(begin_s=1e6, more_s=1e6)


@pytest.fixture(scope="session")
def tiny_listener(tiny_parts: BaseParts) -> BatchedListener:
    """Two layers of 32 numbers in the graph of the real decoder; what it says are random bytes."""
    profile = replace(profile_named("tiny"), context=512)
    checkpoint = random_checkpoint(profile)
    blank = {
        name: np.zeros(shape, np.float32)
        for name, shape in tiny_parts.decoder.from_checkpoint.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_listener, "lora_of", lambda checkpoint: blank)
        graph = (tiny_parts.folder / "decoder.batched.onnx").read_bytes()
        return BatchedListener(tiny_parts.folder, checkpoint, threads=1, graph=graph)


class Hum:
    """A voice for any text, also for random bytes: 20 ms of a tone for each character."""

    name = "hum"

    def speak(
        self, text: str, emotion: str = "normal", language: str | None = None
    ) -> Generator[Speech, None, None]:
        for _ in text:
            yield Speech(0.5 * np.sin(np.arange(320, dtype=np.float32) / 5), 16_000)


class SlowHum(Hum):
    """One that takes its time before it begins, as real voices do."""

    name = "slow"

    def speak(
        self, text: str, emotion: str = "normal", language: str | None = None
    ) -> Generator[Speech, None, None]:
        time.sleep(0.3)
        yield from super().speak(text, emotion, language)


@pytest.fixture(scope="session")
def engine(tiny_listener: BatchedListener) -> Iterator[Engine]:
    """With the tiny listener and without ears: all that is heard is how loud it is."""
    voices = Voices({"hum": Hum(), "slow": SlowHum()})
    with Engine(tiny_listener, Perception(()), voices, shedding=PATIENT) as engine:
        yield engine


@pytest.fixture(scope="session")
def hearing_engine(listener: OnnxListener, perception: Perception) -> Iterator[Engine]:
    """With the real decoder and ears."""
    with Engine(listener, perception, shedding=PATIENT) as engine:
        yield engine


@contextmanager
def serving(service: Service, ping_s: float | None = None) -> Iterator[Server]:
    server = Server(service, ping_s)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def server(engine: Engine) -> Iterator[Server]:
    """Open to everybody on this machine."""
    with serving(Service(engine)) as server:
        yield server


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers and ends them. Without an engine among the options nobody can listen."""
    servers: list[Server] = []
    with Engine(None, None) as deaf:  # type: ignore[arg-type]

        def start(**options: object) -> Server:
            servers.append(Server(Service(**{"engine": deaf, **options})))  # type: ignore[arg-type]
            return servers[-1]

        yield start
        for server in servers:
            server.stop()


@pytest.fixture(scope="session")
def said(speech: Path) -> np.ndarray:
    """The voice at 24 kHz, with a pause behind it."""
    import soundfile
    import soxr

    samples, rate = soundfile.read(speech, dtype="float32")
    return np.concatenate([soxr.resample(samples, rate, 24_000), np.zeros(24_000, np.float32)])
