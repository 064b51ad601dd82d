"""Listens once to every recording and settles which ones may be used.

A recording that cannot be decoded, that is quieter than -60 dB, or whose content occurs again
(in the same package or another one) is left out. Of several copies the one in `dev` stays, so
that nothing in `train` is heard again in `dev`.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from harken.errors import HarkenError
from harken.parts.cache import cache_writes
from harken.soundflow.corpora import Progress, corpora_dir
from harken.soundflow.decode import SAMPLE_RATE_HZ, Samples, as_pcm16, load_cached
from harken.soundflow.fingerprint import Fingerprint, fingerprint, same_recording_groups
from harken.soundflow.manifest import Clip, listed_clips, manifest_hash

QUIETEST_DB = -60.0
"""Recordings with a lower root mean square, relative to full scale, are left out."""

_RULES_VERSION = 2  # raise it when the rules change: the cached verdicts are then made anew
_REPORT_EVERY = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one recording.

    Attributes:
        clip_id: id of the clip.
        seconds: decoded duration; 0 when it cannot be decoded.
        level_db: root mean square relative to full scale; -200 for digital silence.
        drop: empty when the clip may be used, else `unreadable`, `silent`, `copy` (in the same
            split) or `copy of dev`.
        copy_of: id of the clip that stays in place of this copy, else empty.
    """

    clip_id: str
    seconds: float
    level_db: float
    drop: str
    copy_of: str


@dataclass(frozen=True)
class _Heard:
    """What a decoded recording is compared by."""

    clip: Clip
    seconds: float
    level_db: float
    content: str
    shape: Fingerprint | None


def verdicts_path() -> Path:
    """Where the verdicts on this version of the manifest are kept."""
    return corpora_dir() / "decoded" / f"screened-{manifest_hash()}-{_RULES_VERSION}.csv"


def screen_corpora(progress: Progress | None = None) -> Path:
    """Decode every listed recording into the cache, judge it, and return the verdicts' file.

    About two minutes of one core and 0.6 GB; decoded files are kept, so an interrupted run
    continues where it was. Needs the packages (`harken.soundflow.corpora.fetch_packages`).
    """
    clips = listed_clips()
    heard: list[_Heard] = []
    failed: list[Clip] = []
    for done, clip in enumerate(clips):
        if progress is not None and done % _REPORT_EVERY == 0:
            progress(done, len(clips), clip.package)
        try:
            heard.append(_hear(clip))
        except HarkenError:
            failed.append(clip)
    if progress is not None:
        progress(len(clips), len(clips), "all recordings are decoded")
    verdicts = [Verdict(clip.id, 0.0, 0.0, "unreadable", "") for clip in failed]
    verdicts += _judge(heard)
    order = {clip.id: place for place, clip in enumerate(clips)}
    verdicts.sort(key=lambda verdict: order[verdict.clip_id])
    return _write(verdicts, verdicts_path())


def read_verdicts(path: Path) -> dict[str, Verdict]:
    """The verdicts of `screen_corpora` by clip id."""
    return {verdict.clip_id: verdict for verdict in each_verdict(path)}


def each_verdict(path: Path) -> Iterator[Verdict]:
    """The verdicts of `screen_corpora` one at a time, in the manifest's order."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Verdict(
                clip_id=row["clip_id"],
                seconds=float(row["seconds"]),
                level_db=float(row["level_db"]),
                drop=row["drop"],
                copy_of=row["copy_of"],
            )


def level_db(samples: Samples) -> float:
    """Root mean square in dB relative to full scale, not below -200."""
    mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(-200.0, 10 * float(np.log10(mean_square + 1e-20)))


def _hear(clip: Clip) -> _Heard:
    samples = load_cached(clip.path)
    return _Heard(
        clip=clip,
        seconds=len(samples) / SAMPLE_RATE_HZ,
        level_db=level_db(samples),
        content=hashlib.sha256(as_pcm16(samples).tobytes()).hexdigest(),
        # Two people who say the same word are no copies, and nobody packed speech twice.
        shape=fingerprint(samples) if clip.kind == "event" else None,
    )


def _judge(heard: Sequence[_Heard]) -> list[Verdict]:
    loud = [one for one in heard if one.level_db >= QUIETEST_DB]
    copies: dict[str, _Heard] = {}
    for group in _groups_of_copies(loud):
        kept = next((one for one in group if one.clip.split == "dev"), group[0])
        copies |= {one.clip.id: kept for one in group if one is not kept}
    return [_verdict(one, copies.get(one.clip.id)) for one in heard]


def _verdict(one: _Heard, kept: _Heard | None) -> Verdict:
    if one.level_db < QUIETEST_DB:
        drop = "silent"
    elif kept is None:
        drop = ""
    else:
        crosses = kept.clip.split == "dev" and one.clip.split == "train"
        drop = "copy of dev" if crosses else "copy"
    return Verdict(
        clip_id=one.clip.id,
        seconds=round(one.seconds, 3),
        level_db=round(one.level_db, 1),
        drop=drop,
        copy_of=kept.clip.id if kept is not None else "",
    )


def _groups_of_copies(heard: Sequence[_Heard]) -> list[list[_Heard]]:
    """Equal samples for all kinds; for sounds also the same recording in another file."""
    by_content: dict[str, list[_Heard]] = {}
    for one in heard:
        by_content.setdefault(one.content, []).append(one)
    leaders = [group[0] for group in by_content.values() if group[0].shape is not None]
    shapes = [one.shape for one in leaders if one.shape is not None]
    for alike in same_recording_groups(shapes):
        first, *others = (leaders[index].content for index in alike)
        for other in others:
            by_content[first] += by_content.pop(other)
    return [group for group in by_content.values() if len(group) > 1]


def _write(verdicts: Sequence[Verdict], path: Path) -> Path:
    with cache_writes(path.parent, 10_000_000):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        with partial.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, [field.name for field in fields(Verdict)])
            table.writeheader()
            table.writerows(asdict(verdict) for verdict in verdicts)
        os.replace(partial, path)
    return path
