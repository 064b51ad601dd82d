"""The rival on percepts made by hand: what it hears, what it makes of words, what it says."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.evals.cascade.chosen import EXPECTED, UNASKED
from harken.evals.cascade.nouns import counted_labels, meant_labels
from harken.evals.cascade.rules import Order, intent_of, is_stop, order_of
from harken.evals.cascade.session import REMEMBERED, run_cascade
from harken.evals.cascade.sounds import CountState, SoundRules, counted_sound
from harken.evals.cascade.thresholds import Listened, Weights, choose_thresholds
from harken.evals.streams import Case, Outcome
from harken.perceive.percept import HeardWord, Percept
from harken.perceive.sound import CLASSES
from harken.soundflow.events import EVENTS
from harken.stream import CHUNK_SAMPLES, Prefix

_USED = sorted({c for table in (UNASKED, EXPECTED) for each in table.values() for c in each})
NAMES = tuple(_USED + [f"class {n}" for n in range(len(_USED), CLASSES)])
"""Class names in an order of our own; the true order comes with a part."""


class Answers:
    """A decoder that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def translated(self, text: str, language: str) -> str:
        self.asked.append(text)
        return f"{language}: {text.upper()}"

    def answered(self, question: str) -> str:
        self.asked.append(question)
        return " Jupiter.\n"


def case(
    chunks: int,
    *,
    words: Mapping[int, str] | None = None,
    sounds: Mapping[str, tuple[int, ...]] | None = None,
    prefix: Prefix | None = None,
    playing: tuple[int, ...] = (),
) -> Case:
    """Chunks with committed words, and labels whose classes are loud in some of them."""
    percepts = []
    for chunk in range(chunks):
        sound = np.full(1545, 0.001, np.float16)
        for label, at in (sounds or {}).items():
            if chunk in at:
                sound[[NAMES.index(c) for c in {*UNASKED[label], *EXPECTED[label]}]] = 0.99
        text = (words or {}).get(chunk, "")
        heard = (HeardWord(text, (chunk + 1) * CHUNK_SAMPLES, ""),) if text else ()
        percepts.append(Percept(chunk, sound, np.zeros(2560, np.float16), heard, 0.0, 0.0))
    return Case("a", "a", "hand", prefix or Prefix(), tuple(percepts), (), frozenset(playing))


def texts(outcome: Outcome) -> list[str]:
    return [text for _, text, _ in outcome.said]


def run(made: Case, decoder: Answers | None = None) -> Outcome:
    return run_cascade(made, decoder or Answers(), NAMES)


BARK, ALARM = "dog_bark", "smoke_alarm"
COUNT_BARKS = Prefix(instruction="Count the barks.")


# Sounds


def test_three_sounds_are_counted_one_by_one() -> None:
    barks = {BARK: (5, 6, 12, 13, 19, 20)}
    outcome = run(case(26, sounds=barks, prefix=COUNT_BARKS))
    assert outcome.said == (
        (5, "One.", "normal"),
        (12, "Two.", "normal"),
        (19, "Three.", "normal"),
    )


def test_a_sound_that_goes_on_is_counted_once() -> None:
    outcome = run(case(40, sounds={BARK: tuple(range(5, 35))}, prefix=COUNT_BARKS))
    assert texts(outcome) == ["One."]


def test_another_sound_is_not_counted_nor_told_of() -> None:
    outcome = run(case(20, sounds={ALARM: (5, 6, 7)}, prefix=COUNT_BARKS))
    assert outcome.said == ()


def test_a_dog_is_worth_no_word_under_care_and_its_name_when_all_is_narrated() -> None:
    barks = {BARK: (5, 6, 7)}
    assert texts(run(case(20, sounds=barks))) == []
    narrated = run(case(20, sounds=barks, prefix=Prefix("narrate")))
    assert texts(narrated) == ["I hear a dog barking."]


@pytest.mark.parametrize("policy", ["quiet", "care", "bench"])
def test_an_alarm_is_told_under_every_policy_and_once_as_long_as_it_rings(policy: str) -> None:
    outcome = run(case(60, sounds={ALARM: tuple(range(10, 50))}, prefix=Prefix(policy)))
    reply = EVENTS["smoke_alarm"].reply(policy)
    assert reply is not None
    assert [(text, emotion) for _, text, emotion in outcome.said] == [reply]
    assert 10 <= outcome.said[0][0] <= 12


def test_a_sound_that_comes_again_much_later_is_told_again() -> None:
    outcome = run(case(70, sounds={ALARM: (10, 11, 12, 50, 51, 52)}))
    assert len(outcome.said) == 2


