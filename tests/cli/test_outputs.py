"""What can be told of a file before it is written."""

from pathlib import Path

import pytest

from harken.cli.outputs import require_place
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
