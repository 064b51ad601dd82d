"""`harken serve` refuses what cannot be meant before it loads anything."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "0.0.0.0"], "--token"),
        (["--voice", "barry"], "barry"),
        (["--policy", "loud"], "loud"),
        (["--tls-cert", "missing.pem"], "missing.pem"),
    ],
)
def test_a_mistake_is_told_in_a_line(options: list[str], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harken", "serve", *options], capture_output=True, check=False
    )
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (2, b"", 1)
    assert told in lines[0]
