"""Captions and interpreting wait for the reply that is played; answers cut it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harken.decide.listener import State
from harken.decide.rule import OperatingPoint
from harken.live.conduct import Conduct
from harken.live.dialogue import Dialogue
from harken.live.playing import Playing
from harken.live.trace import FlushTrace, ResponseTrace
from harken.live.turns import MOST_LAG_MS, says_again
from harken.stream.reader import read
from harken.stream.writer import response_piece

NEVER = Conduct(point=OperatingPoint(respond=0.9999, stop=0.9999))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The", " The event ends"),
        ("\u201cThe event", " the event ends."),
        ("today. And", " today."),
        ("时间", "时间有限"),
        ("A healthy", "重要。"),
        ("我们", " bridge."),
    ],
)
def test_captions_and_interpreting_say_again(text: str, words: str) -> None:
    assert says_again(text, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The capital", " of Italy?"),
        ("Three.", ""),
        ("法国", "哪里？"),
        ("\u2026", "你好"),
    ],
)
def test_answers_and_announcements_do_not(text: str, words: str) -> None:
    assert not says_again(text, words)


class Reciting:
    """The real listener, made to say given texts one after the other."""

    def __init__(self, listener: Any, texts: list[str]) -> None:
        self._listener, self._texts = listener, texts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def say(self, state: State) -> Iterator[tuple[int, State]]:
        for i in response_piece(self.vocabulary, self._texts.pop(0), "normal")[0]:
            state = replace(state, pending=(*state.pending, i))
            yield i, state


class Spoken:
    """A session of 12 chunks that says given texts after given chunks, each `ms` long."""

    def __init__(self, room: Any, words: dict[int, str], said: dict[int, str], ms: float) -> None:
        playing, free_ms = Playing(), 0.0
        starts_ms: dict[int, float] = {}
        listener = Reciting(room.listener, list(said.values()))
        dialogue = Dialogue(listener, NEVER, playing=playing)
        self.flushed: list[FlushTrace] = []
        for heard in room.chunks(12, words):
            now_ms = 400.0 * (heard.percept.chunk + 1)
            for chunk, start_ms in starts_ms.items():
                playing.played(chunk, now_ms - start_ms)
            rule = (lambda *_: ["respond"]) if heard.percept.chunk in said else None
            for outcome in dialogue.attend([heard], rule):
                match outcome:
                    case FlushTrace():
                        self.flushed.append(outcome)
                        free_ms = 0.0
                    case ResponseTrace():
                        playing.begin(outcome.chunk)
                        playing.voiced(outcome.chunk, outcome.text, ms)
                        playing.end(outcome.chunk)
                        starts_ms[outcome.chunk] = max(now_ms, free_ms)
                        free_ms = starts_ms[outcome.chunk] + ms
        timeline = read(dialogue.log.stream(), room.listener.vocabulary)
        self.kept = {said.chunk: said.text for said in timeline.said}


TALK = {2: " The event ends", 3: " today.", 7: " Where is", 8: " it?"}
CAPTIONS = {2: "The event ends", 3: "today."}


def test_a_caption_waits_for_the_one_before_and_all_is_heard(room: Any) -> None:
    session = Spoken(room, TALK, CAPTIONS, 1200)
    assert session.flushed == []
    assert session.kept == CAPTIONS


def test_an_answer_cuts_what_is_played_and_what_waits(room: Any) -> None:
    session = Spoken(room, TALK, {**CAPTIONS, 8: "In the hall."}, 2200)
    assert [(f.chunk, f.reply_chunk, f.reason) for f in session.flushed] == [(8, 3, "response")]
    assert session.kept == {2: "The event ends", 8: "In the hall."}  # one word, and not all of it
    session = Spoken(room, TALK, {**CAPTIONS, 4: "In the hall."}, 2200)
    assert [f.reply_chunk for f in session.flushed] == [2, 3]
    assert session.kept == {2: "The", 4: "In the hall."}


def test_a_caption_that_would_wait_too_long_cuts(room: Any) -> None:
    session = Spoken(room, TALK, CAPTIONS, MOST_LAG_MS + 500)
    assert [f.reply_chunk for f in session.flushed] == [2]
    assert session.kept == {3: "today."}
