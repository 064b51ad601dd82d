"""A composer that makes a stream from a plan: what was planned, as far as there is material for it.

Every event of a plan (`harken.soundflow.plan`) is replaced by a clip of the split; one without
material is left out, and so is one that no longer fits into a minute. Roles, gains, fades and noise
follow the published stitching (arXiv 2606.05121, Algorithm 4): foreground 0 dB, background -6 dB,
ambient -12 dB, 20 ms fades at both ends of a clip, two noise tracks over the full length, the
event-like one at an SNR of U(5, 20) dB, the ambient one 5 dB quieter.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import numpy.typing as npt

from harken.soundflow.clean import spec_smooth
from harken.soundflow.composing import answer, pick
from harken.soundflow.events import EVENTS
from harken.soundflow.generate import noise_bed
from harken.soundflow.plan import EVERYONE, LISTENER, SPEECH, GrammarPlanner, Plan, PlannedEvent
from harken.soundflow.plan.plan import OTHER
from harken.soundflow.scene import Due, Scene, Variant, sound_due
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE, Prefix

F32 = npt.NDArray[np.float32]

SHORTEST_S, LONGEST_S = 20.0, 60.0
GAIN_DB = {"fg": 0.0, "bg": -6.0, "ambient": -12.0}
SNR_DB = (5.0, 20.0)
AMBIENT_NOISE_DB = 5.0
"""So much quieter than the event-like noise is the ambient one."""
LEAST_FOREGROUND = 2
"""Fewer sounds and turns of talk in the foreground are no scene."""

_PEAK_DB = (-12.0, -3.0)
_TAIL_S = (2.0, 4.0)
_REPLY_ROOM_S = 2.0
"""After a question the words ear needs this long until nobody else may speak."""
_CROSSFADE_S = 0.2
_RECORDED_SHARE = 0.5
"""How often an announcement is a recording instead of a synthetic voice."""
_PLANS, _CANDIDATES, _BED_DRAWS = 4, 3, 6
_NAMED_BED_SHARE = 0.5
"""How often an ambient sound is the one planned, where there is one; else a place without name."""
_RARER_SHARE = 0.3
"""How often the policies quiet and bench are played as well."""


@dataclass(frozen=True, slots=True)
class Take:
    """What is played for an event: float32 [n] at 16 kHz, its source, the answer due to it."""

    clip: F32
    source: str
    reply: str = ""


Placed = tuple[PlannedEvent, Take, int]
"""An event, what is played for it, and its first sample."""


def planned(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """A scene of the grammar planner, with talk and sounds, under several policies.

    Raises:
        LookupError: the split has too little of what four plans ask for.
    """
    planner = GrammarPlanner()
    seeds = random.integers(1 << 31, size=_PLANS)
    for seed in seeds[:-1]:
        with suppress(LookupError):
            return from_plan(planner.plan(int(seed)), studio, random)
    return from_plan(planner.plan(int(seeds[-1])), studio, random)


def from_plan(
    plan: Plan, studio: Studio, random: np.random.Generator
) -> tuple[Scene, list[Variant]]:
    """A scene of 20 s to 60 s made from a valid plan, and its variants.

    `scene.sounds` lists the sounds in the foreground. A variant is left out where it is not clear
    what is due: narration and the benchmark's policy with a sound that has no name, and any policy
    that would speak of a sound beneath the foreground.

    Raises:
        LookupError: fewer than `LEAST_FOREGROUND` events in the foreground have material.
    """
    placed = place_events(plan, takes_for(plan, studio, random), random)
    foreground, background = ([p for p in placed if p[0].role == role] for role in ("fg", "bg"))
    if len(foreground) < LEAST_FOREGROUND:
        raise LookupError(
            f"split {studio.split} has material for {len(foreground)} foreground events of the "
            f"plan of {plan.scene} with seed {plan.seed}"
        )
    end_s = max(start + len(take.clip) for _, take, start in placed) / SAMPLE_RATE
    length_s = np.clip(end_s + random.uniform(*_TAIL_S), SHORTEST_S, LONGEST_S)
    scene = Scene(random, int(length_s * SAMPLE_RATE))
    peak_db = float(random.uniform(*_PEAK_DB))
    asked: list[Due] = []
    for event, take, scene.at in foreground:
        label = {SPEECH: None, OTHER: ""}.get(event.label, event.label)
        span = scene.place(spec_smooth(take.clip), peak_db + GAIN_DB["fg"], take.source, label)
        if take.reply:
            asked.append(answer(span, take.reply, "question"))
    foreground_rms_db = _rms_db(clip for _, clip in scene.tracks)
    for _, take, start in background:
        scene.overlay(spec_smooth(take.clip), peak_db + GAIN_DB["bg"], start)
        scene.sources.add(take.source)
    beneath = {event.label for event, _, _ in background}
    beneath |= _lay_ambience(scene, plan, studio, peak_db + GAIN_DB["ambient"])
    _lay_noise(scene, foreground_rms_db)
    return scene, _variants(scene, asked, beneath, random)


def takes_for(plan: Plan, studio: Studio, random: np.random.Generator) -> dict[str, Take]:
    """What can be played for the events that are not ambient, by name; the others are missing."""
    takes: dict[str, Take] = {}
    lines = _Lines.of(studio)
    voices = _cast(plan, lines, random)
    recorded = _recorded_speaker(plan, random)
    said: set[str] = set()
    for event in plan.events:
        if event.role == "ambient":
            continue
        if event.label != SPEECH:
            take = _sound(event, studio, random)
        elif event.speaker == recorded:
            clip, _, source = studio.talk(random, english=True)
            take = Take(clip, source)
        else:
            take = _turn(event, voices, lines, studio, said, random)
        if take is not None:
            takes[event.name] = take
    return takes


def place_events(
    plan: Plan, takes: Mapping[str, Take], random: np.random.Generator
) -> list[Placed]:
    """The events that have a take, at samples that keep the plan's pauses and orders.

    What a left-out event had to wait for, those after it wait for in its place. Nobody talks while
    somebody else does, nor right after a question that is due an answer.
    """
    waits: dict[str, list[str]] = defaultdict(list)
    for before, after in plan.orders:
        waits[after].append(before)
    ended: dict[str, int] = {}
    foreground_end = talk_end = answered = 0
    placed: list[Placed] = []
    for event in plan.events:
        if event.role == "ambient":
            continue
        earliest = max((ended.get(name, 0) for name in waits[event.name]), default=0)
        ended[event.name] = earliest
        take = takes.get(event.name)
        if take is None:
            continue
        gap = int(np.ceil(random.uniform(*event.start_after) * SAMPLE_RATE))
        start = max(earliest, foreground_end + gap, answered)
        if event.label == SPEECH:
            start = max(start, talk_end)
        end = start + len(take.clip)
        if end > (LONGEST_S - _TAIL_S[0]) * SAMPLE_RATE:
            continue
        placed.append((event, take, start))
        ended[event.name] = end
        if event.role == "fg":
            foreground_end = end
        if event.label == SPEECH:
            talk_end = end
        if take.reply:
            answered = end + int(_REPLY_ROOM_S * SAMPLE_RATE)
    return placed


def crossfaded(pieces: Sequence[F32], samples: int) -> F32:
    """float32 [samples]: the pieces one after the other, again and again, with crossfades.

    The crossfade keeps the power (sine and cosine) and lasts 0.2 s or half the shortest piece.
    """
    overlap = min(int(_CROSSFADE_S * SAMPLE_RATE), *(len(p) // 2 for p in pieces))
    rise = np.sin(np.linspace(0, np.pi / 2, overlap, dtype=np.float32))
    y = np.zeros(samples + max(map(len, pieces)), np.float32)
    at = 0
    for piece in cycle(pieces):
        if at >= samples:
            break
        shaped = piece.astype(np.float32)
        shaped[len(shaped) - overlap :] *= rise[::-1]
        if at:
            shaped[:overlap] *= rise
        y[at : at + len(shaped)] += shaped
        at += len(shaped) - overlap
    return y[:samples]


@dataclass(frozen=True, slots=True)
class _Lines:
    """What each voice can say: questions that have an answer, and talk that asks nothing."""

    asked: Mapping[str, list[Spoken]]
    told: Mapping[str, list[Spoken]]

    @classmethod
    def of(cls, studio: Studio) -> "_Lines":
        asked: dict[str, list[Spoken]] = defaultdict(list)
        told: dict[str, list[Spoken]] = defaultdict(list)
        for line in studio.all_spoken("question", "en"):
            if line.other:
                asked[line.voice].append(line)
        for kind in ("not_addressed", "sentence"):
            for line in studio.all_spoken(kind, "en"):
                told[line.voice].append(line)
        return cls(dict(asked), dict(told))

    def to(self, addressed: str) -> Mapping[str, list[Spoken]]:
        """The lines for talk addressed so."""
        return self.asked if addressed == LISTENER else self.told


def _cast(plan: Plan, lines: _Lines, random: np.random.Generator) -> dict[str, str]:
    """A voice of their own for each speaker, as long as there are voices that fit.

    The second letter of a Kokoro voice tells women (f) from men (m).
    """
    turns = [e for e in plan.events if e.label == SPEECH]
    cast: dict[str, str] = {}
    for speaker in dict.fromkeys(e.speaker for e in turns):
        mine = [e for e in turns if e.speaker == speaker]
        free = set.intersection(*(set(lines.to(e.addressed_to)) for e in mine))
        free -= set(cast.values())
        sexes = {tag[0].lower() for tag in mine[0].accept_tags if tag.startswith(("Fem", "Male"))}
        alike = [voice for voice in free if voice[1:2] in sexes]
        if free:
            cast[speaker] = pick(random, sorted(alike or free))
    return cast


def _recorded_speaker(plan: Plan, random: np.random.Generator) -> str:
    """Sometimes somebody who announces something once: of recordings the voice is not known."""
    spoken = [e.speaker for e in plan.events if e.label == SPEECH]
    once = [e.speaker for e in plan.events if e.addressed_to == EVERYONE]
    once = [speaker for speaker in once if spoken.count(speaker) == 1]
    return pick(random, once) if once and random.random() < _RECORDED_SHARE else ""


def _turn(
    event: PlannedEvent,
    voices: Mapping[str, str],
    lines: _Lines,
    studio: Studio,
    said: set[str],
    random: np.random.Generator,
) -> Take | None:
    """One turn of talk in the speaker's voice, not said before in this scene."""
    voice = voices.get(event.speaker, "")
    fresh = [s for s in lines.to(event.addressed_to).get(voice, []) if s.text not in said]
    if not fresh:
        return None
    line = fresh[int(random.integers(len(fresh)))]
    said.add(line.text)
    reply = line.other if event.addressed_to == LISTENER else ""
    return Take(studio.voice(line), line.kind, reply)


