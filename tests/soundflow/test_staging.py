"""A stream is whole where it waits, and whole where it belongs, whenever it is interrupted."""

from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.soundflow import staging
from harken.soundflow.manifest import SPLITS
from harken.soundflow.staging import PLACES, admit, at_work, clear, finished_rows, staging_folder

NAME = "train-1-00007"


def written(folder: Path, name: str = NAME) -> Path:
    waiting = staging_folder(folder, "a")
    with at_work(waiting, name) as unfinished:
        for file in PLACES:
            (unfinished / file).write_text(f"{file} of {name}")
    return waiting


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_finished_stream_waits_and_is_moved_to_its_places(tmp_path: Path) -> None:
    waiting = written(tmp_path)
    assert finished_rows(waiting, NAME)
    admit(waiting, tmp_path, NAME)
    assert files(tmp_path) == {
        f"features/{NAME}.npz": f"features.npz of {NAME}",
        f"audio/{NAME}.flac": f"audio.flac of {NAME}",
        f"refused/{NAME}.json": f"refusal.json of {NAME}",
        f"lines/{NAME}.json": f"rows.json of {NAME}",
    }
    assert finished_rows(waiting, NAME) is None


def test_an_error_leaves_nothing_of_the_stream(tmp_path: Path) -> None:
    waiting = staging_folder(tmp_path, "a")
    with pytest.raises(HarkenError, match="No space left") as told, at_work(waiting, NAME) as work:
        (work / "rows.json").write_text("[")
        raise OSError(28, "No space left on device")
    assert f"cannot write to {tmp_path}:" in str(told.value)
    assert files(tmp_path) == {}
    assert finished_rows(waiting, NAME) is None


def test_who_finishes_second_leaves_the_first(tmp_path: Path) -> None:
    waiting = written(tmp_path)
    before = files(tmp_path)
    written(tmp_path)
    assert files(tmp_path) == before
    assert [entry.name for entry in waiting.iterdir()] == [NAME]


@pytest.mark.parametrize("moves", range(len(PLACES)))
def test_a_move_that_was_cut_off_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    admit(written(whole), whole, NAME)
    waiting = written(cut)
    real, left = staging.place, [moves]

    def place(source: Path, target: Path) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(source, target)

    monkeypatch.setattr(staging, "place", place)
    with pytest.raises(KeyboardInterrupt):
        admit(waiting, cut, NAME)
    assert not (cut / "lines" / f"{NAME}.json").exists()
    monkeypatch.undo()
    clear(cut, keep=waiting)
    admit(waiting, cut, NAME)
    assert files(cut) == files(whole)


@pytest.mark.parametrize("split", SPLITS)
def test_only_what_is_finished_and_wanted_stays(tmp_path: Path, split: str) -> None:
    name = f"{split}-1-00007"
    waiting = written(tmp_path, name)
    (waiting / f"{name}.4711").mkdir()
    (waiting / "train-1-00003").mkdir()  # killed after its last move
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "train-1-00003.json").write_text("[]")
    (staging_folder(tmp_path, "other") / "train-1-00001").mkdir(parents=True)
    clear(tmp_path, keep=waiting)
    assert [entry.name for entry in waiting.iterdir()] == [name]
    assert [entry.name for entry in waiting.parent.iterdir()] == ["a"]
    clear(tmp_path)
    assert files(tmp_path) == {"lines/train-1-00003.json": "[]"}
    assert not (tmp_path / ".making").exists()
