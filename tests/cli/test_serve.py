"""`harken serve`: what cannot be meant is refused before anything is loaded; else it listens."""

import json
import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

SELF_SIGNED = (
    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost "
    "-addext subjectAltName=IP:127.0.0.1"
)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "0.0.0.0"], "--token"),
        (["--voice", "barry"], "barry"),
        (["--policy", "loud"], "loud"),
        (["--tls-cert", "missing.pem"], "missing.pem"),
        (["--tls-cert", __file__], "--tls-key"),
        (["--tls-cert", __file__, "--tls-key", __file__], "certificate"),
        (["--samples", "nowhere"], "nowhere"),
        (["--record", __file__], "cannot be made"),
        (["--name", "first_floor"], "first_floor"),
        (["--name", "attic", "--replicas", "2"], "attic"),
        (["--host", "203.0.113.9", "--token", "x"], "203.0.113.9"),
    ],
)
def test_a_mistake_is_told_in_a_line(options: list[str], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harken", "serve", *options], capture_output=True, check=False
    )
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (2, b"", 1)
    assert told in lines[0]


def test_a_port_that_is_taken_is_told_before_anything_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "harken", "serve", "--port", port],
            capture_output=True,
            check=False,
        )
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (2, b"", 1)
    assert port in lines[0] and "--port" in lines[0]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_it_tells_where_it_listens_and_serves_the_page_there_by_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [*SELF_SIGNED.split(), "-keyout", key, "-out", certificate],
        capture_output=True,
        check=True,
    )
    options = ["--port", "0", "--tls-cert", str(certificate), "--tls-key", str(key)]
    with subprocess.Popen(
        [sys.executable, "-m", "harken", "serve", *options], stdout=subprocess.PIPE, text=True
    ) as serving:
        assert serving.stdout is not None
        try:
            told = serving.stdout.readline()
            address = told.removeprefix("listening on ").partition(";")[0]
            trusted = ssl.create_default_context(cafile=certificate)
            with urlopen(f"{address}/healthz", context=trusted, timeout=60) as answer:
                assert json.load(answer) == {"status": "ok", "sessions": 0}
            with urlopen(address, context=trusted, timeout=60) as page:
                assert b"<title>Harken" in page.read()
        finally:
            serving.terminate()
