"""Each due reply needs one of its own."""

import pytest

from harken.evals.replies import own_replies, says
from harken.evals.respond_or_ignore import answered
from harken.evals.streams import Case, Due, Outcome
from harken.stream import Prefix

KNOCK = Due(10, "A knock.", "normal", "knock", 8)
BELL = Due(12, "A bell.", "normal", "bell_gong", 9)


def _outcome(*said: tuple[int, str], task: str = "narrate", due: tuple[Due, ...]) -> Outcome:
    case = Case(task, "a", task, Prefix(), (), due)
    return Outcome(case, tuple((chunk, text, "normal") for chunk, text in said), ())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(11, "Hm.")], [11, None]),  # one reply does not answer both
        ([(11, "A bell.")], [None, 11]),  # it goes to the one that it is about
        ([(11, "Hm."), (13, "Hm.")], [11, 13]),
        ([(11, "A bell."), (12, "A knock.")], [12, 11]),
        ([(7, "A knock."), (15, "Hm."), (17, "Hm.")], [None, 15]),  # too early, in time, too late
    ],
)
def test_no_reply_answers_two(said: list[tuple[int, str]], expected: list[int | None]) -> None:
    own = own_replies(_outcome(*said, due=(KNOCK, BELL)), (KNOCK, BELL))
    assert [reply and reply[0] for reply in own] == expected


def test_a_reply_that_does_not_fit_takes_nobodys_place() -> None:
    outcome = _outcome((9, "Hm."), (10, "A bell."), (11, "A knock."), due=(KNOCK, BELL))
    own = own_replies(outcome, (KNOCK, BELL), fits=says)
    assert [reply and reply[0] for reply in own] == [11, 10]


def test_a_reply_to_a_sound_that_deserves_one_is_no_reply_to_the_other() -> None:
    known = _outcome(due=(BELL, KNOCK))
    once = _outcome((12, "Someone knocks."), task="care", due=(KNOCK,))
    twice = _outcome((12, "Someone knocks."), (13, "A bell."), task="care", due=(KNOCK,))
    for outcome, left_alone in ((once, True), (twice, False)):
        sounds = {s.is_due: s.is_answered for s in answered([known, outcome], "care")}
        assert sounds == {True: True, False: not left_alone}
