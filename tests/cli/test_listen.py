"""`harken listen` and `harken hear` on real recordings, from the outside."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harken.decide.checkpoint import Checkpoint
from harken.stream.profile import MINI

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that hears nothing and decides by its random rows alone."""
    random, h, c = np.random.default_rng(0), MINI.hidden, len(MINI.own_rows)
    shapes = {
        "sound.scores": (521, h),
        "sound.embedding": (1024, h),
        "sound.bias": (h,),
        "acoustic.weight": (2560, h),
        "acoustic.bias": (h,),
    }
    tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    for rows in ("controls.input", "controls.output"):
        tensors[rows] = (random.standard_normal((c, h)) * 0.02).astype(np.float32)
    path = tmp_path_factory.mktemp("checkpoint") / "random.safetensors"
    Checkpoint(MINI, tensors).save(path)
    return path


def harken(*arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "harken", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def objects(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def words(lines: list[dict[str, Any]]) -> str:
    return "".join(line.get("words", "") for line in lines)


def test_each_file_is_a_session_and_a_broken_one_loses_nothing(
    checkpoint: Path, tmp_path: Path
) -> None:
    noise, broken = tmp_path / "noise.wav", tmp_path / "broken.wav"
    samples = np.random.default_rng(0).normal(scale=0.01, size=4 * 6400).astype(np.float32)
    samples[:3] = np.nan
    soundfile.write(noise, samples, 16_000, subtype="FLOAT")
    broken.write_bytes(b"RIFF, but not really")
    code, out, err = harken(
        "listen", SPEECH, broken, noise, "--json", "--model", checkpoint, "--threshold", "0.9999"
    )
    assert code == 2
    lines = objects(out)
    first, second = ([x for x in lines if x["file"] == str(f)] for f in (SPEECH, noise))
    assert lines == first + second
    assert "placed into the conference" in words(first)
    for session, seconds in ((first, 2.4), (second, 1.6)):
        assert [x["type"] for x in session] == ["chunk"] * (len(session) - 1) + ["summary"]
        assert session[-1]["seconds"] == pytest.approx(seconds, abs=0.2)
        assert session[-1]["chunks"] == len(session) - 1 == session[-2]["chunk"] + 1
    told = err.splitlines()
    assert len(told) == 2
    assert str(broken) in told[0]
    assert "3 samples were NaN" in told[1]


def test_it_replies_on_standard_input(checkpoint: Path) -> None:
    pcm = np.zeros(6400, "<i2").tobytes()
    code, out, err = harken(
        "listen", "-", "--json", "--model", checkpoint, "--threshold", "1e-9", "--tail", 0,
        stdin=pcm,
    )  # fmt: skip
    assert (code, err) == (0, "")
    chunk, response, summary = objects(out)
    assert (chunk["decision"], chunk["file"]) == ("respond", "-")
    assert response["type"] == "response"
    assert 0 <= response["first_token_ms"] <= response["done_ms"]
    assert summary["responses"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child")
def test_an_interrupt_ends_with_the_summary(checkpoint: Path) -> None:
    # A shell starts its background jobs with interrupts ignored, and children inherit that.
    heeding = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from harken.cli.app import main; sys.exit(main())"
    )
    options = ["listen", "--json", "--model", str(checkpoint), "--threshold", "0.99", "-"]
    listening = subprocess.Popen(
        [sys.executable, "-c", heeding, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=False,
    )
    assert listening.stdin and listening.stdout and listening.stderr
    listening.stdin.write(bytes(5 * 12_800))  # five chunks; the pipe stays open
    listening.stdin.flush()
    heard = [json.loads(listening.stdout.readline()) for _ in range(5)]
    listening.send_signal(signal.SIGINT)
    rest, told = listening.stdout.read(), listening.stderr.read()
    assert listening.wait(timeout=60) == 130
    assert [line["chunk"] for line in heard] == [0, 1, 2, 3, 4]
    assert told == b""
    summary = json.loads(rest)
    assert summary["type"] == "summary"
    assert summary["chunks"] == 5 and summary["seconds"] == 2.0
    listening.stdin.close()
    listening.stdout.close()
    listening.stderr.close()


def test_plain_lines_when_nobody_watches(checkpoint: Path) -> None:
    code, out, err = harken(
        "listen", SPEECH, "--model", checkpoint, "--threshold", "0.9999", "--ears", "words"
    )
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"listening to {SPEECH}"
    heard = [line.partition("words")[2].strip() for line in lines if "  words  " in line]
    assert len(heard) > 1 and "placed" in " ".join(heard)
    assert "0 replies" in lines[-1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--policy", "loud"], "loud"),
        (["--threshold", "1.5"], "1.5"),
        (["--ears", "sound,nose"], "nose"),
        (["--backlog", "some"], "some"),
        (["missing.wav"], "missing.wav does not exist"),
        (["--model", "missing.safetensors", SPEECH], "missing.safetensors"),
    ],
)
def test_a_mistake_is_told_in_a_line_that_names_it(options: list[object], told: str) -> None:
    files = [] if options[0] == "missing.wav" or SPEECH in options else [SPEECH]
    code, out, err = harken("listen", *files, *options)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err


def test_hear_prints_what_the_ears_hear() -> None:
    code, out, err = harken("hear", SPEECH)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 6 + 3  # and the silence at its end
    assert "Speech" in lines[2]
    assert "placed" in out
    assert lines[0].split()[0] == "0:00.4"


def test_hear_tells_programs_too() -> None:
    code, out, _ = harken("hear", SPEECH, "--json", "--tail", 0, "--ears", "sound")
    assert code == 0
    lines = objects(out)
    assert [x["chunk"] for x in lines] == [*range(6)]
    assert lines[0].keys() == {
        "type", "file", "chunk", "time_s", "level_db", "p_speech", "words", "sounds",
    }  # fmt: skip
    assert lines[3]["sounds"][0]["name"] == "Speech"
    assert lines[3]["level_db"] > -40


def test_replies_are_spoken_into_a_recording(checkpoint: Path, tmp_path: Path) -> None:
    spoken = tmp_path / "spoken.wav"
    code, out, err = harken(
        "listen", SPEECH, "--json", "--model", checkpoint, "--threshold", "0.8", "--tail", "0",
        "--voice", "espeak", "--save-voice", spoken,
    )  # fmt: skip
    assert (code, err) == (0, "")
    lines = objects(out)
    replies = [x for x in lines if x["type"] == "response"]
    assert replies
    samples, rate = soundfile.read(spoken)
    assert len(samples) / rate >= lines[-2]["time_s"]
    loud_s = np.flatnonzero(np.abs(samples) > 0.02) / rate
    assert loud_s[0] >= replies[0]["time_s"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "nothing to listen to; name a recording, - for a pipe, or --mic"),
        (("--mic", SPEECH), f"--mic listens to the microphone alone; leave {SPEECH} out"),
        ((SPEECH, "--save-voice", "x.wav"), "nobody speaks into x.wav; give --voice"),
        ((SPEECH, "--voice", "espeak"), "a recording is heard faster than anybody speaks"),
        ((SPEECH, "--realtime", "--voice", "nobody"), "no voice 'nobody'; choose one of kokoro"),
        ((SPEECH, SPEECH, "--voice", "espeak", "--save-voice", "x.wav"), "2 sessions do not fit"),
        ((SPEECH, "--voice", "espeak", "--save-voice", "no/x.wav"), "there is no folder no"),
    ],
)
def test_what_cannot_be_heard_or_spoken_is_refused(
    arguments: tuple[object, ...],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from harken.cli.app import main

    monkeypatch.setattr(sys, "argv", ["harken", "listen", *map(str, arguments)])
    assert main() == 2
    assert capsys.readouterr().err.startswith(f"harken: {told}")
