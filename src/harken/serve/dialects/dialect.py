"""What the two dialects have in common: values in, values out, no socket and no clock."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from harken.serve.audio import Format
from harken.serve.commands import Command
from harken.serve.outcomes import Outcome

Event: TypeAlias = dict[str, Any]
"""One event of the wire, ready for JSON."""


class ProtocolError(Exception):
    """A client's event that is not understood or not supported; the session goes on.

    code: for programs. param: the field that is wrong, or empty.
    """

    def __init__(self, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


@dataclass(frozen=True, slots=True)
class Received:
    """What an event of the client leads to: commands to follow, events to send at once."""

    commands: tuple[Command, ...] = ()
    events: tuple[Event, ...] = ()


class Dialect(Protocol):
    """One protocol on one session. It remembers what it has to name again; it does no work."""

    @property
    def session_id(self) -> str: ...

    @property
    def format(self) -> Format:
        """How the voice goes out."""
        ...

    def opened(self) -> Received:
        """A client has connected."""
        ...

    def resumed(self) -> Received:
        """The client has come back to its session."""
        ...

    def receive(self, event: Event) -> Received:
        """An event of the client. Raises ProtocolError and HarkenError."""
        ...

    def tell(self, outcome: Outcome) -> list[Event]:
        """What the session tells, as events."""
        ...

    def error(self, code: str, message: str, param: str = "", cause: str = "") -> Event:
        """An error event. cause: the `event_id` of the client's event."""
        ...


class ClientEvent(BaseModel):
    """The base of the events a client sends: what is not named is ignored, types are strict."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


def parsed(message: str | bytes | None) -> Event:
    """A frame as an event with its `type`, still to be validated. Raises ProtocolError."""
    if not isinstance(message, str):
        raise ProtocolError("invalid_frame", "events are JSON in text frames, not binary ones")
    try:
        event = json.loads(message)
    except (ValueError, RecursionError) as broken:
        raise ProtocolError("invalid_json", f"the event is not JSON ({broken})") from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise ProtocolError("invalid_event", "an event is an object with a string `type`", "type")
    return event


def validated(event: Event, known: TypeAdapter[Any], unsupported: Mapping[str, str]) -> Any:
    """An event as one of the `known` ones. unsupported: why others of the protocol are refused.

    Raises ProtocolError, which names the field that is wrong.
    """
    kind = event["type"]
    if kind in unsupported:
        raise ProtocolError("unsupported", unsupported[kind], "type")
    try:
        return known.validate_python(event)
    except ValidationError as error:
        if error.errors()[0]["type"] == "union_tag_invalid":
            raise ProtocolError("unknown_event", f"no event {kind[:60]!r}", "type") from None
        raise _first_mistake(error, event) from None


def _first_mistake(error: ValidationError, event: Event) -> ProtocolError:
    first = error.errors(include_url=False, include_context=False)[0]
    param = ".".join(_fields(first["loc"], event))
    shown = json.dumps(first["input"], default=str)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    code = "missing_required_parameter" if first["type"] == "missing" else "invalid_value"
    return ProtocolError(code, f"{param}: {first['msg']}, got {shown}", param)


def _fields(path: Sequence[int | str], event: Any) -> Iterator[str]:
    """The names of fields in a path, among which pydantic puts those of union members."""
    value = event
    for n, part in enumerate(path, 1):
        is_field = isinstance(value, dict) and (part in value or n == len(path))
        is_index = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if is_field or is_index:
            yield str(part)
            value = value[part] if is_index else value.get(part)
