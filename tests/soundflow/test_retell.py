"""Retold streams: other words at the same places, with the reply that is due to them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harken.errors import HarkenError
from harken.soundflow.events import kind_counted
from harken.soundflow.questions import questions
from harken.soundflow.retell import Texts, retell, retold

TEXTS = Texts([("我爱你们。", "I love you all.")], [("What is four plus five?", "Nine.")])
ALWAYS, NEVER = 0.99, 0.0


class Sure(np.random.Generator):
    """Chance that comes out one way."""

    def __init__(self, draw: float) -> None:
        super().__init__(np.random.PCG64(0))
        self._draw = draw

    def random(self, *_: Any, **__: Any) -> float:  # type: ignore[override]
        return self._draw


def interpreting() -> dict[str, Any]:
    return {
        "id": "train-1-00001-0",
        "task": "translate",
        "n_chunks": 40,
        "prefix": {"policy": "care", "instruction": ""},
        "words": [[2, " Translate."], [5, " He sings"], [6, " a song."], [9, " Stop."]],
        "said": [[2, "Okay.", "normal", "order"], [6, "他唱歌。", "normal", "translation"]],
        "due": [[6400, 19_200, "words", "order"], [32_000, 44_800, "words", "translation"]],
    }


def told(row: dict[str, Any], draw: float = ALWAYS) -> dict[str, Any]:
    new = retold(row, TEXTS, Sure(draw))
    assert new is not None
    return new


def test_a_retold_stream_has_other_sentences_at_the_same_chunks() -> None:
    row = interpreting()
    new = told(row)
    assert new["words"] == [[2, " Translate."], [5, " I love"], [6, " you all."], [9, " Stop."]]
    assert new["said"][1] == [6, "我爱你们。", "normal", "translation"]
    assert new["said"][0] == row["said"][0]
    assert row["words"][1] == [5, " He sings"], "the original stays"


def test_without_its_order_a_stream_asks_for_nothing() -> None:
    new = told(interpreting(), NEVER)
    assert new["said"] == [] and new["due"] == [] and new["task"] == "others_talking"
    assert "Translate" not in "".join(text for _, text in new["words"])


def test_a_chinese_sentence_is_spread_by_characters() -> None:
    row = interpreting() | {
        "words": [[5, "我爱"], [6, "你们。"]],
        "said": [[6, "I love you.", "normal", "translation"]],
        "due": [[32_000, 44_800, "words", "translation"]],
    }
    new = retold(row, Texts([("他唱歌。", "He sings.")], []), Sure(ALWAYS))
    assert new is not None
    assert "".join(text for _, text in new["words"]) == "他唱歌。"
    assert new["said"][0][1] == "He sings."


def test_a_transcript_holds_the_new_words_where_they_are_heard() -> None:
    row = interpreting() | {
        "task": "transcribe",
        "words": [[2, " Write."], [5, " He sings"], [6, " a song."]],
        "said": [
            [2, "Okay.", "normal", "order"],
            [5, "He sings", "normal", "transcript"],
            [6, "a song.", "normal", "transcript"],
        ],
        "due": [[6400, 19_200, "words", "order"], [32_000, 44_800, "each", "transcript"]],
    }
    new = told(row)
    assert new["words"][1:] == [[5, " I love"], [6, " you all."]]
    assert [text for _, text, _, _ in new["said"]] == ["Okay.", "I love", "you all."]


def test_another_question_has_its_own_answer() -> None:
    row = interpreting() | {
        "task": "chat",
        "words": [[5, " What is the"], [6, " capital?"]],
        "said": [[6, "Paris.", "normal", "question"]],
        "due": [[32_000, 44_800, "words", "question"]],
    }
    new = told(row)
    assert "".join(text for _, text in new["words"]) == " What is four plus five?"
    assert new["words"][-1][0] == 6, "the reply is due where the last word is"
    assert new["said"] == [[6, "Nine.", "normal", "question"]]


def test_a_counting_order_is_worded_otherwise_and_means_the_same() -> None:
    row = interpreting() | {
        "task": "count",
        "words": [[2, " Count"], [3, " the hoots."]],
        "said": [[3, "Okay.", "normal", "order"], [9, "One.", "normal", "owl"]],
        "due": [[6400, 25_600, "words", "order"], [50_000, 57_600, "sound", "owl"]],
    }
    new = told(row)
    assert kind_counted("".join(text for _, text in new["words"])) == ["owl"]
    assert new["said"] == row["said"]


def test_talk_between_questions_becomes_other_talk_and_what_is_answered_stays_a_question() -> None:
    row = interpreting() | {
        "task": "chat",
        "words": [[2, " We should paint"], [3, " this wall."], [9, " What is the"], [10, " sum?"]],
        "said": [[10, "Paris.", "normal", "question"]],
        "due": [[57_600, 70_400, "words", "question"]],
    }
    talk = ["".join(text for chunk, text in told(row, draw)["words"] if chunk < 9)
            for draw in (NEVER, ALWAYS)]  # fmt: skip
    assert talk[1] == " I love you all." and talk[0] not in (talk[1], " We should paint this wall.")


def test_talk_may_be_in_a_foreign_language() -> None:
    row = interpreting() | {"task": "others_talking", "said": [], "due": []}
    texts = Texts(TEXTS.sentences, TEXTS.questions, foreign=[["Prego, si accomodi."]])
    new = retold(row, texts, Sure(NEVER))
    assert new is not None and new["said"] == []
    assert "Prego, si accomodi." in "".join(text for _, text in new["words"])


def test_replies_to_sounds_are_moved_under_a_policy() -> None:
    row = interpreting() | {
        "task": "care",
        "words": [],
        "said": [[9, "Bless you!", "normal", "sneeze"]],
        "due": [[38_400, 64_000, "sound", "sneeze"]],
    }
    new = told(row, NEVER)
    assert 6 <= new["said"][0][0] < 9 and new["unjudged"] == [new["said"][0][0]]


def test_a_memory_is_asked_for_as_it_was_told() -> None:
    row = interpreting() | {
        "task": "remember",
        "words": [[2, " My name"], [3, " is Ann."], [20, " What is"], [21, " my name?"]],
        "said": [
            [3, "Nice to meet you, Ann.", "happy", "fact"],
            [21, "Your name is Ann.", "normal", "recall"],
        ],
        "due": [[6400, 25_600, "words", "fact"], [128_000, 140_800, "words", "recall"]],
    }
    new = retold(row, TEXTS, np.random.default_rng(3))
    assert new is not None
    fact = "".join(text for chunk, text in new["words"] if chunk < 20)
    shared = set(fact.strip(".").split()) & set(new["said"][1][1].strip(".").split())
    assert shared, f"{new['said'][1][1]!r} says nothing of {fact!r}"


def test_questions_are_many_and_each_has_one_short_answer() -> None:
    asked = dict(questions())
    assert len(asked) == len(questions()) > 1500
    assert asked["What is seven plus four?"] == "Seven plus four is eleven."
    assert asked["What is the capital of Kenya?"] == "The capital of Kenya is Nairobi."
    assert all(answer and len(answer) <= 120 for answer in asked.values())


def test_an_unknown_task_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match=r"'juggle'.*translate"):
        retell(tmp_path, 1, only=("juggle",))
