"""Fields of our own events, under `harken.`, and the names of replies in them."""

from typing import Any

from harken.live.trace import ChunkTrace, CompactionTrace
from harken.serve import outcomes
from harken.serve.dialects.dialect import ProtocolError


def response_id(chunk: int) -> str:
    """The id of the reply after a chunk."""
    return f"resp_{chunk}"


def chunk_of(text: str) -> int:
    """The inverse of `response_id`; another text is a ProtocolError."""
    prefix, _, number = text.partition("_")
    if prefix != "resp" or not number.isdecimal():
        raise ProtocolError("unknown_response", f"no response {text!r}", "response_id")
    return int(number)


def chunk_fields(trace: ChunkTrace) -> dict[str, Any]:
    """Of `harken.chunk`."""
    return {
        "chunk": trace.chunk,
        "time_s": trace.time_s,
        "p_respond": trace.p_respond,
        "decision": trace.decision,
        "words": trace.words,
        "sounds": [[sound.name, sound.score] for sound in trace.sounds],
        "level_db": trace.level_db,
        "latency_ms": trace.latency_ms,
        "queued": trace.queued,
    }


def response_fields(replied: outcomes.Replied) -> dict[str, Any]:
    """Of `harken.response`."""
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


def compaction_fields(trace: CompactionTrace) -> dict[str, Any]:
    """Of `harken.compacted`."""
    return {
        "chunk": trace.chunk,
        "positions_before": trace.positions_before,
        "positions_after": trace.positions_after,
        "dropped_chunks": trace.dropped_chunks,
        "dropped_words": trace.dropped_words,
    }
