"""`harken eval`: what is wrong is said in one line."""

import json
from pathlib import Path

import pytest
from tests.soundflow.tiny_rows import folder, row
from typer.testing import CliRunner

from harken.cli.evaluate import app
from harken.decide.model import shipped_checkpoint
from harken.errors import HarkenError


def failed(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, HarkenError), result.exception
    assert "\n" not in str(result.exception)
    return str(result.exception)


@pytest.mark.parametrize("command", ["joined", "facts", "voice"])
def test_a_folder_without_the_streams_is_refused(tmp_path: Path, command: str) -> None:
    assert "harken data build" in failed(command, str(tmp_path))
    data = str(folder(tmp_path, [row("a", 5)]))
    assert "harken data build" in failed(command, data)


def test_two_runs_are_compared(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.json", "b.json")]
    for hits, path in enumerate(paths):
        counts = {str(n): [1, hits, 1, 1, 0, 0, 0, 0] for n in range(20)}
        path.write_text(json.dumps({"counts": counts}), "utf-8")
    result = CliRunner().invoke(app, ["compare", *map(str, paths)])
    assert result.exit_code == 0
    assert "0.500 [0.500, 0.500] n=20 p=0.0001, significant" in result.stdout
    assert "give two files" in failed("compare", str(paths[0]), str(paths[0]))
    assert "cannot be read" in failed("compare", str(paths[0]), str(tmp_path / "none.json"))


@pytest.mark.parametrize("command", ["streams", "joined", "facts", "voice"])
def test_no_folder_to_write_to_is_told_before_any_work(tmp_path: Path, command: str) -> None:
    out = str(tmp_path / "none" / "out.json")
    assert "make it first" in failed(command, str(tmp_path / "no data"), "--out", out)


@pytest.mark.slow
def test_figures_and_sessions_are_written(tmp_path: Path, decoder_folder: Path) -> None:
    """The shipped checkpoint over two short streams alone and joined."""
    data, out = folder(tmp_path, [row("a", 4), row("b", 4)]), tmp_path / "out.json"
    arguments = ["joined", str(data), "--segments", "2", "--out", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "kept" in result.stdout
    record = json.loads(out.read_text("utf-8"))
    assert [len(s["p_respond"]) for s in record["sessions"]] == [8, 4, 4]
    assert record["figures"]["kept"]["n"] == 1
    written = {"features", "lines", "streams.jsonl", "out.json"}
    assert {path.name for path in tmp_path.iterdir()} == written


@pytest.mark.slow
def test_streams_are_judged_with_our_own_voice_behind_replies(
    tmp_path: Path, decoder_folder: Path
) -> None:
    data = folder(tmp_path, [row("a", 8, (1, "Paris.", "question")), row("b", 8)])

    def sessions(*options: str) -> dict[str, list[float]]:
        out = tmp_path / "out.json"
        result = CliRunner().invoke(app, ["streams", str(data), "--out", str(out), *options])
        assert result.exit_code == 0, result.output
        return {s["id"]: s["p_respond"] for s in json.loads(out.read_text("utf-8"))["sessions"]}

    plain, voiced = sessions(), sessions("--aloud")
    assert (set(plain), set(voiced)) == ({"a-0", "b-0"}, {"a-0-aloud", "b-0"})
    assert voiced["b-0"] == plain["b-0"] and voiced["a-0-aloud"] != plain["a-0"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("loud=0.4", "no policy 'loud'; choose from quiet, care"),
        ("care", "care names no threshold; write care=0.4"),
        ("care=much", "care=much names no threshold; write care=0.4"),
        ("care=1.5", "choose a number between 0 and 1"),
    ],
)
def test_a_threshold_that_is_none_is_told(tmp_path: Path, given: str, message: str) -> None:
    out = str(tmp_path / "out.safetensors")
    arguments = ["calibrate", str(tmp_path), str(shipped_checkpoint()), out, "--threshold", given]
    assert message in failed(*arguments)


@pytest.mark.slow
def test_calibration_hears_streams_alone_and_joined(tmp_path: Path, decoder_folder: Path) -> None:
    """Joined sessions are judged as well: what they hold moves the calibration."""
    said = (2, "Okay.", "question")
    data, found = folder(tmp_path, [row("a", 6, said), row("b", 6, said)]), []
    given = ["calibrate", str(data), str(shipped_checkpoint())]
    for segments in ("1", "2"):
        out = tmp_path / f"{segments}.safetensors"
        arguments = [*given, str(out), "--threshold", "bench=0.3", "--segments", segments]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert out.exists()
        found.append(json.loads(result.stdout))
    assert found[0]["temperature"] != found[1]["temperature"]
    assert 0 < found[1]["thresholds"]["care"] < 1
    assert found[1]["thresholds"]["bench"] == 0.3, "given, not found"
    assert "lower --segments" in failed(*arguments[:-1], "9")
