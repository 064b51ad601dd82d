"""Pieces join to the text, end with their sentences, and come as soon as they can."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.respond.sentences import (
    CLAUSE_WIDTH,
    FIRST_WIDTHS,
    MOST_WIDTH,
    SentenceCutter,
    language_of,
    pause_s,
    sentences_of,
    width,
)

TEXTS = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from([".", ". ", "。", "！", "，", ", ", "?!", "...", '."', "3.5", " Dr", "\n"]),
        st.sampled_from(["The kettle is boiling", "我听到门铃响了", " e.g", " 10:30", " 1,000"]),
    ),
    max_size=20,
)


@settings(max_examples=50)
@given(TEXTS)
def test_pieces_join_to_the_text_and_none_is_empty(texts: list[str]) -> None:
    pieces = list(sentences_of(texts))
    assert "".join(pieces) == "".join(texts)
    assert all(pieces)


@settings(max_examples=50)
@given(TEXTS)
def test_every_piece_but_the_last_says_something_and_is_not_too_long(texts: list[str]) -> None:
    *pieces, _ = [*sentences_of(texts), ""]
    for piece in pieces[:-1]:
        assert any(map(str.isalnum, piece)) or width(piece) >= MOST_WIDTH
        # Marks that follow the last word come on top.
        assert width(piece.rstrip(".,;:!?…。！？，；：、—\n\"'")) <= MOST_WIDTH + 3


words = st.lists(
    st.sampled_from(["kettle", "boiling", "door", "bell", "nobody", "waits"]),
    min_size=2,
    max_size=4,
)
sentence = st.builds(lambda w, end: " ".join(w) + end, words, st.sampled_from(".!?。！？…"))


@settings(max_examples=50)
@given(st.lists(sentence, min_size=1, max_size=5))
def test_a_finished_sentence_is_never_held_back(sentences: list[str]) -> None:
    cutter = SentenceCutter()
    for n, one in enumerate(sentences):
        spaced = " " * (n > 0) + one
        pieces = [piece for character in spaced for piece in cutter.push(character)]
        assert pieces == [spaced]
    assert cutter.finish() == []


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("It is 3.5 degrees. Cold.", ["It is 3.5 degrees.", " Cold."]),
        ("I count 3. One more.", ["I count 3.", " One more."]),
        ("1. Boil water. 2. Wait.", ["1. Boil water.", " 2. Wait."]),
        ("Dr. Ma is here. Open.", ["Dr. Ma is here.", " Open."]),
        ("At 5 p.m. the U.S. side, e.g. J. Smith, left.",
         ["At 5 p.m. the U.S. side,", " e.g. J. Smith, left."]),
        ("See example.com now. Bye.", ["See example.com now.", " Bye."]),
        ('He said "Stop." Then left.', ['He said "Stop."', " Then left."]),
        ("Really?! Well... yes.", ["Really?!", " Well...", " yes."]),
        ("水开了。门铃响了！你好", ["水开了。", "门铃响了！", "你好"]),
        ("一共3.5度。好", ["一共3.5度。", "好"]),
        ("One\nTwo", ["One\n", "Two"]),
        ("It costs 1,000 euros at 10:30.", ["It costs 1,000 euros at 10:30."]),
        ("...", ["..."]),
        (" ", [" "]),
    ],
)  # fmt: skip
def test_where_pieces_end(text: str, pieces: list[str]) -> None:
    assert list(sentences_of([text])) == pieces


def test_the_first_piece_ends_at_a_comma_and_the_next_ones_when_they_are_long() -> None:
    text = "The river rises, the rain falls and the wind blows, so close it."
    assert list(sentences_of([text])) == [
        "The river rises,",
        " the rain falls and the wind blows,",
        " so close it.",
    ]
    assert list(sentences_of(["Yes, the door."])) == ["Yes, the door."]
    chinese = "我听到门铃响了，有人在外面等，请开门。"
    assert list(sentences_of([chinese])) == ["我听到门铃响了，", "有人在外面等，请开门。"]
    assert width("我听到门铃响了") >= FIRST_WIDTHS[0][0]
    long = "Good. Fine. " + "and then another word came along " * 3 + "to stay, and that was all."
    assert width(long[: long.index(",")]) > CLAUSE_WIDTH
    assert [piece[-1] for piece in sentences_of([long])] == [".", ".", ",", "."]


def test_a_text_without_marks_is_cut_between_words() -> None:
    pieces = list(sentences_of(["again and " * 60]))
    assert all(width(piece) <= MOST_WIDTH for piece in pieces)
    assert all(piece.startswith((" again", " and", "again")) for piece in pieces[:-1])
    assert all(width(p) <= MOST_WIDTH + 3 for p in sentences_of(["水开了" * 60]))


def test_the_language_is_that_of_the_script() -> None:
    assert [language_of(t) for t in ("A dog.", "狗叫了。", "OK 好", "42")] == [
        "en",
        "zh",
        "zh",
        "en",
    ]


def test_a_long_first_clause_ends_before_a_phrase() -> None:
    text = "The kettle in the kitchen is boiling and the door is open, so go in and see."
    first = next(sentences_of([text]))
    assert first == "The kettle in the kitchen is boiling"
    assert width(first) <= FIRST_WIDTHS[0][1]
    assert pause_s(first) == 0 < pause_s("The river rises,") < pause_s("It rises.”")
    second = list(sentences_of(["Good. " + text + " " + text]))[1]
    assert second == " " + text[: text.index(" so")]
    assert list(sentences_of(["Good. Fine. " + text]))[2:] == [" " + text]
