"""What a lesson's report counts: replies to the taught sound, to nothing, and what stayed."""

import numpy as np
import pytest

from harken.evals.streams import Case, Due, Outcome
from harken.evals.taught import chosen, figures, kept, report
from harken.perceive.percept import Percept
from harken.soundflow.lesson import CAUSE
from harken.stream import Prefix

TEA = "The kettle is boiling."


def case(n: int, *due: Due, task: str = CAUSE) -> Case:
    silence = np.zeros(1, np.float16)
    heard = tuple(Percept(c, silence, silence, (), 0.0, 0.0) for c in range(90))
    return Case(f"case {n}", f"audio {n}", task, Prefix(), heard, due)


def said(where: Case, *said: tuple[int, str]) -> Outcome:
    return Outcome(where, tuple((c, t, "normal") for c, t in said), (0.0,) * 90)


TAUGHT = case(0, Due(10, TEA, "normal", CAUSE, 8), Due(40, TEA, "normal", CAUSE, 39))
BELL = Due(20, "Someone is at the door.", "normal", "doorbell", 19)
OTHER = case(1, BELL, Due(50, "I hear a dog.", "normal", "dog_bark", 50), task="care")


def test_replies_to_the_taught_sound_are_counted_with_their_words() -> None:
    found = figures([said(TAUGHT, (9, TEA), (42, "I hear a whistle."))], TEA)
    assert found["taught sound answered"].value == 1.0 and found["taught sound answered"].n == 2
    assert found["with the taught reply"].value == 0.5
    assert found["replies where none is due, per hour"].value == 0
    found = figures([said(TAUGHT, (20, TEA))], TEA)
    assert found["taught sound answered"].value == 0


def test_the_taught_reply_to_something_else_is_a_mistake() -> None:
    # 90 chunks of 0.4 s are a hundredth of an hour.
    found = figures([said(OTHER, (20, TEA), (70, "Hello.")), said(TAUGHT, (10, TEA))], TEA)
    assert found["taught reply to something else, per hour"].value == pytest.approx(1 / 0.02)
    assert found["replies where none is due, per hour"].value == pytest.approx(1 / 0.02)


def test_what_was_right_before_and_is_no_longer_is_lost() -> None:
    before = said(OTHER, (20, BELL.text), (50, "I hear a cat."))
    assert kept([before], [said(OTHER, (21, BELL.text))]).value == 1.0
    lost = kept([before], [said(OTHER, (20, TEA), (50, "I hear a dog."))])
    assert (lost.value, lost.n) == (0.0, 1)
    assert kept([said(TAUGHT, (10, TEA))], [said(TAUGHT)]).n == 0, "the lesson is no old reply"


def test_the_report_tells_before_and_after_and_how_many() -> None:
    lines = report([said(TAUGHT)], [said(TAUGHT, (10, TEA))], TEA)
    assert len(lines) == 5
    assert "0.000" in lines[0] and "->  0.500" in lines[0] and "n=2" in lines[0]
    assert "no items" in lines[-1]


def test_cases_are_chosen_by_task_in_turn_and_always_the_same() -> None:
    found = [case(n, task=CAUSE if n < 5 else ("care", "chat")[n % 2]) for n in range(12)]
    picked = chosen(found, 3, 4)
    assert [c.task for c in picked] == [CAUSE] * 3 + ["care", "chat"] * 2
    assert picked == chosen(found, 3, 4)
    assert len(chosen(found, 50, 50)) == 12
