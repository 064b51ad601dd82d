"""Judges a sound found or made for an event: accept it, clean it once, or reject it.

The four questions are the published ones (arXiv 2606.05121, "Hierarchical event curation"):
identity, cleanliness, duration within half to twice, continuity; asked of the samples instead of
captions. Where it is in doubt it rejects: another clip costs less than a wrong label in training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from harken.soundflow.clean import HOP_SAMPLES, STATIONARY, clean, frame_power, noise_profile
from harken.soundflow.ground.hearing import Ear, scores_over
from harken.soundflow.ground.labels import PAUSING, VOICED, classes_of, lasting
from harken.soundflow.ground.lengths import length_fits
from harken.soundflow.manifest import UNLABELLED
from harken.soundflow.plan import PlannedEvent
from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]

IDENTITY_SCORE = 0.3
"""A class of the label must be heard so surely at least once (figures: docs/grounding.md)."""
LABELLED_SCORE, LABELLED_RANK = 0.02, 10
"""Of a recording that carries the label already: one of its classes is among so many first ones of
the clip with so much."""
SPEECH_SCORE = 0.5
"""From here on somebody speaks in the clip."""
QUIETEST_PEAK = 10 ** (-50 / 20)
NOISY_DB = (8.0, 20.0)
"""A floor so far below the loudest frame is noise: nearer it is the sound, further it is clean."""
NOISE_FLATNESS = 0.1
"""Geometric over arithmetic mean of the floor's spectrum; a tone that lasts lies far below."""
SILENT_DB = 40.0
"""Frames so far below the loudest one are a gap."""
LONGEST_GAP_S, LONGEST_PAUSE_S = 1.0, 6.0
"""Within a sound; within one whose pattern has pauses."""
LONGEST_CLEANED_S = 30.0
"""Longer sounds are rejected instead of cleaned: what would be left is one event of many."""

SPEECH_CLASS = "Speech"


class Decision(StrEnum):
    """What to do with a sound."""

    ACCEPT = "accept"
    REPROCESS = "reprocess"
    REJECT = "reject"


class Reason(StrEnum):
    """What was found; `fits` of an accepted sound."""

    FITS = "fits"
    IDENTITY = "identity"
    CLEANLINESS = "cleanliness"
    DURATION = "duration"
    CONTINUITY = "continuity"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, its reason, and the value that led to it in words."""

    decision: Decision
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The samples that the last verdict is about, and every verdict on the way to it."""

    samples: F32
    verdicts: tuple[Verdict, ...]

    @property
    def accepted(self) -> bool:
        """Whether the sound may be used."""
        return self.verdicts[-1].decision is Decision.ACCEPT


def judged(x: F32, event: PlannedEvent, label: str, ear: Ear, *, made: bool = False) -> Judged:
    """The sound as it may be used, cleaned (`harken.soundflow.clean`) at most once.

    Args:
        x: float32 [n] at 16 kHz.
        label: under which the sound came: of a clip its own, of a generator the event's.
        made: by a generator, whose word for it does not count.
    """
    first = verify(x, event, label, ear, made=made)
    if first.decision is not Decision.REPROCESS:
        return Judged(x, (first,))
    if len(x) > LONGEST_CLEANED_S * SAMPLE_RATE:
        detail = f"{first.detail}, and too long to be cleaned"
        return Judged(x, (Verdict(Decision.REJECT, first.reason, detail),))
    y = clean(x).samples
    second = verify(y, event, label, ear, made=made)
    if second.decision is Decision.REPROCESS:
        detail = f"{second.detail}, after cleaning"
        second = Verdict(Decision.REJECT, second.reason, detail)
    return Judged(y, (first, second))


