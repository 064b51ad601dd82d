"""Many sessions one after the other: told of as they go, and kept, so that none is run twice.

What is judged stands in a file beside the one that a command writes at its end, a line each. A
command that was killed finds it there and goes on; at the end it is removed.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

from harken.errors import HarkenError
from harken.evals.streams import Case, Outcome, case_of
from harken.live.trace import CHUNK_S, CompactionTrace
from harken.soundflow.joined import Row

Session: TypeAlias = Callable[[Case], Outcome]
"""Runs a case."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an evaluation is: of `chunks` of stream `done_chunks`, `new_chunks` of them by this
    run in `spent_s`."""

    done: int
    sessions: int
    done_chunks: int
    chunks: int
    new_chunks: int
    spent_s: float

    @property
    def share(self) -> float:
        """How much of all is done, 0 to 1."""
        return self.done_chunks / max(1, self.chunks)

    def said(self) -> str:
        """For people: `3/8 sessions, 5.2 times real time, 0:03:10 left`."""
        told = f"{self.done}/{self.sessions} sessions"
        if not self.new_chunks:
            return told
        speed = self.new_chunks * CHUNK_S / max(1e-9, self.spent_s)
        left = timedelta(seconds=round((self.chunks - self.done_chunks) * CHUNK_S / speed))
        return f"{told}, {speed:.1f} times real time, {left} left"


class Kept:
    """The sessions judged so far, in a file; use it as a context.

    The file stays when the context is left by an error or Ctrl-C, and goes when it is left well.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        """about: what makes the sessions those of this run, as JSON.

        Raises:
            HarkenError: the file holds sessions of another run, or cannot be written.
        """
        self._path = path
        head = json.dumps(about, sort_keys=True)
        found = path.read_bytes() if path.exists() else b""
        whole = found[: found.rfind(b"\n") + 1]  # a kill may have cut the last line short
        lines = whole.decode().split("\n")[:-1]
        if lines and lines[0] != head:
            raise HarkenError(
                f"{path} holds {len(lines) - 1} sessions of another checkpoint, other options or "
                "other streams; delete it, or choose another --out"
            )
        self._found = lines[1:]
        with self._writing():
            self._file = path.open("ab")
            self._file.truncate(len(whole))
        if not lines:
            self._append(head)

    def __enter__(self) -> "Kept":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._writing() if kind is None else suppress(OSError):
            self._file.close()
        if kind is None:
            self._path.unlink()

    def found(self, n: int, case: Case) -> Outcome | None:
        """The outcome of session `n`, if it was judged before."""
        if n >= len(self._found):
            return None
        line = json.loads(self._found[n])
        return Outcome(
            case,
            tuple((chunk, text, emotion) for chunk, text, emotion in line["said"]),
            tuple(line["p_respond"]),
            tuple(line["stopped"]),
            tuple(CompactionTrace(**compaction) for compaction in line["compactions"]),
        )

    def add(self, outcome: Outcome) -> None:
        """Keep the next one.

        Raises:
            HarkenError: the disk is full.
        """
        line = {
            "said": outcome.said,
            "p_respond": outcome.p_respond,
            "stopped": outcome.stopped,
            "compactions": [asdict(compaction) for compaction in outcome.compactions],
        }
        self._append(json.dumps(line, ensure_ascii=False))

    def _append(self, line: str) -> None:
        with self._writing():
            self._file.write(f"{line}\n".encode())
            self._file.flush()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise HarkenError(
                f"cannot write {self._path} ({error.strerror or error}); make room and run it "
                "again: it goes on behind the last session"
            ) from error


def judged(
    data: Path,
    rows: Sequence[Row],
    session: Session,
    kept: Kept | None = None,
    progress: Callable[[Progress], None] = lambda progress: None,
    now_s: Callable[[], float] = time.monotonic,
) -> Iterator[Outcome]:
    """The outcome of every row, in order; those in `kept` are not run again."""
    began_s = now_s()
    done_chunks = new_chunks = 0
    chunks = sum(row["n_chunks"] for row in rows)
    for n, row in enumerate(rows):
        case = case_of(data, row)
        outcome = kept.found(n, case) if kept else None
        if outcome is None:
            outcome = session(case)
            new_chunks += row["n_chunks"]
            if kept:
                kept.add(outcome)
        done_chunks += row["n_chunks"]
        progress(Progress(n + 1, len(rows), done_chunks, chunks, new_chunks, now_s() - began_s))
        yield outcome


def fingerprint(rows: Sequence[Row]) -> str:
    """Differs when the rows do, or their order."""
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]
