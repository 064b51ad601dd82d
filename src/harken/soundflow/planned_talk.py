"""Who says what in a planned stream, in which voice, from how far away.

The plan says who talks to whom about what; the lines are drawn from the texts of the split. A line
is a take that is there already; with a voice model also one that is made and checked by ear
(`harken.soundflow.speech`), in any of its voices. If one line of an exchange cannot be said the
exchange is dropped, since without a turn it is another one.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from harken.soundflow.clean import spec_smooth
from harken.soundflow.composing import pick
from harken.soundflow.plan import EVERYONE, LISTENER, SPEECH, Plan, PlannedEvent
from harken.soundflow.speech import (
    Dropped,
    Tts,
    drawn_distance,
    heard_from,
    speak_dialogue,
)
from harken.soundflow.speech import Ear as Recogniser
from harken.soundflow.studio import Spoken, Studio
from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]

OWN_VOICE = "af_heart"
"""Says Harken's replies, where they leak into the microphone; nobody else has it in a scene."""

_RECORDED_SHARE = 0.5
"""How often an announcement is a recording instead of a synthetic voice."""
_TELEVISION_PAUSE_S = (0.2, 1.5)
_TELEVISION_ENGLISH_SHARE = 0.7
_BACKGROUND_FROM_M, _TRIES = 1.5, 20
"""Who talks in the background stands no nearer, if so many draws of a room allow it."""


