"""Realtime events to commands and outcomes to Realtime events, without a server."""

from typing import Any

import numpy as np
import pytest
from tests.serve.shapes import REALTIME, checked
from tests.serve.told import judged, pcm16, piece, replied, voiced

from harken.live.trace import CompactionTrace, FlushTrace
from harken.serve.commands import Adopt, Cancel, Command, Hear, Played, Read, Respond, Start
from harken.serve.dialects.dialect import ProtocolError
from harken.serve.dialects.realtime import RealtimeDialect
from harken.serve.outcomes import Adopted, Lagging, Outcome, Refused, VoiceEnded
from harken.serve.settings import Settings
from harken.stream.tools import Call

SOUND = {"type": "input_audio_buffer.append", "audio": pcm16(np.full(480, 0.25))}
TIMER = {
    "type": "function",
    "name": "set_timer",
    "parameters": {"type": "object", "properties": {"minutes": {"type": "integer"}}},
}


class Talk:
    """A dialect, every event of which is checked."""

    def __init__(self, **session: Any) -> None:
        default = Settings(voice="espeak")
        self.dialect = RealtimeDialect("sess_1", 2_000_000_000, default, ("espeak",), "harken")
        self.commands: list[Command] = []
        if session:
            self.send({"type": "session.update", "session": {"type": "realtime", **session}})

    def send(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        received = self.dialect.receive(event)
        self.commands += received.commands
        return [checked(event, REALTIME) for event in received.events]

    def tell(self, *outcomes: Outcome) -> list[dict[str, Any]]:
        return [checked(e, REALTIME) for o in outcomes for e in self.dialect.tell(o)]


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def test_listening_starts_with_the_first_audio_so_that_all_can_be_set_before() -> None:
    talk = Talk()
    (created,) = [checked(event, REALTIME) for event in talk.dialect.opened().events]
    assert created["type"] == "session.created"
    assert created["session"]["output_modalities"] == ["audio"]
    session = {
        "type": "realtime",
        "instructions": "Be brief.",
        "output_modalities": ["text"],
        "audio": {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}},
        "tools": [TIMER],
    }
    (updated,) = talk.send({"type": "session.update", "session": session})
    assert updated["session"]["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert updated["session"]["audio"]["input"]["turn_detection"] is None
    assert updated["session"]["output_modalities"] == ["text"]
    assert talk.commands == []
    talk.send({"type": "input_audio_buffer.append", "audio": "gAA="})
    start, hear = talk.commands
    assert isinstance(start, Start) and isinstance(hear, Hear)
    assert start.rate == 8_000
    assert not start.settings.speaks_unasked
    assert start.settings.voice == "none"
    assert start.settings.instruction == "Be brief."
    assert start.settings.tools.startswith("Tools: set_timer(minutes). ")
    assert np.allclose(hear.samples, [0.98, -0.98], atol=0.01)


def test_speech_becomes_an_item_with_its_transcript() -> None:
    talk = Talk(audio={"input": {"transcription": {"model": "whisper-1"}}})
    talk.send(SOUND)
    events = talk.tell(
        judged(0),
        judged(1, p_speech=0.9),
        judged(2, p_speech=0.9, words=" You will"),
        judged(3, words=" now."),
        judged(4),
        judged(5),
    )
    assert types(events) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
    ]
    assert events[0]["audio_start_ms"] == 400
    assert events[1]["audio_end_ms"] == 2_000
    assert events[-1]["transcript"] == "You will now."
    assert len({event.get("item_id", event.get("item", {}).get("id")) for event in events}) == 1
    item_id = events[0]["item_id"]
    (got,) = talk.send({"type": "conversation.item.retrieve", "item_id": item_id})
    assert got["item"]["content"][0]["transcript"] == "You will now."


TEXT = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
]


def test_a_reply_in_text() -> None:
    talk = Talk(output_modalities=["text"])
    talk.send(SOUND)
    events = talk.tell(
        judged(3, decision="respond"), piece(3, "Hel"), piece(3, "lo."), replied(3, "Hello.")
    )
    assert types(events) == TEXT
    response = events[-1]["response"]
    assert (response["status"], response["id"]) == ("completed", "resp_3")
    assert response["output"][0]["content"] == [{"type": "output_text", "text": "Hello."}]
    assert talk.tell(VoiceEnded(3)) == []


