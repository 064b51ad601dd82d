"""What happened in a session: the one record that the terminal, JSON, evals and tests read."""

from dataclasses import dataclass, field
from typing import Literal, Self, TypeAlias

import numpy as np

from harken.decide.listener import Judgement
from harken.perceive.percept import Percept
from harken.perceive.perception import Perception
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE

CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE
_TOP_SOUNDS = 3


def end_s(chunk: int) -> float:
    """Where a chunk ends in the stream, in seconds."""
    return (chunk + 1) * CHUNK_SAMPLES / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class SoundScore:
    """One of the 521 AudioSet classes and its score from 0 to 1."""

    name: str
    score: float


def top_sounds(perception: Perception, percept: Percept) -> tuple[SoundScore, ...]:
    """The likeliest sounds of a chunk, best first; none without the sound ear."""
    if perception.sound is None:
        return ()
    names = perception.sound.names
    scores = percept.sound[: len(names)]
    best = np.argsort(-scores, kind="stable")[:_TOP_SOUNDS]
    return tuple(SoundScore(names[i], float(scores[i])) for i in best)


@dataclass(frozen=True, slots=True)
class ChunkTrace:
    """One chunk: what was heard in it and what was decided after it.

    time_s: where the chunk ends in the stream. sounds: the three likeliest, best first.
    latency_ms: from the chunk's last sample to its decision in a paced session; in an unpaced
    replay the work it took. queued: chunks that had arrived by then and were not yet decided.
    """

    chunk: int
    time_s: float
    p_respond: float
    decision: str
    words: str
    sounds: tuple[SoundScore, ...]
    level_db: float
    latency_ms: float
    queued: int

    @classmethod
    def of(
        cls,
        percept: Percept,
        sounds: tuple[SoundScore, ...],
        judgement: Judgement,
        decision: str,
        *,
        latency_ms: float,
        queued: int,
    ) -> Self:
        """The trace of a chunk that was heard and decided."""
        return cls(
            chunk=percept.chunk,
            time_s=end_s(percept.chunk),
            p_respond=judgement.p_respond,
            decision=decision,
            words=percept.text,
            sounds=sounds,
            level_db=percept.level_db,
            latency_ms=latency_ms,
            queued=queued,
        )


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of a response's text, as soon as it may be shown."""

    chunk: int
    text: str
    emotion: str


@dataclass(frozen=True, slots=True)
class ResponseTrace:
    """One whole response. Milliseconds count from its decision; `done_ms` is when it ended."""

    chunk: int
    time_s: float
    text: str
    emotion: str
    first_token_ms: float
    done_ms: float


@dataclass(frozen=True, slots=True)
class CompactionTrace:
    """The context was rebuilt before `chunk`: how much stayed and what was forgotten.

    seam_ms: how long the next chunk had to wait for it. dropped_words: forgotten recognised words.
    """

    chunk: int
    positions_before: int
    positions_after: int
    kept_chunks: int
    dropped_chunks: int
    dropped_words: str
    seam_ms: float


FlushReason: TypeAlias = Literal["stop", "response", "cancelled"]


@dataclass(frozen=True, slots=True)
class FlushTrace:
    """A reply was cut while it was played: drop what is left of its sound.

    chunk: after which this happened. reply_chunk: the chunk that the reply followed. reason: we
    were told to stop, something else is said now, or `cancel_response` was called. heard: what
    was heard of its text, which is all that the context keeps; after played_ms of its sound.
    """

    chunk: int
    reply_chunk: int
    reason: FlushReason
    heard: str
    played_ms: float


Event: TypeAlias = ChunkTrace | TextPiece | ResponseTrace | FlushTrace | CompactionTrace


@dataclass(frozen=True, slots=True)
class Summary:
    """A session as a whole.

    seconds: of audio, without the silence a replay adds. real_time_factor: work of both workers
    per second heard (they overlap, so a replay may run faster than its inverse). wall_s: how long
    the session took. compactions, dropped_chunks: how often context was rebuilt and how
    many chunks were forgotten. repeats_withheld: responses that only repeated the one before.
    warnings: about the audio.
    """

    chunks: int
    seconds: float
    responses: int
    real_time_factor: float
    wall_s: float
    latency_ms_p50: float
    latency_ms_p95: float
    compactions: int
    dropped_chunks: int
    repeats_withheld: int
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """Counts the events of one session; `summary` gives the record. Grows 8 bytes a chunk."""

    latency_ms: list[float] = field(default_factory=list)
    responses: int = 0
    compactions: int = 0
    dropped_chunks: int = 0

    def count(self, event: Event) -> None:
        """Take one event."""
        match event:
            case ChunkTrace():
                self.latency_ms.append(event.latency_ms)
            case ResponseTrace():
                self.responses += 1
            case CompactionTrace():
                self.compactions += 1
                self.dropped_chunks += event.dropped_chunks
            case TextPiece() | FlushTrace():
                pass

    def summary(
        self, *, seconds: float, work_s: float, wall_s: float, repeats_withheld: int
    ) -> Summary:
        """The session so far; a session without a chunk has latencies of zero."""
        heard_s = len(self.latency_ms) * CHUNK_S
        p50, p95 = np.percentile(self.latency_ms or [0.0], [50, 95])
        return Summary(
            chunks=len(self.latency_ms),
            seconds=seconds,
            responses=self.responses,
            real_time_factor=work_s / heard_s if heard_s else 0.0,
            wall_s=wall_s,
            latency_ms_p50=float(p50),
            latency_ms_p95=float(p95),
            compactions=self.compactions,
            dropped_chunks=self.dropped_chunks,
            repeats_withheld=repeats_withheld,
        )