def _sound(event: PlannedEvent, studio: Studio, random: np.random.Generator) -> Take | None:
    """Of three clips of the label the one nearest to the planned length, cut at twice of it."""
    nameless = event.label == OTHER
    if not nameless and event.label not in studio.labels:
        return None
    drawn = [
        studio.harmless(random) if nameless else studio.event(event.label, random)
        for _ in range(_CANDIDATES)
    ]
    wanted = event.rough_duration_s * SAMPLE_RATE
    clip, source = min(drawn, key=lambda one: abs(np.log(len(one[0]) / wanted)))
    return Take(clip[: int(2 * wanted)], source)


def _lay_ambience(scene: Scene, plan: Plan, studio: Studio, peak_db: float) -> set[str]:
    """Put every ambient sound under the whole scene; the labels of those that have a name."""
    random, named = scene.random, set[str]()
    for event in plan.events:
        if event.role != "ambient":
            continue
        drawn: list[tuple[F32, str]] = []
        if event.label in studio.labels and random.random() < _NAMED_BED_SHARE:
            drawn = [studio.event(event.label, random) for _ in range(_BED_DRAWS)]
            named.add(event.label)
        else:
            with suppress(LookupError):
                drawn = [studio.ambience(random)]
        if drawn:
            bed = crossfaded([clip for clip, _ in drawn], scene.samples)
            scene.overlay(bed, peak_db, 0)
            scene.sources |= {source for _, source in drawn}
    return named


