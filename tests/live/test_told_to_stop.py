"""Told in plain words to stop: who is obeyed, and who speaks to somebody else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harken.decide.listener import Judgement
from harken.decide.rule import OperatingPoint, decision_of
from harken.live.conduct import Conduct
from harken.live.dialogue import Decided, Dialogue
from harken.live.playing import Playing
from harken.live.told_to_stop import PAUSE_CHUNKS, Utterance, nods, says_stop
from harken.live.trace import FlushTrace
from harken.perceive.percept import HeardWord, Percept
from harken.stream.profile import MINI

SPEAKS, PAUSES = 0.95, 0.3
STORY = "The dog ran to the bus and did not stop until it was home."


def heard(text: str, p_speech: float) -> Percept:
    """A chunk in which words were committed, each with its leading space if it has one."""
    words = tuple(HeardWord(f" {word}", 6400, "en") for word in text.split())
    blank = np.zeros(0, np.float16)
    return Percept(0, blank, blank, words, -30.0, p_speech)


def utterances(chunks: Sequence[tuple[str, float]], aired: str) -> list[Utterance]:
    """What is known after each chunk."""
    found, utterance = [], Utterance()
    for text, p_speech in chunks:
        utterance = utterance.after(heard(text, p_speech), aired)
        found.append(utterance)
    return found


def told(chunks: Sequence[tuple[str, float]], aired: str = "") -> list[int]:
    """The chunks in which it is told to stop."""
    return [n for n, u in enumerate(utterances(chunks, aired)) if u.told_to_stop]


def agreed(chunks: Sequence[tuple[str, float]], aired: str = "") -> list[int]:
    """The chunks in which others only agree."""
    return [n for n, u in enumerate(utterances(chunks, aired)) if u.agrees]


@pytest.mark.parametrize(
    "text",
    [
        "Stop.", "stop", "STOP!", "Stop, stop, stop!", "Please stop.", "Okay, stop.", "Stop it.",
        "No, stop that, please.", "Stop talking.", "Wait, wait, stop.", "That's enough.", "Enough!",
        "Be quiet.", "Quiet, please.", "Harken, stop.", "停。", "停！", "请停止。", "停一下。",
        "够了。", "别说了。", "好了，停。", "安静一下。",
    ],
)  # fmt: skip
def test_plain_words_that_can_mean_nothing_else(text: str) -> None:
    assert says_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "Mhm.", "Okay.", "No.", "Please.", "Wait.", "That", "The bus stop is here.",
        "bus stop", "Stop the music.", "Don't stop.", "Do not stop.", "Does it stop?", "stopped",
        "I had enough to eat.", "It is quiet here.", "嗯。", "好。", "公交车停了。",
        "停车场在哪里？", "不要停。",
    ],
)  # fmt: skip
def test_words_that_may_mean_something_else(text: str) -> None:
    assert not says_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "Mhm.", "Alright.", "All right", "All", "Oh, I see.", "Uh-huh.", "Yes, yes.", "Got it.",
        "That's right.", "Okay, great.", "嗯。", "嗯嗯", "好的。", "是吗？", "原来如此。",
    ],
)  # fmt: skip
def test_words_that_only_agree(text: str) -> None:
    assert nods(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Stop.", "All right, stop.", "Not now.", "That's all.", "Right now.", "No.", "Wait.",
        "Okay, thanks.", "Good morning.", "Who is right?", "好了。", "停。", "不对。", "好了，停。",
    ],
)  # fmt: skip
def test_words_that_may_ask_for_an_end(text: str) -> None:
    assert not nods(text)


def test_a_word_said_for_ever_is_judged_at_once() -> None:
    assert nods("All right. " * 500) and nods("好的。" * 500)
    assert not nods("All right. " * 500 + "Stop.") and not nods("好的。" * 500 + "停。")


def test_who_agrees_does_so_until_a_pause_or_other_words() -> None:
    silence = [("", PAUSES)] * PAUSE_CHUNKS
    assert agreed([("", PAUSES), ("Alright.", PAUSES), *silence]) == [1, 2, 3]
    assert agreed([("All", SPEAKS), ("right.", PAUSES), ("Stop.", PAUSES), *silence]) == [0, 1]
    assert agreed([("All right,", SPEAKS), ("be silent.", PAUSES)]) == [0]
    assert agreed([("not", SPEAKS), ("right.", PAUSES)]) == []
    assert agreed([("Stop. Right.", PAUSES)]) == []
    assert agreed([("Right", PAUSES), (".", PAUSES), (".", PAUSES), *silence]) == [0, 1, 2, 3, 4]
    assert agreed([(".", PAUSES), ("not", SPEAKS), (".", PAUSES)]) == []
    # Our own voice says most of it.
    assert agreed([(STORY, SPEAKS), ("Mhm.", PAUSES)], aired=STORY) == [1]


def test_a_lone_stop_is_told_once_when_the_ear_commits_it() -> None:
    assert told([("", SPEAKS), ("Stop.", PAUSES), ("", PAUSES), ("", PAUSES)]) == [1]
    assert told([("stop", PAUSES), ("", PAUSES)]) == [0]
    assert told([("Stop.", PAUSES), ("Stop.", PAUSES)]) == [0, 1]
    assert told([("Okay,", SPEAKS), ("stop", PAUSES)]) == [1]


def test_while_somebody_still_speaks_it_waits_for_what_follows() -> None:
    assert told([("stop", SPEAKS), ("", SPEAKS), ("", SPEAKS)]) == [1]  # it was our own voice
    assert told([("stop", SPEAKS), ("the music", PAUSES), ("", PAUSES)]) == []
    assert told([("stop", SPEAKS), ("it", PAUSES), ("", PAUSES)]) == [1]


def test_a_stop_within_a_sentence_is_for_somebody_else() -> None:
    assert told([("the bus", SPEAKS), ("stop", PAUSES)]) == []
    assert told([("the bus", SPEAKS), ("stop is here", PAUSES)]) == []
    assert told([("the bus", SPEAKS), ("", SPEAKS), ("stop", SPEAKS), ("", PAUSES)]) == []


def test_what_was_said_before_a_pause_or_a_full_stop_is_another_utterance() -> None:
    assert told([("how nice", PAUSES), *[("", PAUSES)] * PAUSE_CHUNKS, ("stop", PAUSES)]) == [
        PAUSE_CHUNKS + 1
    ]
    assert told([("How nice. Stop.", PAUSES)]) == [0]
    assert told([("How nice.", SPEAKS), ("Stop.", SPEAKS), ("And you?", SPEAKS)]) == [1]
    assert told([("Stop. And then", SPEAKS)]) == [0]


def test_our_own_voice_never_tells_itself() -> None:
    assert told([("stop", PAUSES)], STORY) == []
    assert told([("and did not", SPEAKS), ("stop", SPEAKS), ("until it", SPEAKS)], STORY) == []


def test_a_stop_among_words_of_our_own_is_heard() -> None:
    tale = "The dog ran to the bus and then to its home."
    assert told([("ran to stop the", SPEAKS), ("bus and then", SPEAKS)], tale) == [1]
    assert told([("ran to", SPEAKS), ("Stop.", PAUSES)], tale) == [1]


def test_who_is_told_stops_whatever_the_listener_thinks_but_only_while_our_voice_plays() -> None:
    sure = np.array([0.001, 0.999, 0.0], np.float32)
    told = Judgement(0, sure, 10, playing=True, told_to_stop=True)
    assert decision_of(MINI, told, OperatingPoint()) == "stop"
    assert decision_of(MINI, replace(told, playing=False), OperatingPoint()) == "respond"
    untold = replace(told, told_to_stop=False)
    assert decision_of(MINI, untold, OperatingPoint()) == "respond"


def test_over_its_threshold_stop_comes_before_respond() -> None:
    torn = Judgement(0, np.array([0.29, 0.69, 0.02], np.float32), 10, playing=True)
    assert decision_of(MINI, torn, OperatingPoint(stop=0.018)) == "stop"
    assert decision_of(MINI, torn, OperatingPoint(stop=0.03)) == "respond"
    assert decision_of(MINI, replace(torn, playing=False), OperatingPoint(stop=0.018)) == "respond"


def test_who_only_agrees_stops_nobody() -> None:
    likely = Judgement(0, np.array([0.2, 0.1, 0.7], np.float32), 10, playing=True)
    assert decision_of(MINI, likely, OperatingPoint()) == "stop"
    assert decision_of(MINI, replace(likely, agrees=True), OperatingPoint()) == "silent"
    both = replace(likely, agrees=True, told_to_stop=True)
    assert decision_of(MINI, both, OperatingPoint()) == "stop"


def test_the_reply_that_is_played_is_cut_and_heard_no_further(room: Any) -> None:
    playing = Playing()
    dialogue = Dialogue(
        room.listener, Conduct(point=OperatingPoint(0.9999, stop=0.9999)), playing=playing
    )
    playing.begin(-1)  # of a chunk that the context no longer holds
    playing.voiced(-1, "Once upon a time.", 2000)
    heard = [replace(chunk, playing=True) for chunk in room.chunks(4, {2: " stop"})]
    heard[2] = replace(heard[2], told_to_stop=True)
    outcomes = list(dialogue.attend(heard))
    decided = [outcome.decision for outcome in outcomes if isinstance(outcome, Decided)]
    assert decided == ["silent", "silent", "stop"]
    assert [o.reason for o in outcomes if isinstance(o, FlushTrace)] == ["stop"]
    assert not playing.is_sounding
