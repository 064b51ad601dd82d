"""Our own voice in our own microphone: whole sessions with real parts on the virtual clock.

Somebody asks, the model answers, a real voice says it; what the loudspeaker plays comes back into
the microphone late, thinner and through a room (`harken.soundflow.speech.leakage`). Nothing of it
is for us: whatever is said to it, or stops because of it, is a mistake. The person who asked may
say a word over it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import soxr

from harken.decide.listener import Audible, Judgement, Listener
from harken.decide.rule import OperatingPoint
from harken.evals.metrics import Figure, rate, share
from harken.live.dialogue import Conduct, Decided, Dialogue
from harken.live.echo import without_ours
from harken.live.playing import Playing
from harken.live.speaking import Script, speak_line
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
_REMARK_AFTER_CHUNKS = 4
_MOST_CHUNKS = 120
"""For a question and its answer; a session that talks to itself for ever ends."""
_ROOM_NOISE = 1e-3


@dataclass(frozen=True, slots=True)
class Heard:
    """What one session made of it, times as chunks.

    own_s: how long our own voice sounded. answers: text of what was said to the questions. said:
    chunk and text of other replies, while our voice sounded or within 4 s after it. stopped: where
    it decided to stop. remarks: where the remark began. words: all that the words ear made of it.
    """

    own_s: float
    answers: tuple[str, ...]
    said: tuple[tuple[int, str], ...]
    stopped: tuple[int, ...]
    remarks: tuple[int, ...]
    words: str


@dataclass(slots=True)
class _Room:
    """A loudspeaker and a microphone; `air` is float32 at 16 kHz from the session's start."""

    leakage: Leakage
    random: np.random.Generator
    air: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    taken: list[F32] = field(default_factory=list)

    def play(self, chunk: int, speech: Speech) -> None:
        """Sound of a reply, all of which comes before the next chunk is heard."""
        at_16k = soxr.resample(speech.samples, speech.rate, SAMPLE_RATE)
        self.taken.append(np.asarray(at_16k, np.float32))

    def sounds(self, chunk: int) -> None:
        """The reply after `chunk` is complete and begins to play."""
        if self.taken:
            echo = leaked(np.concatenate(self.taken), self.leakage, self.random)
            self.add((chunk + 1) * CHUNK_SAMPLES, echo)
            self.taken.clear()

    def add(self, start: int, sound: F32) -> None:
        self.air = np.pad(self.air, (0, max(0, start + len(sound) - len(self.air))))
        self.air[start : start + len(sound)] += sound

    def cut(self, chunk: int) -> None:
        """Nothing more sounds after `chunk`."""
        self.air = self.air[: (chunk + 1) * CHUNK_SAMPLES]
        self.taken.clear()

    def microphone(self, chunk: int) -> F32:
        """float32 [6400]: what it hears in a chunk."""
        noise = self.random.normal(0, _ROOM_NOISE, CHUNK_SAMPLES).astype(np.float32)
        heard = self.air[chunk * CHUNK_SAMPLES : (chunk + 1) * CHUNK_SAMPLES]
        noise[: len(heard)] += heard
        return np.clip(noise, -1, 1)


class _Stage:
    """A dialogue whose replies are spoken into the room."""

    def __init__(self, listener: Listener, conduct: Conduct, voice: Voice, room: _Room) -> None:
        self.playing, self.room = Playing(), room
        self._voice, self._script = voice, Script(self.playing)
        self._dialogue = Dialogue(listener, conduct, playing=self.playing)
        self._newest: int | None = None

    def play(self, chunk: int) -> bool:
        """Let the chunk pass at the loudspeaker; whether our own voice sounded in it."""
        if self._newest is not None:
            self.playing.played(self._newest, 1000 * CHUNK_S * (chunk - self._newest))
        return self.playing.take_sounded()

    def attend(self, heard: Audible, *, is_asked: bool) -> tuple[str, str]:
        """Decide on a chunk, or reply after it because that is asked: decision, text of a reply."""
        decision, text, chunk = "", "", heard.percept.chunk
        for outcome in self._dialogue.attend([heard], _respond if is_asked else None):
            if isinstance(outcome, Decided):
                decision = outcome.decision
                continue
            if isinstance(outcome, FlushTrace):
                self.room.cut(chunk)
            for line in self._script.lines(outcome):
                speak_line(line, self._voice, self.playing, self.room.play)
            if isinstance(outcome, ResponseTrace):
                text, self._newest = outcome.text, chunk
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

    questions, remark: float32 at 16 kHz; the remark is said 1.6 s into each answer. A question
    that is not answered within 2.4 s is answered because it is asked for. Equal seeds give equal
    rooms.
    """
    stage = _Stage(listener, conduct, voice, _Room(leakage, np.random.default_rng(seed)))
    waiting, hearing = list(questions), perception.start()
    answers: list[str] = []
    said: list[tuple[int, str]] = []
    stopped: list[int] = []
    remarks: list[int] = []
    words, own, quiet, chunk, asked_until = "", 0, 0, 0, -1
    while waiting or asked_until >= 0 or quiet < QUIET_CHUNKS:
        if chunk >= _MOST_CHUNKS * len(questions):
            break
        if waiting and asked_until < 0 and quiet >= QUIET_CHUNKS:
            question = waiting.pop(0)
            stage.room.add(chunk * CHUNK_SAMPLES, question)
            asked_until = chunk + len(question) // CHUNK_SAMPLES
        hearing, percept = perception.hear(hearing, stage.room.microphone(chunk))
        sounded = stage.play(chunk)
        told = replace(percept, words=without_ours(percept.words, stage.playing.aired))
        heard = Audible(told, sounded)
        is_late = 0 <= asked_until <= chunk - _MOST_WAIT_CHUNKS
        decision, text = stage.attend(heard, is_asked=is_late)
        if decision == "stop":
            stopped.append(chunk)
        elif decision == "respond" and asked_until >= 0:
            answers.append(text)
            asked_until = -1
            if remark is not None:
                remarks.append(chunk + _REMARK_AFTER_CHUNKS)
                stage.room.add(remarks[-1] * CHUNK_SAMPLES, remark)
        elif decision == "respond":
            said.append((chunk, text))
        words, own, chunk = words + percept.text, own + heard.playing, chunk + 1
        quiet = 0 if stage.playing.is_sounding else quiet + 1
    return Heard(
        own * CHUNK_S, tuple(answers), tuple(said), tuple(stopped), tuple(remarks), words.strip()
    )


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
