"""Which recordings may be a planned sound: the three nearest ones by label and by text.

A clip is known by its label's names (ours, AudioSet's), and by the words of its file name. A clip
with the very label of the event comes first, then one whose length fits, then one that is too long,
and among these the one whose text lies nearest to the query (cosine of sentence embeddings).
"""

import re
from collections.abc import Callable, Collection, Sequence

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.events import EVENTS
from harken.soundflow.ground.labels import classes_of
from harken.soundflow.ground.lengths import length_fits
from harken.soundflow.manifest import SPLITS, UNLABELLED, Clip
from harken.soundflow.plan import PlannedEvent

F32 = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], F32]
"""Texts to float32 [n, d] of length 1, such as `SentenceEncoder.encode`."""

TOP = 3
"""Published: so many candidates for an event."""
LEAST_COSINE = 0.3
"""A clip with another label is no candidate if its text lies further off."""


class Shelf:
    """Clips of one split, ready to be searched. Equal texts are embedded once."""

    def __init__(self, clips: Sequence[Clip], split: str, embed: Embed) -> None:
        """
        Args:
            clips: of any split and kind; only sounds of `split` are kept.
            split: `train` or `dev`.

        Raises:
            HarkenError: there is no such split.
        """
        if split not in SPLITS:
            raise HarkenError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
        self.split = split
        self.clips = tuple(c for c in clips if c.split == split and c.kind == "event")
        self._embed = embed
        texts = [clip_text(clip) for clip in self.clips]
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        self._rows = np.array([places[text] for text in texts], np.intp)
        self._vectors = embed(list(places)) if places else np.zeros((0, 0), np.float32)

    def top(
        self, event: PlannedEvent, *, without: Collection[str] = (), most: int = TOP
    ) -> tuple[Clip, ...]:
        """The best clips for an event, best first; fewer than `most` if no more come near.

        Args:
            without: ids of clips that are not wanted.
        """
        if not self.clips:
            return ()
        wanted = self._embed([event_text(event)])[0]
        cosines = (self._vectors @ wanted)[self._rows]
        ranked = []
        for place, clip in enumerate(self.clips):
            same = clip.label == event.label and clip.label != UNLABELLED
            cosine = float(cosines[place])
            if clip.id in without or not (same or cosine >= LEAST_COSINE):
                continue
            # What is too short would be rejected, what is too long may be cleaned.
            misfit = ("", "too long", "too short").index(length_fits(event, clip.seconds))
            # Rounded, so that the last bits of a product do not decide; the id breaks ties.
            ranked.append((not same, misfit, -round(cosine, 5), clip.id, place))
        return tuple(self.clips[key[-1]] for key in sorted(ranked)[:most])


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
