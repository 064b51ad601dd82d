"""Sounds over HTTP, asked of a real server on the loopback."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.soundflow.ground.endpoints import AudioX, ElevenLabs, Requests
from harken.soundflow.ground.generator import SoundGenerator
from harken.soundflow.plan import PlannedEvent
from harken.stream import SAMPLE_RATE

CAT = PlannedEvent(
    name="cat",
    label="cat_meow",
    role="fg",
    start_after=(0.0, 1.0),
    rough_duration_s=1.5,
    description="A cat meows at a closed door.",
    query="cat meowing at a door",
    accept_tags=("Meow",),
)


def tone(seconds: float, rate_hz: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate_hz)) / rate_hz)


def sound_file(seconds: float = 1.0, rate_hz: int = 44_100, kind: str = "MP3") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, tone(seconds, rate_hz), rate_hz, format=kind)
    return file.getvalue()


class Server:
    """Answers what is in `answers`, one after the other, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, object]]] = []
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {key.lower(): value for key, value in self.headers.items()}
                outer.asked.append((self.path, headers, json.loads(body)))
                state, content, more = outer.answers.pop(0)
                self.send_response(state)
                for key, value in {"Content-Length": str(len(content)), **more}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def say(self, content: bytes, state: int = 200, **headers: str) -> None:
        self.answers.append((state, content, headers))

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HARKEN_ELEVENLABS_KEY", "secret-1")
    return "secret-1"


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def elevenlabs(server: Server, folder: Path, most: int = 10) -> ElevenLabs:
    requests = Requests(most=most, timeout_s=10, cache=folder, pause=lambda _: None)
    return ElevenLabs(server.url, requests=requests)


def test_elevenlabs_is_asked_as_its_reference_says(
    server: Server, key: str, tmp_path: Path
) -> None:
    server.say(sound_file())
    maker: SoundGenerator = elevenlabs(server, tmp_path)
    assert maker.can(CAT)
    made = maker.generate(CAT, 0.2, random())
    path, headers, body = server.asked[0]
    assert path == "/v1/sound-generation?output_format=mp3_44100_128"
    assert headers["xi-api-key"] == key
    assert body == {
        "text": "A cat meows at a closed door.",
        "duration_seconds": 0.5,
        "prompt_influence": 0.5,
    }
    assert made.samples.dtype == np.float32
    assert len(made.samples) / SAMPLE_RATE == pytest.approx(1.0, abs=0.1)
    heard = np.abs(np.fft.rfft(made.samples[:SAMPLE_RATE]))
    assert np.argmax(heard) == pytest.approx(440, abs=2)
    assert (made.source, made.attribution) == ("elevenlabs", "ElevenLabs")


def test_without_a_key_nothing_is_asked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARKEN_ELEVENLABS_KEY", raising=False)
    maker = elevenlabs(server, tmp_path)
    assert not maker.can(CAT)
    with pytest.raises(HarkenError, match="needs a key; put it into HARKEN_ELEVENLABS_KEY"):
        maker.generate(CAT, 1.0, random())
    assert server.asked == []


def test_a_key_that_no_header_can_carry_is_said(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARKEN_ELEVENLABS_KEY", "a\nb")
    with pytest.raises(HarkenError, match="HARKEN_ELEVENLABS_KEY has a character"):
        elevenlabs(server, tmp_path).can(CAT)


def test_an_answer_is_kept_and_another_draw_is_another_question(
    server: Server, key: str, tmp_path: Path
) -> None:
    server.say(sound_file(1.0))
    server.say(sound_file(2.0))
    first = elevenlabs(server, tmp_path).generate(CAT, 1.0, random(1))
    again = elevenlabs(server, tmp_path).generate(CAT, 1.0, random(1))
    other = elevenlabs(server, tmp_path).generate(CAT, 1.0, random(2))
    assert len(server.asked) == 2
    assert np.array_equal(first.samples, again.samples)
    assert len(other.samples) > 1.5 * len(first.samples)


def test_an_audiox_server_gets_prompt_length_and_seed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARKEN_AUDIOX_KEY", raising=False)
    server.say(sound_file(1.0, 16_000, "WAV"))
    requests = Requests(cache=tmp_path, pause=lambda _: None)
    maker: SoundGenerator = AudioX(f"{server.url}/make", licence="CC-BY-NC-4.0", requests=requests)
    made = maker.generate(CAT, 99.0, random())
    path, headers, body = server.asked[0]
    assert path == "/make" and "authorization" not in headers
    assert body["prompt"] == CAT.description and body["seconds_total"] == 30.0
    assert isinstance(body["seed"], int)
    assert np.abs(made.samples - tone(1.0, 16_000)).max() < 1e-3
    assert made.licence == "CC-BY-NC-4.0"


def test_what_may_pass_is_asked_again_and_refusals_are_not(
    server: Server, key: str, tmp_path: Path
) -> None:
    server.say(b"busy", 503)
    server.say(sound_file())
    maker = elevenlabs(server, tmp_path)
    assert len(maker.generate(CAT, 1.0, random()).samples) > 0
    server.say(b"secret-1 is unknown", 401)
    with pytest.raises(HarkenError, match="refuses with HTTP 401; check the address") as error:
        maker.generate(CAT, 1.0, random(1))
    assert "secret" not in str(error.value)
    assert maker.requests.made == len(server.asked) == 3


def test_a_server_that_only_fails_is_given_up(server: Server, key: str, tmp_path: Path) -> None:
    for _ in range(3):
        server.say(b"", 500)
    with pytest.raises(HarkenError, match="failed 3 times, at last with HTTP 500"):
        elevenlabs(server, tmp_path).generate(CAT, 1.0, random())


def test_no_more_is_asked_than_was_allowed(server: Server, key: str, tmp_path: Path) -> None:
    server.say(sound_file())
    maker = elevenlabs(server, tmp_path, most=1)
    maker.generate(CAT, 1.0, random(0))
    maker.generate(CAT, 1.0, random(0))
    with pytest.raises(HarkenError, match="all 1 requests are used"):
        maker.generate(CAT, 1.0, random(1))
    assert len(server.asked) == 1


def test_an_answer_that_is_no_audio_is_not_kept(server: Server, key: str, tmp_path: Path) -> None:
    server.say(b'{"detail": "quota"}')
    with pytest.raises(HarkenError, match="answered 19 bytes that are no audio"):
        elevenlabs(server, tmp_path).generate(CAT, 1.0, random())
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_a_redirection_does_not_carry_the_key_elsewhere(
    server: Server, key: str, tmp_path: Path
) -> None:
    other = Server()
    try:
        server.say(b"", 302, Location=f"{other.url}/steal")
        with pytest.raises(HarkenError, match="HTTP 302"):
            elevenlabs(server, tmp_path).generate(CAT, 1.0, random())
        assert other.asked == []
    finally:
        other.close()


def test_an_address_must_be_one() -> None:
    with pytest.raises(HarkenError, match="'localhost:8000' is no web address"):
        AudioX("localhost:8000", licence="x").generate(CAT, 1.0, random())
