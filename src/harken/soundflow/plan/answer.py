"""JSON into frozen dataclasses, strictly: what came from a file or from a language model.

pydantic checks the types; a field too many is as wrong as one too few, a string is no number.
"""

import json
import re
from typing import Any, TypeVar

from harken.errors import HarkenError

T = TypeVar("T")


class WrongShape(HarkenError):
    """The JSON is not of the form asked for; the message names the fields, not the source."""


def read_json(kind: type[T], text: str | bytes, source: str = "") -> T:
    """Read one value of a dataclass from JSON.

    Args:
        kind: a dataclass; its fields say what must be there.
        source: what is named as the place of the mistake, such as a file.

    Raises:
        WrongShape: it is no JSON, or a field is missing, unknown or of another type. Up to three
            are named as `scenes[3].sounds[2].gap_s`.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_json(text, strict=True, extra="forbid")
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False)
        told = "; ".join(f"{_place(m['loc'])}: {m['msg']}" for m in mistakes[:3])
        more = f"; and {len(mistakes) - 3} more" if len(mistakes) > 3 else ""
        prefix = f"{source}: " if source else ""
        raise WrongShape(f"{prefix}{told}{more}") from error


def schema_of(kind: type[Any]) -> str:
    """The JSON schema of a dataclass, as text for a prompt."""
    from pydantic import TypeAdapter

    return json.dumps(TypeAdapter(kind).json_schema(), indent=1)


def json_in(answer: str) -> str:
    """The JSON object in a model's answer: bare, in a code fence, or between other words.

    What stands before `</think>` is a reasoning model's own business.

    Raises:
        WrongShape: there is none.
    """
    text = answer.rpartition("</think>")[2]
    # An object begins a line, unlike a brace in the words before it.
    start = re.search(r"^[ \t]*\{", text, re.MULTILINE) or re.search(r"\{", text)
    if start is None:
        raise WrongShape(f"no JSON object in the answer {answer[:80]!r}")
    try:
        begin = start.end() - 1
        return text[begin : json.JSONDecoder().raw_decode(text, begin)[1]]
    except (json.JSONDecodeError, RecursionError) as error:
        raise WrongShape(f"broken JSON in the answer ({error})") from error


def _place(location: tuple[int | str, ...]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return path.removeprefix(".") or "the whole"
