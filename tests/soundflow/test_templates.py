import random

import pytest

from harken.errors import HarkenError
from harken.soundflow.templates import Grammar, draw, references

GRAMMAR = Grammar(
    rules={"turn": "(turn|switch)", "all": "<turn> it all", "loop": "a <loop>"},
    values={"area": ("kitchen", "(living|dining) room")},
)


def drawn(template: str, count: int = 300) -> set[str]:
    chooser = random.Random(0)
    return {draw(template, GRAMMAR, chooser) for _ in range(count)}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("lights on", {"lights on"}),
        ("(open|close) it", {"open it", "close it"}),
        ("light[s] on", {"light on", "lights on"}),
        ("[please] go", {"go", "please go"}),
        ("<turn> on", {"turn on", "switch on"}),
        ("in {area:room}", {"in kitchen", "in living room", "in dining room"}),
        ("(now;stop it)", {"now stop it", "stop it now"}),
        ("a|b", {"a", "b"}),
        ("([a|b] c|d)", {"a c", "b c", "c", "d"}),
    ],
)
def test_exactly_the_sentences_of_a_template_are_drawn(template: str, expected: set[str]) -> None:
    assert drawn(template) == expected


def test_the_same_seed_draws_the_same() -> None:
    one, other = random.Random(7), random.Random(7)
    template = "<all> in {area} [please]"
    assert [draw(template, GRAMMAR, one) for _ in range(9)] == [
        draw(template, GRAMMAR, other) for _ in range(9)
    ]


def test_references_are_found_through_rules() -> None:
    grammar = Grammar({"a": "x <b>", "b": "{deep} <a>"}, {})
    assert references("<a> {top:slot} <none>", grammar) == {"deep", "top", "<none>"}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("(open|close", r"lacks a '\)'"),
        ("[please", "lacks a ']'"),
        ("go)", "unmatched"),
        ("in {floor}", "the list 'floor'"),
        ("<stop> it", "the rule '<stop>'"),
        ("<loop>", "without end"),
    ],
)
def test_broken_templates_are_named(template: str, message: str) -> None:
    with pytest.raises(HarkenError, match=message):
        draw(template, GRAMMAR, random.Random(0))
