"""Written instructions and questions in Chinese: COIG-CQIA, Belle, DU-QA (DuReader) and WebQA."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harken.errors import HarkenError
from harken.soundflow.readers.dialogues import read_conversations, role_turns, said_and_answered
from harken.soundflow.readers.record import Corpus, Reason, Recorded, Refused, Turn
from harken.soundflow.readers.tables import json_members

COIG_CQIA = Corpus(
    name="coig-cqia",
    licence="",
    attribution="COIG-CQIA (Y. Bai et al., M-A-P)",
    homepage="https://huggingface.co/datasets/m-a-p/COIG-CQIA",
    layout="SOURCE/*.jsonl",
)
BELLE = Corpus(
    name="belle",
    licence="GPL-3.0",
    attribution="BELLE (Y. Ji et al., BelleGroup)",
    homepage="https://github.com/LianjiaTech/BELLE",
    layout="Belle_open_source_*.json, train_*_CN.json or multiturn_chat_0.8M.json",
)
DUQA = Corpus(
    name="du-qa",
    licence="Apache-2.0",
    attribution="DuReader (W. He et al., Baidu)",
    homepage="https://github.com/baidu/DuReader",
    layout="trainset/search.train.json, zhidao.train.json and the same of devset and testset",
)
WEBQA = Corpus(
    name="webqa",
    licence="",
    attribution="WebQA (P. Li et al., Baidu)",
    homepage="https://arxiv.org/abs/1607.06275",
    layout="me_train.json, me_validation.ann.json, me_test.ann.json",
)
Fields = Mapping[str, Any]
_BELLE_TURN = re.compile(
    r"^\s*(Human|Assistant)\s*[:：](.*?)(?=^\s*(?:Human|Assistant)\s*[:：]|\Z)",
    re.DOTALL | re.MULTILINE,
)
_COIG_WHOLE = "COIG-CQIA-full.jsonl"
_UNANSWERED = {"no_answer", "NO_ANSWER", ""}


def read_coig_cqia(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """COIG-CQIA: one record a line; `input`, where there is one, follows the instruction.

    The corpus states no licence as a whole (each line names the copyright of its source), so the
    caller has to. `COIG-CQIA-full.jsonl` repeats the other files: it is read only when it lies
    alone.
    """
    parts = {path.name for path in folder.rglob("*.json*")} - {_COIG_WHOLE}
    leave_out = {_COIG_WHOLE} if parts else set()
    yield from read_conversations(folder, COIG_CQIA, _instruction_turns, licence, leave_out)


def read_belle(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """Belle: one record a line, whatever of its three shapes it has.

    `instruction` (and `input`) with `output`; `conversations`; and the multi-turn chat, whose
    instruction holds `Human:` and `Assistant:` turns and whose output is the last answer.
    """
    yield from read_conversations(folder, BELLE, _belle_turns, licence)


def read_duqa(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """DU-QA: one record a question of DuReader 2.0 with its first answer, raw or preprocessed.

    Questions without an answer (all of the test set) have an empty text and are refused.
    """
    yield from read_conversations(folder, DUQA, _duqa_turns, licence)


def read_webqa(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """WebQA: one record a question with the answer that most of its pieces of evidence give.

    Pieces without an answer (`no_answer`) do not count. The corpus states no licence: the caller
    has to.

    Raises:
        HarkenError: there is no `me_*.json`.
    """
    files = sorted(folder.rglob("me_*.json"))
    if not files:
        raise HarkenError(f"{folder} holds no WebQA: expected {WEBQA.layout}")
    for path in files:
        split = path.name.split(".")[0].removeprefix("me_")
        for row in json_members(path):
            if isinstance(row, Refused):
                yield row
                continue
            try:
                turns = _webqa_turns(row.fields["value"])
            except (KeyError, TypeError, AttributeError) as error:
                yield Refused(Reason.MALFORMED, row.place, f"{type(error).__name__}: {error}")
                continue
            yield Recorded(
                id=f"{WEBQA.name}/{row.fields['key']}",
                kind="text",
                corpus=WEBQA.name,
                licence=licence or WEBQA.licence,
                attribution=WEBQA.attribution,
                language="zh",
                split="dev" if split == "validation" else split,
                turns=turns,
            )


def _instruction_turns(fields: Fields) -> tuple[Turn, ...]:
    instruction, more = fields["instruction"], fields.get("input") or ""
    return said_and_answered(f"{instruction}\n{more}" if more else instruction, fields["output"])


def _belle_turns(fields: Fields) -> tuple[Turn, ...]:
    if "conversations" in fields:
        return role_turns(fields["conversations"], "from", "value")
    told = _BELLE_TURN.findall(fields["instruction"])
    if not told or not fields["instruction"].lstrip().startswith("Human"):
        return _instruction_turns(fields)
    turns = [Turn("user" if role == "Human" else "assistant", text.strip()) for role, text in told]
    if turns[-1] == Turn("assistant", ""):  # the place of the answer, which `output` holds
        turns.pop()
    return (*turns, Turn("assistant", fields["output"].strip()))


def _duqa_turns(fields: Fields) -> tuple[Turn, ...]:
    answers = fields.get("answers") or [""]
    return said_and_answered(fields["question"], answers[0])


def _webqa_turns(value: Any) -> tuple[Turn, ...]:
    counts: Counter[str] = Counter()
    for evidence in value["evidences"].values():
        given = evidence["answer"]
        counts.update({given} if isinstance(given, str) else set(given))
    for empty in _UNANSWERED:
        counts.pop(empty, None)
    best = min(counts, key=lambda answer: (-counts[answer], answer), default="")
    return said_and_answered(value["question"], best)
