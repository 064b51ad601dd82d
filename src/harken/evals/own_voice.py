"""Our own voice in our own microphone: whole sessions with real parts on the virtual clock.

Somebody asks, the model answers, a real voice says it; what the loudspeaker plays comes back into
the microphone late, thinner and through a room (`harken.soundflow.speech.leakage`). Nothing of it
is for us: whatever is said to it, or stops because of it, is a mistake. The person who asked may
say a word over it. And a recording is written down aloud, as a standing order has it: every caption
that comes back is speech, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import soxr

from harken.decide.listener import Audible, Judgement, Listener
from harken.decide.rule import OperatingPoint
from harken.evals.metrics import Figure, rate, share
from harken.live.backlog import BacklogRule
from harken.live.conduct import Conduct
from harken.live.dialogue import Decided, Dialogue
from harken.live.echo import without_ours
from harken.live.playing import Playing
from harken.live.speaking import Script, speak_line
from harken.live.told_to_stop import Utterance
from harken.live.trace import CHUNK_S, FlushTrace, ResponseTrace
from harken.perceive.perception import Perception
from harken.respond.voice import Speech, Voice
from harken.soundflow.speech.leakage import Leakage, leaked
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE, Profile

F32 = npt.NDArray[np.float32]

QUIET_CHUNKS = 10
"""Of the room alone before each question and at the end; words of ours may still come in then."""
_MOST_WAIT_CHUNKS = 6
"""After a question; then an answer is asked for."""
_REMARK_AFTER_CHUNKS = 2
_HEARD_AFTER_MS = 1200.0
"""So much of an answer is left behind a remark, at least: the time to understand it."""
_MOST_CHUNKS = 120
"""For a question and its answer; a session that talks to itself for ever ends."""
_ROOM_NOISE = 1e-3


@dataclass(frozen=True, slots=True)
class Heard:
    """What one session made of it, times as chunks.

    own_s: how long our own voice sounded. answers: text of what was said to the questions. said:
    chunk and text of other replies, while our voice sounded or within 4 s after it. stopped: where
    it decided to stop. remarks: where the remark began. words: all that the words ear made of it,
    ours too.
    """

    own_s: float
    answers: tuple[str, ...]
    said: tuple[tuple[int, str], ...]
    stopped: tuple[int, ...]
    remarks: tuple[int, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Recital:
    """What one session wrote down aloud: own_s as above, chunk and text of each reply, the chunk
    in which the recording ended."""

    own_s: float
    said: tuple[tuple[int, str], ...]
    end: int

    @property
    def said_afterwards(self) -> tuple[str, ...]:
        """Replies more than 4 s after the recording: to nobody but our own voice."""
        return tuple(text for chunk, text in self.said if chunk > self.end + QUIET_CHUNKS)


@dataclass(slots=True)
class _Room:
    """A loudspeaker, a microphone, and others who speak.

    leakage: None for headphones. others, echo: what is heard of them and of our own voice, float32
    at 16 kHz from the session's start. starts: of the replies at the loudspeaker, in samples, by
    chunk.
    """

    leakage: Leakage | None
    random: np.random.Generator
    others: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    echo: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    starts: dict[int, int] = field(default_factory=dict)
    _taken: list[F32] = field(default_factory=list)
    _free: int = 0

    def play(self, chunk: int, speech: Speech) -> None:
        """Sound of the reply after `chunk`, all of which comes before the next chunk is heard."""
        at_16k = soxr.resample(speech.samples, speech.rate, SAMPLE_RATE)
        self._taken.append(np.asarray(at_16k, np.float32))

    def sounds(self, chunk: int) -> None:
        """The reply after `chunk` is complete; it begins to play, or waits for the one before."""
        if not self._taken:
            return
        own = np.concatenate(self._taken)
        self._taken.clear()
        self.starts[chunk] = start = max((chunk + 1) * CHUNK_SAMPLES, self._free)
        self._free = start + len(own)
        if self.leakage:
            self.echo = _added(self.echo, start, leaked(own, self.leakage, self.random))

    def cut(self, chunk: int) -> None:
        """Nothing more of our voice sounds after `chunk`."""
        self._free = (chunk + 1) * CHUNK_SAMPLES
        self.echo = self.echo[: self._free]

    def says(self, chunk: int, sound: F32) -> None:
        """Somebody else begins to speak with `chunk`."""
        self.others = _added(self.others, chunk * CHUNK_SAMPLES, sound)

    def microphone(self, chunk: int) -> F32:
        """float32 [6400]: what it hears in a chunk."""
        noise = self.random.normal(0, _ROOM_NOISE, CHUNK_SAMPLES).astype(np.float32)
        for sound in (self.others, self.echo):
            heard = sound[chunk * CHUNK_SAMPLES : (chunk + 1) * CHUNK_SAMPLES]
            noise[: len(heard)] += heard
        return np.clip(noise, -1, 1)


def _added(air: F32, start: int, sound: F32) -> F32:
    air = np.pad(air, (0, max(0, start + len(sound) - len(air))))
    air[start : start + len(sound)] += sound
    return air


@dataclass(frozen=True, slots=True)
class _Moment:
    """What a chunk brought: words recognised, whether our voice sounded, the decision, a reply."""

    words: str
    sounded: bool
    decision: str
    text: str


class _Stage:
    """A session whose replies are spoken into the room, chunk by chunk."""

    def __init__(
        self,
        listener: Listener,
        perception: Perception,
        voice: Voice,
        conduct: Conduct,
        room: _Room,
    ) -> None:
        self.playing, self.room, self.chunk = Playing(), room, 0
        self._perception, self._voice = perception, voice
        self._hearing, self._utterance = perception.start(), Utterance()
        self._script = Script(self.playing)
        self._dialogue = Dialogue(listener, conduct, playing=self.playing)

    def next(self, *, is_asked: bool = False) -> _Moment:
        """Hear the next chunk and decide, or reply after it because that is asked."""
        samples = self.room.microphone(self.chunk)
        self._hearing, percept = self._perception.hear(self._hearing, samples)
        for reply, start in self.room.starts.items():
            played = self.chunk * CHUNK_SAMPLES - start
            self.playing.played(reply, max(0.0, 1000 * played / SAMPLE_RATE))
        sounded, aired = self.playing.take_sounded(), self.playing.aired
        self._utterance = self._utterance.after(percept, aired)
        told = replace(percept, words=without_ours(percept.words, aired))
        heard = Audible(told, sounded, self._utterance.told_to_stop, self._utterance.agrees)
        decision, text = self._attend(heard, _respond if is_asked else None)
        self.chunk += 1
        return _Moment(percept.text, sounded, decision, text)

    def _attend(self, heard: Audible, rule: BacklogRule | None) -> tuple[str, str]:
        decision, text, chunk = "", "", heard.percept.chunk
        for outcome in self._dialogue.attend([heard], rule):
            if isinstance(outcome, Decided):
                decision = outcome.decision
                continue
            if isinstance(outcome, FlushTrace):
                self.room.cut(chunk)
            for line in self._script.lines(outcome):
                speak_line(line, self._voice, self.playing, self.room.play)
            if isinstance(outcome, ResponseTrace):
                text = outcome.text
                self.room.sounds(chunk)
        return decision, text


def own_voice_session(
    listener: Listener,
    perception: Perception,
    voice: Voice,
    questions: Sequence[F32],
    leakage: Leakage,
    *,
    conduct: Conduct,
    seed: int,
    remark: F32 | None = None,
) -> Heard:
    """A session in which each of the questions is asked, 4 s after the answer to the one before.

    questions, remark: float32 at 16 kHz; the remark is said 0.8 s into each answer that goes on
    for 1.2 s behind it. A question that is not answered within 2.4 s is answered because it is
    asked for. Equal seeds give equal rooms.
    """
    room = _Room(leakage, np.random.default_rng(seed))
    stage = _Stage(listener, perception, voice, conduct, room)
    waiting = list(questions)
    answers: list[str] = []
    said: list[tuple[int, str]] = []
    stopped: list[int] = []
    remarks: list[int] = []
    words, own, quiet, asked_until = "", 0, 0, -1
    while waiting or asked_until >= 0 or quiet < QUIET_CHUNKS:
        chunk = stage.chunk
        if chunk >= _MOST_CHUNKS * len(questions):
            break
        if waiting and asked_until < 0 and quiet >= QUIET_CHUNKS:
            question = waiting.pop(0)
            room.says(chunk, question)
            asked_until = chunk + len(question) // CHUNK_SAMPLES
        moment = stage.next(is_asked=0 <= asked_until <= chunk - _MOST_WAIT_CHUNKS)
        if moment.decision == "stop":
            stopped.append(chunk)
        elif moment.decision == "respond" and asked_until >= 0:
            answers.append(moment.text)
            asked_until = -1
            if remark is not None and stage.playing.unheard_ms >= _least_ms(remark):
                remarks.append(chunk + 1 + _REMARK_AFTER_CHUNKS)
                room.says(remarks[-1], remark)
        elif moment.decision == "respond":
            said.append((chunk, moment.text))
        words, own = words + moment.words, own + moment.sounded
        quiet = 0 if stage.playing.is_sounding else quiet + 1
    return Heard(
        own * CHUNK_S, tuple(answers), tuple(said), tuple(stopped), tuple(remarks), words.strip()
    )


def _least_ms(remark: F32) -> float:
    """How long an answer must be for a remark to fall into it."""
    before_ms = 1000 * CHUNK_S * _REMARK_AFTER_CHUNKS
    return before_ms + 1000 * len(remark) / SAMPLE_RATE + _HEARD_AFTER_MS


def recital(
    listener: Listener,
    perception: Perception,
    voice: Voice,
    recording: F32,
    leakage: Leakage | None,
    *,
    conduct: Conduct,
    seed: int,
) -> Recital:
    """A session that says aloud what it makes of a recording, until it is quiet for 4 s.

    recording: float32 at 16 kHz. leakage: None for headphones, to compare with. The order to write
    down stands in the conduct.
    """
    room = _Room(leakage, np.random.default_rng(seed))
    stage = _Stage(listener, perception, voice, conduct, room)
    room.says(0, recording)
    end = len(recording) // CHUNK_SAMPLES
    said: list[tuple[int, str]] = []
    own = quiet = 0
    while (stage.chunk <= end or quiet <= QUIET_CHUNKS) and stage.chunk < end + _MOST_CHUNKS:
        moment = stage.next()
        if moment.decision == "respond":
            said.append((stage.chunk - 1, moment.text))
        own += moment.sounded
        quiet = 0 if stage.playing.is_sounding else quiet + 1
    return Recital(own * CHUNK_S, tuple(said), end)


def _respond(profile: Profile, judged: Sequence[Judgement], point: OperatingPoint) -> list[str]:
    del profile, point
    return [*["silent"] * (len(judged) - 1), "respond"]


def own_voice_figures(sessions: Sequence[Heard]) -> dict[str, Figure]:
    """Of sessions in which nobody else speaks: mistakes per hour of our own voice."""
    hours = [s.own_s / 3600 for s in sessions]
    return {
        "replies to its own voice per hour": rate([len(s.said) for s in sessions], hours),
        "stops untold per hour": rate([len(s.stopped) for s in sessions], hours),
    }


def remark_figures(sessions: Sequence[Heard], within_s: float = 3.0) -> dict[str, Figure]:
    """How many replies were cut within so many seconds after somebody began the remark, by a
    stop, and by another reply."""
    stopped, answered = [], []
    for session in sessions:
        for at in session.remarks:
            near = range(at, at + round(within_s / CHUNK_S) + 1)
            stopped.append(any(c in near for c in session.stopped))
            answered.append(any(c in near for c, _ in session.said))
    return {"stopped": share(stopped), "answered": share(answered)}
