"""`harken live`: the page opens on what was named, and mistakes are told before anything loads."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from harken.cli.live import SCREENS, open_page

SAMPLES = Path(__file__).parents[2] / "samples"
LIVE = [sys.executable, "-m", "harken", "live"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.flac"], "nowhere.flac"),
        ([__file__], "test_live.py"),
        (["-"], "standard input"),
        (["--policy", "loud"], "loud"),
        (["--voice", "trumpet"], "espeak"),
        ([str(SAMPLES / "evening.flac"), str(SAMPLES / ".." / "samples" / "evening.flac")], "2"),
    ],
)
def test_a_mistake_is_told_in_a_line(arguments: list[str], told: str) -> None:
    done = subprocess.run([*LIVE, *arguments], capture_output=True, check=False)
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (2, b"", 1)
    assert told in lines[0]


@pytest.mark.slow
def test_it_opens_the_page_on_the_recording(tmp_path: Path) -> None:
    """The browser of this test writes down where it was sent."""
    browser, visited = tmp_path / "browser", tmp_path / "visited"
    browser.write_text(f'#!/bin/sh\necho "$1" > {visited}\n')
    browser.chmod(0o755)
    recordings = [str(SAMPLES / f"{name}.flac") for name in ("evening", "owl-counts")]
    options = ["--policy", "narrate", "--voice", "espeak", "--instruction", "Count the owls."]
    with subprocess.Popen(
        [*LIVE, *options, "--port", "0", *recordings],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"BROWSER": str(browser)},
    ) as serving:
        assert serving.stdout is not None
        try:
            page = serving.stdout.readline().removeprefix("listening at ").split()[0]
            assert visited.read_text().strip() == page
            assert parse_qs(urlsplit(page).query) == {
                "policy": ["narrate"],
                "voice": ["espeak"],
                "order": ["Count the owls."],
                "play": ["evening.flac"],
            }
            with urlopen(page, timeout=60) as answer:
                assert b"<title>Harken" in answer.read()
            with urlopen(page.partition("?")[0] + "samples", timeout=60) as answer:
                assert json.load(answer) == ["evening.flac", "owl-counts.flac"]
        finally:
            serving.terminate()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there always is a screen")
def test_without_a_screen_no_browser_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SCREENS:
        monkeypatch.delenv(name, raising=False)
    assert not open_page("http://127.0.0.1:1/")
