"""The command line ends well: one line and the right exit code, whatever happens."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harken import __version__
from harken.cli.app import COMMANDS, run
from harken.errors import HarkenError

# A real application of one command, as an extra subcommand would be.
PROGRAM = """
import sys
from harken.cli.app import LazyCommand, main
sys.path.insert(0, {folder!r})
sys.exit(main({{
    "do": LazyCommand("commands", "do", "Does it."),
    "other": LazyCommand("a_module_that_does_not_exist", "app", "Is never loaded."),
}}))
"""


def do(tmp_path: Path, body: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start the program with `body` as its command `do`."""
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    (tmp_path / "commands.py").write_text(
        f"import sys\nfrom harken.errors import HarkenError\ndef do(n: int = 1):\n{indented}\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(folder=str(tmp_path)), *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def harken(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harken", *arguments], capture_output=True, text=True, check=False
    )


def test_version() -> None:
    found = harken("--version")
    assert (found.returncode, found.stdout) == (0, f"harken {__version__}\n")


def test_help_names_every_command() -> None:
    found = harken("--help")
    assert found.returncode == 0
    assert all(name in found.stdout for name in COMMANDS)


def test_every_command_loads() -> None:
    for name, command in COMMANDS.items():
        assert command.load(name).name == name


@pytest.mark.parametrize("arguments", [["no-such-command"], ["--no-such-option"]])
def test_usage_errors(arguments: list[str]) -> None:
    found = harken(*arguments)
    assert found.returncode == 2
    assert found.stdout == ""
    assert "Usage: harken" in found.stderr and arguments[0] in found.stderr


def test_a_mistyped_command_is_suggested() -> None:
    assert "Did you mean 'parts'" in harken("prats").stderr


def test_a_command_loads_only_when_called(tmp_path: Path) -> None:
    found = do(tmp_path, "print(n + 1)", "do", "--n", "41")
    assert found.communicate(timeout=60) == ("42\n", "")
    assert found.returncode == 0


def test_a_command_has_its_own_help(tmp_path: Path) -> None:
    found = do(tmp_path, "print(n)", "do", "--help")
    out, _ = found.communicate(timeout=60)
    assert found.returncode == 0 and "Usage: harken do" in out and "--n" in out


def test_another_program_ends_as_well_and_under_its_own_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def program() -> None:
        raise HarkenError("no training data;\nbuild some")

    assert run(program, "training") == 2
    assert capsys.readouterr().err == "training: no training data; build some\n"
    assert run(lambda: None, "training") == 0


def test_a_users_error_is_one_line_and_keeps_what_was_printed(tmp_path: Path) -> None:
    body = "print('heard')\nraise HarkenError('x.wav is empty:\\nrecord it again')"
    found = do(tmp_path, body, "do")
    assert found.communicate(timeout=60) == (
        "heard\n",
        "harken: x.wav is empty: record it again\n",
    )
    assert found.returncode == 2


def test_a_bug_keeps_its_traceback(tmp_path: Path) -> None:
    found = do(tmp_path, "raise ZeroDivisionError", "do")
    _, err = found.communicate(timeout=60)
    assert found.returncode == 1 and "Traceback" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child")
def test_an_interrupt_is_quiet(tmp_path: Path) -> None:
    # A shell starts its background jobs with interrupts ignored, and children inherit that.
    heeding = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    body = f"{heeding}print('ready', flush=True)\nsys.stdin.read()"
    found = do(tmp_path, body, "do", stdin=subprocess.PIPE)
    assert found.stdout is not None and found.stdout.readline() == "ready\n"
    found.send_signal(signal.SIGINT)
    assert found.communicate(timeout=60) == ("", "")
    assert found.returncode == 130


@pytest.mark.parametrize("n_lines", [1, 100_000])
def test_a_reader_that_goes_away_is_quiet(tmp_path: Path, n_lines: int) -> None:
    body = f"sys.stdin.read()\nfor _ in range({n_lines}): print('line')"
    found = do(tmp_path, body, "do", stdin=subprocess.PIPE)
    assert found.stdout is not None and found.stdin is not None and found.stderr is not None
    found.stdout.close()
    found.stdin.close()  # only now does it print
    assert found.stderr.read() == ""
    assert found.wait(timeout=60) == 1
    found.stderr.close()
