"""The honest rival: what a good engineer builds of the same parts in a week, without training.

Silero, Whisper-base and YAMNet hear, rules decide, the decoder as it came answers. It is given the
very percepts that the listener is given, so that what differs is deciding and answering alone.
`docs/cascade.md` tells the rules.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from harken.evals.cascade.chosen import EXPECTED, UNASKED
from harken.evals.cascade.rules import Intent, Order, intent_of, is_about_us, is_stop, order_of
from harken.evals.cascade.sounds import (
    F32,
    CountState,
    SoundRules,
    SoundState,
    counted_sound,
    named_sound,
)
from harken.evals.streams import Case, Outcome
from harken.parts import ensure
from harken.perceive.percept import Percept
from harken.perceive.sound import CLASSES, class_names
from harken.soundflow.composing import AGREED
from harken.soundflow.events import EVENTS
from harken.soundflow.sound_tasks import COUNTS
from harken.soundflow.texts import is_chinese
from harken.stream import Prefix

PAUSE_CHUNKS, SENTENCE_PAUSE_CHUNKS = 2, 1
"""An utterance ends so long after its last word; sooner after the end of a sentence."""
_ENDS = (".", "!", "?", "。", "！", "？")
REMEMBERED = 12
"""So many things that people told of themselves are put in front of a question about them."""
ASKED_ABOUT_CHUNKS = 40
"""A sound longer ago is not what somebody means by "that"."""

Said = tuple[str, str]
"""Text and emotion."""


class Answering(Protocol):
    """What the cascade asks of a decoder; `harken.evals.plain_decoder.PlainDecoder` does it."""

    def translated(self, text: str, language: str) -> str:
        """`text` in `language` (en or zh)."""
        ...

    def answered(self, question: str) -> str:
        """A short answer."""
        ...


@dataclass(frozen=True, slots=True)
class CascadeState:
    """What a session knows after a chunk.

    words: committed since the last pause. waiting: chunks since the last of them. withheld: words
    not yet shown as captions. own: whether the utterance began while our own voice was playing.
    heard: what people told of themselves, and names: of whom which. last_sound: label and chunk of
    the last sound that had a name. unsaid: what could not be said about a sound yet.
    """

    order: Order | None = None
    words: str = ""
    waiting: int = 0
    withheld: str = ""
    own: bool = False
    heard: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    last_sound: tuple[str, int] = ("", -ASKED_ABOUT_CHUNKS)
    sounds: SoundState = field(default_factory=SoundState)
    awaited: SoundState = field(default_factory=SoundState)
    counting: CountState = field(default_factory=CountState)
    counted: int = 0
    unsaid: Said | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one chunk: what is said, if anything, the rules' score, whether it stops."""

    said: Said | None
    score: float
    stops: bool = False


