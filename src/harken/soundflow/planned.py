"""A composer that makes a stream from a plan: plan, ground, speak, stitch (docs/planning.md).

Every sound of a plan (`harken.soundflow.plan`) is grounded (`harken.soundflow.ground`), every turn
of talk is said (`planned_talk`); what has no material is left out, and so is what no longer fits.
Roles, gains, fades and noise follow the published stitching (arXiv 2606.05121, Algorithm 4):
foreground 0 dB, background -6 dB, ambient -12 dB, 20 ms fades at both ends of a clip.
"""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.beds import crossfaded, lay_noise, rms_db
from harken.soundflow.clean import spec_smooth
from harken.soundflow.composing import answer
from harken.soundflow.events import EVENTS
from harken.soundflow.ground import Ground, Grounded, offline, tallied
from harken.soundflow.plan import MAX_PLAN_S, SPEECH, GrammarPlanner, Plan, PlannedEvent, Planner
from harken.soundflow.plan.plan import OTHER
from harken.soundflow.planned_talk import Take, Voices, from_afar, talk_of, television
from harken.soundflow.scene import Due, Scene, Variant, sound_due
from harken.soundflow.speech import Kokoro, WhisperEar, drawn_leakage, leaked
from harken.soundflow.studio import Studio
from harken.soundflow.vary import varied
from harken.stream import SAMPLE_RATE, Prefix

F32 = npt.NDArray[np.float32]

SHORTEST_S = 20.0
GAIN_DB = {"fg": 0.0, "bg": -6.0, "ambient": -12.0}
LEAST_FOREGROUND = 2
"""Fewer sounds and turns of talk in the foreground are no scene."""
INDOORS = ("home", "kitchen", "bathroom", "nursery", "office", "hospital", "party")
"""Where a television may run."""

_PEAK_DB = (-12.0, -3.0)
_TAIL_S = (2.0, 4.0)
_REPLY_AFTER_S = 1.8
"""After a question: by then its last word was heard, and the reply begins to play."""
_REPLY_ROOM_S = 2.0
"""After a question the words ear needs this long until nobody else may speak."""
_LONG_SILENCE_S = (8.0, 40.0)
_PLANS = 4
_NAMED_BED_SHARE = 0.5
"""How often an ambient sound is the one planned, where it has a name; else a place without one."""
_RARER_SHARE = 0.3
"""How often the policies quiet and bench are played as well."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a plan becomes a stream; equal options, seeds and material give equal streams.

    Attributes:
        longest_s: of a stream, 20 s to 600 s.
        new_takes: whether talk may be synthesised (Kokoro, checked by Whisper, seconds of a core
            for each new sentence); else lines are drawn of which there are takes.
        far_share: how often talk in the background comes from across a room.
        television_share: how often a television runs indoors, where nobody asks us anything.
        silence_share: how often one pause is 8 s to 40 s longer than planned.
        leak_share: how often our own voice leaks into the microphone when it replies.
    """

    longest_s: float = 60.0
    new_takes: bool = False
    far_share: float = 0.7
    television_share: float = 0.2
    silence_share: float = 0.15
    leak_share: float = 0.7

    def __post_init__(self) -> None:
        if not SHORTEST_S <= self.longest_s <= MAX_PLAN_S:
            raise HarkenError(
                f"longest_s is {self.longest_s:g}; give {SHORTEST_S:g} to {MAX_PLAN_S:g} s"
            )
        for share in ("far_share", "television_share", "silence_share", "leak_share"):
            if not 0 <= getattr(self, share) <= 1:
                raise HarkenError(f"{share} is {getattr(self, share):g}; give 0 to 1")


@dataclass
class PlannedScene(Scene):
    """A scene that knows its plan."""

    plan: Plan | None = None


Placed = tuple[PlannedEvent, Take, int]
"""An event, what is played for it, and its first sample."""

_DEFAULT = Options()


def planned(
    studio: Studio,
    random: np.random.Generator,
    *,
    options: Options = _DEFAULT,
    planner: Planner | None = None,
) -> tuple[Scene, list[Variant]]:
    """A scene of the grammar planner (or another), with talk and sounds, under several policies.

    `functools.partial(planned, options=...)` is a composer with other options.

    Raises:
        LookupError: the split has too little of what four plans ask for.
        HarkenError: the corpora or a part are missing.
    """
    planner = planner or GrammarPlanner()
    seeds = random.integers(1 << 31, size=_PLANS)
    for seed in seeds[:-1]:
        with suppress(LookupError):
            return from_plan(planner.plan(int(seed)), studio, random, options=options)
    return from_plan(planner.plan(int(seeds[-1])), studio, random, options=options)


