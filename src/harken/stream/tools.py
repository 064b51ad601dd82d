"""How tools stand in a stream: offered in the text of the prefix, called in the text of a reply.

Tools: set_timer(minutes), turn_on(device). Answer a wish that one of them fulfils …
{"tool": "set_timer", "arguments": {"minutes": 10}}
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CALLING = "Answer a wish that one of them fulfils with its call as JSON."


@dataclass(frozen=True, slots=True)
class Call:
    """A tool called by its name."""

    tool: str
    arguments: Mapping[str, Any]

    def text(self) -> str:
        """As a reply holds it, one line."""
        call = {"tool": self.tool, "arguments": self.arguments}
        return json.dumps(call, ensure_ascii=False)


def offer(signatures: Iterable[str]) -> str:
    """The sentences of a prefix that offer tools, each as `name(parameter, parameter)`."""
    return f"Tools: {', '.join(signatures)}. {CALLING}"


def call_of(text: str, offered: Mapping[str, Collection[str]]) -> Call | None:
    """The call that a reply is, or None when it is something to say.

    offered: names of parameters by tool. Arguments alone are a call where one tool takes just
    these: small decoders leave its name out.
    """
    if not begins_call(text):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    if found and set(found) != {"tool", "arguments"}:
        takers = [tool for tool, takes in offered.items() if set(found) == set(takes)]
        return Call(takers[0], found) if len(takers) == 1 else None
    tool, arguments = found.get("tool"), found.get("arguments")
    if not isinstance(tool, str) or tool not in offered or not isinstance(arguments, dict):
        return None
    return Call(tool, arguments)


def begins_call(text: str) -> bool:
    """Whether a reply that begins so may be a call, which is not to be shown or spoken."""
    return text.lstrip().startswith("{")
