"""JSON of a language model: found among other words, and strictly read."""

from dataclasses import dataclass

import pytest

from harken.soundflow.plan.answer import WrongShape, json_in, read_json, schema_of


@dataclass(frozen=True, slots=True)
class Inner:
    size: float


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    inner: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    "answer",
    [
        '{"name": "a{b}"}',
        '```json\n{"name": "a{b}"}\n```',
        'Here it is (see {x}):\n\n  {"name": "a{b}"}\nAnything else?',
        'Sure: {"name": "a{b}"}',
        '<think>maybe {"name": "no"}</think>\n{"name": "a{b}"}',
    ],
)
def test_the_object_is_found(answer: str) -> None:
    assert read_json(Outer, json_in(answer)) == Outer("a{b}")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("", "no JSON object"),
        ("I cannot do that.", "no JSON object in the answer 'I cannot"),
        ('{"name": "a"', "broken JSON"),
        ('{"a": ' + "[" * 100_000, "broken JSON"),
    ],
)
def test_an_answer_without_an_object_is_told(answer: str, message: str) -> None:
    with pytest.raises(WrongShape, match=message):
        json_in(answer)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "^name: Field required$"),
        ('{"name": 1}', "^name: .*string"),
        ('{"name": "a", "inner": [{"size": 1}, {"size": "2"}]}', r"^inner\[1\].size: .*number"),
        ('{"name": "a", "colour": "red"}', "^colour: Unexpected"),
        ("[]", "^the whole: "),
        ('{"a": 1, "b": 2, "c": 3, "d": 4}', "and 2 more$"),
    ],
)
def test_a_wrong_field_is_named(text: str, message: str) -> None:
    with pytest.raises(WrongShape, match=message):
        read_json(Outer, text)


def test_the_source_is_named_and_whole_numbers_are_numbers() -> None:
    assert read_json(Outer, '{"name": "a", "inner": [{"size": 1}]}') == Outer("a", (Inner(1.0),))
    with pytest.raises(WrongShape, match=r"^a\.json: name: "):
        read_json(Outer, "{}", "a.json")


def test_the_schema_names_every_field() -> None:
    assert all(f'"{name}"' in schema_of(Outer) for name in ("name", "inner", "size"))
