"""Streams in which something was said out of turn."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.stray import CAUSE, LONGEST_RUN, TASKS, stray, strayed
from harken.stream import CHUNK_SAMPLES

SENTENCES = [("我爱你们。", "I love you all."), ("他唱歌。", "He sings a song.")]


def talk(**changed: Any) -> dict[str, Any]:
    """Somebody speaks twice; an alarm between is answered."""
    return {
        "id": "train-1-00001-0",
        "task": "care",
        "n_chunks": 60,
        "prefix": {"policy": "care", "instruction": ""},
        "words": [[4, " He is"], [5, " not here."], [40, " Guten"], [41, " Tag."]],
        "sounds": [[20 * CHUNK_SAMPLES, 22 * CHUNK_SAMPLES, "smoke_alarm"]],
        "said": [[22, "An alarm is going off.", "urgent", "smoke_alarm"]],
        "due": [[20 * CHUNK_SAMPLES, 22 * CHUNK_SAMPLES, "sound", "smoke_alarm"]],
        "playing": [],
        "stops": [],
    } | changed


def test_mistakes_stand_away_from_what_is_due_and_the_right_replies_stay() -> None:
    row, kinds = talk(), set()
    for seed in range(300):
        new = strayed(row, SENTENCES, np.random.default_rng(seed))
        if new is None:
            continue
        wrong = [s for s in new["said"] if s[3] == CAUSE]
        assert [s for s in new["said"] if s[3] != CAUSE] == row["said"]
        assert [s[0] for s in wrong] == new["strays"] and 1 <= len(wrong) <= LONGEST_RUN
        at = [s[0] for s in new["said"]]
        assert at == sorted(set(at)) and at[-1] < row["n_chunks"] - 1
        assert not any(19 <= chunk <= 24 for chunk in new["strays"])
        kinds.add("name" if wrong[0][1].startswith("I hear") else wrong[0][1])
    captions = {"He is", "not here.", "Guten", "Tag."}
    translations = {zh for zh, _ in SENTENCES}
    assert kinds >= captions | {"name"} and kinds & translations
    assert "strays" not in row


def test_no_mistake_where_there_is_no_room_or_the_voice_plays() -> None:
    random = np.random.default_rng(0)
    assert all(strayed(talk(playing=[3]), SENTENCES, random) is None for _ in range(20))
    assert all(strayed(talk(stops=[3]), SENTENCES, random) is None for _ in range(20))
    crowded = talk(due=[[0, 60 * CHUNK_SAMPLES, "sound", "smoke_alarm"]])
    assert all(strayed(crowded, SENTENCES, random) is None for _ in range(50))


def test_a_sound_without_a_label_gives_no_name_away() -> None:
    row = talk(words=[], sounds=[[20 * CHUNK_SAMPLES, 22 * CHUNK_SAMPLES, ""]])
    told = [strayed(row, SENTENCES, np.random.default_rng(seed)) for seed in range(60)]
    named = [said[1] for new in told if new for said in new["said"] if said[3] == CAUSE]
    assert named and all(text.startswith("I hear ") and len(text) > 12 for text in named)


def test_copies_are_added_beside_their_streams_and_not_copied_again(tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    rows = [talk(id=f"train-1-{n:05}-0", task=TASKS[n % 3], split="train") for n in range(30)]
    rows.append(talk(task="narrate", split="train"))
    (tmp_path / "lines" / "train-1-00000.json").write_text(json.dumps(rows))
    first = stray(tmp_path, seed=1)
    assert stray(tmp_path, seed=2) - first <= 30, "only the streams without mistakes have copies"
    copies = [json.loads(line) for line in (tmp_path / "streams.jsonl").read_text().splitlines()]
    copies = [row for row in copies if "strays" in row]
    assert 35 < len(copies) <= 60 and len({row["id"] for row in copies}) == len(copies)
    assert not any(row["task"] == "narrate" for row in copies)


def test_unknown_tasks_and_folders_without_streams_are_named(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="'narrate'"):
        stray(tmp_path, only=["narrate"])
    with pytest.raises(HarkenError, match="holds no stream"):
        stray(tmp_path)
