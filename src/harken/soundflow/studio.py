"""The material of composition: clips by label, speech by kind, loaded and trimmed for one split."""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt

from harken.soundflow import sources
from harken.soundflow.corpora import data_text
from harken.soundflow.events import AMBIENCE, EVENTS, HARMLESS_EXTRA
from harken.soundflow.generate import GENERATORS
from harken.soundflow.vary import varied
from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]

LONGEST_EVENT_S = 3.2
MADE_SHARE = 0.5
"""Share of made sounds in a category that has both recordings and a generator."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One utterance: its kind, language, text, the answer or translation, and how to load it."""

    kind: str
    language: str
    text: str
    other: str
    voice: str
    clip: sources.SpokenClip


class Studio:
    """Everything of one split; the same seed picks the same material."""

    def __init__(self, split: str) -> None:
        self.split = split
        self._events = sources.clips(split=split, kind="event").by_label()
        answers: dict[str, str] = json.loads(data_text("answers.json"))
        self._speech: dict[tuple[str, str], list[Spoken]] = defaultdict(list)
        for s in sources.speech_pack(split):
            other = s.other or answers.get(s.text, "")
            spoken = Spoken(s.kind, s.language, s.text, other, s.voice, s)
            self._speech[s.kind, s.language].append(spoken)
        talk = sources.clips(split=split, kind="speech", labels=["speech"])
        talk = talk.at((talk.seconds >= 1.0) & (talk.seconds <= 8))
        talk = talk.where(lambda c: c.text != "" and not re.search(r"[\[(<&]", c.text))
        self._english = talk.where(lambda c: c.language.startswith("en"))
        self._foreign = talk.where(lambda c: not c.language.startswith("en"))

    @property
    def labels(self) -> list[str]:
        """Labels with material in this split, recordings or made sounds."""
        return [n for n in EVENTS if n in self._events or n in GENERATORS]

    def event(self, label: str, random: np.random.Generator) -> tuple[F32, str]:
        """One sound of a label, trimmed, cut and varied; and where it comes from."""
        clips = self._events.get(label, ())
        made = label in GENERATORS and (not clips or random.random() < MADE_SHARE)
        if made:
            return GENERATORS[label](random), f"made:{label}"
        if not clips:
            raise LookupError(f"no sound of {label} in split {self.split}")
        clip = clips[int(random.integers(len(clips)))]
        x = _loudest(trimmed(sources.load(clip)), int(LONGEST_EVENT_S * SAMPLE_RATE), random)
        return varied(x, random), clip.id

    def harmless(self, random: np.random.Generator) -> tuple[F32, str]:
        """A sound without one clear name that deserves no reply."""
        labels = [n for n in HARMLESS_EXTRA if n in self._events]
        return self.event(labels[int(random.integers(len(labels)))], random)

    def ambience(self, random: np.random.Generator) -> tuple[F32, str]:
        """At least 3 s of a place where nothing can be named."""
        return self._stretch(AMBIENCE, random)

    def background(self, random: np.random.Generator) -> tuple[F32, str]:
        """At least 3 s of ambience or music."""
        labels = (
            *AMBIENCE, "farm_animals", "music", "water_flowing_bubbles", "birds", "wind",
            "rain_storm", "crickets_insects", "crowd_chatter", "instrument_music",
        )  # fmt: skip
        return self._stretch(labels, random)

    def _stretch(self, labels: Sequence[str], random: np.random.Generator) -> tuple[F32, str]:
        there = [self._events[label] for label in labels if label in self._events]
        pools = [clips.at(clips.seconds >= 3) for clips in there]
        if not any(pools):
            raise LookupError(f"no background in split {self.split}")
        pool = reduce(add, pools)
        clip = pool[int(random.integers(len(pool)))]
        x = sources.load(clip)
        longest = 40 * SAMPLE_RATE
        start = int(random.integers(max(1, len(x) - longest)))
        return x[start : start + longest], clip.id

    def has(self, kind: str, language: str) -> bool:
        """Whether utterances of that kind exist in this split."""
        return bool(self._speech.get((kind, language)))

    def spoken(
        self, kind: str, language: str, random: np.random.Generator, *, about: str = ""
    ) -> Spoken:
        """One utterance of a kind, its text holding `about` if given (lower case)."""
        pool = [s for s in self._speech[kind, language] if about in s.text.lower()]
        if not pool:
            raise LookupError(f"no {kind} in {language} about {about!r} in split {self.split}")
        return pool[int(random.integers(len(pool)))]

    def all_spoken(self, kind: str, language: str) -> list[Spoken]:
        """Every utterance of a kind."""
        return list(self._speech[kind, language])

    def voice(self, spoken: Spoken) -> F32:
        """The samples of an utterance."""
        return sources.load(spoken.clip)

    def talk(self, random: np.random.Generator, *, english: bool) -> tuple[F32, str, str]:
        """Recorded speech of other people: samples, text, where it comes from."""
        pool = self._english if english else self._foreign
        if not pool:
            what = "English" if english else "foreign"
            raise LookupError(f"no {what} talk in split {self.split}")
        clip = pool[int(random.integers(len(pool)))]
        return sources.load(clip), clip.text, clip.id


def trimmed(x: F32) -> F32:
    """Without what lies 45 dB below the peak at both ends; silence as it is."""
    size = np.abs(x)
    loud = np.flatnonzero(size > size.max(initial=0.0) * 10 ** (-45 / 20))
    return x[loud[0] : loud[-1] + 1] if len(loud) else x


def _loudest(x: F32, longest: int, random: np.random.Generator) -> F32:
    """A stretch of at most `longest` samples: the start, or around the loudest place."""
    if len(x) <= longest:
        return x
    if random.random() < 0.5:
        return x[:longest]
    start = int(np.clip(int(np.abs(x).argmax()) - longest // 3, 0, len(x) - longest))
    return x[start : start + longest]
