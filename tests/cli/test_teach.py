"""`harken teach` from the outside: what it refuses, in one line, before anything is computed."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

SAY = ("--say", "The kettle is boiling.")


def harken(*arguments: object, cwd: Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "harken", *map(str, arguments)],
        capture_output=True,
        check=False,
        cwd=cwd,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def kettle(tmp_path: Path) -> Path:
    folder = tmp_path / "kettle"
    folder.mkdir()
    for n in range(6):
        t = np.arange(6400) / 16_000
        tone = 0.5 * np.sin(2 * np.pi * (800 + 50 * n) * t)
        soundfile.write(folder / f"{n}.wav", tone.astype(np.float32), 16_000)
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing", *SAY), "no folder missing; give one with recordings of the sound"),
        ((".", "--say", " "), r"the reply is empty; say what to reply with --say TEXT"),
        (("kettle", "--say", "a" * 300), "the reply has 300 characters, more than 200"),
        (("kettle", *SAY, "--policy", "loud"), "no policy 'loud'; choose from quiet, care"),
        (("kettle", *SAY, "--emotion", "bored"), "no emotion 'bored'; choose from happy"),
        (("kettle", *SAY, "--out", "tea.bin"), r"tea\.bin is no checkpoint's name"),
        (("kettle", *SAY, "--out", "no/tea.safetensors"), "there is no folder no to write"),
        (("kettle", *SAY, "--model", "none.safetensors"), r"no checkpoint at none\.safetensors"),
        (("kettle", *SAY, "--minutes", "0"), "minutes is 0; it must be above 0"),
        (("kettle", *SAY, "--rehearse", "nowhere"), r"nowhere holds no streams\.jsonl"),
        (("empty", *SAY), "empty is empty; put recordings of the sound into it"),
    ],
)
def test_what_cannot_be_taught_is_told_in_one_line(
    kettle: Path, arguments: tuple[str, ...], message: str
) -> None:
    (kettle.parent / "empty").mkdir()
    code, out, err = harken("teach", *arguments, cwd=kettle.parent)
    assert code == 2, err
    assert re.search(rf"^harken: {message}", err) and err.count("\n") == 1, err
    assert not out


def test_without_torch_it_says_what_to_install(kettle: Path) -> None:
    program = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a)\n"
        "sys.argv = ['harken', 'teach', 'kettle', '--say', 'Tea!']\n"
        "from harken.cli.app import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        cwd=kettle.parent,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("harken: teaching needs torch; install it with")
    assert done.stderr.count("\n") == 1


def test_the_help_tells_what_comes_out(tmp_path: Path) -> None:
    code, out, _ = harken("teach", "--help", cwd=tmp_path)
    assert code == 0
    for option in ("--say", "--policy", "--emotion", "--out", "--rehearse", "--minutes"):
        assert option in out
