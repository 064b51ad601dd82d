"""Streams of a data folder worth showing: of different tasks, eventful, with audio to play."""

import base64
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.rows import rows
from harken.soundflow.stats.counts import CHUNK_S
from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]
Row = dict[str, Any]
_Scored = tuple[bool, float, Row]
"""Whether it has no audio to play, how little happens, a row: the least is shown first."""

_RETOLD_OR_IMAGINED = {"retold", "resound"}
"""The ears are given something else than the audio holds: it would not show what is heard."""
_PLEASANT_S = 45.0
"""Longer examples are shown where there are no shorter ones."""


@dataclass(frozen=True, slots=True)
class Example:
    """A variant to show, and its recording, if one was kept that is true to it."""

    row: Row
    audio: Path | None


def choose(folder: Path, examples: int) -> list[Example]:
    """At most `examples` variants, each of another stream, of as many tasks as possible.

    Within a task those with audio come first, then those in which much happens.

    Raises:
        HarkenError: `folder` is no data folder, or `examples` is negative.
    """
    if examples < 0:
        raise HarkenError(f"cannot show {examples} examples: choose 0 or more")
    kept = {path.stem: path for path in (folder / "audio").glob("*.flac")}
    best: dict[str, list[_Scored]] = defaultdict(list)
    chunks: Counter[str] = Counter()
    for row in rows(folder):
        is_playable = row["features"] in kept and not _RETOLD_OR_IMAGINED & row.keys()
        task = best[row["task"]]
        task.append((not is_playable, -_eventful(row), row))
        chunks[row["task"]] += row["n_chunks"]
        if len(task) > 8 * examples + 8:
            task[:] = sorted(task, key=_rank)[: 4 * examples + 4]
    ranked = {name: sorted(task, key=_rank) for name, task in best.items()}
    # Tasks that can be played come first, then those with most of the hours.
    order = sorted(ranked, key=lambda name: (ranked[name][0][0], -chunks[name], name))
    return [
        Example(row, None if is_silent else kept[row["features"]])
        for is_silent, _, row in _in_turns([ranked[name] for name in order], examples)
    ]


def _in_turns(tasks: Sequence[Sequence[_Scored]], wanted: int) -> list[_Scored]:
    """The best of every task, then the second of every task …, no stream twice."""
    queues = {n: iter(task) for n, task in enumerate(tasks)}
    streams = [
        len({row["features"] for is_silent, _, row in task if is_silent == task[0][0]})
        for task in tasks
    ]
    shown: set[str] = set()
    taken: list[tuple[int, int, _Scored]] = []
    for turn in count():
        asked = list(queues)[: wanted - len(taken)]
        if not asked:
            break
        # The task with the fewest streams to choose from goes first: it has no other.
        for n in sorted(asked, key=lambda n: streams[n]):
            one = next((s for s in queues[n] if s[2]["features"] not in shown), None)
            if one is None:
                del queues[n]
            else:
                shown.add(one[2]["features"])
                taken.append((turn, n, one))
    return [one for *_, one in sorted(taken, key=lambda t: t[:2])]


def _rank(scored: _Scored) -> tuple[bool, float, str]:
    return scored[0], scored[1], scored[2]["id"]


def _eventful(row: Row) -> float:
    """How much there is to see, less for streams that take long to listen to."""
    kinds = len({label for _, _, label in row["sounds"]})
    happens: float = min(len(row["said"]), 6) * 2 + min(kinds, 4) + min(len(row["words"]), 12) / 4
    happens += 3 * bool(row["stops"]) + bool(row["prefix"]["instruction"])
    too_long_s = max(0.0, int(row["n_chunks"]) * CHUNK_S - _PLEASANT_S)
    return happens - too_long_s / 10


def read_audio(path: Path) -> F32:
    """The samples of a kept recording, float32 [n], 16 kHz mono.

    Raises:
        HarkenError: it cannot be read, or is none of ours.
    """
    import soundfile

    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as broken:
        raise HarkenError(
            f"{path} cannot be read ({broken}); remove it, or compose its stream again"
        ) from broken
    if rate != SAMPLE_RATE or audio.shape[1] != 1:
        raise HarkenError(
            f"{path} has {rate} Hz and {audio.shape[1]} channels, not {SAMPLE_RATE} Hz mono; "
            "remove it, or compose its stream again"
        )
    mono: F32 = audio[:, 0]
    return mono


def data_url(audio: F32) -> str:
    """Samples at 16 kHz as Ogg Opus (RFC 7845) in a data: URL (RFC 2397)."""
    import soundfile

    ogg = io.BytesIO()
    soundfile.write(ogg, audio, SAMPLE_RATE, format="OGG", subtype="OPUS")
    return "data:audio/ogg;base64," + base64.b64encode(ogg.getvalue()).decode("ascii")
