"""Which recordings may be a planned sound: the three nearest ones by label and by text.

A clip is known by its label's names (ours, AudioSet's), and by the words of its file name. A clip
with the very label of the event comes first, then one whose length fits, then one that is too long,
and among these the one whose text lies nearest to the query (cosine of sentence embeddings).
"""

import heapq
import re
from collections.abc import Callable, Collection, Sequence

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.events import EVENTS
from harken.soundflow.ground.labels import classes_of
from harken.soundflow.ground.lengths import length_fits
from harken.soundflow.manifest import SPLITS, UNLABELLED, Clip, recorded
from harken.soundflow.plan import PlannedEvent

F32 = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], F32]
"""Texts to float32 [n, d] of length 1, such as `SentenceEncoder.encode`."""

TOP = 3
"""Published: so many candidates for an event."""
LEAST_COSINE = 0.3
"""A clip with another label is no candidate if its text lies further off."""

_ROW = np.dtype([("place", "i4"), ("text", "i4"), ("label", "i4")])


class Shelf:
    """Clips of one split, ready to be searched. Equal texts are embedded once.

    Of a clip only its place, its label and the number of its text are kept.
    """

    def __init__(self, clips: Sequence[Clip], split: str, embed: Embed) -> None:
        """
        Args:
            clips: of any split and kind; only sounds of `split` are kept.
            split: `train`, `dev`, or `test`, which has the sounds of `dev`.

        Raises:
            HarkenError: there is no such split.
        """
        if split not in SPLITS:
            raise HarkenError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
        self.split = split
        self._clips, self._embed = clips, embed
        texts, labels = dict[str, int](), dict[str, int]()
        described = (
            (
                place,
                texts.setdefault(clip_text(clip), len(texts)),
                labels.setdefault(clip.label, len(labels)),
            )
            for place, clip in enumerate(clips)
            if clip.split == recorded(split) and clip.kind == "event"
        )
        self._rows = np.fromiter(described, _ROW)
        self._labels = labels
        self._vectors = embed(list(texts)) if texts else np.zeros((0, 0), np.float32)

    def top(
        self, event: PlannedEvent, *, without: Collection[str] = (), most: int = TOP
    ) -> tuple[Clip, ...]:
        """The best clips for an event, best first; fewer than `most` if no more come near.

        Args:
            without: ids of clips that are not wanted.
        """
        if not len(self._rows):
            return ()
        wanted = self._embed([event_text(event)])[0]
        cosines = (self._vectors @ wanted)[self._rows["text"]].astype(np.float64)
        named = self._labels.get(event.label, -1) if event.label != UNLABELLED else -1
        same = self._rows["label"] == named
        ranked = []
        for row in np.flatnonzero(same | (cosines >= LEAST_COSINE)):
            place = int(self._rows["place"][row])
            clip = self._clips[place]
            if clip.id in without:
                continue
            # What is too short would be rejected, what is too long may be cleaned.
            misfit = ("", "too long", "too short").index(length_fits(event, clip.seconds))
            # Rounded, so that the last bits of a product do not decide; the id breaks ties.
            near = -round(float(cosines[row]), 5)
            ranked.append((not same[row], misfit, near, clip.id, place))
        return tuple(self._clips[key[-1]] for key in heapq.nsmallest(most, ranked))


def clip_text(clip: Clip) -> str:
    """What is known about a clip in words."""
    return ", ".join(filter(None, (_label_text(clip.label), _words(clip.path.stem))))


def event_text(event: PlannedEvent) -> str:
    """What is wanted in words."""
    return ", ".join((event.query, *event.accept_tags))


def _label_text(label: str) -> str:
    if label == UNLABELLED:
        return ""
    name = EVENTS[label].name if label in EVENTS else _words(label)
    return ", ".join((name, *classes_of(label)))


def _words(name: str) -> str:
    """A file's name as words: no digits, camel case and underscores parted."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[^\W\d_]{2,}", parted)).lower()