def test_an_alarm_while_our_own_voice_plays_is_told_when_it_has_ended() -> None:
    outcome = run(case(30, sounds={ALARM: (6, 7, 8)}, playing=tuple(range(2, 15))))
    assert [(chunk, text) for chunk, text, _ in outcome.said] == [(15, EVENTS["smoke_alarm"].care)]


def test_what_is_awaited_is_reported_and_nothing_else() -> None:
    prefix = Prefix(instruction="Tell me when you hear a dog barking.")
    outcome = run(case(50, sounds={ALARM: (5, 6, 7), BARK: (30, 31, 32)}, prefix=prefix))
    assert texts(outcome) == ["I hear a dog barking."]
    assert outcome.said[0][0] >= 30


def test_the_score_is_higher_where_a_sound_is_worth_a_word() -> None:
    outcome = run(case(20, sounds={ALARM: (10, 11, 12)}))
    assert len(outcome.p_respond) == 20
    assert max(outcome.p_respond[:9]) < 0.5 < outcome.p_respond[11]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_counts_are_no_closer_than_the_window_allows(levels: list[float]) -> None:
    rules = SoundRules({"dog_bark": {"Bark": 0.5}}, ["Bark"])
    state, at = CountState(), []
    for chunk, level in enumerate(levels):
        state, began, margin = counted_sound(rules, state, chunk, np.array([level], np.float32))
        assert not began or margin >= 0
        at += [chunk] * began
    assert all(b - a >= 4 for a, b in pairwise(at))


# Words


def test_an_order_is_agreed_to_carried_out_and_cancelled() -> None:
    said = {2: " Count the", 3: " barks.", 20: " Okay,", 21: " stop."}
    outcome = run(case(40, words=said, sounds={BARK: (10, 11, 30, 31)}))
    assert outcome.said == (
        (4, "Okay.", "normal"),
        (10, "One.", "normal"),
        (22, "Okay.", "normal"),
    )


def test_nobody_is_answered_who_stops_what_was_not_ordered() -> None:
    assert run(case(10, words={2: " Stop."})).said == ()


def test_a_question_is_answered_after_its_last_word_and_talk_is_not() -> None:
    decoder = Answers()
    said = {
        2: " What is the largest",
        3: " planet?",
        10: " Dad, the taxi",
        11: " is here.",
    }
    outcome = run(case(20, words=said), decoder)
    assert outcome.said == ((4, "Jupiter.", "normal"),)
    assert decoder.asked == ["What is the largest planet?"]


def test_a_pause_within_a_question_does_not_cut_it() -> None:
    decoder = Answers()
    run(case(14, words={2: " What is the", 4: " largest planet"}), decoder)
    assert decoder.asked == ["What is the largest planet"]


def test_a_transcript_is_the_words_as_they_come_until_told_to_stop() -> None:
    said = {4: " She got", 5: " the job.", 12: " Stop", 13: " transcribing.", 20: " Bye."}
    outcome = run(case(30, words=said, prefix=Prefix(instruction="Transcribe what I say.")))
    assert outcome.said[:2] == ((4, "She got", "normal"), (5, "the job.", "normal"))
    assert texts(outcome) == ["She got", "the job.", "Okay."]


def test_words_that_only_looked_like_a_stop_are_not_lost_from_a_transcript() -> None:
    said = {4: " Wait", 5: " for the bus."}
    outcome = run(case(12, words=said, prefix=Prefix(instruction="Transcribe what I say.")))
    assert texts(outcome) == ["Wait for the bus."]


def test_sentences_are_translated_whole_and_those_in_the_wanted_language_left_alone() -> None:
    said = {4: " He called", 5: " me.", 12: "你好。"}
    prefix = Prefix(instruction="请翻译成中文。")
    assert texts(run(case(20, words=said, prefix=prefix))) == ["zh: HE CALLED ME."]


def test_a_name_is_remembered() -> None:
    said = {2: " My name is Diana.", 9: " The bus was full.", 16: " What is my name?"}
    assert texts(run(case(24, words=said))) == ["Nice to meet you, Diana.", "Your name is Diana."]


def test_a_question_about_oneself_comes_with_what_was_told() -> None:
    decoder = Answers()
    said = {3 * n: f" I was in town {n}." for n in range(1, 15)}
    run(case(60, words=said | {50: " Where was I born?"}), decoder)
    lines = decoder.asked[0].splitlines()
    assert lines[-1] == "Where was I born?"
    assert lines[:-1] == [f"I was in town {n}." for n in range(3, 15)]
    assert len(lines) == REMEMBERED + 1


def test_what_was_that_names_the_last_sound() -> None:
    outcome = run(case(24, words={16: " What was that sound?"}, sounds={BARK: (5, 6, 7)}))
    assert texts(outcome) == ["That was a dog barking."]