def verify(x: F32, event: PlannedEvent, label: str, ear: Ear, *, made: bool = False) -> Verdict:
    """The verdict on samples float32 [n] at 16 kHz; arguments as in `judged`.

    What cleaning cannot mend is looked at first, so nothing is cleaned in vain.
    """
    peak = float(np.abs(x).max(initial=0.0))
    if not np.isfinite(peak) or peak < QUIETEST_PEAK:
        return _reject(Reason.CLEANLINESS, f"silent: its peak is {peak:.2g}")
    length = length_fits(event, len(x) / SAMPLE_RATE)
    told = f"{len(x) / SAMPLE_RATE:.2f} s for {event.rough_duration_s:.2f} s"
    if length == "too short":
        return _reject(Reason.DURATION, f"{length}: {told}")
    heard = scores_over(x, ear)
    doubt = _identity_doubt(heard, event, "" if made else label, ear, label == event.label)
    if doubt:
        return _reject(Reason.IDENTITY, doubt)
    speech = float(heard[ear.names.index(SPEECH_CLASS)])
    if speech >= SPEECH_SCORE and event.label not in VOICED:
        return _reject(Reason.CLEANLINESS, f"somebody speaks in it ({speech:.2f})")
    pauses = event.label in PAUSING
    if length:
        return _clean_or_reject(pauses, Reason.DURATION, f"{length}: {told}")
    gap_s = longest_gap_s(x)
    if gap_s > (LONGEST_PAUSE_S if pauses else LONGEST_GAP_S):
        return _clean_or_reject(pauses, Reason.CONTINUITY, f"a gap of {gap_s:.2f} s")
    below_db = floor_below_peak_db(x)
    if below_db is not None and event.label not in lasting():
        return _clean_or_reject(
            pauses, Reason.CLEANLINESS, f"noise only {below_db:.0f} dB below the loudest frame"
        )
    return Verdict(Decision.ACCEPT, Reason.FITS, _best(heard, _classes(event, ear), ear))


def longest_gap_s(x: F32) -> float:
    """The longest silence between two sounding frames, in seconds."""
    power = frame_power(x)
    loud = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (-SILENT_DB / 10))
    if len(loud) < 2:
        return 0.0
    return float(np.diff(loud).max() - 1) * HOP_SAMPLES / SAMPLE_RATE


def floor_below_peak_db(x: F32) -> float | None:
    """How far steady noise lies below the loudest frame in dB; None if there is no such noise.

    The floor is the mean spectrum of the twentieth of frames with least power. As for denoising, a
    fifth of all frames must lie near it: the end of a sound that dies away is no noise.
    """
    profile, power = np.square(noise_profile(x)), frame_power(x)
    floor, loudest = float(profile.sum()), float(power.max(initial=0.0))
    if floor <= 0 or loudest <= 0:
        return None
    below_db = 10 * float(np.log10(loudest / floor))
    flatness = float(np.exp(np.log(profile + 1e-12 * floor).mean()) / profile.mean())
    percentile, margin_db = STATIONARY
    steady = float(np.percentile(power, percentile)) <= floor * 10 ** (margin_db / 10)
    noisy = steady and NOISY_DB[0] < below_db < NOISY_DB[1] and flatness >= NOISE_FLATNESS
    return below_db if noisy else None


def _identity_doubt(heard: F32, event: PlannedEvent, carried: str, ear: Ear, is_named: bool) -> str:
    """Why the sound may not be the event's; empty if it is heard or nothing can hear it.

    A recording that carries the label is probably such a sound, so it need not be heard as surely.
    """
    classes = _classes(event, ear)
    if not classes:
        return "" if is_named else f"no class to hear {event.label} by, and the clip is {carried}"
    score = max(float(heard[ear.names.index(name)]) for name in classes)
    if score >= IDENTITY_SCORE:
        return ""
    if carried != event.label or carried == UNLABELLED:
        return f"{_best(heard, classes, ear)} is below {IDENTITY_SCORE}"
    rank = 1 + int((heard > score).sum())
    if score < LABELLED_SCORE or rank > LABELLED_RANK:
        return f"{_best(heard, classes, ear)} is heard in place {rank} alone"
    return ""


def _classes(event: PlannedEvent, ear: Ear) -> list[str]:
    """What to listen for: the label's classes; the event's tags where the label has none."""
    names = classes_of(event.label) or event.accept_tags
    return [name for name in names if name in ear.names]


def _best(heard: F32, classes: Sequence[str], ear: Ear) -> str:
    if not classes:
        return "by its label alone"
    name = max(classes, key=lambda n: float(heard[ear.names.index(n)]))
    return f"{name} {float(heard[ear.names.index(name)]):.2f}"


def _reject(reason: Reason, detail: str) -> Verdict:
    return Verdict(Decision.REJECT, reason, detail)


def _clean_or_reject(pauses: bool, reason: Reason, detail: str) -> Verdict:
    """Cleaning cuts pauses, which would break the pattern of an alarm or a ring."""
    return Verdict(Decision.REJECT if pauses else Decision.REPROCESS, reason, detail)
