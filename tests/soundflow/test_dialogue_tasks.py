"""Follow-ups that need the question before them, and interpreting that changes direction."""

from itertools import pairwise

import numpy as np
import pytest
from tests.soundflow.needs import needs_corpora

from harken.soundflow.dialogue_tasks import (
    _filled,
    _summed,
    _whole,
    follow_up,
    follow_ups,
    switch_direction,
)
from harken.soundflow.questions import questions
from harken.soundflow.sources import speech_pack
from harken.soundflow.studio import Studio
from harken.soundflow.texts import is_chinese

KNOWN = dict(questions())


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio("train")


@pytest.mark.parametrize(
    ("first", "then", "reply"),
    [
        ("What is the capital of Cuba?", "And of Italy?", "The capital of Italy is Rome."),
        ("What is the currency of Japan?", "And of Italy?", "The currency of Italy is the euro."),
        ("What is the capital of Cuba?", "What about Poland?", "The capital of Poland is Warsaw."),
        ("How many legs does a dog have?", "And an ant?", "An ant has six legs."),
        ("What day comes after Monday?", "And after that?", "Wednesday comes after Tuesday."),
        ("法国的首都是哪里？", "那英国呢？", "英国的首都是伦敦。"),
        ("What is the capital of Cuba?", "And a horse?", ""),
        ("How many legs does a dog have?", "And of Italy?", ""),
        ("What is the capital of Cuba?", "And after that?", ""),
        ("Who am I?", "And of Italy?", ""),
    ],
)
def test_the_answer_is_that_of_the_whole_question(first: str, then: str, reply: str) -> None:
    assert _whole(first, then, KNOWN) == reply


@pytest.mark.parametrize(
    ("first", "then", "reply"),
    [
        ("What is two plus two?", "And times two?", "That is 8."),
        ("What is ten minus three?", "And plus ten?", "That is 17."),
        ("What is twice thirty?", "And minus one?", "That is 59."),
        ("What is two plus two?", "And of Italy?", ""),
        ("What is the capital of Cuba?", "And times two?", ""),
    ],
)
def test_a_sum_goes_on_from_its_result(first: str, then: str, reply: str) -> None:
    assert _summed(first, then) == reply


def test_a_form_is_filled_only_by_a_text_that_has_its_words() -> None:
    assert _filled("And of {}?", "And of New Zealand?") == "New Zealand"
    assert _filled("And of {}?", "And for silver?") == ""
    assert _filled("And of {}?", "And of ?") == ""


@needs_corpora
def test_no_follow_up_to_train_on_asks_what_dev_asks(studio: Studio) -> None:
    pairs = list(follow_ups(studio))
    if not pairs:
        pytest.skip("the follow-ups are not synthesised: `harken data speak`")
    of_dev = {KNOWN.get(clip.text) for clip in speech_pack("dev") if clip.kind == "question"}
    assert not {pair.reply for pair in pairs} & of_dev
    assert all(pair.reply != pair.first.other for pair in pairs)


@needs_corpora
def test_questions_and_their_follow_ups_are_answered_in_turn(studio: Studio) -> None:
    if not list(follow_ups(studio)):
        pytest.skip("the follow-ups are not synthesised: `harken data speak`")
    for seed in range(8):
        _, (variant,) = follow_up(studio, np.random.default_rng(seed))
        causes = [due.cause for due in variant.due]
        assert causes[0] == "question" and "follow_up" in causes
        replies = [due.text for due in variant.due]
        assert all(a != b for a, b in pairwise(replies))


@needs_corpora
def test_interpreting_goes_from_one_direction_to_the_other(studio: Studio) -> None:
    directions = set()
    for seed in range(16):
        _, (variant,) = switch_direction(studio, np.random.default_rng([seed, 2]))
        into = [is_chinese(due.text) for due in variant.due if due.cause == "translation"]
        ordered = [n for n, due in enumerate(variant.due) if due.cause == "order"]
        if len(ordered) == 2 or (ordered and variant.prefix.instruction):
            before = [d for d in variant.due[: ordered[-1]] if d.cause == "translation"]
            after = [d for d in variant.due[ordered[-1] :] if d.cause == "translation"]
            assert len({is_chinese(d.text) for d in before}) <= 1
            assert len({is_chinese(d.text) for d in after}) <= 1
            if before and after:
                assert is_chinese(before[0].text) != is_chinese(after[0].text)
        directions |= {(a, b) for a, b in pairwise(into)}
    assert {(True, False), (False, True)} <= directions