def test_while_our_own_voice_plays_it_only_listens_for_a_stop() -> None:
    said = {6: " What is the capital of Italy?", 12: " Okay,", 13: " stop."}
    outcome = run(case(30, words=said, playing=tuple(range(4, 14))))
    assert outcome.stopped == (13,)
    assert outcome.said == ()


def test_mhm_is_no_stop() -> None:
    assert run(case(20, words={8: " Mhm."}, playing=tuple(range(4, 14)))).stopped == ()


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Could you count the doorbells, please?", Order("count", frozenset({"doorbell"}))),
        ("数一数狗叫了几声。", Order("count", frozenset({"dog_bark"}))),
        ("Warn me if a train passes.", Order("await", frozenset({"train"}))),
        ("婴儿哭了就告诉我。", Order("await", frozenset({"baby_cry"}))),
        ("Describe every sound you hear.", Order("narrate")),
        ("请描述每一个声音。", Order("narrate")),
        ("Please write down what I'm saying.", Order("transcribe")),
        ("请打开字幕。", Order("transcribe")),
        ("Translate my next sentences into Mandarin.", Order("translate", language="zh")),
        ("我说中文，你翻译成英文。", Order("translate", language="en")),
        ("The doctor told him to stop smoking.", None),
        ("Please call me tomorrow about the house.", None),
    ],
)
def test_orders_are_understood(text: str, order: Order | None) -> None:
    assert order_of(text) == order


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("What is the capital of Austria?", "question"),
        ("法国的首都是哪里？", "question"),
        ("Have you seen my glasses, John?", "talk"),
        ("What time are you coming home on Friday?", "talk"),
        ("Emma, count the coins.", "talk"),
        ("He translated the book into English.", "talk"),
        ("他问我现在几点了。", "talk"),
        ("I am hungry.", "talk"),
        ("", "talk"),
    ],
)
def test_talk_is_told_from_what_is_asked_of_us(text: str, kind: str) -> None:
    assert intent_of(text).kind == kind


def test_a_stop_is_said_alone() -> None:
    assert all(map(is_stop, ["Stop.", "Okay, stop counting.", "Thanks, that will do.", "别说了。"]))
    assert not any(map(is_stop, ["Stop the car at the corner, Ben.", "I could not stop.", "停车"]))


@given(st.text(max_size=80))
def test_any_text_has_an_intent(text: str) -> None:
    assert intent_of(text).kind in {"order", "stop", "question", "sound", "told", "talk"}


def test_the_longest_noun_decides_and_misheard_ones_are_mended() -> None:
    assert meant_labels("tell me when the doorbell rings") == {"doorbell"}
    assert counted_labels("count every barc out loud") == {"dog_bark"}
    assert counted_labels("number every sneaze you hear") == {"sneeze"}
    assert counted_labels("count the people") == frozenset()


# Thresholds


def test_a_threshold_lies_between_a_sound_and_what_is_mistaken_for_it() -> None:
    def stream(label: str, level: float) -> Listened:
        scores = np.full((20, 1), 0.01, np.float32)
        scores[5:8, 0] = level
        return Listened(scores, ((5 * CHUNK_SAMPLES, 7 * CHUNK_SAMPLES, label),))

    streams = [stream("cough", 0.7)] * 8 + [stream("knock", 0.4)] * 8
    chosen = choose_thresholds(streams, ["Cough"], Weights(1.0, 1.0))
    assert 0.4 < chosen["cough"]["Cough"] <= 0.7


def test_a_class_that_is_always_wrong_is_not_listened_to() -> None:
    quiet = Listened(np.full((20, 1), 0.01, np.float32), ((32_000, 40_000, "cough"),))
    loud = Listened(np.tile(np.float32([[0.99], [0.01]]), (10, 1)), ())
    chosen = choose_thresholds([quiet] * 6 + [loud] * 9, ["Cough"], Weights(1.0, 1.0))
    assert "Cough" not in chosen.get("cough", {})


def test_every_label_that_cares_can_be_awaited() -> None:
    assert {label for label, kind in EVENTS.items() if kind.care} <= EXPECTED.keys()


@pytest.mark.slow
def test_the_decoder_as_it_came_translates_for_the_rival() -> None:
    from harken.evals.plain_decoder import plain_decoder

    made = case(
        12,
        words={4: " I like apples."},
        prefix=Prefix(instruction="Translate into Chinese."),
    )
    outcome = run_cascade(made, plain_decoder(), NAMES)
    assert [chunk for chunk, *_ in outcome.said] == [5]
    assert "苹果" in outcome.said[0][1]
