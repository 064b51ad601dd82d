"""Turns, the published way to tell a dialogue: a stretch of audio and the reply when it ends."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harken.errors import HarkenError
from harken.soundflow.shards.stream import F32, Row
from harken.stream import CHUNK_SAMPLES, Heard, Prefix, Said, Timeline, chunk_of_end

SILENT = "<no need to response>"
"""The reply of a turn without a reply, spelled as published."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of audio and what is said when it ends.

    Attributes:
        start_sample, end_sample: where it lies in the whole, at 16 kHz.
        user: what is said in it; empty when unknown or nothing.
        assistant: the reply; None when none is due.
        emotion: of the reply.
        scene_type: what the turn is about.
        audio: its recording; None for a question that is typed.
    """

    start_sample: int
    end_sample: int
    user: str
    assistant: str | None
    emotion: str = "normal"
    scene_type: str = ""
    audio: Path | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """One line of a published file: its turns in a row, and the same as a timeline."""

    id: str
    scene_type: str
    turns: tuple[Turn, ...]
    timeline: Timeline

    def samples(self) -> F32:
        """The recordings one after the other, float32 [samples] at 16 kHz; zeros without one."""
        from harken.soundflow.decode import decode

        whole = np.zeros(self.timeline.n_chunks * CHUNK_SAMPLES, np.float32)
        for turn in self.turns:
            if turn.audio is not None:
                # A resampler may give a sample more or less than the header promises.
                heard = decode(turn.audio)[: turn.end_sample - turn.start_sample]
                whole[turn.start_sample : turn.start_sample + len(heard)] = heard
        return whole


def turns_of(row: Row, n_samples: int) -> tuple[Turn, ...]:
    """A variant cut after each chunk that a reply follows; what is left is a silent turn.

    Args:
        row: of a data folder.
        n_samples: of its audio.

    Raises:
        HarkenError: the audio is not as long as the row says.
    """
    if -(-n_samples // CHUNK_SAMPLES) != row["n_chunks"]:
        raise HarkenError(
            f"variant {row['id']} has {row['n_chunks']} chunks, its audio {n_samples} samples; "
            "compose it again"
        )
    turns: list[Turn] = []
    start = 0
    for chunk, text, emotion, cause in sorted(row["said"]):
        end = min((chunk + 1) * CHUNK_SAMPLES, n_samples)
        turns.append(Turn(start, end, _words(row, start, end), text, emotion, cause))
        start = end
    if start < n_samples:
        user = _words(row, start, n_samples)
        turns.append(Turn(start, n_samples, user, None, scene_type=row["task"]))
    return tuple(turns)


def timeline_from(turns: tuple[Turn, ...], prefix: Prefix) -> Timeline:
    """The timeline of turns in a row: every reply on the chunk in which its turn ends.

    When an earlier reply is there already, it moves to the next chunk.
    """
    said: dict[int, Said] = {}
    heard = []
    for turn in turns:
        if turn.end_sample > turn.start_sample:
            kind = "speech" if turn.user else "sound"
            heard.append(Heard(turn.start_sample, turn.end_sample, kind, turn.user))
        if turn.assistant is not None:
            chunk = chunk_of_end(max(1, turn.end_sample))
            while chunk in said:
                chunk += 1
            said[chunk] = Said(chunk, turn.assistant, turn.emotion, turn.scene_type)
    # A turn without audio, a typed question, takes a chunk as well.
    n_chunks = chunk_of_end(max(1, turns[-1].end_sample)) + 1
    n_chunks = max(n_chunks, *(chunk + 1 for chunk in said), 0)
    return Timeline(prefix, n_chunks, tuple(heard), tuple(said.values()))


def is_silent(text: str) -> bool:
    """Whether a published reply says that none is due."""
    # The released reader also takes the marker without its brackets.
    return text.strip().lower() in (SILENT, SILENT.strip("<>"))


def _words(row: Row, start: int, end: int) -> str:
    """What was recognised in the chunks that end in a stretch."""
    chunks = range(start // CHUNK_SAMPLES, -(-end // CHUNK_SAMPLES))
    return "".join(text for chunk, text in row["words"] if chunk in chunks).strip()
