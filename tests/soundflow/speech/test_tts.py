import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.speak import JUDGE_VOICES
from harken.soundflow.speech.tts import CosyVoice, EspeakNg, Kokoro, VoiceFailed, voice_of


@dataclass
class Server:
    """A CosyVoice server on loopback: answers a tone at its rate, or as `answers` says."""

    url: str = ""
    rate_hz: int = 24_000
    states_rate: bool = True
    how: str = "tone"
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def pcm(self) -> bytes:
        t = np.arange(self.rate_hz) / self.rate_hz  # one second
        loud = 0.0 if self.how == "silence" else 0.5
        return (loud * np.sin(2 * np.pi * 440 * t) * 32767).astype("<i2").tobytes()


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            state.asked.append({"path": [self.path], **parse_qs(form)})
            if state.how == "error":
                self.send_error(500)
                return
            pcm = state.pcm()
            self.send_response(404 if state.how == "elsewhere" else 200)
            if state.states_rate:
                self.send_header("X-Custom-Header-sampleRate", str(state.rate_hz))
            self.send_header("Content-Length", str(len(pcm)))
            self.end_headers()
            self.wfile.write(pcm[: len(pcm) // 2] if state.how == "broken" else pcm)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_port}"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def cosy(server: Server) -> CosyVoice:
    return CosyVoice(server.url, {"zh": ("中文女", "中文男"), "en": ("英文女",)})


def pitch_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / 16_000)[spectrum.argmax()])


def test_cosyvoice_is_asked_as_its_server_expects(server: Server) -> None:
    samples = cosy(server).say("你好 & 再见", "zh", "中文女")
    assert server.asked == [
        {"path": ["/inference_sft"], "tts_text": ["你好 & 再见"], "spk_id": ["中文女"]}
    ]
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(16_000, abs=2)
    assert pitch_hz(samples) == pytest.approx(440, abs=2)


def test_an_older_cosyvoice_states_no_rate(server: Server) -> None:
    server.rate_hz, server.states_rate = 22_050, False
    samples = cosy(server).say("你好", "zh", "中文男")
    assert len(samples) == pytest.approx(16_000, abs=2)


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_another_speed_keeps_the_pitch(server: Server, speed: float) -> None:
    samples = cosy(server).say("hello", "en", "英文女", speed)
    assert len(samples) == pytest.approx(16_000 / speed, rel=0.05)
    assert pitch_hz(samples) == pytest.approx(440, abs=4)


@pytest.mark.parametrize(("how", "why"), [("error", "died"), ("broken", "died")])
def test_a_server_that_dies_is_told_from_silence(server: Server, how: str, why: str) -> None:
    server.how = how
    with pytest.raises(VoiceFailed) as failed:
        cosy(server).say("你好", "zh", "中文女")
    assert failed.value.why == why


def test_silence_has_its_own_name(server: Server) -> None:
    server.how = "silence"
    with pytest.raises(VoiceFailed, match="returned silence for '你好'") as failed:
        cosy(server).say("你好", "zh", "中文女")
    assert failed.value.why == "silent"


def test_a_server_of_something_else_is_a_mistake_to_mend(server: Server) -> None:
    server.how = "elsewhere"
    with pytest.raises(HarkenError, match=r"answered 404.*FastAPI") as failed:
        cosy(server).say("你好", "zh", "中文女")
    assert not isinstance(failed.value, VoiceFailed)


def test_nobody_listening_is_a_mistake_to_mend() -> None:
    nobody = CosyVoice("http://127.0.0.1:9", {"en": ("a",)})
    with pytest.raises(HarkenError, match=r"nobody listens at http://127\.0\.0\.1:9"):
        nobody.say("hello", "en", "a")
    with pytest.raises(HarkenError, match=r"'127\.0\.0\.1:9' is no address"):
        CosyVoice("127.0.0.1:9", {})


def test_one_dialogue_has_one_voice_and_judges_never_speak() -> None:
    tts = CosyVoice("http://127.0.0.1:9", {"en": ("a", "b", "c", *sorted(JUDGE_VOICES))})
    drawn = [voice_of(tts, "en", f"dialogue {n}") for n in range(200)]
    assert set(drawn) == {"a", "b", "c"}
    assert drawn == [voice_of(tts, "en", f"dialogue {n}") for n in range(200)]
    with pytest.raises(HarkenError, match="kept for judging"):
        tts.say("hello", "en", "af_nova")
    only_judges = CosyVoice("http://127.0.0.1:9", {"en": tuple(JUDGE_VOICES)})
    with pytest.raises(HarkenError, match="no voice for 'en'"):
        voice_of(only_judges, "en", "dialogue")


def test_kokoro_offers_no_judge_and_refuses_one() -> None:
    for language in ("en", "zh"):
        assert not set(Kokoro().voices(language)) & JUDGE_VOICES
        assert len(Kokoro().voices(language)) > 5
    assert Kokoro().voices("fr") == ()
    with pytest.raises(HarkenError, match="kept for judging"):
        Kokoro().say("hello", "en", "af_nova")


def test_a_missing_espeak_names_its_package() -> None:
    with pytest.raises(HarkenError, match="no espeak-nowhere on the PATH: apt-get install") as e:
        EspeakNg(program="espeak-nowhere").say("hello", "en", "en-gb")
    assert not isinstance(e.value, VoiceFailed)


@pytest.mark.parametrize(
    ("script", "why", "message"),
    [
        ("echo broken >&2; exit 3", "died", "ended with 3 on 'hello': broken"),
        ("exit 0", "silent", "wrote nothing"),
        ("echo no sound", "died", "wrote no WAV"),
    ],
)
def test_a_program_that_dies_of_a_sentence(
    tmp_path: Path, script: str, why: str, message: str
) -> None:
    program = tmp_path / "espeak"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(VoiceFailed, match=message) as failed:
        EspeakNg(program=str(program)).say("hello", "en", "en-gb")
    assert failed.value.why == why


def test_requests_are_checked_before_anything_is_said() -> None:
    tts = EspeakNg()
    with pytest.raises(HarkenError, match="text is empty"):
        tts.say(" ", "en", "en-gb")
    with pytest.raises(HarkenError, match=r"speed 3\.0 is out of range"):
        tts.say("hello", "en", "en-gb", 3.0)
    with pytest.raises(HarkenError, match="no voice 'x' for en"):
        tts.say("hello", "en", "x")
    with pytest.raises(HarkenError, match="for zh: choose another voice model"):
        tts.say("hello", "zh", "en-gb")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_espeak_speaks_slower_and_faster() -> None:
    tts = EspeakNg()
    plain = tts.say("-v the door is open", "en", "en-gb")
    assert 0.8 < len(plain) / tts.rate_hz < 4
    assert len(tts.say("-v the door is open", "en", "en-gb", 1.5)) < 0.85 * len(plain)
    assert not np.array_equal(tts.say("-v the door is open", "en", "en-us+f2"), plain)
