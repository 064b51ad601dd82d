"""CosyVoice over HTTP, against a server on loopback that speaks as the real one does."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.respond.cosyvoice import CosyVoice

BLOCK = 1_200


@dataclass
class Server:
    """Answers blocks of a ramp in odd pieces; after the first block it waits for `go_on`."""

    url: str = ""
    how: str = "ramp"
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)


def ramp() -> np.ndarray:
    return np.arange(3 * BLOCK).astype("<i2")


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            state.asked.append({"path": [self.path], **parse_qs(form)})
            if state.how == "unknown speaker":
                self.send_error(422)
                return
            self.send_response(200)
            self.send_header("X-Custom-Header-sampleRate", "24000")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            pcm = ramp().tobytes()
            cut = 2 * BLOCK + 1  # half a sample goes with the next block
            self.block(pcm[:cut])
            state.go_on.wait(10)
            if state.how == "breaks off":
                self.close_connection = True
                return
            try:
                for _ in range(1 if state.how == "ramp" else 500):
                    self.block(pcm[cut:])
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                self.close_connection = True
                state.gone.set()

        def block(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_port}"
    yield state
    state.go_on.set()
    http.shutdown()
    http.server_close()
    thread.join()


def test_sound_comes_as_the_server_makes_it(server: Server) -> None:
    utterance = CosyVoice(server.url).speak("水开了 & 好", "happy")
    first = next(utterance)  # the server waits: this is all that it has sent
    assert (len(first.samples), first.rate) == (BLOCK, 24_000)
    server.go_on.set()
    samples = np.concatenate([first.samples, *(speech.samples for speech in utterance)])
    np.testing.assert_array_equal(samples * 32768, ramp())
    assert server.asked == [
        {"path": ["/inference_sft"], "tts_text": ["水开了 & 好"], "spk_id": ["中文女"]}
    ]


def test_the_speaker_goes_by_the_language(server: Server) -> None:
    server.go_on.set()
    voice = CosyVoice(server.url, {"en": "anna"})
    list(voice.speak("Hello."))
    assert server.asked[0]["spk_id"] == ["anna"]
    assert list(voice.speak("…")) == []
    with pytest.raises(HarkenError, match="no speaker for 'zh'; choose en"):
        next(voice.speak("水开了。"))
    assert len(server.asked) == 1


def test_closing_hangs_up(server: Server) -> None:
    server.how = "endless"
    utterance = CosyVoice(server.url).speak("Hello.")
    next(utterance)
    utterance.close()
    server.go_on.set()
    assert server.gone.wait(10)


def test_a_server_that_breaks_off_is_told(server: Server) -> None:
    server.how = "breaks off"
    server.go_on.set()
    utterance = CosyVoice(server.url).speak("Hello.")
    assert len(next(utterance).samples) == BLOCK
    with pytest.raises(HarkenError, match=r"broke off 'Hello.' .*: try again"):
        next(utterance)


def test_a_refusal_and_a_silent_address_are_told(server: Server) -> None:
    server.how = "unknown speaker"
    with pytest.raises(HarkenError, match=r"answered 422 .*: is it CosyVoice's FastAPI server"):
        next(CosyVoice(server.url).speak("Hello."))
    with pytest.raises(HarkenError, match=r"nobody speaks at http://127.0.0.1:9 .*: start the"):
        next(CosyVoice("http://127.0.0.1:9").speak("Hello."))
    with pytest.raises(HarkenError, match="is no address"):
        CosyVoice("localhost:50000")
