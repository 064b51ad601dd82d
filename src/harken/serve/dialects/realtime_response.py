"""One response of the Realtime dialect: its events from `response.created` to `response.done`."""

from dataclasses import dataclass, field
from typing import Any, Literal

from harken.stream.tools import Call

Fields = tuple[str, dict[str, Any]]
"""An event's type and fields, still without an id."""

Reason = Literal["turn_detected", "client_cancelled"]


@dataclass(slots=True)
class Responding:
    """A response while it is made. Each method gives the events that follow from it.

    is_spoken: its modality is audio with a transcript instead of text. item_id: of its one item.
    """

    id: str
    item_id: str
    previous_item_id: str | None
    is_spoken: bool
    metadata: dict[str, str] | None = None
    text: str = ""
    has_item: bool = False
    is_text_done: bool = False
    is_voice_done: bool = False
    _about: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._about = {"response_id": self.id, "item_id": self.item_id, "output_index": 0}

    def created(self) -> list[Fields]:
        return [("response.created", {"response": self.resource("in_progress")})]

    def said(self, text: str) -> list[Fields]:
        """More text."""
        events = [] if self.has_item else self._added()
        self.text += text
        kind = "response.output_audio_transcript.delta" if self.is_spoken else _TEXT + ".delta"
        return [*events, (kind, self._part() | {"delta": text})]

    def voiced(self, audio: str) -> list[Fields]:
        """More sound, base64."""
        return [("response.output_audio.delta", self._part() | {"delta": audio})]

    def called(self, call: Call, call_id: str, arguments: str) -> list[Fields]:
        """The response is a call of a tool."""
        item = {
            "id": self.item_id,
            "object": "realtime.item",
            "type": "function_call",
            "status": "in_progress",
            "call_id": call_id,
            "name": call.tool,
            "arguments": "",
        }
        done = item | {"status": "completed", "arguments": arguments}
        about = self._about | {"call_id": call_id}
        response = self.resource("completed") | {"output": [done]}
        return [
            *self._item_added(item),
            ("response.function_call_arguments.delta", about | {"delta": arguments}),
            (
                "response.function_call_arguments.done",
                about | {"arguments": arguments, "name": call.tool},
            ),
            *self._item_done(done),
            ("response.done", {"response": response}),
        ]

    def finished(self, reason: Reason | None = None) -> list[Fields]:
        """All is said, or what is left is not. reason: why it was cancelled, if it was."""
        events = [] if self.has_item else self._added()
        part = self._part()
        if self.is_spoken:
            done = "response.output_audio_transcript.done"
            events.append((done, part | {"transcript": self.text}))
            events.append(("response.output_audio.done", part))
        else:
            events.append((_TEXT + ".done", part | {"text": self.text}))
        status = "cancelled" if reason else "completed"
        item = self.item("incomplete" if reason else "completed")
        response = self.resource(status) | {"output": [item]}
        if reason:
            response["status_details"] = {"type": "cancelled", "reason": reason}
        events.append(("response.content_part.done", part | {"part": self._content_part()}))
        return [*events, *self._item_done(item), ("response.done", {"response": response})]

    def item(self, status: str) -> dict[str, Any]:
        """The message as it stands in the conversation."""
        content = (
            {"type": "output_audio", "transcript": self.text}
            if self.is_spoken
            else {"type": "output_text", "text": self.text}
        )
        return {
            "id": self.item_id,
            "object": "realtime.item",
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": [content] if self.text or status != "in_progress" else [],
        }

    def resource(self, status: str) -> dict[str, Any]:
        """The response itself, without its output."""
        modality = "audio" if self.is_spoken else "text"
        resource: dict[str, Any] = {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "output": [],
            "output_modalities": [modality],
        }
        return resource | {"metadata": self.metadata} if self.metadata else resource

    def _added(self) -> list[Fields]:
        item = self.item("in_progress")
        part = {"part": {"type": "audio", "transcript": ""}} if self.is_spoken else _EMPTY_TEXT
        return [*self._item_added(item), ("response.content_part.added", self._part() | part)]

    def _item_added(self, item: dict[str, Any]) -> list[Fields]:
        self.has_item = True
        about = {"response_id": self.id, "output_index": 0, "item": item}
        added = {"previous_item_id": self.previous_item_id, "item": item}
        return [("response.output_item.added", about), ("conversation.item.added", added)]

    def _item_done(self, item: dict[str, Any]) -> list[Fields]:
        about = {"response_id": self.id, "output_index": 0, "item": item}
        done = {"previous_item_id": self.previous_item_id, "item": item}
        return [("response.output_item.done", about), ("conversation.item.done", done)]

    def _content_part(self) -> dict[str, str]:
        if self.is_spoken:
            return {"type": "audio", "transcript": self.text}
        return {"type": "text", "text": self.text}

    def _part(self) -> dict[str, Any]:
        return self._about | {"content_index": 0}


_TEXT = "response.output_text"
_EMPTY_TEXT = {"part": {"type": "text", "text": ""}}
