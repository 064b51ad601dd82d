"""The Live dialect: no turns, audio in all the time, transcripts and voice out as they come.

Events as in `openai.types.live`, 3.54. Our own events, under `harken.`, are sent to clients that
ask for them in `session.harken`.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harken.live.trace import CompactionTrace, FlushTrace, TextPiece
from harken.perceive.percept import HeardWord
from harken.serve import commands, outcomes
from harken.serve.audio import Format
from harken.serve.commands import Adopt, Cancel, Finish, Hear, Played, Read
from harken.serve.dialects import live_events as wire
from harken.serve.dialects.dialect import Event, ProtocolError, Received, validated
from harken.serve.dialects.own_events import chunk_of, own_event, own_resource, response_id
from harken.serve.outcomes import Outcome
from harken.serve.settings import NO_VOICE, Order, Settings
from harken.stream import SAMPLE_RATE

_USAGE_EVERY_CHUNKS = 25
_LONGEST_WORD_MS = 800


@dataclass(frozen=True, slots=True)
class Ack:
    """What to send when settings are adopted: its type, and the client's `event_id`."""

    type: str
    cause: str


class LiveDialect:
    """One Live session, from `session.start` to `session.closed`."""

    def __init__(
        self, session_id: str, expires_at: int, default: Settings, voices: tuple[str, ...]
    ) -> None:
        """expires_at: in Unix seconds, told to the client. default: where it states nothing.
        voices: the names of those there are."""
        self.session_id, self._expires_at = session_id, expires_at
        self._voices = voices
        self.format = Format()
        self._settings = self._in_force = default
        self._wish: wire.Session | None = None
        self._start_cause = self._close_cause = ""
        self._is_muted = self._has_opened = False
        self._pending: deque[Ack] = deque()
        self._n_events = self._n_orders = self._n_heard = 0
        self._time_ms = self._words_end_ms = 0

    # From the client

    def opened(self) -> Received:
        return Received()

    def resumed(self) -> Received:
        return Received(events=tuple(self._started(resumed=True)) if self._has_opened else ())

    def receive(self, event: Event) -> Received:
        asked = validated(event, wire.CLIENT_EVENT, wire.UNSUPPORTED)
        if isinstance(asked, wire.Start):
            return self._start(asked)
        if self._wish is None:
            told = f"send session.start before {asked.type}"
            raise ProtocolError("session_not_started", told, "type")
        return self._follow(asked)

    def _start(self, asked: wire.Start) -> Received:
        if self._wish is not None:
            raise ProtocolError("session_already_started", "the session has started", "type")
        wish = asked.session
        audio = wish.audio or wire.Audio()
        if audio.format:
            self.format = Format(audio.format.type, audio.format.rate)
        own = wish.harken
        asked_voice = audio.output.voice if audio.output else None
        named = asked_voice.id if isinstance(asked_voice, wire.CustomVoice) else asked_voice
        # `marin` and other names of another service mean the default voice.
        if (named or "").partition(":")[0] not in (NO_VOICE, *self._voices):
            named = self._settings.voice
        self._settings = replace(
            self._settings,
            policy=own.policy or self._settings.policy,
            instruction=wish.instructions or "",
            threshold=own.threshold,
            voice=own.voice or named or NO_VOICE,
        )
        self._wish, self._start_cause = wish, asked.event_id or ""
        self._in_force = self._settings
        return Received((commands.Start(self._settings, self.format.rate),))

    def _follow(self, asked: Any) -> Received:
        cause = asked.event_id or ""
        match asked:
            case wire.Append():
                samples = self.format.decode(asked.audio)
                self._n_heard += len(samples)
                return Received((Hear(np.zeros_like(samples) if self._is_muted else samples),))
            case wire.Mute():
                self._is_muted = asked.type == "session.input_audio.mute"
                done = "muted" if self._is_muted else "unmuted"
                return Received(events=(self._event(f"session.input_audio.{done}", cause),))
            case wire.AppendText(type="session.instructions.append"):
                return self._change(
                    Ack("session.instructions.appended", cause),
                    orders=(*self._settings.orders, self._order(asked.content)),
                )
            case wire.AppendText():
                appended = asked.type + "ed"
                return Received((Read(asked.content),), (self._placed(appended, cause),))
            case wire.Update():
                return Received(
                    events=(self._event("session.updated", cause, session=self._resource()),)
                )
            case wire.Close():
                self._close_cause = cause
                return Received((Finish(),))
            case wire.PlaybackPlayed():
                return Received((Played(chunk_of(asked.response_id), asked.played_ms),))
            case wire.CancelResponse():
                return Received((Cancel(),))
            case _:
                return self._change(Ack("", cause), **self._changed(asked))

    def _changed(self, asked: Any) -> dict[str, Any]:
        """Which settings one of our own events changes."""
        orders = self._settings.orders
        match asked:
            case wire.SetPolicy():
                return {"policy": asked.policy}
            case wire.SetThreshold():
                return {"threshold": asked.threshold}
            case wire.SetVoice():
                return {"voice": asked.voice}
            case wire.AddOrder():
                return {"orders": (*orders, self._order(asked.text))}
            case wire.RemoveOrder():
                if asked.id not in {order.id for order in orders}:
                    raise ProtocolError("unknown_order", f"no order {asked.id!r}", "id")
                return {"orders": tuple(order for order in orders if order.id != asked.id)}
        raise ProtocolError("unknown_event", f"no event {asked.type!r}", "type")

    def _change(self, ack: Ack, **fields: Any) -> Received:
        self._settings = replace(self._settings, **fields)
        self._pending.append(ack)
        return Received((Adopt(self._settings),))

    def _order(self, text: str) -> Order:
        self._n_orders += 1
        return Order(f"order_{self._n_orders}", text)

    # To the client

    def tell(self, outcome: Outcome) -> list[Event]:
        match outcome:
            case outcomes.Opened():
                self._has_opened = True
                return self._started(self._start_cause)
            case outcomes.Judged():
                return self._judged(outcome)
            case TextPiece():
                at = self._placed("session.output_transcript.delta")
                return [at | {"delta": outcome.text, **self._of_response(outcome.chunk)}]
            case outcomes.Voiced():
                audio = self.format.encode(outcome.speech.samples)
                of = self._of_response(outcome.chunk)
                # The one event of this dialect that has no id.
                return [{"type": "session.output_audio.delta", "delta": audio, **of}]
            case outcomes.Adopted():
                return self._adopted(outcome.settings)
            case outcomes.Refused():
                return self._refused(outcome.message)
            case outcomes.VoiceFailed():
                return [self.error("voice_failed", outcome.message)]
            case outcomes.Ended():
                return self._ended(outcome)
            case outcomes.Replied() | FlushTrace() | outcomes.Lagging() | CompactionTrace():
                return self._ours(outcome)
            case outcomes.VoiceEnded():
                return []

    def error(self, code: str, message: str, param: str = "", cause: str = "") -> Event:
        kind = "server_error" if code == "server_error" else "invalid_request_error"
        error = {"type": kind, "code": code, "message": message}
        if param:
            error["param"] = param
        if cause:
            error["client_event_id"] = cause
        return self._event("error", cause, error=error)

    def _started(self, cause: str = "", *, resumed: bool = False) -> list[Event]:
        resource = self._resource()
        if "harken" in resource:
            heard_s = self._n_heard / self.format.rate
            resource["harken"] |= {"resumed": resumed, "heard_s": heard_s}
        started = self._event("session.started", cause, session=resource)
        return [started, *self._orders()]

    def _judged(self, judged: outcomes.Judged) -> list[Event]:
        trace = judged.trace
        self._time_ms = round(1000 * trace.time_s)
        events: list[Event] = []
        if judged.words:
            events.append(self._heard(judged.words, trace.words))
        events += self._ours(judged)
        if (trace.chunk + 1) % _USAGE_EVERY_CHUNKS == 0:
            ratio = {"usage_ratio": judged.context_ratio}
            usage = {"seconds": trace.time_s}
            events.append(self._event("session.usage.updated", usage=usage, context_window=ratio))
        return events

    def _heard(self, words: tuple[HeardWord, ...], text: str) -> Event:
        """Recognised words with the time from the end of those before to their own end."""
        ends_ms = [1000 * word.end_sample // SAMPLE_RATE for word in words]
        start_ms = max(self._words_end_ms, ends_ms[0] - _LONGEST_WORD_MS, 0)
        self._words_end_ms = max(ends_ms[-1], start_ms)
        placed = self._event("session.input_transcript.delta", delta=text)
        return placed | {"start_ms": start_ms, "end_ms": self._words_end_ms}

    def _adopted(self, settings: Settings) -> list[Event]:
        self._in_force = settings
        ack = self._pending.popleft()
        events = [self._placed(ack.type, ack.cause)] if ack.type else []
        return [*events, *self._orders(settings)]

    def _refused(self, message: str) -> list[Event]:
        """The change that was asked for first is not made."""
        ack = self._pending.popleft()
        if not self._pending:
            self._settings = self._in_force
        return [self.error("invalid_value", message, cause=ack.cause)]

    def _ended(self, ended: outcomes.Ended) -> list[Event]:
        if ended.error:
            return [self.error("server_error", ended.error, cause=self._start_cause)]
        usage = {"seconds": self._time_ms / 1000}
        return [
            self._event(
                "session.closed",
                self._close_cause,
                reason="close_requested",
                session=self._resource(),
                usage=usage,
            )
        ]

    def _orders(self, settings: Settings | None = None) -> list[Event]:
        orders = (settings or self._settings).orders
        return self._own("harken.orders", orders=[{"id": o.id, "text": o.text} for o in orders])

    def _resource(self) -> dict[str, Any]:
        wish = self._wish or wire.Session()
        resource: dict[str, Any] = {
            "id": self.session_id,
            "expires_at": self._expires_at,
            "model": wish.model,
            "status": "active",
            "audio": {
                "format": {"type": self.format.encoding, "rate": self.format.rate},
                "output": {"voice": self._settings.voice},
            },
            "instructions": self._settings.instruction,
        }
        if self._is_open_to_ours:
            resource["harken"] = own_resource(self._settings, self._voices)
        return resource

    # Events

    @property
    def _is_open_to_ours(self) -> bool:
        return self._wish is not None and self._wish.harken.events

    def _of_response(self, chunk: int) -> dict[str, str]:
        """Which response an event belongs to; the dialect itself does not tell."""
        return {"response_id": response_id(chunk)} if self._is_open_to_ours else {}

    def _ours(self, outcome: Outcome) -> list[Event]:
        made = own_event(outcome)
        return self._own(made[0], **made[1]) if made else []

    def _own(self, kind: str, **fields: Any) -> list[Event]:
        return [self._event(kind, **fields)] if self._is_open_to_ours else []

    def _placed(self, kind: str, cause: str = "") -> Event:
        """An event at the present place of the session's timeline."""
        return self._event(kind, cause, start_ms=self._time_ms, end_ms=self._time_ms)

    def _event(self, kind: str, answered: str = "", **fields: Any) -> Event:
        """An event. answered: the `event_id` of the client's event that it follows from."""
        self._n_events += 1
        event = {"type": kind, "event_id": f"event_{self._n_events}", **fields}
        return event | {"client_event_id": answered} if answered else event