@dataclass(frozen=True, slots=True)
class Take:
    """What is played for an event.

    Attributes:
        clip: float32 [n] at 16 kHz.
        source: where it comes from, as rows name it.
        reply: the answer due to it, empty for none.
        own: that answer in Harken's own voice, as it is played; empty where nobody says it.
    """

    clip: F32
    source: str
    reply: str = ""
    own: F32 = field(default_factory=lambda: np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class Voices:
    """Makes new takes: a voice model and who checks them."""

    tts: Tts
    ear: Recogniser


@dataclass(frozen=True, slots=True)
class Talk:
    """The takes of a plan's talk by event, and what became of it, counted."""

    takes: Mapping[str, Take]
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class _Line:
    """A text to be said, with the answer due to it; `take` if somebody said it already."""

    kind: str
    text: str
    reply: str
    take: Spoken | None


def talk_of(
    plan: Plan, studio: Studio, random: np.random.Generator, voices: Voices | None = None
) -> Talk:
    """The takes of all turns of talk in a plan; those without a line are missing.

    Args:
        voices: makes takes that are not there; without it only those that are there are used.

    Raises:
        HarkenError: the voice model has to be mended first.
    """
    lines = _Lines.of(studio, voices)
    recorded = _recorded_speaker(plan, random)
    turns = [e for e in plan.events if e.label == SPEECH]
    drawn: dict[str, list[tuple[PlannedEvent, _Line]]] = defaultdict(list)
    cast = _cast([e for e in turns if e.speaker != recorded], lines, random)
    said: set[str] = set()
    takes: dict[str, Take] = {}
    counts: Counter[str] = Counter()
    for event in turns:
        if event.speaker == recorded:
            clip, _, source = studio.talk(random, english=True)
            takes[event.name] = Take(clip, source)
            continue
        pool = lines.to(event.addressed_to).get(cast.get(event.speaker, ""), [])
        fresh = [line for line in pool if line.text not in said]
        if fresh:
            line = fresh[int(random.integers(len(fresh)))]
            said.add(line.text)
            drawn[event.speaker].append((event, line))
    for speaker, spoken in drawn.items():
        new = _said(speaker, spoken, cast[speaker], studio, voices, counts)
        if new is None:
            return Talk({}, counts)
        takes |= new
    return Talk({e.name: takes[e.name] for e in turns if e.name in takes}, counts)


def from_afar(x: F32, random: np.random.Generator, *, by_loudspeaker: bool = False) -> F32:
    """`x` float32 [n] at 16 kHz from across a room, in the same length."""
    distance = drawn_distance(random)
    for _ in range(_TRIES):
        if distance.distance_m >= _BACKGROUND_FROM_M:
            break
        distance = drawn_distance(random)
    if by_loudspeaker:
        distance = replace(distance, band="small_speaker", codec="none")
    return heard_from(x, distance, random)


def television(
    studio: Studio, samples: int, random: np.random.Generator
) -> tuple[int, F32, set[str]]:
    """Talk of a programme that runs for a part of a stream of `samples`.

    Returns:
        Its first sample, the talk float32 [n] as it sounds by a small loudspeaker across the room,
        and where it comes from.
    """
    english = bool(random.random() < _TELEVISION_ENGLISH_SHARE)
    start = int(random.uniform(0.0, 0.4) * samples)
    wanted = int(random.uniform(0.4, 0.6) * samples)
    pieces: list[F32] = []
    sources: set[str] = set()
    while sum(map(len, pieces)) < wanted:
        clip, _, source = studio.talk(random, english=english)
        peak = np.float32(max(1e-6, float(np.abs(clip).max(initial=0.0))))
        pause = np.zeros(int(random.uniform(*_TELEVISION_PAUSE_S) * SAMPLE_RATE), np.float32)
        pieces += [spec_smooth(clip / peak), pause]
        sources.add(source)
    programme = np.concatenate(pieces)[: samples - start]
    return start, spec_smooth(from_afar(programme, random, by_loudspeaker=True)), sources


@dataclass(frozen=True, slots=True)
class _Lines:
    """What each voice can say: questions that have an answer, and talk that asks nothing."""

    asked: Mapping[str, list[_Line]]
    told: Mapping[str, list[_Line]]

    @classmethod
    def of(cls, studio: Studio, voices: Voices | None) -> "_Lines":
        questions = [s for s in studio.all_spoken("question", "en") if s.other]
        told = [s for kind in ("not_addressed", "sentence") for s in studio.all_spoken(kind, "en")]
        more = () if voices is None else voices.tts.voices("en")
        return cls(_by_voice(questions, more, True), _by_voice(told, more, False))

    def to(self, addressed: str) -> Mapping[str, list[_Line]]:
        """The lines for talk addressed so."""
        return self.asked if addressed == LISTENER else self.told


def _by_voice(
    spoken: list[Spoken], voices: tuple[str, ...], is_asked: bool
) -> Mapping[str, list[_Line]]:
    """The takes by voice; each of `voices` can say the texts of the others as well."""
    lines: dict[str, list[_Line]] = defaultdict(list)
    for take in spoken:
        reply = take.other if is_asked else ""
        lines[take.voice].append(_Line(take.kind, take.text, reply, take))
    every = {line.text: replace(line, take=None) for said in lines.values() for line in said}
    for voice in voices:
        there = {line.text for line in lines[voice]} if voice in lines else set()
        lines[voice] += [line for text, line in every.items() if text not in there]
    return dict(lines)


def _cast(turns: list[PlannedEvent], lines: _Lines, random: np.random.Generator) -> dict[str, str]:
    """A voice of their own for each speaker, as long as there are voices that fit.

    The second letter of a Kokoro voice tells women (f) from men (m).
    """
    cast: dict[str, str] = {}
    for speaker in dict.fromkeys(e.speaker for e in turns):
        mine = [e for e in turns if e.speaker == speaker]
        free = set.intersection(*(set(lines.to(e.addressed_to)) for e in mine))
        free -= {*cast.values(), OWN_VOICE}
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


def _said(
    speaker: str,
    spoken: list[tuple[PlannedEvent, _Line]],
    voice: str,
    studio: Studio,
    voices: Voices | None,
    counts: Counter[str],
) -> dict[str, Take] | None:
    """All lines of a speaker in one voice; None if one of them could not be said."""
    missing = [line.text for _, line in spoken if line.take is None]
    made = _made(missing, speaker, voice, voices, counts)
    if made is None:
        return None
    takes: dict[str, Take] = {}
    for event, line in spoken:
        counts["said: new take" if line.take is None else "said: take at hand"] += 1
        clip = made[line.text] if line.take is None else studio.voice(line.take)
        own = np.zeros(0, np.float32)
        if line.reply:
            # A reply that cannot be said is due all the same: it just does not leak.
            replies = _made([line.reply], "Harken", OWN_VOICE, voices, counts) or {}
            own = replies.get(line.reply, own)
        takes[event.name] = Take(clip, line.kind, line.reply, own)
    return takes


def _made(
    texts: list[str], name: str, voice: str, voices: Voices | None, counts: Counter[str]
) -> dict[str, F32] | None:
    if voices is None or not texts:
        return {}
    result = speak_dialogue(texts, "en", tts=voices.tts, ear=voices.ear, name=name, voice=voice)
    if isinstance(result, Dropped):
        counts[f"not said: {result.reason}"] += 1
        return None
    return {clip.written: clip.samples for clip in result.clips}
