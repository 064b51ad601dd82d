"""The guard against saying the same thing twice."""

from harken.live.say_once import SayOnce

SAID = SayOnce(within_s=8.0).after("Smoke alarm!", chunk=10)


def test_the_same_words_within_the_time_are_a_repeat() -> None:
    assert SAID.is_repeat("Smoke alarm!", chunk=30)  # 8.0 s later
    assert not SAID.is_repeat("Smoke alarm!", chunk=31)
    assert not SAID.is_repeat("Smoke alarm! Leave now.", chunk=12)


def test_only_a_beginning_of_it_may_become_one() -> None:
    assert SAID.may_become_repeat("Smoke", chunk=12)
    assert not SAID.may_become_repeat("Somebody", chunk=12)


def test_after_words_the_same_answer_is_in_order() -> None:
    assert not SAID.after_words().is_repeat("Smoke alarm!", chunk=12)


def test_nothing_was_said_yet_and_zero_seconds_switch_it_off() -> None:
    assert not SayOnce().is_repeat("", chunk=0)
    assert not SayOnce(within_s=0.0).after("Knock.", 10).is_repeat("Knock.", 11)