def test_a_spoken_reply_is_done_when_its_voice_is() -> None:
    talk = Talk()
    talk.send(SOUND)
    events = talk.tell(
        judged(3, decision="respond"), piece(3, "Hello."), voiced(3), replied(3, "Hello.")
    )
    assert types(events)[-2:] == [
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
    ]
    done = talk.tell(VoiceEnded(3))
    assert types(done) == [
        "response.output_audio_transcript.done",
        "response.output_audio.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert done[0]["transcript"] == "Hello."


def test_a_new_reply_ends_the_one_before() -> None:
    talk = Talk()
    talk.send(SOUND)
    talk.tell(judged(3, decision="respond"), piece(3, "A long story"), voiced(3))
    events = talk.tell(
        judged(9, decision="respond"),
        FlushTrace(9, 3, "response", "A long", 300.0),
        voiced(3),
        VoiceEnded(3),
    )
    assert types(events)[-2:] == ["response.done", "response.created"]
    details = events[-2]["response"]["status_details"]
    assert details == {"type": "cancelled", "reason": "turn_detected"}


def test_the_client_cancels_a_reply() -> None:
    talk = Talk()
    talk.send(SOUND)
    talk.tell(judged(3, decision="respond"), piece(3, "A long story"))
    with pytest.raises(ProtocolError, match="resp_2"):
        talk.send({"type": "response.cancel", "response_id": "resp_2"})
    talk.send({"type": "response.cancel", "response_id": "resp_3"})
    assert talk.commands[-1] == Cancel()
    events = talk.tell(replied(3, "A long story", is_cancelled=True))
    assert events[-1]["response"]["status_details"]["reason"] == "client_cancelled"
    with pytest.raises(ProtocolError) as wrong:
        talk.send({"type": "response.cancel"})
    assert wrong.value.code == "response_cancel_not_active"


def test_the_client_tells_what_was_heard_of_a_reply() -> None:
    talk = Talk()
    talk.send(SOUND)
    _, item, *_ = talk.tell(judged(3, decision="respond"), piece(3, "A long story"))
    item_id = item["item"]["id"]
    truncate = {
        "type": "conversation.item.truncate",
        "item_id": item_id,
        "content_index": 0,
        "audio_end_ms": 120,
    }
    (truncated,) = talk.send(truncate)
    assert truncated["audio_end_ms"] == 120
    assert talk.commands[-2:] == [Played(3, 120), Cancel()]
    with pytest.raises(ProtocolError, match="item_77"):
        talk.send(truncate | {"item_id": "item_77"})
    talk.tell(FlushTrace(9, 3, "response", "A", 120.0), judged(9, decision="respond"))
    talk.send(truncate)
    assert talk.commands[-1] == Played(3, 120), "the reply that followed goes on"


def test_a_response_on_request() -> None:
    talk = Talk(audio={"input": {"turn_detection": None}})
    talk.send(SOUND)
    message = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "What did you hear?"}],
    }
    added, done = talk.send({"type": "conversation.item.create", "item": message})
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    wish = {"output_modalities": ["text"], "metadata": {"topic": "test"}}
    assert talk.send({"type": "response.create", "response": wish}) == []
    assert talk.commands[-2:] == [Read("What did you hear?"), Respond()]
    with pytest.raises(ProtocolError) as wrong:
        talk.send({"type": "response.create"})
    assert wrong.value.code == "conversation_already_has_active_response"
    events = talk.tell(judged(0, decision="respond"), piece(0, "A dog."), replied(0, "A dog."))
    assert "response.output_text.delta" in types(events)
    assert events[-1]["response"]["metadata"] == {"topic": "test"}


def test_turns_by_hand() -> None:
    talk = Talk(audio={"input": {"turn_detection": None}})
    with pytest.raises(ProtocolError) as wrong:
        talk.send({"type": "input_audio_buffer.commit"})
    assert wrong.value.code == "input_audio_buffer_commit_empty"
    talk.send(SOUND)
    assert talk.tell(judged(0, p_speech=0.9, words=" Hello."), judged(1), judged(2)) == []
    committed, added, _ = talk.send({"type": "input_audio_buffer.commit"})
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": "Hello."}]
    assert added["item"]["id"] == committed["item_id"]
    assert types(talk.send({"type": "input_audio_buffer.clear"})) == ["input_audio_buffer.cleared"]


def test_a_tool_is_called_and_its_result_enters_the_stream() -> None:
    talk = Talk(tools=[TIMER])
    talk.send(SOUND)
    text = Call("set_timer", {"minutes": 10}).text()
    events = talk.tell(
        judged(3, decision="respond"),
        piece(3, text[:9]),
        piece(3, text[9:]),
        VoiceEnded(3),
        replied(3, text),
    )
    assert types(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    call = events[-1]["response"]["output"][0]
    assert (call["name"], call["arguments"]) == ("set_timer", '{"minutes": 10}')
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "done"}
    talk.send({"type": "conversation.item.create", "item": result})
    assert talk.commands[-1] == Read("The tool returned: done")


