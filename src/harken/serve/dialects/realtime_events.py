"""Events of the Realtime dialect that a client may send.

Shapes and names as in the types of the official `openai` package, 3.54 (`openai.types.realtime`).
"""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from harken.serve.dialects.dialect import ClientEvent
from harken.serve.dialects.live_events import CustomVoice, Harken, Sent


class AudioFormat(ClientEvent):
    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"] = "audio/pcm"
    rate: Literal[24000] | None = None


class TurnDetection(ClientEvent):
    """Who decides that it is time to reply is the listener, not a pause. create_response: False
    replies to `response.create` only."""

    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    create_response: bool | None = None


class Transcription(ClientEvent):
    model: str | None = None
    language: str | None = None


class Input(ClientEvent):
    format: AudioFormat | None = None
    transcription: Transcription | None = None
    turn_detection: TurnDetection | None = None


class Output(ClientEvent):
    format: AudioFormat | None = None
    voice: str | CustomVoice | None = None


class Audio(ClientEvent):
    input: Input = Input()
    output: Output = Output()


class Tool(ClientEvent):
    type: Literal["function"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: str | None = None
    parameters: dict[str, Any] | None = None


Modalities = Annotated[list[Literal["text", "audio"]], Field(min_length=1, max_length=1)]


class Session(ClientEvent):
    type: Literal["realtime"]
    model: str | None = None
    instructions: str | None = None
    output_modalities: Modalities | None = None
    audio: Audio = Audio()
    tools: list[Tool] | None = None
    tool_choice: Literal["auto", "none"] | None = None
    harken: Harken = Harken()


class Update(Sent):
    type: Literal["session.update"]
    session: Session


class Append(Sent):
    type: Literal["input_audio_buffer.append"]
    audio: str


class Commit(Sent):
    type: Literal["input_audio_buffer.commit"]


class Clear(Sent):
    type: Literal["input_audio_buffer.clear"]


class Content(ClientEvent):
    type: Literal["input_text", "input_audio"]
    text: str | None = None
    audio: str | None = None


class Message(ClientEvent):
    type: Literal["message"]
    role: Literal["user", "system"]
    content: Annotated[list[Content], Field(min_length=1)]
    id: str | None = None


class ToolResult(ClientEvent):
    type: Literal["function_call_output"]
    call_id: str
    output: str
    id: str | None = None


class CreateItem(Sent):
    type: Literal["conversation.item.create"]
    item: Annotated[Message | ToolResult, Field(discriminator="type")]


class RetrieveItem(Sent):
    type: Literal["conversation.item.retrieve"]
    item_id: str


class TruncateItem(Sent):
    type: Literal["conversation.item.truncate"]
    item_id: str
    content_index: Literal[0]
    audio_end_ms: Annotated[int, Field(ge=0)]


class ResponseWish(ClientEvent):
    """conversation, input, instructions: what cannot be done is refused by these types."""

    conversation: Literal["auto"] | None = None
    input: None = None
    instructions: None = None
    output_modalities: Modalities | None = None
    metadata: dict[str, str] | None = None


class CreateResponse(Sent):
    type: Literal["response.create"]
    response: ResponseWish = ResponseWish()


class CancelResponse(Sent):
    type: Literal["response.cancel"]
    response_id: str | None = None


AnyEvent = (
    Update
    | Append
    | Commit
    | Clear
    | CreateItem
    | RetrieveItem
    | TruncateItem
    | CreateResponse
    | CancelResponse
)
CLIENT_EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Field(discriminator="type")])

UNSUPPORTED = {
    "conversation.item.delete": "what was heard stays in the stream; start another session",
    "output_audio_buffer.clear": "that is for WebRTC; send response.cancel",
}
