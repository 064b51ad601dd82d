"""What can be told of a file before it is written."""

from pathlib import Path

import pytest

from harken.cli.outputs import require_folder, require_place, writing
from harken.errors import HarkenError


def test_a_place_that_can_be_written_is_given_back(tmp_path: Path) -> None:
    (tmp_path / "there.json").write_text("")
    for out in (None, tmp_path / "new.json", tmp_path / "there.json"):
        assert require_place(out) == out


def test_a_missing_folder_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match=r"there is no folder .*no to write x\.json to"):
        require_place(tmp_path / "no" / "x.json")
    with pytest.raises(HarkenError, match="is a folder"):
        require_place(tmp_path)


def test_a_folder_to_write_to_is_made(tmp_path: Path) -> None:
    assert require_folder(None) is None
    assert require_folder(tmp_path / "new" / "one") == tmp_path / "new" / "one"
    assert (tmp_path / "new" / "one").is_dir()


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for taken in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(HarkenError, match="cannot be made"):
            require_folder(taken)


def test_a_failing_write_is_told_with_its_place(tmp_path: Path) -> None:
    with writing(tmp_path / "new.json"):
        (tmp_path / "new.json").write_text("kept")
    refused = pytest.raises(HarkenError, match=r"cannot write .* \(Is a directory\); make room")
    with refused, writing(tmp_path):
        tmp_path.write_text("lost")
