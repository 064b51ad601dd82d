"""Our own events, under `harken.`: the same in both dialects, for clients that ask for them."""

from typing import Any

from harken.live.trace import CompactionTrace, FlushTrace
from harken.serve.dialects.dialect import ProtocolError
from harken.serve.outcomes import Judged, Lagging, Outcome, Replied
from harken.serve.settings import Settings
from harken.stream import POLICIES


def own_event(outcome: Outcome) -> tuple[str, dict[str, Any]] | None:
    """The type and fields of the event that tells an outcome, if it has one."""
    match outcome:
        case Judged():
            return "harken.chunk", _chunk_fields(outcome)
        case Replied():
            return "harken.response", _response_fields(outcome)
        case FlushTrace():
            return "harken.playback.flush", {
                "response_id": response_id(outcome.reply_chunk),
                "reason": outcome.reason,
                "heard": outcome.heard,
                "played_ms": round(outcome.played_ms),
            }
        case Lagging():
            return "harken.lag", {"lag_s": outcome.lag_s, "policy": outcome.policy}
        case CompactionTrace():
            return "harken.compacted", _compaction_fields(outcome)
        case _:
            return None


def own_resource(settings: Settings, voices: tuple[str, ...]) -> dict[str, Any]:
    """`session.harken` as the server shows it. voices: the names of those there are."""
    return {
        "policy": settings.policy,
        "threshold": settings.threshold,
        "voice": settings.voice,
        "policies": list(POLICIES),
        "voices": list(voices),
    }


def response_id(chunk: int) -> str:
    """The id of the reply after a chunk."""
    return f"resp_{chunk}"


def chunk_of(text: str) -> int:
    """The inverse of `response_id`; another text is a ProtocolError."""
    prefix, _, number = text.partition("_")
    if prefix != "resp" or not number.isdecimal():
        raise ProtocolError("unknown_response", f"no response {text!r}", "response_id")
    return int(number)


def _chunk_fields(judged: Judged) -> dict[str, Any]:
    trace = judged.trace
    return {
        "chunk": trace.chunk,
        "time_s": trace.time_s,
        "p_respond": trace.p_respond,
        "threshold": judged.threshold,
        "needed": judged.needed,
        "decision": trace.decision,
        "words": trace.words,
        "sounds": [[sound.name, sound.score] for sound in trace.sounds],
        "level_db": trace.level_db,
        "latency_ms": trace.latency_ms,
        "queued": trace.queued,
        "lag_s": judged.lag_s,
        "context_ratio": judged.context_ratio,
    }


def _response_fields(replied: Replied) -> dict[str, Any]:
    trace = replied.trace
    return {
        "response_id": response_id(trace.chunk),
        "chunk": trace.chunk,
        "time_s": trace.time_s,
        "text": trace.text,
        "emotion": trace.emotion,
        "cause": replied.cause,
        "is_cancelled": replied.is_cancelled,
        "first_token_ms": trace.first_token_ms,
        "done_ms": trace.done_ms,
    }


def _compaction_fields(trace: CompactionTrace) -> dict[str, Any]:
    return {
        "chunk": trace.chunk,
        "positions_before": trace.positions_before,
        "positions_after": trace.positions_after,
        "dropped_chunks": trace.dropped_chunks,
        "dropped_words": trace.dropped_words,
    }
