"""Talk to rehearse while something else is taught: orders, questions, captions, and what is said
to others.

No speech is needed: what the listener reads of speech are recognised words. They are put over
features of composed background, in which the sound ear is made to hear that somebody speaks
(`imagined`). The texts are those that ship with the package, less those that dev streams speak.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.parts import ensure
from harken.parts.cache import place
from harken.perceive.sound import class_names
from harken.soundflow.composing import AGREED, pick
from harken.soundflow.corpora import data_text
from harken.soundflow.features import stored_features
from harken.soundflow.imagined import Imagination, Wish
from harken.soundflow.overheard import overheard
from harken.soundflow.questions import memory, questions
from harken.soundflow.rows import STREAM_NAME, gather, rows, write_rows
from harken.soundflow.spoken import planned_takes
from harken.soundflow.texts import is_chinese, plain
from harken.soundflow.wording import Row, units
from harken.stream import CHUNK_SAMPLES

F32 = npt.NDArray[np.float32]
Voice = Callable[[F32], F32]
"""What the sound ear would hear, float32 [n, 1545], had somebody spoken in these chunks."""

TRANSLATION = "translation"
"""Cause of replies whose text is left empty: a translation that the listener makes itself."""

_WORDS_A_CHUNK, _CHARACTERS_A_CHUNK = 1.1, 1.9
_CHINESE_SHARE = 0.25
_SPEECH_LOGITS = (1.0, 4.0)
_ORDERED_SHARE = 0.3
_WITHOUT_ACOUSTIC_SHARE = 0.5


@dataclass
class Talk:
    """A stream of words under construction; append-only while a task composes it."""

    random: np.random.Generator
    n_chunks: int
    at: int = 2
    words: dict[int, str] = field(default_factory=dict)
    said: list[list[Any]] = field(default_factory=list)
    due: list[list[Any]] = field(default_factory=list)

    def fits(self, text: str) -> bool:
        """Whether a text can still be said, with room to answer it."""
        return self.at + _chunks(text) + 3 <= self.n_chunks

    def say(self, text: str) -> range:
        """Put words here; the chunks in which they are recognised. The place moves behind them."""
        pieces = units(text)
        ends = np.round(np.linspace(0, len(pieces), _chunks(text) + 1)).astype(int)
        spoken = range(self.at, self.at + len(ends) - 1)
        for chunk, a, b in zip(spoken, ends[:-1], ends[1:], strict=True):
            if b > a:
                self.words[chunk] = "".join(pieces[a:b])
        self.at = spoken.stop
        return spoken

    def reply(self, spoken: range, text: str, cause: str, emotion: str = "normal") -> None:
        """A reply is due where the last word of `spoken` was recognised."""
        self.said.append([spoken.stop - 1, text, emotion, cause])
        self.owe(spoken, "words", cause)

    def owe(self, spoken: range, waits_for: str, cause: str) -> None:
        """Something is due to these chunks."""
        edges = spoken.start * CHUNK_SAMPLES, spoken.stop * CHUNK_SAMPLES
        self.due.append([*edges, waits_for, cause])

    def wait(self) -> None:
        """A pause in which a reply can be heard out."""
        self.at += int(self.random.integers(3, 8))


def compose_talk(
    folder: Path, split: str, counts: dict[str, int], voice: Voice, seed: int = 1
) -> int:
    """Add so many streams of each task in `TALKERS` to a folder with composed backgrounds.

    voice: see `speaking`. Returns how many variants the folder holds.

    Raises:
        HarkenError: an unknown task, or no background to speak over.
    """
    if unknown := counts.keys() - TALKERS.keys():
        raise HarkenError(f"no talk {min(unknown)!r}; choose from {', '.join(TALKERS)}")
    silent = [r for r in rows(folder) if r["split"] == split and r["task"] == "background"]
    names = sorted({r["features"] for r in silent if STREAM_NAME.fullmatch(r["features"])})
    if not names:
        raise HarkenError(f"{folder} holds no background of {split} to speak over; compose some")
    for number, (task, count) in enumerate(sorted(counts.items())):
        for n in range(count):
            name = f"{split}-talk-{task}-{seed}-{n:04}"
            if (folder / "lines" / f"{name}.json").exists():
                continue
            random = np.random.default_rng([seed, number, n, split == "dev"])
            base = names[int(random.integers(len(names)))]
            heard, acoustic = stored_features(folder / "features" / f"{base}.npz", base)
            sound = heard.astype(np.float32)
            talk, policy, instruction = TALKERS[task](random, len(sound))
            spoken = sorted(talk.words)
            if spoken:
                sound[spoken] = voice(sound[spoken])
            if random.random() < _WITHOUT_ACOUSTIC_SHARE:
                acoustic = np.zeros_like(acoustic)
            _write_features(folder, name, sound, acoustic)
            write_rows(folder, name, [_row(name, task, split, talk, policy, instruction)])
    return gather(folder)


def speaking(folder: Path, seed: int = 1) -> Voice:
    """The voice that the sound ear is made to hear over the backgrounds of a folder."""
    names = [
        n for n in sorted((folder / "features").glob("*.npz")) if STREAM_NAME.fullmatch(n.stem)
    ]
    heard = [stored_features(path, path.stem)[0].astype(np.float32) for path in names[:200]]
    if not heard:
        raise HarkenError(f"{folder} holds no composed streams to speak over; compose some")
    imagination = Imagination(np.concatenate(heard))
    speech = class_names(ensure("yamnet")).index("Speech")
    random = np.random.default_rng(seed)

    def voice(sound: F32) -> F32:
        loud = float(random.uniform(*_SPEECH_LOGITS))
        wishes = [Wish(speech, loud + float(random.normal(0, 0.7))) for _ in sound]
        return imagination.imagine(sound, sound, wishes)

    return voice


Telling = tuple[Talk, str, str]
"""A talk, the policy and the instruction under which it is heard."""


def _overheard(random: np.random.Generator, n_chunks: int) -> Telling:
    """Nothing is asked of the listener."""
    talk = Talk(random, n_chunks)
    while talk.fits(line := _line(random)):
        talk.say(line)
        talk.at += int(random.integers(1, 7))
    instruction = pick(random, _shipped("order_count")) if random.random() < _ORDERED_SHARE else ""
    policy = "narrate" if not instruction and random.random() < _ORDERED_SHARE else "care"
    return talk, policy, instruction


def _chat(random: np.random.Generator, n_chunks: int) -> Telling:
    """Questions with answers, and talk between them."""
    talk, pairs = Talk(random, n_chunks), _questions()
    while True:
        question, answer = pairs[int(random.integers(len(pairs)))]
        if random.random() < 0.25:
            question, answer = _line(random), ""
        if not talk.fits(question):
            return talk, "care", ""
        spoken = talk.say(question)
        if answer:
            talk.reply(spoken, answer, "question")
        talk.wait()


def _remember(random: np.random.Generator, n_chunks: int) -> Telling:
    """Something is told, and asked for later."""
    talk = Talk(random, n_chunks)
    fact = memory("zh" if random.random() < _CHINESE_SHARE else "en", random)
    talk.reply(talk.say(fact.told), fact.reply, "fact", "happy")
    talk.wait()
    asked_at = n_chunks - _chunks(fact.asked) - 4
    while talk.at + _chunks(line := _line(random)) + 4 < asked_at:
        talk.say(line)
        talk.wait()
    talk.at = max(talk.at, asked_at)
    talk.reply(talk.say(fact.asked), fact.recalled, "recall")
    return talk, "care", ""


def _captions(random: np.random.Generator, n_chunks: int) -> Telling:
    """What is said is written down as it comes."""
    talk, instruction = _ordered(random, n_chunks, "order_transcribe")
    while talk.fits(line := _line(random)):
        spoken = talk.say(line)
        talk.said += [[c, talk.words[c].strip(), "normal", "transcript"] for c in spoken]
        talk.owe(spoken, "each", "transcript")
        talk.wait()
    return talk, "care", instruction


def _interpret(random: np.random.Generator, n_chunks: int) -> Telling:
    """What is said is translated, by the listener itself: the texts of its replies stay empty."""
    to_chinese = random.random() < 0.5
    order = "order_translate_zh" if to_chinese else "order_translate_en"
    talk, instruction = _ordered(random, n_chunks, order)
    while talk.fits(line := _line(random, "en" if to_chinese else "zh")):
        talk.reply(talk.say(line), "", TRANSLATION)
        talk.wait()
    return talk, "care", instruction


def _orders(random: np.random.Generator, n_chunks: int) -> Telling:
    """An order is given and agreed to, and what it waits for does not come; then it is ended."""
    kind = ("order_count", "order_when", "order_narrate")[int(random.integers(3))]
    talk = Talk(random, n_chunks)
    talk.reply(talk.say(pick(random, _shipped(kind))), AGREED, "order")
    talk.wait()
    while random.random() < 0.6 and talk.fits(line := _line(random)):
        talk.say(line)
        talk.wait()
    stop = pick(random, _shipped("stop"))
    if random.random() < 0.4 and talk.fits(stop):
        talk.reply(talk.say(stop), AGREED, "stop")
    return talk, "care", ""


TALKERS: dict[str, Callable[[np.random.Generator, int], Telling]] = {
    "others_talking": _overheard,
    "chat": _chat,
    "remember": _remember,
    "transcribe": _captions,
    "translate": _interpret,
    "tell_when": _orders,
}
"""Who composes the talk of a task."""


def _ordered(random: np.random.Generator, n_chunks: int, kind: str) -> tuple[Talk, str]:
    """A talk under an order: spoken and agreed to, or, sometimes, given as text."""
    talk, order = Talk(random, n_chunks), pick(random, _shipped(kind))
    if random.random() < _ORDERED_SHARE:
        return talk, order
    talk.reply(talk.say(order), AGREED, "order")
    talk.wait()
    return talk, ""


def _line(random: np.random.Generator, language: str = "") -> str:
    return overheard(language or ("zh" if random.random() < _CHINESE_SHARE else "en"), random)


def _chunks(text: str) -> int:
    """How many chunks it takes to say a text."""
    rate = _CHARACTERS_A_CHUNK if is_chinese(text) else _WORDS_A_CHUNK
    return max(1, round(len(units(text)) / rate))


@cache
def _shipped(kind: str) -> tuple[str, ...]:
    """Lines of a kind in `data/spoken.jsonl` that no dev stream speaks."""
    return tuple(
        dict.fromkeys(
            take.line.text
            for take in planned_takes()
            if take.line.kind == kind and take.split == "train"
        )
    )


@cache
def _questions() -> tuple[tuple[str, str], ...]:
    """Questions with answers, but those that dev streams may ask."""
    asked = {t.line.text for t in planned_takes() if t.split == "dev"}
    asked |= json.loads(data_text("answers.json")).keys()
    known = {plain(text) for text in asked}
    return tuple((q, a) for q, a in questions() if plain(q) not in known)


def _row(name: str, task: str, split: str, talk: Talk, policy: str, instruction: str) -> Row:
    return {
        "id": name, "features": name, "task": task, "split": split, "n_chunks": talk.n_chunks,
        "prefix": {"policy": policy, "instruction": instruction},
        "words": [[c, t] for c, t in sorted(talk.words.items())],
        "said": sorted(talk.said), "sounds": [], "due": talk.due,
        "playing": [], "stops": [], "sources": [], "retold": True,
    }  # fmt: skip


def _write_features(folder: Path, name: str, sound: F32, acoustic: npt.NDArray[np.float16]) -> None:
    partial = folder / "features" / f"{name}.partial"
    with partial.open("wb") as f:
        np.savez(f, sound=sound.astype(np.float16), acoustic=acoustic)
    place(partial, folder / "features" / f"{name}.npz")
