"""Live events to commands and outcomes to Live events, without a server."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serve.shapes import LIVE, checked
from tests.serve.told import judged, pcm16, piece, replied, voiced

from harken.errors import HarkenError
from harken.live.trace import FlushTrace
from harken.serve.commands import Adopt, Cancel, Finish, Hear, Played, Read, Start
from harken.serve.dialects.dialect import ProtocolError, parsed
from harken.serve.dialects.live import LiveDialect
from harken.serve.outcomes import (
    Adopted,
    Ended,
    Lagging,
    Opened,
    Outcome,
    Refused,
    VoiceEnded,
    VoiceFailed,
)
from harken.serve.settings import Settings


def dialect() -> LiveDialect:
    return LiveDialect("sess_1", 2_000_000_000, Settings(voice="espeak"), ("espeak", "kokoro"))


def started(**session: Any) -> LiveDialect:
    live = dialect()
    live.receive({"type": "session.start", "session": {"model": "harken", **session}})
    live.tell(Opened())
    return live


def told(live: LiveDialect, *outcomes: Outcome) -> list[dict[str, Any]]:
    return [checked(event, LIVE) for outcome in outcomes for event in live.tell(outcome)]


def test_a_session_starts_with_what_the_client_states() -> None:
    live = dialect()
    session = {
        "model": "gpt-live-1",
        "instructions": "Count the barks.",
        "audio": {"format": {"type": "audio/pcm", "rate": 16_000}, "output": {"voice": "kokoro"}},
        "harken": {"events": True, "policy": "narrate"},
    }
    received = live.receive({"type": "session.start", "event_id": "mine", "session": session})
    settings = Settings("narrate", "Count the barks.", voice="kokoro")
    assert received.commands == (Start(settings, 16_000),)
    event, orders = told(live, Opened())
    assert (event["type"], event["client_event_id"]) == ("session.started", "mine")
    assert event["session"]["id"] == "sess_1"
    assert event["session"]["audio"]["format"] == {"type": "audio/pcm", "rate": 16_000}
    own = event["session"]["harken"]
    assert (own["policy"], own["voice"], own["resumed"]) == ("narrate", "kokoro", False)
    assert (orders["type"], orders["orders"]) == ("harken.orders", [])


def test_a_voice_of_another_service_is_the_default_here() -> None:
    live = dialect()
    session = {"model": "m", "audio": {"output": {"voice": "marin"}}}
    (start,) = live.receive({"type": "session.start", "session": session}).commands
    assert isinstance(start, Start)
    assert start.settings.voice == "espeak"


def test_everything_a_session_tells_has_the_shape_of_its_type() -> None:
    live = started(harken={"events": True})
    events = told(
        live,
        judged(23, words=" hello there", p_speech=0.9),
        judged(24, decision="respond"),
        piece(24, "Hello!"),
        voiced(24),
        replied(24, "Hello!"),
        VoiceEnded(24),
        FlushTrace(26, 24, "stop", "Hel", 120.0),
        Lagging(1.5, "words-at-pauses"),
        VoiceFailed("no voice"),
        Ended(),
    )
    assert [event["type"] for event in events] == [
        "session.input_transcript.delta",
        "harken.chunk",
        "harken.chunk",
        "session.usage.updated",
        "session.output_transcript.delta",
        "session.output_audio.delta",
        "harken.response",
        "harken.playback.flush",
        "harken.lag",
        "error",
        "session.closed",
    ]
    words = events[0]
    assert 0 <= words["start_ms"] < words["end_ms"] == 9_550
    assert events[3]["usage"] == {"seconds": 10.0}
    assert events[4]["response_id"] == events[6]["response_id"] == "resp_24"
    assert (events[6]["text"], events[6]["cause"]) == ("Hello!", "Speech")
    assert events[-1]["usage"] == {"seconds": 10.0}
    ids = [event["event_id"] for event in events if "output_audio" not in event["type"]]
    assert len(set(ids)) == len(ids)


def test_our_own_events_are_sent_to_those_who_ask_for_them() -> None:
    live = started()
    events = told(live, judged(0), piece(0, "Hi."), replied(0, "Hi."), Lagging(2.0, "none"))
    assert [event["type"] for event in events] == ["session.output_transcript.delta"]
    assert "response_id" not in events[0]


def test_audio_is_heard_and_muted_audio_is_silence() -> None:
    live = started()
    samples = np.linspace(-0.5, 0.5, 480, dtype=np.float32)
    append = {"type": "session.input_audio.append", "audio": pcm16(samples)}
    (hear,) = live.receive(append).commands
    assert isinstance(hear, Hear)
    assert np.allclose(hear.samples, samples, atol=1e-4)
    (muted,) = live.receive({"type": "session.input_audio.mute", "event_id": "m"}).events
    assert checked(muted, LIVE)["client_event_id"] == "m"
    (hear,) = live.receive(append).commands
    assert isinstance(hear, Hear)
    assert hear.samples.shape == (480,) and not hear.samples.any()
    (unmuted,) = live.receive({"type": "session.input_audio.unmute"}).events
    assert checked(unmuted, LIVE)["type"] == "session.input_audio.unmuted"
    assert live.receive(append).commands[0].samples.any()  # type: ignore[union-attr]


def test_orders_are_added_and_removed_and_told_when_in_force() -> None:
    live = started(harken={"events": True})
    (adopt,) = live.receive({"type": "harken.order.add", "text": "Say when it rains."}).commands
    assert isinstance(adopt, Adopt)
    (event,) = told(live, Adopted(adopt.settings))
    assert event["orders"] == [{"id": "order_1", "text": "Say when it rains."}]
    append = {
        "type": "session.instructions.append",
        "content": "Be brief.",
        "delegation_id": None,
        "event_id": "i",
    }
    (second,) = live.receive(append).commands
    assert isinstance(second, Adopt)
    appended, _ = told(live, judged(4), Adopted(second.settings))[-2:]
    assert (appended["type"], appended["start_ms"]) == ("session.instructions.appended", 2_000)
    assert appended["client_event_id"] == "i"
    (third,) = live.receive({"type": "harken.order.remove", "id": "order_1"}).commands
    assert isinstance(third, Adopt)
    assert [order.text for order in third.settings.orders] == ["Be brief."]
    with pytest.raises(ProtocolError, match="order_1"):
        live.receive({"type": "harken.order.remove", "id": "order_1"})


def test_a_change_that_is_refused_is_taken_back() -> None:
    live = started(harken={"events": True})
    live.receive({"type": "harken.policy.set", "policy": "loud", "event_id": "p"})
    (error,) = told(live, Refused("no policy 'loud'"))
    assert error["error"]["client_event_id"] == "p"
    (adopt,) = live.receive({"type": "harken.threshold.set", "threshold": 0.6}).commands
    assert isinstance(adopt, Adopt)
    assert (adopt.settings.policy, adopt.settings.threshold) == ("care", 0.6)


@pytest.mark.parametrize(
    ("event", "command"),
    [
        ({"type": "session.close"}, Finish()),
        ({"type": "harken.response.cancel"}, Cancel()),
        (
            {"type": "harken.playback.played", "response_id": "resp_7", "played_ms": 80},
            Played(7, 80),
        ),
        (
            {"type": "session.commentary.append", "content": "It is 5.", "delegation_id": None},
            Read("It is 5."),
        ),
    ],
)
def test_events_become_commands(event: dict[str, Any], command: object) -> None:
    received = started().receive(event)
    assert received.commands == (command,)
    for acknowledgement in received.events:
        checked(acknowledgement, LIVE)


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "session.dance"}, "unknown_event", "type"),
        ({"type": "response.create"}, "unsupported", "type"),
        ({"type": "session.input_audio.append"}, "missing_required_parameter", "audio"),
        ({"type": "session.input_audio.append", "audio": 5}, "invalid_value", "audio"),
        ({"type": "session.start", "session": {}}, "session_already_started", "type"),
        (
            {"type": "harken.playback.played", "response_id": "r", "played_ms": 1},
            "unknown_response",
            "response_id",
        ),
    ],
)
def test_what_is_wrong_is_named(event: dict[str, Any], code: str, param: str) -> None:
    live = started()
    with pytest.raises(ProtocolError) as wrong:
        live.receive(event)
    assert (wrong.value.code, wrong.value.param) == (code, param)
    checked(live.error(code, wrong.value.message, param, "mine"), LIVE)


def test_what_the_server_cannot_do_is_refused_at_the_start() -> None:
    session = {"model": "m", "delegation": {"type": "responses", "responses": {}}}
    with pytest.raises(ProtocolError, match="delegation"):
        dialect().receive({"type": "session.start", "session": session})
    session = {"model": "m", "audio": {"format": {"type": "audio/pcm", "rate": 44_100}}}
    with pytest.raises(ProtocolError) as wrong:
        dialect().receive({"type": "session.start", "session": session})
    assert wrong.value.param == "session.audio.format.rate"


def test_nothing_comes_before_the_start() -> None:
    with pytest.raises(ProtocolError) as wrong:
        dialect().receive({"type": "session.input_audio.append", "audio": ""})
    assert wrong.value.code == "session_not_started"


def test_half_a_sample_is_no_audio() -> None:
    with pytest.raises(HarkenError, match="3 bytes"):
        started().receive({"type": "session.input_audio.append", "audio": "AAAA"})


@given(st.one_of(st.binary(max_size=40), st.text(max_size=40)))
def test_no_frame_breaks_the_parser(frame: bytes | str) -> None:
    try:
        assert isinstance(parsed(frame)["type"], str)
    except ProtocolError as wrong:
        assert wrong.code in ("invalid_frame", "invalid_json", "invalid_event")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KINDS = ("session.start", "session.update", "session.input_audio.append", "harken.order.add", "x")


@given(
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(["session", "audio", "text", "event_id"]), JSON),
)
def test_any_event_is_followed_or_refused(kind: str, fields: dict[str, Any]) -> None:
    for live in (dialect(), started()):
        try:
            live.receive({**fields, "type": kind})
        except (ProtocolError, HarkenError) as wrong:
            assert str(wrong)
