"""The configuration of a Realtime session: what a client set, and what follows from it."""

from dataclasses import dataclass, field, replace
from typing import Any

from harken.serve.audio import Format
from harken.serve.dialects import realtime_events as wire
from harken.serve.dialects.live_events import CustomVoice, Harken
from harken.serve.dialects.own_events import own_resource
from harken.serve.settings import NO_VOICE, Settings
from harken.stream.tools import offer

_RATES = {"audio/pcm": 24_000, "audio/pcmu": 8_000, "audio/pcma": 8_000}


@dataclass(frozen=True, slots=True)
class Config:
    """default: what the server does where the client states nothing. voices: those there are.

    speaks: whether output is audio, which takes a voice. turns: how the client wants turns to be
    found, None for by hand.
    """

    default: Settings
    voices: tuple[str, ...]
    model: str
    instructions: str = ""
    speaks: bool = True
    voice: str = ""
    heard: Format = field(default_factory=Format)
    spoken: Format = field(default_factory=Format)
    turns: wire.TurnDetection | None = field(default_factory=wire.TurnDetection)
    transcription: wire.Transcription | None = None
    tools: tuple[wire.Tool, ...] = ()
    tool_choice: str = "auto"
    own: Harken = field(default_factory=Harken)

    def updated(self, session: wire.Session) -> "Config":
        """With what a `session.update` states; the rest stays."""
        given: dict[str, Any] = {}
        heard, spoken = session.audio.input, session.audio.output
        if session.instructions is not None:
            given["instructions"] = session.instructions
        if session.output_modalities is not None:
            given["speaks"] = session.output_modalities == ["audio"]
        if heard.format is not None:
            given["heard"] = _format(heard.format)
        if spoken.format is not None:
            given["spoken"] = _format(spoken.format)
        if "turn_detection" in heard.model_fields_set:
            given["turns"] = heard.turn_detection
        if "transcription" in heard.model_fields_set:
            given["transcription"] = heard.transcription
        if spoken.voice is not None:
            voice = spoken.voice
            given["voice"] = voice.id if isinstance(voice, CustomVoice) else voice
        if session.tools is not None:
            given["tools"] = tuple(session.tools)
        if session.tool_choice is not None:
            given["tool_choice"] = session.tool_choice
        if "harken" in session.model_fields_set:
            given["own"] = session.harken
        return replace(self, **given)

    @property
    def offered(self) -> dict[str, tuple[str, ...]]:
        """The names of the parameters of every tool."""
        return {tool.name: _parameters(tool) for tool in self.tools}

    @property
    def settings(self) -> Settings:
        """What the session is to do."""
        offered = self.offered if self.tool_choice == "auto" else {}
        # As the model was taught to read them.
        tools = [f"{name}({', '.join(takes)})" for name, takes in offered.items()]
        return replace(
            self.default,
            policy=self.own.policy or self.default.policy,
            instruction=self.instructions,
            tools=offer(tools) if tools else "",
            threshold=self.own.threshold,
            voice=self._voice if self.speaks else NO_VOICE,
            speaks_unasked=self.turns is not None and self.turns.create_response is not False,
        )

    @property
    def is_spoken(self) -> bool:
        """Whether replies are heard: the client wants it, and there is a voice."""
        return self.settings.voice != NO_VOICE

    @property
    def _voice(self) -> str:
        """`marin` and other names of another service mean the default voice."""
        asked = self.own.voice or self.voice
        is_known = asked.partition(":")[0] in (NO_VOICE, *self.voices)
        return asked if is_known else self.default.voice

    def resource(self) -> dict[str, Any]:
        """As the dialect shows it."""
        turns = self.turns
        detection = turns and {
            "type": turns.type,
            "create_response": turns.create_response is not False,
            "interrupt_response": True,
        }
        transcription = self.transcription and {"model": self.transcription.model or "whisper-1"}
        ours = {"harken": own_resource(self.settings, self.voices)} if self.own.events else {}
        return ours | {
            "type": "realtime",
            "object": "realtime.session",
            "model": self.model,
            "instructions": self.instructions,
            "output_modalities": ["audio" if self.is_spoken else "text"],
            "audio": {
                "input": {
                    "format": _shown(self.heard),
                    "transcription": transcription,
                    "turn_detection": detection,
                },
                "output": {"format": _shown(self.spoken), "voice": self._voice},
            },
            "tools": [tool.model_dump(exclude_none=True) for tool in self.tools],
            "tool_choice": self.tool_choice,
        }


def _parameters(tool: wire.Tool) -> tuple[str, ...]:
    properties = (tool.parameters or {}).get("properties", {})
    return tuple(map(str, properties)) if isinstance(properties, dict) else ()


def _format(given: wire.AudioFormat) -> Format:
    return Format(given.type, _RATES[given.type])


def _shown(format: Format) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": format.encoding}
    return shown | {"rate": format.rate} if format.encoding == "audio/pcm" else shown
