"""The Realtime dialect, as far as an always-on listener can speak it.

Events as in `openai.types.realtime`, 3.54. Our own events, under `harken.`, are sent to clients
that ask for them in `session.harken`, before those that follow from the same cause. Who decides
that a reply is due is the listener at every chunk, or the client with `response.create`; there is
no turn that anybody has to end.
"""

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from harken.live.trace import FlushTrace, TextPiece
from harken.serve import outcomes
from harken.serve.audio import Format
from harken.serve.commands import Adopt, Cancel, Command, Hear, Played, Read, Respond, Start
from harken.serve.dialects import realtime_events as wire
from harken.serve.dialects import realtime_input as speech
from harken.serve.dialects.dialect import Event, ProtocolError, Received, validated
from harken.serve.dialects.own_events import own_event
from harken.serve.dialects.realtime_items import Items
from harken.serve.dialects.realtime_response import Fields, Reason, Responding
from harken.serve.dialects.realtime_session import Config
from harken.serve.outcomes import Outcome
from harken.serve.settings import Order, Settings
from harken.stream.tools import begins_call, call_of


class RealtimeDialect:
    """One Realtime session. Listening starts with the first audio or text, so that everything can
    be set before."""

    def __init__(
        self,
        session_id: str,
        expires_at: int,
        default: Settings,
        voices: tuple[str, ...],
        model: str,
    ) -> None:
        """expires_at: in Unix seconds, told to the client. model: as the client named it."""
        self.session_id, self._expires_at = session_id, expires_at
        self._config = self._in_force = Config(default, voices, model)
        self._orders: tuple[Order, ...] = ()
        self._has_started = False
        self._pending: deque[wire.Update | None] = deque()
        self._items = Items()
        self._utterance: speech.Utterance | None = None
        self._responding: Responding | None = None
        self._awaited: wire.ResponseWish | None = None
        self._held = ""
        self._n_events = self._n_samples = 0

    @property
    def format(self) -> Format:
        return self._config.spoken

    # From the client

    def opened(self) -> Received:
        return Received(events=(self._event("session.created", session=self._resource()),))

    resumed = opened

    def receive(self, event: Event) -> Received:
        return self._follow(validated(event, wire.CLIENT_EVENT, wire.UNSUPPORTED))

    def _follow(self, asked: Any) -> Received:
        match asked:
            case wire.Update():
                return self._update(asked)
            case wire.Append():
                samples = self._config.heard.decode(asked.audio)
                self._n_samples += len(samples)
                return self._doing(Hear(samples))
            case wire.Commit():
                return self._commit()
            case wire.Clear():
                self._n_samples, self._utterance = 0, None
                return Received(events=(self._event("input_audio_buffer.cleared"),))
            case wire.CreateItem():
                return self._create_item(asked.item)
            case wire.RetrieveItem():
                item = self._items.get(asked.item_id)
                return Received(events=(self._event("conversation.item.retrieved", item=item),))
            case wire.TruncateItem():
                return self._truncate(asked)
            case wire.CreateResponse():
                if self._responding or self._awaited:
                    told = "a response is being made; wait for response.done or cancel it"
                    raise ProtocolError("conversation_already_has_active_response", told)
                self._awaited = asked.response
                return self._doing(Respond())
            case wire.CancelResponse():
                return self._cancel(asked)
        raise ProtocolError("unknown_event", f"no event {asked.type!r}", "type")

    def _update(self, asked: wire.Update) -> Received:
        config = self._config.updated(asked.session)
        is_other = (config.heard, config.spoken) != (self._config.heard, self._config.spoken)
        if self._has_started and is_other:
            told = "the audio format cannot change once audio has been heard"
            raise ProtocolError("invalid_value", told, "session.audio")
        self._config = config
        if not self._has_started:
            self._in_force = config
            return Received(events=(self._event("session.updated", session=self._resource()),))
        self._pending.append(asked)
        return Received((Adopt(self._settings),))

    def _commit(self) -> Received:
        if self._n_samples == 0:
            told = "there is no audio since the last commit"
            raise ProtocolError("input_audio_buffer_commit_empty", told)
        utterance = self._utterance or speech.Utterance(self._items.new_id(), 0)
        return Received(events=tuple(self._committed(utterance)))

    def _create_item(self, item: wire.Message | wire.ToolResult) -> Received:
        known = item.id or self._items.new_id()
        plain = item.model_dump(exclude_none=True) | {"id": known, "object": "realtime.item"}
        if isinstance(item, wire.ToolResult):
            done = self._doing(Read(f"The tool returned: {item.output}"))
        else:
            plain["status"] = "completed"
            done = self._doing(*self._read(item))
        previous = self._items.last_id
        self._items.keep(plain)
        events = [
            self._event(f"conversation.item.{kind}", previous_item_id=previous, item=plain)
            for kind in ("added", "done")
        ]
        return Received(done.commands, (*done.events, *events))

    def _read(self, message: wire.Message) -> Iterable[Command]:
        """A message's parts: text of the user is read, of the system a standing order."""
        for part in message.content:
            if part.type == "input_audio":
                yield Hear(self._config.heard.decode(part.audio or ""))
            elif message.role == "user":
                yield Read(part.text or "")
            else:
                self._orders += (Order(f"order_{len(self._orders) + 1}", part.text or ""),)
                if self._has_started:
                    self._pending.append(None)
                    yield Adopt(self._settings)

    def _cancel(self, asked: wire.CancelResponse) -> Received:
        if self._responding is None and self._awaited is None:
            raise ProtocolError("response_cancel_not_active", "no response is being made")
        made = self._responding.id if self._responding else None
        if asked.response_id not in (None, made):
            told = f"{asked.response_id!r} is not the response that is being made"
            raise ProtocolError("response_cancel_not_active", told, "response_id")
        return Received((Cancel(),))

    def _truncate(self, asked: wire.TruncateItem) -> Received:
        """The client tells what was heard of a reply before it was interrupted.

        One that another reply has followed is cut already; the other one goes on.
        """
        chunk, item = self._items.chunk(asked.item_id), self._items.get(asked.item_id)
        item["content"] = [{"type": "output_audio", "transcript": ""}]
        truncated = self._event(
            "conversation.item.truncated",
            item_id=asked.item_id,
            content_index=0,
            audio_end_ms=asked.audio_end_ms,
        )
        played = Played(chunk, asked.audio_end_ms)
        is_newest = chunk == self._items.newest_chunk
        return Received((played, Cancel()) if is_newest else (played,), (truncated,))

    def _doing(self, *commands: Command) -> Received:
        """Commands that need a session which listens."""
        if self._has_started:
            return Received(commands)
        self._has_started = True
        return Received((Start(self._settings, self._config.heard.rate), *commands))

    # To the client

    def tell(self, outcome: Outcome) -> list[Event]:
        ours = own_event(outcome) if self._config.own.events else None
        return [*(self._events([ours]) if ours else []), *self._told(outcome)]

    def _told(self, outcome: Outcome) -> list[Event]:
        match outcome:
            case outcomes.Judged():
                return self._judged(outcome)
            case TextPiece():
                return self._said(outcome.text)
            case outcomes.Voiced() if self._is_of(outcome.chunk):
                return self._events(self._made.voiced(self.format.encode(outcome.speech.samples)))
            case outcomes.Replied() if self._is_of(outcome.trace.chunk):
                return self._replied(outcome)
            case outcomes.VoiceEnded() if self._is_of(outcome.chunk):
                self._made.is_voice_done = True
                return self._done_if_complete()
            case FlushTrace() if self._is_of(outcome.reply_chunk):
                is_ours = outcome.reason == "cancelled"
                return self._finish("client_cancelled" if is_ours else "turn_detected")
            case outcomes.Adopted():
                return self._adopted()
            case outcomes.Refused():
                asked, self._config = self._pending.popleft(), self._in_force
                cause = (asked and asked.event_id) or ""
                return [self.error("invalid_value", outcome.message, cause=cause)]
            case outcomes.VoiceFailed():
                return [self.error("voice_failed", outcome.message)]
            case outcomes.Ended(error=error) if error:
                return [self.error("server_error", error)]
            case _:
                return []

    def error(self, code: str, message: str, param: str = "", cause: str = "") -> Event:
        kind = "server_error" if code == "server_error" else "invalid_request_error"
        error = {"type": kind, "code": code, "message": message}
        if param:
            error["param"] = param
        if cause:
            error["event_id"] = cause
        return self._event("error", error=error)

    def _judged(self, judged: outcomes.Judged) -> list[Event]:
        events = self._listened(judged)
        if judged.trace.decision == "respond":
            # The reply before is over when another begins; its voice is cut.
            events += self._finish("turn_detected") if self._responding else []
            wish, self._awaited = self._awaited or wire.ResponseWish(), None
            self._held = ""
            is_spoken = self._in_force.is_spoken and wish.output_modalities != ["text"]
            self._responding = Responding(
                f"resp_{judged.trace.chunk}",
                self._items.new_id(),
                self._items.last_id,
                is_spoken,
                wish.metadata,
            )
            self._items.keep(self._responding.item("in_progress"), judged.trace.chunk)
            events += self._events(self._responding.created())
        return events

    def _listened(self, judged: outcomes.Judged) -> list[Event]:
        """Where speech begins and ends, unless the client finds turns itself."""
        before, has_turns = self._utterance, self._config.turns is not None
        if before is None:
            if not speech.is_speech(judged):
                return []
            before = speech.Utterance(self._items.new_id(), speech.start_ms(judged))
            self._utterance = before.after(judged)
            return self._events([before.started()]) if has_turns else []
        self._utterance = utterance = before.after(judged)
        if not (utterance.is_over and has_turns):
            return []
        return [*self._events([utterance.stopped()]), *self._committed(utterance)]

    def _committed(self, utterance: speech.Utterance) -> list[Event]:
        """Speech becomes an item of the conversation."""
        self._utterance, self._n_samples = None, 0
        previous, with_words = self._items.last_id, self._config.transcription is not None
        self._items.keep(utterance.item())
        return self._events(utterance.committed(previous, with_words=with_words))

    def _said(self, text: str) -> list[Event]:
        """Text that may be a call of a tool is held back until it is whole."""
        if self._responding is None:
            return []
        self._held += text
        if self._in_force.tools and begins_call(self._held):
            return []
        text, self._held = self._held, ""
        return self._events(self._responding.said(text)) if text else []

    def _replied(self, replied: outcomes.Replied) -> list[Event]:
        made = self._made
        call = call_of(replied.trace.text, self._in_force.offered)
        if call and not replied.is_cancelled:
            self._responding = None
            arguments = json.dumps(call.arguments, ensure_ascii=False)
            return self._events(made.called(call, f"call_{replied.trace.chunk}", arguments))
        events = self._events(made.said(self._held)) if self._held else []
        self._held = ""
        if replied.is_cancelled:
            return [*events, *self._finish("client_cancelled")]
        made.is_text_done = True
        return [*events, *self._done_if_complete()]

    def _done_if_complete(self) -> list[Event]:
        made = self._made
        if made.is_text_done and (made.is_voice_done or not made.is_spoken):
            return self._finish()
        return []

    def _finish(self, reason: Reason | None = None) -> list[Event]:
        made, self._responding = self._made, None
        events = self._events(made.finished(reason))
        self._items.keep(made.item("incomplete" if reason else "completed"))
        return events

    def _adopted(self) -> list[Event]:
        asked, self._in_force = self._pending.popleft(), self._config
        return [self._event("session.updated", session=self._resource())] if asked else []

    # What is remembered

    @property
    def _settings(self) -> Settings:
        return replace(self._config.settings, orders=self._orders)

    @property
    def _made(self) -> Responding:
        assert self._responding is not None
        return self._responding

    def _is_of(self, chunk: int) -> bool:
        """Whether the response that is being made is the one after that chunk."""
        return self._responding is not None and self._responding.id == f"resp_{chunk}"

    def _resource(self) -> dict[str, Any]:
        return self._config.resource() | {"id": self.session_id, "expires_at": self._expires_at}

    def _events(self, made: Iterable[Fields]) -> list[Event]:
        return [self._event(kind, **fields) for kind, fields in made]

    def _event(self, kind: str, **fields: Any) -> Event:
        self._n_events += 1
        return {"type": kind, "event_id": f"event_{self._n_events}", **fields}
