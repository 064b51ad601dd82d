"""Which words of two hypotheses agree, and what counts as a stuck decoder."""

from harken.perceive.agreement import agreed, without_echo, without_loop
from harken.perceive.word_pieces import WordPiece


def words(text: str) -> tuple[WordPiece, ...]:
    return tuple(WordPiece(f" {word}", (index,), 1) for index, word in enumerate(text.split()))


def said(pieces: tuple[WordPiece, ...]) -> str:
    return "".join(piece.text for piece in pieces).strip()


def test_agreement_stops_at_the_first_difference() -> None:
    assert agreed(words("turn on the night"), words("turn on the light now")) == 3


def test_agreement_ignores_case_and_punctuation() -> None:
    assert agreed(words("hello world."), words("Hello, world and")) == 2


def test_nothing_agrees_with_nothing() -> None:
    assert agreed((), words("hello")) == 0


def test_a_phrase_repeated_faster_than_speech_is_cut() -> None:
    loop = words("please call again later. please call again later. please call")
    assert said(without_loop((), loop, 1.2)) == "please call again later."


def test_a_loop_that_began_in_the_committed_words_is_cut() -> None:
    committed, more = words("you are now muted."), words("you are now muted. you are")
    assert without_loop(committed, more, 1.0) == ()


def test_a_word_that_stutters_without_end_is_cut() -> None:
    for stutter in ("na-a-a-a-a-a-a-a-a-a-a-a-a", "o" * 40, "hohohohohohohohohohohoho"):
        assert said(without_loop((), words(f"un {stutter} so"), 0.5)) == "un"
    assert said(without_loop((), words("un hahaha"), 0.4)) == "un hahaha"
    assert said(without_loop((), words("no oooooooh"), 3.0)) == "no oooooooh", "it took its time"


def test_genuine_repetitions_stay() -> None:
    assert said(without_loop((), words("no no no"), 0.9)) == "no no no"
    twice = "turn it off turn it off"
    assert said(without_loop((), words(twice), 1.6)) == twice


def test_fast_speech_that_repeats_nothing_stays() -> None:
    text = "extraordinarily complicated announcements everywhere"
    assert said(without_loop((), words(text), 1.0)) == text


def test_a_chinese_loop_is_cut() -> None:
    chars = tuple(WordPiece(c, (i,), 1) for i, c in enumerate("孩子玩游戏机孩子玩游戏"))
    assert said(without_loop((), chars, 1.3)) == "孩子玩游戏机"


def test_one_too_many_at_the_end_is_an_echo() -> None:
    golf = words("golf golf golf golf")
    assert len(without_echo(golf, [8_000, 18_000, 28_000, 31_000])) == 3
    assert len(without_echo(golf, [8_000, 18_000, 28_000, 36_000])) == 4
