"""Retold streams: other sentences at the same places."""

from pathlib import Path

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.build import build
from harken.soundflow.retell import retold


def test_a_retold_stream_has_other_sentences_at_the_same_chunks() -> None:
    row = {
        "id": "train-1-00001-0",
        "words": [[2, " Translate."], [5, " He sings"], [6, " a song."], [9, " Stop."]],
        "said": [[2, "Okay.", "normal", "order"], [6, "他唱歌。", "normal", "translation"]],
        "due": [[6400, 19_200, "words", "order"], [32_000, 44_800, "words", "translation"]],
    }
    told = retold(row, [("我爱你们。", "I love you all.")], np.random.default_rng(0))
    assert told["words"] == [[2, " Translate."], [5, " I love"], [6, " you all."], [9, " Stop."]]
    assert told["said"][1] == [6, "我爱你们。", "normal", "translation"]
    assert told["said"][0] == row["said"][0]
    assert row["words"][1] == [5, " He sings"], "the original stays"


def test_a_chinese_sentence_is_spread_by_characters() -> None:
    row = {
        "words": [[5, "我爱"], [6, "你们。"]],
        "said": [[6, "I love you.", "normal", "translation"]],
        "due": [[32_000, 44_800, "words", "translation"]],
    }
    told = retold(row, [("他唱歌。", "He sings.")], np.random.default_rng(0))
    assert "".join(text for _, text in told["words"]) == "他唱歌。"
    assert told["said"][0][1] == "He sings."


def test_an_unknown_task_is_refused_by_name_and_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match=r"'juggle'.*events"):
        build(tmp_path / "data", split="dev", streams=1, seed=0, only=("juggle",))
    assert not (tmp_path / "data").exists()
