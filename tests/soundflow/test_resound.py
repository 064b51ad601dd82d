"""Resounded streams: other sounds of the same kind, and what is due to them."""

from typing import Any

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.events import EVENTS, kind_counted
from harken.soundflow.imagined import imaginable
from harken.soundflow.resound import draw_exchange, resound, resounded, wished
from harken.soundflow.rows import gather, rows, write_rows
from harken.stream import CHUNK_SAMPLES

pytestmark = pytest.mark.slow  # the class map comes with the part yamnet

SOUNDS = [[64_000, 70_000, "dog_bark"], [96_000, 110_000, "cough"], [128_000, 131_000, ""]]


def row(task: str, said: list[Any], **more: Any) -> dict[str, Any]:
    due = [[a, b, "sound", label] for a, b, label in SOUNDS if label in {s[3] for s in said}]
    return {
        "id": f"train-1-00001-{task}", "features": "train-1-00001", "task": task,
        "split": "train", "n_chunks": 30, "prefix": {"policy": "care", "instruction": ""},
        "words": [], "said": said, "sounds": SOUNDS, "due": due, "playing": [], "stops": [],
    } | more  # fmt: skip


CARE = row("care", [[17, EVENTS["cough"].care, "normal", "cough"]])
NARRATE = row(
    "narrate",
    [
        [10, "I hear a dog barking.", "normal", "dog_bark"],
        [17, "I hear coughing.", "normal", "cough"],
    ],
)
SPOKEN_COUNT = row(
    "count",
    [[5, "Okay.", "normal", "order"], [10, "One.", "normal", "dog_bark"]],
    words=[[3, " Count the"], [4, " barks."]],
)
SPOKEN_COUNT["due"] = [[12_800, 32_000, "words", "order"], *SPOKEN_COUNT["due"]]


@pytest.mark.parametrize("seed", range(20))
def test_a_sound_becomes_another_of_its_kind(seed: int) -> None:
    random = np.random.default_rng(seed)
    exchange = draw_exchange([CARE, NARRATE], random)
    assert len(set(exchange.values())) == len(exchange)
    for old, new in exchange.items():
        assert new != old
        assert (EVENTS[new].care is None) == (EVENTS[old].care is None)
        assert (EVENTS[new].quiet is None) == (EVENTS[old].quiet is None)
    for original, policy in ((CARE, "care"), (NARRATE, "narrate")):
        changed = resounded(original, exchange, random)
        assert changed is not None
        there = {label for _, _, label in changed["sounds"]}
        assert "" in there, "a sound without a name keeps its place"
        assert len(changed["said"]) == len(original["said"])
        for _, text, emotion, cause in changed["said"]:
            assert cause in there
            assert (text, emotion) == EVENTS[cause].reply(policy)


@pytest.mark.parametrize("seed", range(20))
def test_a_spoken_order_to_count_names_the_new_sound(seed: int) -> None:
    random = np.random.default_rng(seed)
    exchange = draw_exchange([SPOKEN_COUNT], random)
    changed = resounded(SPOKEN_COUNT, exchange, random)
    assert changed is not None
    heard = "".join(text for _, text in changed["words"])
    (counted,) = {cause for *_, cause in changed["said"]} - {"order"}
    assert kind_counted(heard) == [counted]
    assert [text for _, text, *_ in changed["said"]] == ["Okay.", "One."]
    others = {label for _, _, label in changed["sounds"]} - {counted}
    assert not others & set(kind_counted(heard))


def test_an_order_for_what_does_not_come_stays_so() -> None:
    absent = row("tell_when", [])
    absent["prefix"] = {"policy": "care", "instruction": "Tell me when you hear a siren."}
    random = np.random.default_rng(0)
    assert resounded(absent, {"cough": "sneeze"}, random) is not None
    assert resounded(absent, {"cough": "siren_or_fire_station"}, random) is None


def test_a_class_is_heard_where_its_sound_is_and_fades_with_it() -> None:
    wishes = wished([(64_000, 83_200, "cough")], {"cough": "sneeze"}, 30, np.random.default_rng(0))
    assert set(wishes) == {10, 11, 12, 13, 14}
    assert {w.index for w in wishes.values()} == set(imaginable()["sneeze"])
    logits = [wishes[c].logit for c in sorted(wishes)]
    assert logits[0] < logits[1] < logits[2] and logits[4] < logits[3]


def test_a_folder_is_resounded_once_and_again_from_where_it_was(tmp_path) -> None:
    for kind in ("features", "lines"):
        (tmp_path / kind).mkdir()
    write_rows(tmp_path, "train-1-00001", [CARE, NARRATE])
    gather(tmp_path)
    random = np.random.default_rng(0)
    sound = random.uniform(0, 0.3, (30, 1545)).astype(np.float16)
    acoustic = random.normal(size=(30, 2560)).astype(np.float16)
    np.savez(tmp_path / "features" / "train-1-00001.npz", sound=sound, acoustic=acoustic)
    assert resound(tmp_path, times=2, seed=3) == 6
    written = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "features").iterdir()}
    assert resound(tmp_path, times=2, seed=3) == 6
    assert written == {p.name: p.stat().st_mtime_ns for p in (tmp_path / "features").iterdir()}
    new = [r for r in rows(tmp_path) if "resound" in r]
    assert len({r["id"] for r in new}) == 4
    with np.load(tmp_path / "features" / f"{new[0]['features']}.npz") as stored:
        changed = np.flatnonzero((stored["sound"] != sound).any(axis=1))
    first, last = SOUNDS[0][0] // CHUNK_SAMPLES, SOUNDS[1][1] // CHUNK_SAMPLES + 2
    assert len(changed) and first <= changed.min() and changed.max() <= last


@pytest.mark.parametrize("task", ["call_tool", "change_order", "use_what_was_heard"])
def test_sounds_of_which_somebody_speaks_stay(tmp_path, task: str) -> None:
    (tmp_path / "lines").mkdir()
    asked = row(
        task, [[20, "That was a dog.", "normal", "heard"]], words=[[19, " A dog or a cat?"]]
    )
    write_rows(tmp_path, "train-1-00001", [asked])
    gather(tmp_path)
    with pytest.raises(HarkenError, match="no stream with sounds"):
        resound(tmp_path, times=1)


def test_a_folder_without_sounds_is_told(tmp_path) -> None:
    gather(tmp_path)
    with pytest.raises(HarkenError, match="no stream with sounds"):
        resound(tmp_path, times=1)
