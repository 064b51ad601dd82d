"""Orders and stops in other words: they mean the same, and dev's own are never said."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pytest

from harken.soundflow.reworded import reworded, saying
from harken.soundflow.texts import is_chinese, plain
from harken.soundflow.wording import words_of

STOPPED: dict[str, Any] = {
    "task": "transcribe",
    "n_chunks": 30,
    "prefix": {"policy": "care", "instruction": ""},
    "words": [
        [2, " Start the"],
        [3, " captions."],
        [9, " He sings."],
        [15, " Stop"],
        [16, " now."],
    ],
    "said": [
        [3, "Okay.", "normal", "order"],
        [9, "He sings.", "normal", "transcript"],
        [16, "Okay.", "normal", "stop"],
    ],
    "due": [
        [9_600, 25_000, "words", "order"],
        [54_400, 63_000, "each", "transcript"],
        [92_800, 108_000, "words", "stop"],
    ],
}


def heard(row: dict[str, Any], *chunks: int) -> str:
    return "".join(words_of(row).get(chunk, "") for chunk in chunks).strip()


def many(row: dict[str, Any], held_out: Collection[str] = (), times: int = 60) -> list[Any]:
    random = np.random.default_rng(5)
    return [reworded(row, held_out, random) for _ in range(times)]


def test_an_order_and_its_end_are_said_otherwise_at_the_same_chunks() -> None:
    new = many(STOPPED)
    assert len({heard(row, 2, 3) for row in new}) > 20
    assert len({heard(row, 15, 16) for row in new}) > 20
    for row in new:
        assert heard(row, 9) == "He sings." and row["said"] == STOPPED["said"]
        assert words_of(row).get(3) and words_of(row).get(16), "the reply is due at the last word"
        assert row["due"] == STOPPED["due"]


def test_what_is_held_out_is_never_said() -> None:
    said = {heard(row, 15, 16) for row in many(STOPPED, times=200)} - {heard(STOPPED, 15, 16)}
    held_out = {plain(text) for text in sorted(said)[::2]}
    left = {heard(row, 15, 16) for row in many(STOPPED, held_out, times=200)}
    assert not {plain(text) for text in left} & held_out
    assert len(left) > 10


@pytest.mark.parametrize(("reply", "language"), [("他唱歌。", "Chinese"), ("He sings.", "English")])
def test_interpreting_keeps_its_direction(reply: str, language: str) -> None:
    row = STOPPED | {
        "task": "translate",
        "prefix": {"policy": "care", "instruction": f"Translate into {language}."},
        "words": STOPPED["words"][2:3],
        "said": [[9, reply, "normal", "translation"]],
    }
    other = {"Chinese": "English", "English": "Chinese"}[language]
    orders = {new["prefix"]["instruction"] for new in many(row)}
    assert len(orders) > 10
    for order in orders:
        named = order.replace("Mandarin", "Chinese")
        assert language in named and f"into {other}" not in named


def test_orders_that_depend_on_a_sound_stay() -> None:
    row = STOPPED | {"task": "tell_when"}
    assert {heard(new, 2, 3) for new in many(row)} == {"Start the captions."}
    both = STOPPED | {"said": [*STOPPED["said"], [20, "Okay.", "normal", "order"]]}
    assert {heard(new, 2, 3) for new in many(both)} == {"Start the captions."}


def test_a_chinese_stop_is_chinese() -> None:
    row = STOPPED | {"words": [*STOPPED["words"][:3], [15, "停"], [16, "。"]]}
    assert all(is_chinese(heard(new, 15, 16)) for new in many(row))


def test_a_sentence_is_written_as_one() -> None:
    random = np.random.default_rng(0)
    for _ in range(500):
        text = saying("stop transcribe", "en", random)
        assert text[0].isupper() and text[-1] in ".?!" and " ," not in text and "  " not in text


def test_there_are_hundreds_of_ways_to_say_stop() -> None:
    random = np.random.default_rng(0)
    found = {saying("stop", lang, random) for lang in ("en", "zh") for _ in range(4000)}
    assert len(found) > 600
