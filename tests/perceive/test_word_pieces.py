"""Tokens become words; punctuation and broken characters stay where they belong."""

import pytest
from tokenizers import Tokenizer

from harken.parts import ensure
from harken.perceive.word_pieces import split


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(ensure("whisper") / "tokenizer.json"))


def pieces(tokenizer: Tokenizer, text: str, language: str) -> list[str]:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    return [word.text for word in split(tokenizer, ids, language)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", " Hello, world. It's me!", [" Hello,", " world.", " It's", " me!"]),
        ("en", " well - yes", [" well -", " yes"]),
        ("ru", " Добрый день.", [" Добрый", " день."]),
        ("zh", "我们要坚持。", ["我", "们", "要", "坚", "持。"]),
    ],
)
def test_words(tokenizer: Tokenizer, language: str, text: str, expected: list[str]) -> None:
    found = pieces(tokenizer, text, language)
    assert "".join(found) == text
    if language == "zh":  # a token may hold several characters, never a part of one
        assert found[-1].endswith("持。")
        assert len(found) > 1
    else:
        assert found == expected


def test_a_character_of_several_tokens_is_one_piece(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("堵", add_special_tokens=False).ids
    assert len(ids) > 1
    (word,) = split(tokenizer, ids, "zh")
    assert word.text == "堵"
    assert word.ids == tuple(ids)


def test_an_unfinished_character_is_left_out(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("堵", add_special_tokens=False).ids
    assert split(tokenizer, ids[:-1], "zh") == ()


def test_closing_punctuation_takes_no_time(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(" world.", add_special_tokens=False).ids
    (word,) = split(tokenizer, ids, "en")
    assert (word.key, word.spoken, len(word.ids)) == ("world", 1, 2)


def test_chinese_comes_in_simplified_characters(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("漢語這樣寫", add_special_tokens=False).ids
    assert "".join(word.text for word in split(tokenizer, ids, "zh")) == "汉语这样写"
    assert "".join(word.text for word in split(tokenizer, ids, "ja")) == "漢語這樣寫"
