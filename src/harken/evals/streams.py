"""Sessions over composed streams: the stored percepts through the very loop that users run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harken.decide.listener import Audible, Listener
from harken.decide.rule import OperatingPoint
from harken.live.backlog import BacklogRule, per_chunk
from harken.live.conduct import Conduct
from harken.live.dialogue import Decided, Dialogue
from harken.live.told_to_stop import Utterance
from harken.live.trace import CompactionTrace, ResponseTrace
from harken.perceive.percept import Percept
from harken.soundflow.features import percepts_of
from harken.soundflow.joined import features_of
from harken.soundflow.production import CHUNKS_PER_HOUR
from harken.soundflow.rows import rows
from harken.stream import CHUNK_SAMPLES, Prefix

PASS_CHUNKS = 8


@dataclass(frozen=True, slots=True)
class Due:
    """What should have been said: at which chunk, because of what (from chunk `start`)."""

    chunk: int
    text: str
    emotion: str
    cause: str
    start: int


@dataclass(frozen=True, slots=True)
class Case:
    """One variant of a composed stream.

    playing: chunks in which our own voice is audible; stops: those in which it is told to stop.
    """

    id: str
    audio: str
    task: str
    prefix: Prefix
    percepts: tuple[Percept, ...]
    due: tuple[Due, ...]
    playing: frozenset[int] = frozenset()
    stops: tuple[int, ...] = ()

    @property
    def hours(self) -> float:
        """Length in hours."""
        return len(self.percepts) / CHUNKS_PER_HOUR

    @property
    def playing_hours(self) -> float:
        """How long our own voice plays."""
        return len(self.playing) / CHUNKS_PER_HOUR


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one session said: (chunk, text, emotion) in order, and p(respond) of every chunk.

    stopped: the chunks after which it decided to fall silent. compactions: where its context was
    made shorter, and what it lost.
    """

    case: Case
    said: tuple[tuple[int, str, str], ...]
    p_respond: tuple[float, ...]
    stopped: tuple[int, ...] = ()
    compactions: tuple[CompactionTrace, ...] = ()


def of_tasks(outcomes: Sequence[Outcome], *tasks: str) -> list[Outcome]:
    """Those of sessions of these tasks."""
    return [o for o in outcomes if o.case.task in tasks]


def cases(data: Path, split: str) -> Iterator[Case]:
    """The cases of one split of a data folder (`harken data build`)."""
    for row in rows(data):
        if row["split"] == split:
            yield case_of(data, row)


def case_of(data: Path, row: dict[str, Any]) -> Case:
    """The case of one row of a data folder, or of one that `harken.soundflow.joined` made."""
    percepts = percepts_of(*features_of(data, row), row["words"])
    starts = {(cause, end): start for start, end, _, cause in row["due"]}
    due = []
    for chunk, text, emotion, cause in row["said"]:
        spans = [s for (c, end), s in starts.items() if c == cause and s // CHUNK_SAMPLES <= chunk]
        start = max(spans, default=chunk * CHUNK_SAMPLES) // CHUNK_SAMPLES
        due.append(Due(chunk, text, emotion, cause, start))
    return Case(
        row["id"],
        row["features"],
        row["task"],
        Prefix(**row["prefix"]),
        percepts,
        tuple(due),
        frozenset(row["playing"]),
        tuple(row["stops"]),
    )


def _audibles(case: Case) -> list[Audible]:
    """Nobody is told to stop by the rule for plain words, which has to know what our voice said."""
    utterance, found = Utterance(), []
    for percept in case.percepts:
        utterance = utterance.after(percept, aired="")
        playing = percept.chunk in case.playing
        found.append(Audible(percept, playing, agrees=utterance.agrees))
    return found


def run(
    case: Case, listener: Listener, point: OperatingPoint, rule: BacklogRule = per_chunk
) -> Outcome:
    """One session over a case, in passes over backlogs of `PASS_CHUNKS`."""
    conduct = Conduct(prefix=case.prefix, point=point, rule=rule)
    dialogue = Dialogue(listener, conduct)
    backlog = _audibles(case)
    said: list[tuple[int, str, str]] = []
    p_respond: list[float] = []
    stopped: list[int] = []
    compactions: list[CompactionTrace] = []
    while backlog:
        done = 0
        for event in dialogue.attend(backlog[:PASS_CHUNKS]):
            if isinstance(event, Decided):
                done += 1
                p_respond.append(event.judgement.p_respond)
                if event.decision == "stop":
                    stopped.append(event.judgement.chunk)
            elif isinstance(event, ResponseTrace):
                said.append((event.chunk, event.text, event.emotion))
            elif isinstance(event, CompactionTrace):
                compactions.append(event)
        backlog = backlog[done:]
    return Outcome(case, tuple(said), tuple(p_respond), tuple(stopped), tuple(compactions))
