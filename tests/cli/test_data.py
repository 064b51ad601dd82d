"""`harken data build`: what it makes, and one line with exit code 2 for what cannot be made."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.soundflow.tiny_streams import MEANS, RECIPE, tree
from typer.testing import CliRunner

from harken.cli.data import app
from harken.errors import HarkenError
from harken.soundflow import build as building
from harken.soundflow.build import build_recipe
from harken.soundflow.shards.folder import read_shards

TINY = """
name = "tiny"
seed = 3
split = "train"
[tasks]
events = 0.7
chat = 0.3
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(building, "means", lambda recipe: MEANS)
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return str(path)


def built(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["build", *map(str, arguments)])
    if done.exception:
        raise done.exception
    return done.stdout


def test_the_form_without_a_recipe_is_one_line_that_helps(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harken", "data", "build", "DEV", "--streams", "160"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "harken: 'DEV' alone is not enough: give a recipe and a folder; if this is the folder, "
        "write `harken data build default DEV`\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{}", "{}/new", "--streams", "3"], "no recipe .* give a TOML file or one of default"),
        (["nine", "{}/new"], "no recipe 'nine'"),
        (["default", "{}/new"], "'default' has no hours"),
        (["default", "{}/new", "--hours", "0"], "hours is 0"),
        (["default", "{}/new", "--hours", "1", "--streams", "1"], "either"),
        (["default", "{}/new", "--streams", "1", "--only", "juggle"], "no task 'juggle'"),
        (["default", "{}/new", "--streams", "1", "--only", "chat", "--only", "planned"],
         "planned has no share"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_told_and_leaves_no_folder(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    with pytest.raises(HarkenError, match=told) as raised:
        built(*(argument.format(tmp_path) for argument in arguments))
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("wrong", [["--split", "exam"], ["--seed", "-1"], ["--engine", "slurm"]])
def test_a_wrong_option_ends_with_2(tmp_path: Path, wrong: list[str]) -> None:
    done = CliRunner().invoke(app, ["build", "default", str(tmp_path / "new"), *wrong])
    assert done.exit_code == 2 and not (tmp_path / "new").exists()


@pytest.mark.parametrize("command", ["retell", "stray", "aloud", "resound"])
def test_a_seed_below_0_ends_with_2(tmp_path: Path, command: str) -> None:
    assert CliRunner().invoke(app, [command, str(tmp_path), "--seed", "-1"]).exit_code == 2


def test_it_builds_what_the_recipe_says_and_counts_what_is_left_out(
    tmp_path: Path, recipe: str
) -> None:
    said = built(recipe, tmp_path / "a", "--streams", "20", "--workers", "1")
    build_recipe(RECIPE, tmp_path / "b", streams=20, made_with=MEANS)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert re.search(r"training variants in .*; [0-9.e+]+ h of stream made in a core-hour", said)
    assert "streams left out: words not heard" in said


def test_options_win_over_the_recipe_and_shards_follow_the_folder(
    tmp_path: Path, recipe: str
) -> None:
    out = tmp_path / "a"
    options = ["--split", "dev", "--seed", "8", "--only", "events", "--first", "4", "--shards"]
    for streams in (3, 6):
        said = built(recipe, out, "--streams", streams, "--workers", "1", *options)
        assert f"1 shards in {out / 'shards'}" in said
    names = sorted(path.stem for path in (out / "lines").iterdir())
    assert names == [f"dev-8-{n:05d}" for n in range(4, 10)]
    packed = {stream.id for stream in read_shards(out / "shards")}
    assert packed == {path.stem for path in (out / "features").iterdir()}
