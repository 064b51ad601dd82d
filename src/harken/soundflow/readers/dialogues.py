"""Written conversations: MOSS, UltraChat, Magpie-Pro and GammaCorpus.

All four yield records of kind `text` with turns; a line or a row that is no conversation is refused
as malformed, a conversation with an empty turn as one with an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harken.errors import HarkenError
from harken.soundflow.readers.record import Audio, Corpus, Reason, Recorded, Refused, Role, Turn
from harken.soundflow.readers.tables import object_rows

MOSS = Corpus(
    name="moss",
    licence="CC-BY-NC-4.0",
    attribution="MOSS (OpenMOSS)",
    homepage="https://github.com/OpenMOSS/MOSS",
    layout="*.jsonl of moss-002 or moss-003-sft-data; recordings in wav/CONVERSATION_TURN.wav",
)
ULTRACHAT = Corpus(
    name="ultrachat",
    licence="MIT",
    attribution="UltraChat (N. Ding et al.)",
    homepage="https://github.com/thunlp/UltraChat",
    layout="train_*.jsonl, or the Parquet files of UltraChat 200k",
)
MAGPIE_PRO = Corpus(
    name="magpie-pro",
    licence="Llama-3 Community Licence and CC-BY-NC-4.0",
    attribution="Magpie-Pro (Z. Xu et al.); built with Meta Llama 3",
    homepage="https://magpie-align.github.io",
    layout="data/train-*.parquet or *.jsonl",
)
GAMMACORPUS = Corpus(
    name="gammacorpus",
    licence="Apache-2.0",
    attribution="GammaCorpus (R. Roy)",
    homepage="https://huggingface.co/collections/rubenroy",
    layout="gammacorpus-*.jsonl",
)
Fields = Mapping[str, Any]
_HAN = re.compile(r"[\u4e00-\u9fff]")
_MOSS_MARK = re.compile(r"<\|(?:Human|MOSS)\|>:|<eo[hma]>|<sup><\|\d+\|></sup>")
_MOSS_TURN = re.compile(r"\[(Human|MOSS)\]:(.*?)(?:<eo[ham]>|(?=\[(?:Human|MOSS)\]:)|$)", re.DOTALL)
ROLES: dict[str, Role] = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "moss": "assistant",
    "system": "system",
}


def read_moss(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """MOSS: one record a conversation; thoughts, commands and results of tools are left out.

    Reads `chat` of moss-003-sft-data and `plain_text` of moss-002-sft-data. Where the folder `wav`
    lies beside the lines, `wav/CONVERSATION_TURN.wav` (turns count from 1) is what the user says in
    that turn: MOSS itself has no audio, these are renderings.
    """
    for entry in read_conversations(folder, MOSS, _moss_turns, licence):
        yield entry if isinstance(entry, Refused) else _with_recordings(entry, folder)


def read_ultrachat(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """UltraChat: one record a conversation; user and assistant alternate in `data`."""
    yield from read_conversations(folder, ULTRACHAT, _ultrachat_turns, licence)


def read_magpie_pro(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """Magpie-Pro: one record a row, from `conversations` or `instruction` and `response`."""
    yield from read_conversations(folder, MAGPIE_PRO, _magpie_turns, licence)


def read_gammacorpus(folder: Path, licence: str | None = None) -> Iterator[Recorded | Refused]:
    """GammaCorpus: one record a line, Fact-QA (`question`, `answer`) or `conversation`."""
    yield from read_conversations(folder, GAMMACORPUS, _gamma_turns, licence)


def read_conversations(
    folder: Path,
    corpus: Corpus,
    turns_of: Callable[[Fields], tuple[Turn, ...]],
    licence: str | None,
    leave_out: Collection[str] = (),
) -> Iterator[Recorded | Refused]:
    """One `text` record a row of the JSON, JSON Lines and Parquet files under `folder`.

    The id is the row's own where it has one, else its number in the file. The split is read from
    the name of the file; the language is Chinese where the user writes a Chinese character.

    Args:
        turns_of: the turns in a row; raises KeyError, TypeError or ValueError when there are none.
        leave_out: names of files that are not read.

    Raises:
        HarkenError: there is no such file.
    """
    number_of: dict[Path, int] = {}
    for path, row in object_rows(folder, leave_out):
        number = number_of[path] = number_of.get(path, -1) + 1
        if isinstance(row, Refused):
            yield row
            continue
        try:
            turns = turns_of(row.fields)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            detail = f"{type(error).__name__}: {error}"
            yield Refused(Reason.MALFORMED, row.place, detail)
            continue
        file = path.relative_to(folder).as_posix().removesuffix(".gz").rsplit(".", 1)[0]
        own = next((row.fields[n] for n in _ID_FIELDS if row.fields.get(n) is not None), number)
        yield Recorded(
            id=f"{corpus.name}/{file}/{own}",
            kind="text",
            corpus=corpus.name,
            licence=licence or corpus.licence,
            attribution=corpus.attribution,
            labels=_categories(row.fields),
            language=language_of(turns),
            split=_split_in(path.name),
            turns=turns,
        )
    if not number_of:
        raise HarkenError(f"{folder} holds no {corpus.name}: expected {corpus.layout}")


_ID_FIELDS = ("conversation_id", "prompt_id", "uuid", "question_id", "id")


def language_of(turns: tuple[Turn, ...]) -> str:
    """`zh` when the user writes a Chinese character, else `en`; these corpora are in the two."""
    said = next((turn.text for turn in turns if turn.role == "user"), "")
    return "zh" if _HAN.search(said) else "en"


def said_and_answered(said: Any, answered: Any) -> tuple[Turn, ...]:
    """A conversation of two turns.

    Raises:
        TypeError: one of them is no text.
    """
    return (Turn("user", _text(said)), Turn("assistant", _text(answered)))


def role_turns(items: Any, role_key: str, text_key: str) -> tuple[Turn, ...]:
    """Turns out of objects with a role and a text; the names of roles as in `ROLES`."""
    return tuple(Turn(ROLES[str(item[role_key]).lower()], _text(item[text_key])) for item in items)


def _moss_turns(fields: Fields) -> tuple[Turn, ...]:
    if "plain_text" in fields:
        found = _MOSS_TURN.findall(fields["plain_text"])
        return tuple(Turn(ROLES[role.lower()], text.strip()) for role, text in found)
    chat = fields["chat"]
    turns: list[Turn] = []
    for name in sorted(chat, key=lambda name: int(name.removeprefix("turn_"))):
        for role, key in (("user", "Human"), ("assistant", "MOSS")):
            turns.append(Turn(ROLES[role], _MOSS_MARK.sub("", _text(chat[name][key])).strip()))
    return tuple(turns)


def _with_recordings(record: Recorded, folder: Path) -> Recorded:
    wav = folder / "wav"
    if not wav.is_dir():
        return record
    conversation = record.id.rsplit("/", 1)[1]
    turns, number = [], 0
    for turn in record.turns:
        if turn.role == "user":
            number += 1
            turn = replace(turn, audio=Audio(wav / f"{conversation}_{number}.wav"))
        turns.append(turn)
    return replace(record, turns=tuple(turns))


def _ultrachat_turns(fields: Fields) -> tuple[Turn, ...]:
    if "messages" in fields:
        return role_turns(fields["messages"], "role", "content")
    if isinstance(fields["data"], str):
        raise TypeError("data is no list")
    roles: tuple[Role, Role] = ("user", "assistant")
    return tuple(Turn(roles[i % 2], _text(text)) for i, text in enumerate(fields["data"]))


def _magpie_turns(fields: Fields) -> tuple[Turn, ...]:
    if fields.get("conversations"):
        return role_turns(fields["conversations"], "from", "value")
    return said_and_answered(fields["instruction"], fields["response"])


def _gamma_turns(fields: Fields) -> tuple[Turn, ...]:
    if "conversation" not in fields:
        return said_and_answered(fields["question"], fields["answer"])
    exchanges = fields["conversation"]
    return tuple(
        turn
        for exchange in exchanges
        for turn in said_and_answered(exchange["User"], exchange["Assistant"])
    )


def _categories(fields: Fields) -> tuple[str, ...]:
    for name in ("category", "task_category", "domain"):
        value = fields.get(name)
        if isinstance(value, str) and value:
            return (value,)
        if isinstance(value, list):
            return tuple(str(one) for one in value if one)
    return ()


def _split_in(name: str) -> str:
    words = re.split(r"[^a-z]+", name.lower())
    for split, known in (("test", {"test"}), ("dev", {"dev", "val", "valid", "validation"})):
        if known.intersection(words):
            return split
    return "train"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value.strip()