def from_plan(
    plan: Plan,
    studio: Studio,
    random: np.random.Generator,
    *,
    options: Options = _DEFAULT,
    ground: Ground | None = None,
) -> tuple[Scene, list[Variant]]:
    """A scene of 20 s to `options.longest_s` made from a valid plan, and its variants.

    `scene.sounds` lists the sounds in the foreground. A variant is left out where it is not clear
    what is due: narration and the benchmark's policy with a sound that has no name, and any policy
    that would speak of a sound beneath the foreground.

    Args:
        ground: finds the sounds; the recordings of the studio's split if left out.

    Raises:
        LookupError: fewer than `LEAST_FOREGROUND` events in the foreground have material.
        HarkenError: the corpora, a part or a voice model are missing.
    """
    (draws,) = random.spawn(1)
    grounding = (ground or offline(studio.split))(plan, draws)
    voices = Voices(Kokoro(), WhisperEar()) if options.new_takes else None
    talk = talk_of(plan, studio, random, voices)
    counts = tallied(grounding) + talk.counts
    found = {sound.event.name: sound for sound in grounding.sounds}
    takes = {
        event.name: talk.takes[event.name]
        if event.label == SPEECH
        else _sound(found[event.name], random)
        for event in plan.events
        if event.role != "ambient" and event.name in (talk.takes.keys() | found.keys())
    }
    placed = place_events(plan, takes, random, options, _long_silence(plan, options, random))
    foreground, background = ([p for p in placed if p[0].role == role] for role in ("fg", "bg"))
    if len(foreground) < LEAST_FOREGROUND:
        told = ", ".join(f"{reason} {n}" for reason, n in sorted(counts.items()))
        raise LookupError(
            f"split {studio.split} has material for {len(foreground)} foreground events of the "
            f"plan of {plan.scene} with seed {plan.seed} ({told})"
        )
    end_s = max(start + _playing(take) for _, take, start in placed) / SAMPLE_RATE
    length_s = np.clip(end_s + random.uniform(*_TAIL_S), SHORTEST_S, options.longest_s)
    scene = PlannedScene(random, int(length_s * SAMPLE_RATE), plan=plan, counts=counts)
    peak_db = float(random.uniform(*_PEAK_DB))
    asked: list[Due] = []
    own: tuple[int, int] = (0, 0)
    for event, take, scene.at in foreground:
        label = {SPEECH: None, OTHER: ""}.get(event.label, event.label)
        span = scene.place(spec_smooth(take.clip), peak_db + GAIN_DB["fg"], take.source, label)
        if take.reply:
            asked.append(answer(span, take.reply, "question"))
            if len(take.own) and own == (0, 0):
                own = _reply_heard(scene, take, span[1], peak_db, options)
    foreground_rms_db = rms_db(clip for _, clip in scene.tracks)
    for event, take, start in background:
        is_far = event.label == SPEECH and random.random() < options.far_share
        clip = from_afar(take.clip, random) if is_far else take.clip
        scene.overlay(spec_smooth(clip), peak_db + GAIN_DB["bg"], start)
        scene.sources.add(take.source)
        if is_far:
            scene.counts["heard from afar"] += 1
    if _has_television(plan, options, bool(asked), random):
        start, clip, sources = television(studio, scene.samples, random)
        scene.overlay(clip, peak_db + GAIN_DB["bg"], start)
        scene.sources |= sources
        scene.counts["television"] += 1
    beneath = {event.label for event, _, _ in background}
    beneath |= _lay_ambience(scene, plan, found, studio, peak_db + GAIN_DB["ambient"])
    lay_noise(scene, foreground_rms_db)
    return scene, _variants(scene, asked, beneath, own, random)


