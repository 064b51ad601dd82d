"""What streams are made of: real recordings, synthetic speech and texts, ready to read.

    fetch_packages()      download and unpack the packages (harken.soundflow.corpora)
    screen_corpora()      decode and judge every recording, once (harken.soundflow.screen)
    clips(split="train")  the recordings that may be used
    load(clip)            their samples

`split` matters more than anything here: nothing of `dev` may be heard in training.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

from harken.errors import HarkenError
from harken.soundflow.decode import Samples, load_cached
from harken.soundflow.manifest import KINDS, SPLITS, UNLABELLED, Clip, listed_clips, notes
from harken.soundflow.screen import Verdict, read_verdicts, verdicts_path
from harken.soundflow.spoken import SpokenClip, made_speech, starter_pack
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
    "Exchange",
    "SpokenClip",
    "clips",
    "dialogue_lines",
    "exchanges",
    "home_commands",
    "load",
    "load_path",
    "sentences_zh_en",
    "speech_pack",
    "stamps",
]


def clips(
    split: str | None = None,
    kind: str | None = None,
    labels: Collection[str] | None = None,
    language: str | None = None,
) -> list[Clip]:
    """The usable recordings, corrected and without copies, in the manifest's order.

    Args:
        split: `train` or `dev`; both when left out.
        kind: `event`, `speech` or `speech_notext`; all when left out.
        labels: only these labels; all when left out.
        language: only speech in this language.

    Raises:
        HarkenError: an unknown split or kind, or the corpora are not screened yet.
    """
    if split is not None and split not in SPLITS:
        raise HarkenError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
    if kind is not None and kind not in KINDS:
        raise HarkenError(f"unknown kind {kind!r}: choose from {', '.join(KINDS)}")
    if isinstance(labels, str):
        raise HarkenError(f"labels must be a collection: write [{labels!r}]")
    path = verdicts_path()
    if not path.is_file():
        raise HarkenError("the corpora are not screened yet: run `harken data fetch`")
    return [
        clip
        for clip in _usable(path)
        if (split is None or clip.split == split)
        and (kind is None or clip.kind == kind)
        and (labels is None or clip.label in labels)
        and (language is None or clip.language == language)
    ]


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
    """All synthetic utterances: the starter pack, then those of `harken.soundflow.spoken`.

    Raises:
        HarkenError: an unknown split, there are none, or a description is broken.
    """
    if split is not None and split not in SPLITS:
        raise HarkenError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
    spoken = starter_pack() + made_speech()
    if not spoken:
        raise HarkenError(
            "there is no synthetic speech: run `harken data fetch --speech-tar PATH`, or make "
            "some with `harken data speak`"
        )
    return [clip for clip in spoken if split is None or clip.split == split]


@lru_cache(maxsize=2)
def _usable(path: Path) -> tuple[Clip, ...]:
    return tuple(_corrected(listed_clips(), read_verdicts(path)))


def _corrected(listed: list[Clip], verdicts: dict[str, Verdict]) -> Iterator[Clip]:
    """The kept clips with their true durations and the best label that any copy carries."""
    unknown = Verdict(clip_id="", seconds=0.0, level_db=0.0, drop="unreadable", copy_of="")
    corrections = notes()
    copies: dict[str, list[Clip]] = {}
    for clip in listed:
        kept_id = verdicts.get(clip.id, unknown).copy_of
        if kept_id:
            copies.setdefault(kept_id, []).append(clip)
    for clip in listed:
        verdict = verdicts.get(clip.id, unknown)
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
