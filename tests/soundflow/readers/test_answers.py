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


def coig(instruction: str, more: str, output: str) -> dict[str, object]:
    return {
        "instruction": instruction,
        "input": more,
        "output": output,
        "task_type": {"major": ["问答"], "minor": ["生活"]},
        "domain": ["生活"],
        "answer_from": "human",
        "human_verified": True,
        "copyright": "暂无版权及作者信息",
    }


def test_coig_cqia_needs_a_licence_from_the_caller(tmp_path: Path, put: Write) -> None:
    rows = lines(coig("怎么煮饭?", "", "加水。"), coig("翻译", "早", "morning"), coig("空", "", ""))
    put(tmp_path / "ruozhiba" / "ruozhiba_ruozhiba.jsonl", rows)
    put(tmp_path / "COIG-CQIA-full.jsonl", rows)
    without = read_corpus("coig-cqia", tmp_path)
    assert list(without) == []
    assert without.refused == Counter({Reason.MISSING_LICENCE: 3})
    reading = read_corpus("coig-cqia", tmp_path, licence="research only")
    first, second = reading
    assert first.id == "coig-cqia/ruozhiba/ruozhiba_ruozhiba/0"
    assert said(first) == [("user", "怎么煮饭?"), ("assistant", "加水。")]
    assert said(second)[0] == ("user", "翻译\n早")
    assert (first.labels, first.language, first.licence) == (("生活",), "zh", "research only")
    assert reading.refused == Counter({Reason.EMPTY_TEXT: 1})


def test_coig_cqia_whole_where_it_lies_alone(tmp_path: Path, put: Write) -> None:
    put(tmp_path / "COIG-CQIA-full.jsonl", lines(coig("问", "", "答")))
    (record,) = read_corpus("coig-cqia", tmp_path, licence="x")
    assert record.id == "coig-cqia/COIG-CQIA-full/0"


def test_belle(tmp_path: Path, put: Write) -> None:
    put(
        tmp_path / "Belle_open_source_0.5M.json",
        lines({"instruction": "给出Human: 的意思", "input": "", "output": "人"}),
    )
    put(
        tmp_path / "multiturn_chat_0.8M.json",
        lines(
            {
                "instruction": "Human:你好\nAssistant:你好！\nHuman: 再见\nAssistant:",
                "input": "",
                "output": "再见！",
            },
            {"instruction": "Human:在吗\nAssistant:", "input": "", "output": ""},
        ),
    )
    put(
        tmp_path / "train_3.5M_CN.json",
        lines(
            {
                "id": "7",
                "conversations": [
                    {"from": "human", "value": "一加一?"},
                    {"from": "assistant", "value": "二"},
                ],
            },
            {"id": "8"},
        ),
    )
    reading = read_corpus("belle", tmp_path)
    single, chat, talk = reading
    assert said(single) == [("user", "给出Human: 的意思"), ("assistant", "人")]
    assert said(chat) == [
        ("user", "你好"),
        ("assistant", "你好！"),
        ("user", "再见"),
        ("assistant", "再见！"),
    ]
    assert (talk.id, said(talk)[1]) == ("belle/train_3.5M_CN/7", ("assistant", "二"))
    assert talk.licence == "GPL-3.0"
    assert reading.refused == Counter({Reason.EMPTY_TEXT: 1, Reason.MALFORMED: 1})


def test_du_qa(tmp_path: Path, put: Write) -> None:
    question = {
        "question_id": 186358,
        "question_type": "YES_NO",
        "fact_or_opinion": "FACT",
        "question": "上海迪士尼可以带吃的进去吗",
        "documents": [{"title": "t", "paragraphs": ["p"], "is_selected": True}],
        "answers": ["完全密封的可以，其它不可以。", "可以的。"],
    }
    unanswered = {**question, "question_id": 2, "answers": []}
    put(tmp_path / "raw" / "trainset" / "search.train.json", lines(question, {"documents": []}))
    put(tmp_path / "raw" / "devset" / "zhidao.dev.json", lines({**question, "question_id": 1}))
    put(tmp_path / "raw" / "testset" / "zhidao.test.json", lines(unanswered))
    reading = read_corpus("du-qa", tmp_path)
    dev, train = reading
    assert (dev.split, train.split) == ("dev", "train")
    assert train.id == "du-qa/raw/trainset/search.train/186358"
    assert said(train)[1] == ("assistant", "完全密封的可以，其它不可以。")
    assert reading.refused == Counter({Reason.MALFORMED: 1, Reason.EMPTY_TEXT: 1})


def evidence(*answers: str) -> dict[str, object]:
    return {f"E#{n}": {"answer": [answer], "evidence": "…"} for n, answer in enumerate(answers)}


def test_webqa(tmp_path: Path, put: Write) -> None:
    questions = {
        "Q_TRN_010878": {
            "question": "勇气号火星探测器是哪个国家的?",
            "evidences": evidence("no_answer", "美国", "no_answer", "no_answer", "美国", "苏联"),
        },
        "Q_TRN_000002": {"question": "谁?", "evidences": evidence("no_answer")},
        "Q_TRN_000003": {"question": "?"},
    }
    put(tmp_path / "me_train.json", json.dumps(questions))
    put(tmp_path / "me_validation.ann.json", '{"Q_VAL_1": {"question": "何时?", "evidences": ')
    reading = read_corpus("webqa", tmp_path, licence="research only")
    (record,) = reading
    assert record.id == "webqa/Q_TRN_010878"
    assert said(record) == [("user", "勇气号火星探测器是哪个国家的?"), ("assistant", "美国")]
    assert (record.split, record.language) == ("train", "zh")
    assert reading.refused == Counter({Reason.MALFORMED: 2, Reason.EMPTY_TEXT: 1})


@pytest.mark.parametrize("name", ["coig-cqia", "belle", "du-qa", "webqa"])
def test_another_layout_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(HarkenError, match="expected "):
        list(read_corpus(name, tmp_path))
