# ruff: noqa: RUF001
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.speech.written import spoken_form

ENGLISH = [
    ("It costs $3.50 or €5.", "It costs three dollars and fifty cents or five euros."),
    ("$5.5 million, $1, $0.99", "five point five million dollars, one dollar, ninety-nine cents"),
    ("Wake me at 7:05 am, not 14:00.", "Wake me at seven oh five AM, not fourteen hundred."),
    ("at 3.45 pm.", "at three forty-five PM."),
    ("3pm or 3:00", "three PM or three o'clock"),
    ("2024-03-05", "March fifth, twenty twenty-four"),
    ("on March 21st, 1999.", "on March twenty-first, nineteen ninety-nine."),
    ("the 1st and the 22nd", "the first and the twenty-second"),
    ("In 1984 there were 1,234 dogs.", "In nineteen eighty-four there were one thousand two "
     "hundred and thirty-four dogs."),
    ("about 5-10%", "about five to ten percent"),
    ("1 km, 2.5 kg at -3 °C", "one kilometer, two point five kilograms at minus three degrees "
     "Celsius"),
    ("the 1990s and the 80s", "the nineteen nineties and the eighties"),
    ("1/2 cup and 2½ spoons", "one half cup and two and one half spoons"),
    ("Dr. Lee vs. Mr. Fox, e.g. tea, etc.", "Doctor Lee versus Mister Fox, for example tea, "
     "et cetera."),
    ("See https://www.example.com/docs?q=1.", "See example dot com slash docs."),
    ("mail me@example.com now", "mail me at example dot com now"),
    ("Call 555-1234.", "Call five five five, one two three four."),
    ("agent 007 plays MP3 on v1.2.3", "agent zero zero seven plays MP three on v one point two "
     "point three"),
    ("10:30-11:00, 3:2, 5 – 6", "ten thirty to eleven o'clock, three to two, five to six"),
    ("1e5", "one e five"),
    ("Q&A: 2 + 2 = 4", "Q and A: two plus two equals four"),
    ("٣ apples and ① pear", "three apples and one pear"),
]  # fmt: skip

CHINESE = [
    ("2024年3月5日下午3:30", "二零二四年三月五日下午三点三十分"),
    ("2024-12-01 9:05", "二零二四年十二月一日 九点零五分"),
    ("涨了5.5%，共¥120。", "涨了百分之五点五，共一百二十元。"),
    ("第2天有2个苹果", "第二天有两个苹果"),
    ("走了10km，气温-5℃", "走了十公里，气温负五摄氏度"),
    ("大约3-5个人，占1/3", "大约三到五个人，占三分之一"),
    ("电话13800138000", "电话一三八零零一三八零零零"),
    ("**重要**：看`x`", "重要：看 x"),
    ("2:00时-3~5℃，比分3:2", "两点时负三到五摄氏度，比分三比二"),
    ("2024-2025年买2-3斤", "二零二四到二零二五年买二到三斤"),
    ("1005和10010", "一千零五和一万零一十"),
]

MARKDOWN = [
    ("# Title\n\n- **one** thing\n- _two_ things\n", "Title. one thing. two things"),
    ("See [the docs](https://x.org/a) ![cat](c.png)", "See the docs cat"),
    ("Run `ls`:\n```sh\nfor f in *; do\n echo $f\ndone\n```\nDone.", "Run ls: code omitted Done."),
    ("| a | b |\n|---|---|\n| c | d |", "a, b. c, d"),
    ("1. Boil\n2. Add 3", "one. Boil. two. Add three"),
    ("> quoted\nwords that\nwrap", "quoted words that wrap"),
    ("a ~~b~~ <b>c</b> 😀 ***", "a b c"),
]


@pytest.mark.parametrize(("written", "spoken"), ENGLISH + MARKDOWN)
def test_english(written: str, spoken: str) -> None:
    assert spoken_form(written, "en").text == spoken


@pytest.mark.parametrize(("written", "spoken"), CHINESE)
def test_chinese(written: str, spoken: str) -> None:
    assert spoken_form(written, "zh").text == spoken


def test_changes_say_what_was_replaced_by_what() -> None:
    said = spoken_form("**Wait** 5 km, $2", "en")
    assert [(c.kind, c.written, c.spoken) for c in said.changes] == [
        ("markup", "**Wait**", "Wait"),
        ("money", "$2", "two dollars"),
        ("unit", "5 km", "five kilometers"),
    ]


def test_another_language_is_refused() -> None:
    with pytest.raises(HarkenError, match="'fr': choose en or zh"):
        spoken_form("bonjour", "fr")


def test_code_omitted_is_said_in_the_language() -> None:
    assert spoken_form("看：\n```\na = 1\nb = 2\n```", "zh").text == "看： 代码省略"


LANGUAGES = st.sampled_from(["en", "zh"])
PIECES = st.sampled_from(
    [
        *("**", "*", "_", "`", "~", "#", "-", "|", "[", "](", ")", "<", ">", "$", "%", " km"),
        *(":", "/", "@", "&", ".", ",", "5", "12", "3.5", "1,000", "th", "2024", "007", "½"),
        *("²", "٣", "Ⅳ", "°C", "x", "word", "May ", "No. ", "http://", "年", "月", "个", "。"),
        *(" ", "\n", "\n\n", "```\n", "# ", "- ", "- [x] "),
    ]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=14).map("".join))


@settings(max_examples=60)
@given(TEXTS, LANGUAGES)
def test_no_digit_is_left_and_saying_it_again_changes_nothing(text: str, language: str) -> None:
    said = spoken_form(text, language).text
    assert not [c for c in said if unicodedata.category(c) in ("Nd", "No", "Nl") and c != "〇"]
    again = spoken_form(said, language)
    assert (again.text, again.changes) == (said, ())


SHORT = {"vs", "approx", "etc"}
"""Before a full stop these are abbreviations."""
WORD = st.from_regex(r"[a-z]{2,8}", fullmatch=True).filter(lambda word: word not in SHORT)
WORDS = st.lists(WORD, min_size=1, max_size=8)


@settings(max_examples=60)
@given(WORDS)
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    said = spoken_form(" ".join(words) + ".", "en")
    assert said.text == " ".join(words) + "."
    assert said.changes == ()


@settings(max_examples=60)
@given(WORDS, st.data())
def test_words_between_numbers_and_marks_stay_in_their_order(
    words: list[str], data: st.DataObject
) -> None:
    marked = [
        data.draw(st.sampled_from(["{}", "**{}**", "*{}*", "`{}`", "~~{}~~"])).format(word)
        for word in words
    ]
    numbers = data.draw(st.lists(st.integers(0, 10**14), min_size=len(words), max_size=len(words)))
    text = " ".join(f"{word}, {n}," for word, n in zip(marked, numbers, strict=True))
    said = iter(re.findall(r"[a-z]+", spoken_form(text, "en").text))
    assert all(word in said for word in words)