class Cascade:
    """One session; `state` is a value and changes with every chunk."""

    def __init__(self, prefix: Prefix, decoder: Answering, names: Sequence[str]) -> None:
        """names: the classes of the sound ear, in the order of its scores."""
        self.state = CascadeState(order=order_of(prefix.instruction))
        self._prefix, self._decoder, self._names = prefix, decoder, tuple(names)
        self._unasked = SoundRules(UNASKED, names)
        # An instruction that is no order is put in front of every question.
        self._setting = () if self.state.order else tuple(filter(None, [prefix.instruction]))
        self._expected = self._rules_for(self.state.order)

    def hear(self, percept: Percept, playing: bool = False) -> Heard:
        """One chunk further. playing: our own voice is audible in it."""
        about_sound = self._hear_sound(percept)
        waiting = about_sound.said or self.state.unsaid
        if playing:
            self.state = replace(self.state, unsaid=waiting)
            return Heard(None, about_sound.score, self._told_to_stop(percept.text))
        said = self._hear_words(percept.text, percept.chunk)
        # Words are answered first; what there is to say about a sound waits for the next chunk.
        self.state = replace(self.state, unsaid=waiting if said else None)
        return Heard(said, 1.0) if said else replace(about_sound, said=waiting)

    # Sounds

    def _hear_sound(self, percept: Percept) -> Heard:
        scores = percept.sound[:CLASSES].astype(np.float32)
        order, chunk = self.state.order, percept.chunk
        spoken_of = self._spoken_of()
        sounds, onset, likeliest = named_sound(
            self._unasked, self.state.sounds, chunk, scores, spoken_of.keys()
        )
        self.state = replace(self.state, sounds=sounds)
        if onset:
            self.state = replace(self.state, last_sound=(onset.label, chunk))
        if order and order.kind == "count":
            return self._count(chunk, scores)
        if order and order.kind == "await":
            return self._await(chunk, scores)
        said = spoken_of.get(onset.label) if onset else None
        return Heard(said, _score(onset.margin if said and onset else likeliest.margin))

    def _spoken_of(self) -> dict[str, Said]:
        """What is said about each sound that is worth a word right now."""
        order = self.state.order
        if order and order.kind != "narrate":
            return {}
        policy = "narrate" if order else self._prefix.policy
        replies = {n: EVENTS[n].reply(policy) for n in self._unasked.labels}
        return {n: reply for n, reply in replies.items() if reply}

    def _count(self, chunk: int, scores: F32) -> Heard:
        counting, began, margin = counted_sound(self._expected, self.state.counting, chunk, scores)
        counted = self.state.counted + began
        self.state = replace(self.state, counting=counting, counted=counted)
        if not began:
            return Heard(None, _score(margin))
        word = COUNTS[counted - 1] if counted <= len(COUNTS) else str(counted)
        return Heard((f"{word}.", "normal"), _score(margin))

    def _await(self, chunk: int, scores: F32) -> Heard:
        awaited, onset, likeliest = named_sound(
            self._expected, self.state.awaited, chunk, scores, set(self._expected.labels)
        )
        self.state = replace(self.state, awaited=awaited)
        if onset is None:
            return Heard(None, _score(likeliest.margin))
        return Heard((f"I hear {EVENTS[onset.label].name}.", "normal"), _score(onset.margin))

    def _rules_for(self, order: Order | None) -> SoundRules:
        """The thresholds for what an order counts or awaits; for any sound where it has no noun."""
        if order and not order.labels:
            return self._unasked
        labels = order.labels if order else frozenset()
        return SoundRules({n: c for n, c in EXPECTED.items() if n in labels}, self._names)

    # Words

    def _told_to_stop(self, text: str) -> bool:
        """Whether somebody says so over our own voice; the rest of what is said then is ignored."""
        state = self.state
        if not text:
            waiting = state.waiting + 1
            kept = state.words if waiting < PAUSE_CHUNKS else ""
            self.state = replace(state, words=kept, waiting=waiting)
            return False
        words = state.words + text
        self.state = replace(state, words=words, waiting=0, own=True)
        last = re.split(r"(?<=[.!?。！？])\s*", words.strip().rstrip(".!?。！？"))[-1]
        return any(is_stop(said) for said in (text, words, last))

    def _hear_words(self, text: str, chunk: int) -> Said | None:
        """Take the words of a chunk; what is said to them, or to the utterance they end."""
        state = self.state
        if text:
            self.state = replace(state, words=state.words + text, waiting=0)
            return self._caption(text)
        if not state.words:
            return None
        waiting = state.waiting + 1
        ended = state.words.rstrip().endswith(_ENDS)
        if waiting < (SENTENCE_PAUSE_CHUNKS if ended else PAUSE_CHUNKS):
            self.state = replace(state, waiting=waiting)
            return None
        self.state = replace(state, words="", waiting=0, own=False, withheld="")
        return None if state.own else self._reply(state.words.strip(), chunk)

    def _caption(self, text: str) -> Said | None:
        """Live captions: the words as they come, but for those that may be a stop."""
        state = self.state
        if state.own or state.order is None or state.order.kind != "transcribe":
            return None
        text = state.withheld + text
        withheld = text if is_stop(state.words) else ""
        self.state = replace(state, withheld=withheld)
        return None if withheld else (text.strip(), "normal")

    def _reply(self, words: str, chunk: int) -> Said | None:
        """What is said to an utterance."""
        intent, order = intent_of(words), self.state.order
        if intent.kind == "stop":
            return self._obey(None) if order else None
        if intent.order:
            return self._obey(intent.order)
        if order and order.kind == "transcribe":
            return None
        if order and order.kind == "translate":
            if is_chinese(words) == (order.language == "zh"):
                return None
            return _spoken(self._decoder.translated(words, order.language))
        said = self._answer(intent, words, chunk)
        if intent.kind == "talk" and is_about_us(words):
            heard = (*self.state.heard, words)[-REMEMBERED:]
            self.state = replace(self.state, heard=heard)
        return said

    def _obey(self, order: Order | None) -> Said:
        self.state = replace(
            self.state, order=order, counted=0, counting=CountState(), awaited=SoundState()
        )
        self._expected = self._rules_for(order)
        return AGREED, "normal"

    def _answer(self, intent: Intent, words: str, chunk: int) -> Said | None:
        state, chinese = self.state, is_chinese(words)
        if intent.kind == "told":
            self.state = replace(state, names={**state.names, intent.about: intent.name})
            return _greeting(intent.about, intent.name, chinese), "happy"
        if intent.kind == "sound":
            label, at = state.last_sound
            if chunk - at >= ASKED_ABOUT_CHUNKS:
                return "I did not hear a sound.", "normal"
            return f"That was {EVENTS[label].name}.", "normal"
        if intent.kind != "question":
            return None
        if intent.about in state.names:
            return _recalled(intent.about, state.names[intent.about], chinese), "normal"
        before = state.heard if is_about_us(words) else ()
        return _spoken(self._decoder.answered("\n".join([*self._setting, *before, words])))


def run_cascade(case: Case, decoder: Answering, names: Sequence[str] | None = None) -> Outcome:
    """One session of the cascade over a case, chunk by chunk.

    names: the classes of the sound ear in the order of its scores; those of the part `yamnet`
    when None. p_respond of the outcome is the rules' score: 1 where words made it speak, else how
    far the likeliest sound is over its threshold (0.5 at it).
    """
    session = Cascade(case.prefix, decoder, names or class_names(ensure("yamnet")))
    said: list[tuple[int, str, str]] = []
    scores: list[float] = []
    stopped: list[int] = []
    for percept in case.percepts:
        heard = session.hear(percept, percept.chunk in case.playing)
        scores.append(heard.score)
        if heard.stops:
            stopped.append(percept.chunk)
        if heard.said:
            said.append((percept.chunk, *heard.said))
    return Outcome(case, tuple(said), tuple(scores), tuple(stopped))


def _spoken(text: str) -> Said | None:
    """A reply of the decoder on one line; silence where it has nothing to say."""
    text = " ".join(text.split())
    return (text, "normal") if text else None


def _greeting(about: str, name: str, chinese: bool) -> str:
    if about != "me":
        return f"{name}, I will remember that."
    return f"你好，{name}。" if chinese else f"Nice to meet you, {name}."


def _recalled(about: str, name: str, chinese: bool) -> str:
    if about != "me":
        return f"Your {about} is called {name}."
    return f"你叫{name}。" if chinese else f"Your name is {name}."


def _score(margin: float) -> float:
    """Log odds over a threshold as a number from 0 to 1."""
    return float(1 / (1 + np.exp(-margin)))
