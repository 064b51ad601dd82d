"""Events of the Live dialect that a client may send, and our own under `harken.`.

Shapes and names as in the types of the official `openai` package, 3.54 (`openai.types.live`).
"""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from harken.serve.dialects.dialect import ClientEvent

MODEL = "harken"


class Pcm(ClientEvent):
    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[16000, 24000] = 24000


class Law(ClientEvent):
    type: Literal["audio/pcmu", "audio/pcma"]
    rate: Literal[8000] = 8000


class CustomVoice(ClientEvent):
    id: str


class Output(ClientEvent):
    voice: str | CustomVoice | None = None


class Audio(ClientEvent):
    format: Annotated[Pcm | Law, Field(discriminator="type")] | None = None
    output: Output | None = None


class Harken(ClientEvent):
    """Our own options. events: send `harken.*` events too."""

    events: bool = False
    policy: str | None = None
    voice: str | None = None
    threshold: float | None = None


class Delegation(ClientEvent):
    type: Literal["client"]


class Session(ClientEvent):
    model: str = MODEL
    audio: Audio | None = None
    instructions: str | None = None
    delegation: Delegation | None = None
    triggers: Annotated[list[Any], Field(max_length=0)] | None = None
    input: Annotated[list[Any], Field(max_length=0)] | None = None
    store: Literal[False] | None = None
    safety_identifier: str | None = None
    harken: Harken = Harken()


class SessionUpdate(ClientEvent):
    delegation: Delegation | None = None
    triggers: Annotated[list[Any], Field(max_length=0)] | None = None


class Sent(ClientEvent):
    event_id: str | None = None


class Start(Sent):
    type: Literal["session.start"]
    session: Session


class Update(Sent):
    type: Literal["session.update"]
    session: SessionUpdate


class Append(Sent):
    type: Literal["session.input_audio.append"]
    audio: str


class Mute(Sent):
    type: Literal["session.input_audio.mute", "session.input_audio.unmute"]


class AppendText(Sent):
    type: Literal[
        "session.instructions.append", "session.thinking.append", "session.commentary.append"
    ]
    content: Annotated[str, Field(min_length=1, max_length=4000)]
    delegation_id: None = None


class Close(Sent):
    type: Literal["session.close"]


class SetPolicy(Sent):
    type: Literal["harken.policy.set"]
    policy: str


class SetThreshold(Sent):
    type: Literal["harken.threshold.set"]
    threshold: float | None


class SetVoice(Sent):
    type: Literal["harken.voice.set"]
    voice: str


class AddOrder(Sent):
    type: Literal["harken.order.add"]
    text: Annotated[str, Field(min_length=1, max_length=500)]


class RemoveOrder(Sent):
    type: Literal["harken.order.remove"]
    id: str


class PlaybackPlayed(Sent):
    type: Literal["harken.playback.played"]
    response_id: str
    played_ms: Annotated[int, Field(ge=0)]


class CancelResponse(Sent):
    type: Literal["harken.response.cancel"]


AnyEvent = (
    Start
    | Update
    | Append
    | Mute
    | AppendText
    | Close
    | SetPolicy
    | SetThreshold
    | SetVoice
    | AddOrder
    | RemoveOrder
    | PlaybackPlayed
    | CancelResponse
)
CLIENT_EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Field(discriminator="type")])

UNSUPPORTED = {
    "response.create": "this server delegates no tasks; use /v1/realtime for tools and responses",
    "response.item.create": "this server delegates no tasks; use /v1/realtime for tool results",
    "decision.create": "this server delegates no decisions",
    "session.output_audio.fixture.play": "this server plays no fixtures",
}