def test_what_only_looks_like_a_call_is_said() -> None:
    talk = Talk(tools=[TIMER], output_modalities=["text"])
    talk.send(SOUND)
    events = talk.tell(
        judged(3, decision="respond"), piece(3, "{curly"), piece(3, " brace"), replied(3, "{curly")
    )
    assert [e["delta"] for e in events if e["type"].endswith("delta")] == ["{curly brace"]


def test_settings_change_while_it_listens() -> None:
    talk = Talk()
    talk.send(SOUND)
    update = {"type": "realtime", "instructions": "Count the barks."}
    assert talk.send({"type": "session.update", "session": update, "event_id": "u"}) == []
    adopt = talk.commands[-1]
    assert isinstance(adopt, Adopt)
    (updated,) = talk.tell(Adopted(adopt.settings))
    assert updated["session"]["instructions"] == "Count the barks."
    talk.send({"type": "session.update", "session": update | {"instructions": "x" * 9_999}})
    (error,) = talk.tell(Refused("too long"))
    assert error["error"]["code"] == "invalid_value"
    with pytest.raises(ProtocolError) as wrong:
        audio = {"output": {"format": {"type": "audio/pcma"}}}
        talk.send({"type": "session.update", "session": {"type": "realtime", "audio": audio}})
    assert wrong.value.param == "session.audio"


def test_system_text_is_a_standing_order() -> None:
    talk = Talk()
    talk.send(SOUND)
    content = [{"type": "input_text", "text": "Say when it rains."}]
    item = {"type": "message", "role": "system", "content": content}
    talk.send({"type": "conversation.item.create", "item": item})
    adopt = talk.commands[-1]
    assert isinstance(adopt, Adopt)
    assert [order.text for order in adopt.settings.orders] == ["Say when it rains."]
    assert talk.tell(Adopted(adopt.settings)) == []


def test_our_own_events_are_sent_to_those_who_ask_for_them() -> None:
    outcomes = (
        judged(3, decision="respond"),
        piece(3, "A dog."),
        Lagging(1.5, "words-at-pauses"),
        CompactionTrace(3, 900, 400, 20, 60, "hello", 12.0),
        replied(3, "A dog."),
        FlushTrace(9, 3, "stop", "A", 90.0),
    )
    plain, open_to_ours = Talk(), Talk(harken={"events": True, "policy": "narrate"})
    told = []
    for talk in (plain, open_to_ours):
        talk.send(SOUND)
        told.append(talk.tell(*outcomes))
    assert not [kind for kind in types(told[0]) if kind.startswith("harken.")]
    ours = [event for event in told[1] if event["type"].startswith("harken.")]
    assert types(ours) == [
        "harken.chunk",
        "harken.lag",
        "harken.compacted",
        "harken.response",
        "harken.playback.flush",
    ]
    assert [e for e in types(told[1]) if not e.startswith("harken.")] == types(told[0])
    assert types(told[1]).index("harken.chunk") < types(told[1]).index("response.created")
    (created,) = [e for e in told[1] if e["type"] == "response.created"]
    assert ours[3]["response_id"] == ours[4]["response_id"] == created["response"]["id"]
    assert len({event["event_id"] for event in told[1]}) == len(told[1])
    own = open_to_ours.dialect.opened().events[0]["session"]["harken"]
    assert (own["policy"], own["voices"]) == ("narrate", ["espeak"])


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "conversation.item.delete", "item_id": "item_1"}, "unsupported"),
        ({"type": "response.create", "response": {"instructions": "Sing."}}, "invalid_value"),
        ({"type": "response.create", "response": {"conversation": "none"}}, "invalid_value"),
        ({"type": "conversation.item.retrieve", "item_id": "item_9"}, "item_not_found"),
        ({"type": "session.update", "session": {"type": "transcription"}}, "invalid_value"),
        ({"type": "session.update"}, "missing_required_parameter"),
        ({"type": "dance"}, "unknown_event"),
    ],
)
def test_what_is_wrong_is_named(event: dict[str, Any], code: str) -> None:
    talk = Talk()
    with pytest.raises(ProtocolError) as wrong:
        talk.send(event)
    assert wrong.value.code == code
    error = talk.dialect.error(code, wrong.value.message, wrong.value.param, "mine")
    assert checked(error, REALTIME)["error"]["event_id"] == "mine"
