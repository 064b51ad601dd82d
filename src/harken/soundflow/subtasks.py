"""The 28 sub-tasks under the seven capabilities, and which of them a composed row belongs to.

`docs/tasks.md` tells what is asked in each and what is due, with an example.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harken.soundflow.events import EVENTS
from harken.soundflow.texts import is_chinese

Row = Mapping[str, Any]
"""One line of `streams.jsonl` (`harken.soundflow.build`)."""


@dataclass(frozen=True, slots=True)
class Subtask:
    """One thing to be learnt.

    Attributes:
        capability: one of `CAPABILITIES`.
        composers: names of the composers whose streams hold it.
    """

    name: str
    capability: str
    composers: tuple[str, ...]


_COMPOSED: dict[str, dict[str, tuple[str, ...]]] = {
    "audio understanding": {
        "name_sounds": ("events", "planned"),
        "name_imagined_sounds": ("events",),
        "what_was_that": ("what_was_that",),
        "describe_music": ("describe_music",),
    },
    "real-time ASR": {
        "caption_speech": ("transcribe",),
        "caption_chinese": ("transcribe",),
        "caption_until_told": ("transcribe",),
    },
    "streaming translation": {
        "interpret_into_chinese": ("translate",),
        "interpret_into_english": ("translate",),
        "switch_direction": ("switch_direction",),
    },
    "voice chatting": {
        "answer_question": ("chat",),
        "follow_up": ("follow_up",),
        "recall_fact": ("remember",),
        "stop_speaking": ("interrupted",),
        "keep_speaking": ("interrupted",),
    },
    "proactive response": {
        "warn_of_danger": ("events", "count", "tell_when", "planned"),
        "offer_help": ("events", "count", "tell_when", "planned"),
        "danger_only": ("events", "planned"),
        "stay_silent": ("background", "events", "count", "tell_when", "chat", "planned"),
        "say_once": ("say_once",),
    },
    "environment-aware agent": {
        "ignore_talk": ("others_talking", "chat", "planned"),
        "answer_amid_sounds": ("chat", "planned"),
        "use_what_was_heard": ("use_what_was_heard",),
        "call_tool": ("call_tool",),
    },
    "streaming instruction following": {
        "count_sounds": ("count", "events"),
        "await_sound": ("tell_when", "events"),
        "narrate_on_order": ("narrate_order",),
        "change_order": ("change_order",),
    },
}

CAPABILITIES = tuple(_COMPOSED)
SUBTASKS = tuple(
    Subtask(name, capability, composers)
    for capability, named in _COMPOSED.items()
    for name, composers in named.items()
)


def subtask_of(row: Row) -> str | None:
    """The name of the sub-task that a row of `streams.jsonl` is about; None where it is of none.

    A row that holds several counts for the one it was made for: a question asked among sounds is
    `answer_amid_sounds`, whatever the sounds call for, and a danger goes before a concern.
    """
    tell = _BY_TASK.get(row["task"])
    return tell(row) if tell else None


def _narrated(row: Row) -> str:
    if "question" in _causes(row):
        return "answer_amid_sounds"
    return "name_imagined_sounds" if row.get("resound") else "name_sounds"


def _unasked(row: Row) -> str:
    """Streams under care and bench: nobody has given an order."""
    causes = _causes(row)
    kinds = [EVENTS[cause] for cause in causes & EVENTS.keys()]
    if "question" in causes:
        return "answer_amid_sounds"
    if any(kind.quiet for kind in kinds):
        return "warn_of_danger"
    return "offer_help" if kinds else _silent(row)


def _quiet(row: Row) -> str:
    return "answer_amid_sounds" if "question" in _causes(row) else "danger_only"


def _silent(row: Row) -> str:
    return "ignore_talk" if row["words"] and not row["sounds"] else "stay_silent"


def _chatted(row: Row) -> str:
    if not row["said"]:
        return _silent(row)
    return "answer_amid_sounds" if row["sounds"] else "answer_question"


def _captioned(row: Row) -> str | None:
    written = "".join(text for _, text, _, cause in row["said"] if cause == "transcript")
    if not written:
        return None
    if "stop" in _causes(row):
        return "caption_until_told"
    return "caption_chinese" if is_chinese(written) else "caption_speech"


def _interpreted(row: Row) -> str | None:
    told = "".join(text for _, text, _, cause in row["said"] if cause == "translation")
    if not told:
        return None
    return "interpret_into_chinese" if is_chinese(told) else "interpret_into_english"


def _interrupted(row: Row) -> str:
    return "stop_speaking" if row["stops"] else "keep_speaking"


def _causes(row: Row) -> set[str]:
    return {cause for *_, cause in row["said"]}


_BY_TASK: dict[str, Callable[[Row], str | None]] = {
    "narrate": _narrated,
    "care": _unasked,
    "bench": _unasked,
    "quiet": _quiet,
    "background": lambda _: "stay_silent",
    "others_talking": lambda _: "ignore_talk",
    "what_was_that": lambda _: "what_was_that",
    "remember": lambda _: "recall_fact",
    "count": lambda _: "count_sounds",
    "tell_when": lambda _: "await_sound",
    "narrate_order": lambda _: "narrate_on_order",
    "chat": _chatted,
    "transcribe": _captioned,
    "translate": _interpreted,
    "interrupted": _interrupted,
    "call_tool": lambda _: "call_tool",
    "change_order": lambda _: "change_order",
    "describe_music": lambda _: "describe_music",
    "follow_up": lambda _: "follow_up",
    "say_once": lambda _: "say_once",
    "switch_direction": lambda _: "switch_direction",
    "use_what_was_heard": lambda _: "use_what_was_heard",
}
TASKS = tuple(_BY_TASK)
"""Of all rows that were composed."""
