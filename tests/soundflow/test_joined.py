"""Streams joined to longer ones: what is due stays due, what may not follow is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.soundflow.tiny_rows import folder, row

from harken.errors import HarkenError
from harken.soundflow.joined import cropped, facts, features_of, in_groups, joined, own_voice


def test_parts_follow_one_another() -> None:
    parts = [
        row("a", 10, (3, "Yes.", "question")),
        row("b", 5, (1, "No.", "question"), playing=[2], stops=[2], sounds=[[0, 9, "knock"]]),
        row("c", 4, strays=[1], unjudged=[3]),
    ]
    whole = joined(parts, "w", "joined")
    assert whole["n_chunks"] == 19
    assert [s[:2] for s in whole["said"]] == [[3, "Yes."], [11, "No."]]
    assert whole["due"][1][:2] == [11 * 6400, 12 * 6400]
    assert whole["words"] == [[3, " Yes."], [11, " No."]]
    assert (whole["playing"], whole["stops"]) == ([12], [12])
    assert whole["sounds"] == [[64000, 64009, "knock"]]
    assert (whole["strays"], whole["unjudged"]) == ([16], [18])


@given(st.integers(1, 9))
def test_a_row_cut_in_two_and_joined_is_the_row(cut: int) -> None:
    whole = row("a", 10, (3, "Yes.", "fact"), (7, "No.", "recall"), playing=[4, 5], stops=[5])
    again = joined([cropped(whole, 0, cut), cropped(whole, cut, 10)], "w", "chat")
    for key in ("n_chunks", "words", "said", "due", "playing", "stops"):
        assert again[key] == whole[key]


def test_what_would_change_the_meaning_of_the_next_is_refused() -> None:
    plain, ordered = row("a", 5), row("b", 5, (1, "Okay.", "order"))
    ended = row("c", 5, (1, "Okay.", "order"), (3, "Okay.", "stop"))
    joined([plain, ended, ordered], "w", "joined")
    with pytest.raises(HarkenError, match="b-0 ends under an order"):
        joined([ordered, plain], "w", "joined")
    with pytest.raises(HarkenError, match="prefix"):
        joined([plain, row("d", 5, prefix={"policy": "quiet", "instruction": ""})], "w", "j")
    with pytest.raises(HarkenError, match="dev and train"):
        joined([plain, row("d", 5, split="train")], "w", "j")


def test_groups_use_every_audio_once_and_orders_come_last(tmp_path: Path) -> None:
    rows = [row(f"p{n}", 4) for n in range(7)]
    rows += [row(f"o{n}", 4, (1, "Okay.", "order")) for n in range(2)]
    data = folder(tmp_path, rows)
    groups = in_groups(data, "dev", 3)
    names = [p["features"] for g in groups for p in g["parts"]]
    assert len(groups) == 3 and len(set(names)) == 9
    assert [g["parts"][-1]["features"][0] for g in groups] == ["o", "o", "p"]
    with pytest.raises(HarkenError, match="too few for 20 segments"):
        in_groups(data, "dev", 20)


def test_a_fact_is_asked_for_after_the_time(tmp_path: Path) -> None:
    memory = row("m", 20, (3, "Nice.", "fact"), (15, "Ann.", "recall"))
    others = [row(f"p{n}", 60) for n in range(5)]
    others += [row("o", 60, (1, "Okay.", "order")), row("n", 9, (1, "Hi.", "fact"))]
    data = folder(tmp_path, [memory, *others])
    [whole] = facts(data, "dev", 1.0)
    told, asked = whole["said"]
    assert (told[0], told[3], asked[1], asked[3]) == (3, "fact", "Ann.", "recall")
    assert asked[0] - told[0] >= 150
    used = {p["features"] for p in whole["parts"]}
    assert not used & {"o", "n"}
    sound, acoustic = features_of(data, whole)
    assert len(sound) == len(acoustic) == whole["n_chunks"]
    assert sound[0, 0] == sound[-1, 0] == 0
    with pytest.raises(HarkenError, match="too few for 10"):
        facts(data, "dev", 10)


def test_own_voice_is_cut_out(tmp_path: Path) -> None:
    speaks = row("a", 20, (3, "Yes.", "question"), playing=list(range(5, 15)))
    told = row("b", 20, playing=[5, 6], stops=[6])
    data = folder(tmp_path, [speaks, told, row("c", 9)])
    [whole] = own_voice(data, "dev", 5)
    assert whole["n_chunks"] == 10 == len(whole["playing"])
    assert whole["said"] == []
    assert len(features_of(data, whole)[0]) == 10
