"""Grounding as composers use it: the corpora of one split, YAMNet, MiniLM and the built-in rules.

Everything is loaded when it is first needed and once in a process; what was worked out for a clip
or a text lies in the cache (`kept`), so that a second build needs neither MiniLM nor YAMNet.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial

import numpy as np
import numpy.typing as npt

from harken.parts import ensure
from harken.perceive.sound import SoundEar, class_names
from harken.soundflow import sources
from harken.soundflow.ground.generator import Procedural
from harken.soundflow.ground.ground import Grounding, grounded
from harken.soundflow.ground.hearing import KeptEar
from harken.soundflow.ground.kept import kept
from harken.soundflow.ground.retrieve import Shelf
from harken.soundflow.ground.sentence import SentenceEncoder
from harken.soundflow.manifest import Clip
from harken.soundflow.plan import Plan
from harken.soundflow.studio import trimmed
from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]

Ground = Callable[[Plan, np.random.Generator], Grounding]
"""Finds the sounds of a plan; the generator is used by it alone."""

LONGEST_READ_S = 60.0
"""Of a longer recording only the start is used."""


@lru_cache(maxsize=2)
def offline(split: str) -> Ground:
    """Grounding with the recordings of `train` or `dev` and with sounds made by rule.

    Raises:
        HarkenError: the corpora or a part are missing.
    """
    shelf = Shelf(sources.clips(split=split, kind="event"), split, embedded)
    ear = KeptEar("yamnet", class_names(ensure("yamnet")), lambda: SoundEar(ensure("yamnet")))
    generators = [Procedural()]

    def ground(plan: Plan, random: np.random.Generator) -> Grounding:
        return grounded(plan, shelf, generators, ear, random, load=sounding_part)

    return ground


def embedded(texts: Sequence[str]) -> F32:
    """float32 [n, 384]: MiniLM's embeddings, each text embedded once on this machine."""
    if not texts:
        return np.zeros((0, 0), np.float32)
    return np.stack([kept("minilm", t.encode(), make=partial(_embed, t)) for t in texts])


@lru_cache(maxsize=64)  # of a minute each: 250 MB
def sounding_part(clip: Clip) -> F32:
    """The samples of a recording without what lies 45 dB below its peak at both ends."""
    return trimmed(sources.load(clip)[: int(LONGEST_READ_S * SAMPLE_RATE)])


def _embed(text: str) -> F32:
    vector: F32 = _encoder().encode([text])[0]
    return vector


@cache
def _encoder() -> SentenceEncoder:
    return SentenceEncoder(ensure("minilm"))
