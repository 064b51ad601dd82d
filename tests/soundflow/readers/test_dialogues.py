import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.soundflow.readers.reading import read_corpus
from harken.soundflow.readers.record import Reason, Recorded

Write = Callable[..., Path]


def lines(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def said(record: Recorded) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in record.turns]


def moss_turn(human: str, moss: str) -> dict[str, str]:
    return {
        "Human": f"<|Human|>: {human}<eoh>\n",
        "Inner Thoughts": "<|Inner Thoughts|>: None<eot>\n",
        "Commands": "<|Commands|>: None<eoc>\n",
        "Tool Responses": "<|Results|>: None<eor>\n",
        "MOSS": f"<|MOSS|>: {moss}<eom>\n",
    }


def moss_row(conversation: int, *turns: tuple[str, str]) -> dict[str, object]:
    return {
        "conversation_id": conversation,
        "meta_instruction": "You are an AI assistant whose name is MOSS.\n",
        "num_turns": len(turns),
        "chat": {f"turn_{n}": moss_turn(*turn) for n, turn in enumerate(turns, 1)},
        "category": "Brainstorming",
    }


def test_moss_003_with_recordings(tmp_path: Path, tone: Write, put: Write) -> None:
    turns = [(f"问题{n}", f"回答{n}<sup><|1|></sup>") for n in range(1, 12)]
    put(
        tmp_path / "moss-003-sft-no-tools.jsonl",
        lines(moss_row(1, *turns), moss_row(2, ("hi", "")), moss_row(3, ("hi", "hello")))
        + lines({"conversation_id": 4, "num_turns": 1})
        + "{broken\n",
    )
    for number in range(1, 12):
        tone(tmp_path / "wav" / f"1_{number}.wav", seconds=0.25)
    reading = read_corpus("moss", tmp_path)
    (record,) = reading
    assert record.id == "moss/moss-003-sft-no-tools/1"
    assert said(record)[:2] == [("user", "问题1"), ("assistant", "回答1")]
    assert said(record)[-2:] == [("user", "问题11"), ("assistant", "回答11")]
    assert (record.kind, record.language, record.labels) == ("text", "zh", ("Brainstorming",))
    assert record.seconds == 2.75
    spoken = [turn.audio.path.name for turn in record.turns if turn.audio]
    assert spoken == [f"1_{n}.wav" for n in range(1, 12)]
    # Conversation 3 has no recording, 2 no answer, 4 no chat.
    assert reading.refused == Counter(
        {Reason.MALFORMED: 2, Reason.EMPTY_TEXT: 1, Reason.UNREADABLE: 1}
    )


def test_moss_002_is_plain_text_without_recordings(tmp_path: Path, put: Write) -> None:
    text = (
        "[Human]: Can you help me?<eoh> [MOSS]: Of course.<eoa> "
        "[Human]: Thanks<eoh> [MOSS]: OK<eoa>"
    )
    row = {"prefix": "MOSS is …", "num_turns": 2, "plain_text": text}
    put(tmp_path / "en_helpfulness.json", json.dumps([row, {**row, "plain_text": ""}]))
    reading = read_corpus("moss", tmp_path)
    (record,) = reading
    assert said(record) == [
        ("user", "Can you help me?"),
        ("assistant", "Of course."),
        ("user", "Thanks"),
        ("assistant", "OK"),
    ]
    assert (record.language, record.seconds) == ("en", None)
    assert reading.refused == Counter({Reason.EMPTY_TEXT: 1})


def test_ultrachat(tmp_path: Path, put: Write) -> None:
    put(
        tmp_path / "train_0.jsonl",
        lines({"id": "0", "data": ["How?", "So.", "Why?", "Therefore."]}, {"id": "1", "data": "x"})
        + lines({"id": "0", "data": ["again", "yes"]}),
    )
    reading = read_corpus("ultrachat", tmp_path)
    (record,) = reading
    assert record.id == "ultrachat/train_0/0"
    assert [turn.role for turn in record.turns] == ["user", "assistant"] * 2
    assert (record.licence, record.split) == ("MIT", "train")
    assert reading.refused == Counter({Reason.MALFORMED: 1, Reason.DUPLICATE_ID: 1})


def test_ultrachat_200k(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    odd = [{"role": "narrator", "content": "Once"}]
    table = pa.table({"prompt": ["Hi", "x"], "prompt_id": ["p1", "p2"], "messages": [talk, odd]})
    path = tmp_path / "data" / "test_sft-00000-of-00001.parquet"
    path.parent.mkdir()
    pq.write_table(table, path)
    reading = read_corpus("ultrachat", tmp_path)
    (record,) = reading
    assert record.id == "ultrachat/data/test_sft-00000-of-00001/p1"
    assert said(record) == [("user", "Hi"), ("assistant", "Hello")]
    assert record.split == "test"
    assert reading.refused == Counter({Reason.MALFORMED: 1})


def test_magpie_pro(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    talk = [{"from": "human", "value": "Plan a week"}, {"from": "gpt", "value": "Gladly"}]
    table = pa.table(
        {
            "uuid": ["u1", "u2", "u3"],
            "instruction": ["Plan a week", "Why?", "Empty"],
            "response": ["Gladly", "Because", None],
            "conversations": [talk, None, None],
            "task_category": ["Planning", "Reasoning", ""],
        }
    )
    path = tmp_path / "data" / "train-00000-of-00001.parquet"
    path.parent.mkdir()
    pq.write_table(table, path)
    reading = read_corpus("magpie-pro", tmp_path)
    first, second = reading
    assert said(first) == [("user", "Plan a week"), ("assistant", "Gladly")]
    assert first.labels == ("Planning",)
    assert said(second) == [("user", "Why?"), ("assistant", "Because")]
    assert reading.refused == Counter({Reason.MALFORMED: 1})


def test_gammacorpus(tmp_path: Path, put: Write) -> None:
    put(
        tmp_path / "gammacorpus-fact-qa-450k.jsonl",
        lines({"question": "Capital of Peru?", "answer": "Lima"}, {"question": "?", "answer": ""}),
    )
    put(
        tmp_path / "gammacorpus-v2-10k.jsonl",
        lines({"conversation": [{"User": "Hi", "Assistant": "Hello"}]}, {"conversation": [{}]}),
    )
    reading = read_corpus("gammacorpus", tmp_path)
    fact, talk = reading
    assert fact.id == "gammacorpus/gammacorpus-fact-qa-450k/0"
    assert said(fact) == [("user", "Capital of Peru?"), ("assistant", "Lima")]
    assert said(talk) == [("user", "Hi"), ("assistant", "Hello")]
    assert reading.refused == Counter({Reason.EMPTY_TEXT: 1, Reason.MALFORMED: 1})


@pytest.mark.parametrize("name", ["moss", "ultrachat", "magpie-pro", "gammacorpus"])
def test_another_layout_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(HarkenError, match="expected "):
        list(read_corpus(name, tmp_path))