def _lay_noise(scene: Scene, foreground_rms_db: float) -> None:
    """Noise that swells and sinks like events, and noise that stays, below the foreground."""
    random = scene.random
    snr_db = random.uniform(*SNR_DB)
    swelling = [
        noise_bed(random, int(random.uniform(0.8, 3.0) * SAMPLE_RATE))
        * np.float32(10 ** (random.uniform(-12, 0) / 20))
        for _ in range(8)
    ]
    steady = [noise_bed(random, 6 * SAMPLE_RATE)]
    for pieces, below_db in ((swelling, snr_db), (steady, snr_db + AMBIENT_NOISE_DB)):
        scene.lay(crossfaded(pieces, scene.samples), foreground_rms_db - float(below_db))


def _rms_db(clips: Iterable[F32]) -> float:
    """The level of clips while they sound, dB below full scale."""
    power = np.mean(np.square(np.concatenate(list(clips)), dtype=np.float64))
    return float(10 * np.log10(max(1e-12, power)))


def _variants(
    scene: Scene, asked: list[Due], beneath: set[str], random: np.random.Generator
) -> list[Variant]:
    heard = [sound for sound in scene.sounds if sound[2]]
    policies = ["care"]
    if len(heard) == len(scene.sounds):
        # Without questions: `resound` judges a narrated stream anew by its sounds alone.
        policies += ["narrate"] * (not asked)
        policies += ["bench"] * (random.random() < _RARER_SHARE)
    policies += ["quiet"] * (random.random() < _RARER_SHARE)
    kinds = [EVENTS[label] for label in beneath if label in EVENTS]
    variants = []
    for policy in policies:
        if any(kind.reply(policy) for kind in kinds):
            continue
        due = asked + [
            sound_due(start, end, reply, label)
            for start, end, label in heard
            if (reply := EVENTS[label].reply(policy))
        ]
        ordered = tuple(sorted(due, key=lambda d: d.end))
        variants.append(Variant(policy, Prefix(policy), ordered))
    if not variants:
        raise LookupError("under no policy it is clear what is due")
    return variants
