"""What streams are made of: real recordings, synthetic speech and texts, ready to read.

    fetch_packages()      download and unpack the packages (harken.soundflow.corpora)
    screen_corpora()      decode and judge every recording, once (harken.soundflow.screen)
    clips(split="train")  the recordings that may be used
    load(clip)            their samples

`split` matters more than anything here: nothing of `dev` may be heard in training. The recordings
know two splits: in `test` are those of `dev`, never trained on, with lines in voices of their own.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

from harken.errors import HarkenError
from harken.parts.cache import cache_writes, sha256_of
from harken.soundflow.clips import Clips, read_clips, write_clips
from harken.soundflow.corpora import corpora_dir
from harken.soundflow.decode import Samples, load_cached
from harken.soundflow.manifest import (
    KINDS,
    SPLITS,
    UNLABELLED,
    Clip,
    each_listed,
    notes,
    notes_hash,
    recorded,
)
from harken.soundflow.screen import Verdict, each_verdict, verdicts_path
from harken.soundflow.spoken import (
    SpokenClip,
    made_speech,
    planned_takes,
    starter_pack,
    test_takes,
)
from harken.soundflow.texts import (
    Exchange,
    dialogue_lines,
    exchanges,
    home_commands,
    sentences_zh_en,
    stamps,
)

__all__ = [
    "Clip",
    "Clips",
    "Exchange",
    "SpokenClip",
    "clips",
    "dialogue_lines",
    "exchanges",
    "has_recordings",
    "home_commands",
    "load",
    "load_path",
    "sentences_zh_en",
    "speech_pack",
    "stamps",
]

_LIST_VERSION = 2  # raise it when `_corrected` changes: the list is then made anew
_NEEDED_BYTES = 10_000_000


def clips(
    split: str | None = None,
    kind: str | None = None,
    labels: Collection[str] | None = None,
    language: str | None = None,
) -> Clips:
    """The usable recordings, corrected and without copies, in the manifest's order.

    Their list is made once, in the cache, and read from there one by one.

    Args:
        split: `train` or `dev`, which `test` takes from too; both when left out.
        kind: `event`, `speech` or `speech_notext`; all when left out.
        labels: only these labels; all when left out.
        language: only speech in this language.

    Raises:
        HarkenError: an unknown split or kind, the corpora are not screened yet, or the cache
            cannot be written.
    """
    if split is not None and split not in SPLITS:
        raise HarkenError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
    if kind is not None and kind not in KINDS:
        raise HarkenError(f"unknown kind {kind!r}: choose from {', '.join(KINDS)}")
    if isinstance(labels, str):
        raise HarkenError(f"labels must be a collection: write [{labels!r}]")
    if not has_recordings():
        raise HarkenError("the corpora are not screened yet: run `harken data fetch`")
    chosen = _usable(verdicts_path())
    wanted = {
        "split": None if split is None else [recorded(split)],
        "kind": None if kind is None else [kind],
        "label": labels,
        "language": None if language is None else [language],
    }
    for column, words in wanted.items():
        if words is not None:
            chosen = chosen.among(column, words)
    return chosen


def has_recordings() -> bool:
    """Whether the corpora are fetched and screened, so that `clips` has some."""
    return verdicts_path().is_file()


def load(clip: Clip | SpokenClip) -> Samples:
    """The samples of a recording: float32 `[n]`, 16 kHz, mono.

    Decoded on the first read, then kept as FLAC under the hash of the file's bytes.

    Raises:
        HarkenError: the file is gone or cannot be decoded.
    """
    return load_path(clip.path)


def load_path(path: Path) -> Samples:
    """The samples of any audio file, as `load` gives those of a clip."""
    return load_cached(path)


def speech_pack(split: str | None = None) -> list[SpokenClip]:
    """All synthetic utterances of `train` and `dev`, or of one split: the starter pack, then those
    of `harken.soundflow.spoken`.

    Raises:
        HarkenError: an unknown split, there are none, or a description is broken.
    """
    if split is not None and split not in SPLITS:
        raise HarkenError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
    if split == "test":
        spoken = made_speech(test_takes())
        if not spoken:
            raise HarkenError(
                "there is no speech for the split test: run `harken data speak --test`"
            )
        return spoken
    spoken = starter_pack() + made_speech(planned_takes())
    if not spoken:
        raise HarkenError(
            "there is no synthetic speech: run `harken data fetch --speech-tar PATH`, or make "
            "some with `harken data speak`"
        )
    return [clip for clip in spoken if split is None or clip.split == split]


def _usable(verdicts: Path) -> Clips:
    """The usable recordings by these verdicts, from their list, which is made if there is none."""
    key = f"{verdicts.stem}-{sha256_of(verdicts)[:12]}-{notes_hash()}-{_LIST_VERSION}"
    folder = verdicts.with_name(f"clips-{key}")
    if not folder.is_dir():
        with cache_writes(folder, _NEEDED_BYTES):
            unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            write_clips(unfinished, corpora_dir(), _corrected(verdicts))
            try:
                os.rename(unfinished, folder)
            except OSError:
                if not folder.is_dir():
                    raise
                # Another process was faster, and made the same.
                shutil.rmtree(unfinished)
    return _opened(folder)


@lru_cache(maxsize=2)
def _opened(folder: Path) -> Clips:
    return read_clips(folder, corpora_dir())


def _judged(path: Path) -> Iterator[tuple[Clip, Verdict]]:
    """Every listed recording with what was found about it.

    Raises:
        HarkenError: the verdicts are not in the manifest's order.
    """
    verdicts = each_verdict(path)
    verdict = next(verdicts, None)
    for clip in each_listed():
        if verdict is not None and verdict.clip_id == clip.id:
            yield clip, verdict
            verdict = next(verdicts, None)
        else:
            yield clip, Verdict(clip.id, 0.0, 0.0, drop="unreadable", copy_of="")
    if verdict is not None:
        raise HarkenError(f"{path} is out of order: delete it and run `harken data fetch`")


def _corrected(path: Path) -> Iterator[Clip]:
    """The kept clips with their true durations and the best label that any copy carries."""
    corrections = notes()
    copies: dict[str, list[Clip]] = {}
    for clip, verdict in _judged(path):
        if verdict.copy_of:
            copies.setdefault(verdict.copy_of, []).append(clip)
    for clip, verdict in _judged(path):
        if verdict.drop:
            continue
        same_sound = [clip, *copies.get(clip.id, [])]
        noted = [corrections[one.id] for one in same_sound if one.id in corrections]
        named = [one.label for one in same_sound if one.label != UNLABELLED]
        label = noted[0].label if noted else next(iter(named), clip.label)
        if label:
            said = _transcript(same_sound)
            yield dataclasses.replace(
                clip,
                kind="speech" if said.text else clip.kind,
                label=label,
                text=said.text,
                english=said.english,
                seconds=verdict.seconds,
            )


def _transcript(same_sound: list[Clip]) -> Clip:
    """The copy whose transcript most copies carry: one recording can be packed under two names.

    Ties go to the shorter text: what is said of a letter is its name, not its description.
    """
    counts = Counter(one.text for one in same_sound if one.text)
    if not counts:
        return same_sound[0]
    best = min(counts, key=lambda text: (-counts[text], len(text), text))
    return next(one for one in same_sound if one.text == best)
