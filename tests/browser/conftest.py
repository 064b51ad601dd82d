"""A headless Chromium on the page of a real server, its microphone fed from a recording."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.live.conftest import perception
from tests.serve.conftest import Server, serving

from harken.perceive.perception import Perception
from harken.serve.app import Service
from harken.serve.engine import Engine
from harken.serve.shedding import Shedding

__all__ = ["perception"]

PATIENCE_MS = 60_000
SAMPLES = Path(__file__).parents[2] / "samples"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser; Debian's package is called chromium."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on this machine")
    return path


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the beginning of a sample: a door and an owl."""
    folder = tmp_path_factory.mktemp("recordings")
    samples, rate = soundfile.read(SAMPLES / "evening.flac", dtype="int16")
    soundfile.write(folder / "evening.flac", samples[: 12 * rate], rate)
    return folder


@pytest.fixture(scope="session")
def server(chromium: str, perception: Perception, recordings: Path) -> Iterator[Server]:
    """With the shipped checkpoint; however slow the machine is, all ears listen."""
    from harken.decide.model import load_listener

    patient = Shedding(begin_s=1e6, more_s=1e6)
    with (
        Engine(load_listener(), perception, shedding=patient) as engine,
        serving(Service(engine, samples=(recordings,))) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Whoever opens the microphone hears the announcements, from their beginning.

    It ends with each file of tests: playwright's event loop runs as long as it lives.
    """
    samples, rate = soundfile.read(SAMPLES / "announcements.flac", dtype="int16")
    said = tmp_path_factory.mktemp("microphone") / "announcements.wav"
    soundfile.write(said, samples, rate)
    microphone = f"--use-file-for-fake-audio-capture={said}%noloop"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, microphone])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """The page, opened. It must leave the console empty and ask nobody but its server."""
    own = f"http://{server.address}/"
    complaints: list[str] = []
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: asked.url.startswith(own) or complaints.append(asked.url))
    page.goto(own)
    yield page
    context.close()
    assert [c for c in complaints if not c.startswith(f"blob:{own}")] == []