def place_events(
    plan: Plan,
    takes: Mapping[str, Take],
    random: np.random.Generator,
    options: Options = _DEFAULT,
    longer_s: Mapping[str, float] | None = None,
) -> list[Placed]:
    """The events that have a take, at samples that keep the plan's pauses and orders.

    What a left-out event had to wait for, those after it wait for in its place. Nobody talks while
    somebody else does, nor right after a question that is due an answer, nor while we reply.

    Args:
        longer_s: by how much the pause before an event is longer than planned.
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
        gap_s = random.uniform(*event.start_after) + (longer_s or {}).get(event.name, 0.0)
        gap = int(np.ceil(gap_s * SAMPLE_RATE))
        start = max(earliest, foreground_end + gap, answered)
        if event.label == SPEECH:
            start = max(start, talk_end)
        end = start + len(take.clip)
        if start + _playing(take) > (options.longest_s - _TAIL_S[0]) * SAMPLE_RATE:
            continue
        placed.append((event, take, start))
        ended[event.name] = end
        if event.role == "fg":
            foreground_end = end
        if event.label == SPEECH:
            talk_end = end
        if take.reply:
            answered = max(end + int(_REPLY_ROOM_S * SAMPLE_RATE), start + _playing(take))
    return placed


def _playing(take: Take) -> int:
    """Samples from the start of a take until it, and our reply to it, have been heard."""
    if not len(take.own):
        return len(take.clip)
    return len(take.clip) + int(_REPLY_AFTER_S * SAMPLE_RATE) + len(take.own)


def _sound(found: Grounded, random: np.random.Generator) -> Take:
    """The sound of an event: a recording at another speed and in another room, cut at twice the
    planned length; a made sound as it is."""
    if found.made:
        return Take(found.samples, f"made:{found.source.removeprefix('procedural ')}")
    longest = int(2 * found.event.rough_duration_s * SAMPLE_RATE)
    return Take(varied(found.samples, random)[:longest], found.source)


def _long_silence(plan: Plan, options: Options, random: np.random.Generator) -> Mapping[str, float]:
    """Sometimes one event of the foreground that is long in coming."""
    names = [e.name for e in plan.events if e.role == "fg"][1:]
    if not names or random.random() >= options.silence_share:
        return {}
    return {names[int(random.integers(len(names)))]: float(random.uniform(*_LONG_SILENCE_S))}


def _reply_heard(
    scene: PlannedScene, take: Take, asked_end: int, peak_db: float, options: Options
) -> tuple[int, int]:
    """From where to where we reply aloud; often the microphone hears it."""
    start = asked_end + int(_REPLY_AFTER_S * SAMPLE_RATE)
    if scene.random.random() < options.leak_share:
        peak = np.float32(max(1e-6, float(np.abs(take.own).max())))
        played = take.own / peak * np.float32(10 ** (peak_db / 20))
        scene.tracks.append((start, leaked(played, drawn_leakage(scene.random), scene.random)))
        scene.counts["own voice leaks"] += 1
    return start, start + len(take.own)


def _has_television(
    plan: Plan, options: Options, is_asked: bool, random: np.random.Generator
) -> bool:
    # A question is due when its last word is heard: nobody else may be heard then.
    return plan.scene in INDOORS and not is_asked and random.random() < options.television_share


def _lay_ambience(
    scene: Scene, plan: Plan, found: Mapping[str, Grounded], studio: Studio, peak_db: float
) -> set[str]:
    """Put every ambient sound under the whole scene; the labels of those that have a name."""
    random, named = scene.random, set[str]()
    for event in plan.events:
        if event.role != "ambient":
            continue
        sound = found.get(event.name)
        drawn: list[tuple[F32, str]] = []
        if sound and (event.label not in EVENTS or random.random() < _NAMED_BED_SHARE):
            take = _sound(sound, random)
            drawn = [(take.clip, take.source)]
            named |= {event.label} & EVENTS.keys()
        else:
            with suppress(LookupError):
                drawn = [studio.ambience(random)]
        if drawn:
            bed = crossfaded([clip for clip, _ in drawn], scene.samples)
            scene.overlay(bed, peak_db, 0)
            scene.sources |= {source for _, source in drawn}
    return named


def _variants(
    scene: Scene,
    asked: list[Due],
    beneath: set[str],
    own: tuple[int, int],
    random: np.random.Generator,
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
        variants.append(Variant(policy, Prefix(policy), ordered, own_voice=own))
    if not variants:
        raise LookupError("under no policy it is clear what is due")
    return variants
