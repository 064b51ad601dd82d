"""Long sessions to learn from: what is due late stays due, nothing else becomes due, nothing is
lost by a kill."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.soundflow.tiny_rows import folder, row

from harken.errors import HarkenError
from harken.soundflow.features import stored_features
from harken.soundflow.joined import leaves_order
from harken.soundflow.prolong import prolong
from harken.soundflow.rows import rows

QUIET = {"policy": "quiet", "instruction": ""}
TOLD = {"policy": "care", "instruction": "Count the barks."}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Streams of 20 chunks, 8 s, of which every third ends under an order."""
    made = [row(f"p{n}", 20, (3, f"Yes {n}.", "question"), split="train") for n in range(8)]
    made += [row(f"o{n}", 20, (2, "Okay.", "order"), split="train") for n in range(4)]
    made += [row("t0", 20, (1, "One.", "dog"), split="train", prefix=TOLD)]
    made += [row("d0", 20, (1, "No.", "question"))]
    made += [row(f"q{n}", 20, split="train", prefix=QUIET, task="quiet") for n in range(4)]
    memory = [(3, "Nice.", "fact"), (15, "Ann.", "recall")]
    made += [row("m0", 20, *memory, split="train", task="remember")]
    made += [row("s0", 20, (1, "A scream.", "scream"), split="train", task="say_once")]
    return folder(tmp_path, made)


def long_ones(data: Path) -> list[dict[str, Any]]:
    return [r for r in rows(data) if r["task"] == "long"]


def test_what_is_due_comes_late_and_orders_last(data: Path) -> None:
    kept = prolong(data, 40, 1.0, seed=3)
    made = long_ones(data)
    assert len(made) == 40 == kept - 20
    for each in made:
        assert 40 <= each["n_chunks"] <= 150
        orders = [chunk for chunk, *_, cause in each["said"] if cause == "order"]
        assert len(orders) <= 1
        assert not orders or (leaves_order(each) and orders[0] == each["n_chunks"] - 18)
        assert len(each["said"]) == len(each["due"])
        assert all(
            (chunk + 1) * 6400 == end
            for (chunk, *_), (_, end, *_) in zip(each["said"], each["due"], strict=True)
        )
    assert {e["prefix"]["policy"] for e in made} == {"care", "quiet"}
    assert any(leaves_order(e) for e in made)
    late = [e for e in made if {"fact", "recall"} <= {cause for *_, cause in e["said"]}]
    asked = [e["said"][-1][0] - e["said"][0][0] for e in late if e["said"][0][3] == "fact"]
    assert asked and max(asked) > 20, "a fact is asked for right after it was told"
    used = {source for each in made for source in each["sources"]}
    assert not used & {"made:t0", "made:d0", "made:s0"}


def test_features_are_those_of_the_parts(data: Path) -> None:
    numbers = {r["features"]: n for n, r in enumerate(rows(data))}
    prolong(data, 6, 1.0)
    for each in long_ones(data):
        sound, acoustic = stored_features(data / "features" / f"{each['features']}.npz", each["id"])
        assert len(sound) == len(acoustic) == each["n_chunks"]
        heard = {int(n) for n in np.unique(sound[:, 0])}
        assert heard == {numbers[source.removeprefix("made:")] for source in each["sources"]}


def test_it_goes_on_where_it_was_killed_and_equal_seeds_give_equal_streams(data: Path) -> None:
    prolong(data, 5, 1.0, seed=1)
    whole = long_ones(data)
    (data / "lines" / f"{whole[3]['id']}.json").unlink()
    (data / "features" / f"{whole[4]['features']}.npz").unlink()
    (data / "lines" / f"{whole[4]['id']}.json").unlink()
    begun = (data / "lines" / f"{whole[0]['id']}.json").stat().st_mtime_ns
    prolong(data, 5, 1.0, seed=1)
    assert long_ones(data) == whole
    assert (data / "lines" / f"{whole[0]['id']}.json").stat().st_mtime_ns == begun


def test_the_same_words_do_not_meet_at_a_seam(tmp_path: Path) -> None:
    alarm = (16, "A smoke alarm.", "smoke_alarm")
    early = (1, "A smoke alarm.", "smoke_alarm")
    made = [row(f"a{n}", 20, early, alarm, split="train", task="care") for n in range(5)]
    data = folder(tmp_path, made)
    prolong(data, 3, 1.0)
    assert [e["n_chunks"] for e in long_ones(data)] == [20, 20, 20]


@pytest.mark.parametrize("left", [[], [(2, "Okay.", "order")]])
def test_nothing_to_join_is_said(tmp_path: Path, left: list[tuple[int, str, str]]) -> None:
    """Neither dev streams, nor such with an instruction, nor such under an order alone."""
    made = [row("a", 20), row("b", 20, split="train", prefix=TOLD)]
    made += [row("o", 20, *left, split="train")] if left else []
    data = folder(tmp_path, made)
    with pytest.raises(HarkenError, match="no training stream after which another can follow"):
        prolong(data, 3, 1.0)


def test_streams_of_ones_own_may_tell_no_sources(tmp_path: Path) -> None:
    """As docs/train-your-own.md shows them."""
    own = row("mine", 20, split="train")
    del own["sources"]
    data = folder(tmp_path, [own])
    prolong(data, 1, 1.0)
    assert [each["sources"] for each in long_ones(data)] == [[]]
