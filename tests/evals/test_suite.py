"""Figures of sessions made by hand: what a person would call them."""

import pytest

from harken.evals.respond_or_ignore import by_category, categories
from harken.evals.streams import Case, Due, Outcome
from harken.evals.suite import counting, holds_answer, interruption, naming, standing
from harken.soundflow.composing import AGREED
from harken.soundflow.events import EVENTS
from harken.stream import Prefix


def _counted(said: list[tuple[int, str]]) -> Outcome:
    """A session with an order, due sounds at chunks 10 and 20, and what it said."""
    due = (
        Due(4, AGREED, "normal", "order", 2),
        Due(10, "One.", "normal", "knock", 8),
        Due(20, "Two.", "normal", "knock", 18),
    )
    case = Case("a", "a", "count", Prefix(), (), due)
    return Outcome(case, tuple((chunk, text, "normal") for chunk, text in said), ())


@pytest.mark.parametrize(
    ("said", "exact", "counted", "needless"),
    [
        ([(4, AGREED), (10, "One."), (20, "Two.")], 1, 1, 0),
        ([(4, AGREED), (9, "One."), (10, "Two."), (20, "Three.")], 0, 1, 1 / 3),
        ([(4, AGREED), (15, "One."), (20, "Two.")], 1, 1 / 2, 1 / 2),
        ([(4, AGREED), (20, "One.")], 0, 1 / 2, 0),
    ],
)
def test_counts_are_matched_to_their_sounds(
    said: list[tuple[int, str]], exact: float, counted: float, needless: float
) -> None:
    found = counting([_counted(said)])
    assert found["counting exact (2 to 6)"].value == exact
    assert found["sounds counted"].value == pytest.approx(counted)
    assert found["needless counts among those said"].value == pytest.approx(needless)


@pytest.mark.parametrize(
    ("cause", "said", "is_named"),
    [
        ("rain_storm", "I hear rain.", True),
        ("rain_storm", "It is rain, I think.", True),
        ("rain_storm", "I hear a train.", False),
        ("owl", "I hear a dog growling.", False),
        ("alarm_clock_or_alarm", "I hear a smoke alarm.", False),
        ("alarm_clock_or_alarm", "A smoke alarm, or an alarm.", True),
    ],
)
def test_a_sound_is_named_by_its_own_name(cause: str, said: str, is_named: bool) -> None:
    due = Due(4, f"I hear {EVENTS[cause].name}.", "normal", cause, 2)
    case = Case("a", "a", "narrate", Prefix("narrate"), (), (due,))
    found = naming([Outcome(case, ((5, said, "normal"),), ())])
    assert found["event naming"].value == is_named


@pytest.mark.parametrize(
    ("said", "reference", "asked", "is_right"),
    [
        ("Six times six is 36.", "Six times six is thirty six.", "What is 6 times 6?", True),
        ("It is thirty-six.", "Six times six is thirty six.", "What is 6 times 6?", True),
        ("Six times six is 30.", "Six times six is thirty six.", "What is six times six?", False),
        ("Six times six is 35.", "Six times six is forty.", "What is six times six?", False),
        ("There are 120.", "There are one hundred and twenty minutes.", "How many minutes?", True),
        ("一年有365天。", "一年有三百六十五天。", "一年有多少天？", True),
        ("A kitten.", "A baby dog is called a puppy.", "What is a baby dog called?", False),
    ],
)
def test_an_answer_is_right_in_other_words_and_numerals(
    said: str, reference: str, asked: str, is_right: bool
) -> None:
    assert holds_answer(said, reference, asked) is is_right


def test_stops_are_told_from_going_on() -> None:
    def session(told: tuple[int, ...], stopped: tuple[int, ...], said: tuple[int, ...]) -> Outcome:
        case = Case("a", "a", "interrupted", Prefix(), (), (), frozenset(range(10, 35)), told)
        return Outcome(case, tuple((c, "Hm.", "normal") for c in said), (), stopped)

    found = interruption(
        [
            session((20,), (21,), ()),
            session((20,), (), (25, 40)),
            session((), (), ()),
            session((), (12,), ()),
        ]
    )
    assert found["told to stop, stopped"].value == 0.5
    assert found["not told to stop, went on"].value == 0.5
    # One reply in 4 sessions of 25 chunks, 40 s in all.
    assert found["replies to its own voice per hour"].value == pytest.approx(90)


@pytest.mark.parametrize(("stopped", "share"), [((21,), 1 / 2), ((21, 23), 1), ((18, 19), 1 / 2)])
def test_told_to_stop_twice_it_has_to_stop_twice(stopped: tuple[int, ...], share: float) -> None:
    case = Case("a", "a", "interrupted", Prefix(), (), (), frozenset(range(10, 35)), (20, 22))
    found = interruption([Outcome(case, (), (), stopped)])
    assert found["told to stop, stopped"].value == share
    assert found["told to stop, stopped"].n == 2


def test_orders_are_kept_changed_and_cancelled() -> None:
    due = (
        Due(2, AGREED, "normal", "order", 1),
        Due(6, "One.", "normal", "knock", 5),
        Due(12, AGREED, "normal", "order", 11),
        Due(18, "I hear a bell.", "normal", "bell_gong", 17),
        Due(24, AGREED, "normal", "stop", 23),
    )
    case = Case("a", "a", "change_order", Prefix(), (None,) * 50, due)  # type: ignore[arg-type]

    def session(*chunks: int) -> Outcome:
        return Outcome(case, tuple((c, "x", "normal") for c in chunks), ())

    found = standing([session(2, 6, 12, 18, 24, 26), session(2, 6, 12, 24, 40)])
    assert found["replies under a standing order"].value == 0.75
    assert found["replies under an order that replaced another"].value == 0.5
    assert found["cancelled orders left alone"].value == 0.5


def test_categories_follow_from_train_rows() -> None:
    rows = [
        {"split": "train", "sounds": [[0, 1, "knock"], [1, 2, ""]]},
        {"split": "train", "sounds": [[0, 1, "knock"], [1, 2, "owl"]], "resound": True},
        {"split": "dev", "sounds": [[0, 1, "frog"]]},
    ]
    found = categories(rows)
    assert found["seen"] == {"knock"} and found["imagined only"] == {"owl"}
    assert "frog" in found["unseen"] and "" not in found["unseen"]
    knock, frog = Due(4, "K", "normal", "knock", 3), Due(9, "F", "normal", "frog", 8)
    outcomes = [
        Outcome(Case("a", "a", "care", Prefix(), (), (knock,)), ((4, "K", "normal"),), ()),
        Outcome(Case("b", "a", "narrate", Prefix("narrate"), (), (knock, frog)), (), ()),
    ]
    split = by_category(outcomes, found)
    assert split["recall of due, seen"].value == 1 and split["recall of due, seen"].n == 1
    assert split["silence on others, unseen"].n == 1
    assert split["silence on others, imagined only"].n == 0
