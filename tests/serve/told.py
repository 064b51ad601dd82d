"""Outcomes as sessions tell them, and audio as clients send it, for the dialects."""

import base64

import numpy as np

from harken.live.trace import ChunkTrace, ResponseTrace, SoundScore, TextPiece
from harken.perceive.percept import HeardWord
from harken.respond.voice import Speech
from harken.serve.outcomes import Judged, Replied, Voiced


def judged(
    chunk: int, *, words: str = "", decision: str = "silent", p_speech: float = 0.0
) -> Judged:
    """One chunk."""
    end = (chunk + 1) * 6_400
    trace = ChunkTrace(
        chunk=chunk,
        time_s=end / 16_000,
        p_respond=0.1,
        decision=decision,
        words=words,
        sounds=(SoundScore("Speech", 0.9),),
        level_db=-30.0,
        latency_ms=40.0,
        queued=0,
    )
    heard = (HeardWord(words, end - 800, "en"),) if words else ()
    return Judged(trace, heard, p_speech, 0.25, needed=0.25, lag_s=0.0, context_ratio=0.1)


def piece(chunk: int, text: str) -> TextPiece:
    return TextPiece(chunk, text, "normal")


def replied(chunk: int, text: str, *, is_cancelled: bool = False) -> Replied:
    trace = ResponseTrace(chunk, 0.4 * (chunk + 1), text, "normal", 30.0, 200.0)
    return Replied(trace, "Speech", is_cancelled)


def voiced(chunk: int, rate: int = 24_000) -> Voiced:
    return Voiced(chunk, Speech(np.full(240, 0.5, np.float32), rate))


def pcm16(samples: np.ndarray) -> str:
    """float [n] as base64 of 16-bit samples."""
    data = np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes()
    return base64.b64encode(data).decode()
