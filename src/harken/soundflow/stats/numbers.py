"""The figures of a data folder that its page shows: sums, lengths, sounds, words, sources.

A variant is a stream under one prefix; several share their audio. Hours and replies are summed
over variants, as `stats.counts` does, since each is learnt from; lengths, sounds and sources are
counted once for every stream, words once for everything that was heard in it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harken.errors import HarkenError
from harken.soundflow.corpora import packages
from harken.soundflow.manifest import listed_clips
from harken.soundflow.rows import rows
from harken.soundflow.stats.counts import CHUNK_S, TaskCounts, counts, counts_by_subtask
from harken.soundflow.subtasks import Subtask

MADE = "sounds made by Harken"
SPOKEN = "synthetic speech (Kokoro-82M v1.0)"
NOT_LISTED = "not listed"

_OWN_LICENCES = {MADE: "Apache-2.0", SPOKEN: "Apache-2.0"}
_SENTENCES = "hsk-sentences-audio"
"""Where `retell` takes the words of streams that are interpreted or written down."""
_SENTENCE_TASKS = ("transcribe", "translate")
_HAN = "\u3400-\u9fff"
_WORD = re.compile(rf"[{_HAN}]|[^\W\d_{_HAN}]+(?:['\u2019][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class SoundCount:
    """How often a label occurs: where everything is heard, and in streams with imagined sounds."""

    label: str
    heard: int
    imagined: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where material comes from. clips: how many recordings of it; streams: how many hold one."""

    name: str
    version: str
    licence: str
    clips: int
    streams: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a folder holds.

    by_task, by_subtask: as `stats.counts` gives them. imagined: variants with imagined sounds.
    chunks: how many streams have how many chunks. sounds: most frequent first, the label of one
    without a name is empty. words: how often each is heard, lower case; a Chinese character counts
    as a word.
    """

    by_task: Mapping[tuple[str, str], TaskCounts]
    by_subtask: Sequence[tuple[Subtask, TaskCounts]]
    imagined: int
    chunks: Counter[int]
    sounds: tuple[SoundCount, ...]
    words: Counter[str]
    sources: tuple[Source, ...]

    @property
    def streams(self) -> int:
        return self.chunks.total()

    @property
    def stream_hours(self) -> float:
        """Hours of audio, each stream once."""
        return sum(n * many for n, many in self.chunks.items()) * CHUNK_S / 3600

    @property
    def variants(self) -> int:
        return sum(task.variants for task in self.by_task.values())

    @property
    def retold(self) -> int:
        return sum(task.retold for task in self.by_task.values())

    @property
    def hours(self) -> float:
        """Hours learnt from: of all variants."""
        return sum(task.hours for task in self.by_task.values())

    @property
    def replies(self) -> int:
        return sum(task.replies.total() for task in self.by_task.values())

    @property
    def splits(self) -> dict[str, int]:
        """Variants by split."""
        found: Counter[str] = Counter()
        for (split, _), task in self.by_task.items():
            found[split] += task.variants
        return dict(found)


def numbers(folder: Path) -> Numbers:
    """The figures of a data folder.

    Raises:
        HarkenError: it is none, or holds no stream.
    """
    by_task = counts(folder)
    if not by_task:
        raise HarkenError(f"{folder} holds no stream; compose some with `harken data build`")
    imagined = 0
    chunks: Counter[int] = Counter()
    sounds: dict[str, Counter[bool]] = defaultdict(Counter)
    words: Counter[str] = Counter()
    made_of: Counter[str] = Counter()
    clips: dict[str, set[str]] = defaultdict(set)
    seen: set[str] = set()
    heard: set[tuple[str, int]] = set()
    for row in rows(folder):
        name, is_imagined = row["features"], "resound" in row
        imagined += is_imagined
        said = "".join(text for _, text in row["words"])
        if (name, hash(said)) not in heard:
            heard.add((name, hash(said)))
            words.update(words_in(said))
            if "retold" in row and row["task"] in _SENTENCE_TASKS:
                made_of[_SENTENCES] += 1
        if name in seen:
            continue
        seen.add(name)
        chunks[row["n_chunks"]] += 1
        for _, _, label in row["sounds"]:
            # A sound without a name stays what it is.
            sounds[label][is_imagined and label != ""] += 1
        made_of.update({source_name(source) for source in row["sources"]})
        for source in row["sources"]:
            clips[source_name(source)].add(source)
    return Numbers(
        by_task=by_task,
        by_subtask=counts_by_subtask(folder),
        imagined=imagined,
        chunks=chunks,
        sounds=tuple(
            sorted(
                (SoundCount(label, n[False], n[True]) for label, n in sounds.items()),
                key=lambda sound: (-sound.heard - sound.imagined, sound.label),
            )
        ),
        words=words,
        sources=_sources(made_of, clips),
    )


def words_in(text: str) -> list[str]:
    """The words of a text in lower case; every Chinese character is one.

    >>> words_in("Don't, 再见!")
    ["don't", '再', '见']
    """
    return _WORD.findall(text.lower())


def source_name(source: str) -> str:
    """The package of a clip's id, or what else an entry of a row's `sources` stands for."""
    if source.startswith("made:"):
        return MADE
    package, slash, _ = source.partition("/")
    return package if slash else SPOKEN


def _sources(made_of: Counter[str], clips: Mapping[str, set[str]]) -> tuple[Source, ...]:
    listed = {package.name: package for package in packages()}
    by_clip: dict[str, set[str]] = defaultdict(set)
    for clip in listed_clips():
        if clip.id in clips.get(clip.package, ()):
            by_clip[clip.package].add(clip.licence)
    found = []
    for name, streams in made_of.items():
        package = listed.get(name)
        # The list of packages was read by somebody, those of the recordings were gathered.
        stated = package.licence if package else _OWN_LICENCES.get(name, "")
        licence = stated or " / ".join(sorted(by_clip[name])) or NOT_LISTED
        # A kind of speech or of made sound is no recording.
        recordings = 0 if name in _OWN_LICENCES else len(clips.get(name, ()))
        version = package.version if package else ""
        found.append(Source(name, version, licence, recordings, streams))
    return tuple(sorted(found, key=lambda source: (-source.streams, source.name)))
