"""Offers and calls of tools, as training writes them and a server reads them."""

import pytest

from harken.stream.tools import Call, begins_call, call_of, offer

OFFERED = {
    "set_timer": ("minutes",),
    "turn_on": ("device", "level"),
    "lock": (),
    "heat": ("room",),
    "cool": ("room",),
}


def test_an_offer_names_tools_with_what_they_take() -> None:
    text = offer(["set_timer(minutes)", "lock()"])
    assert text.startswith("Tools: set_timer(minutes), lock(). ")


def test_a_call_is_read_back() -> None:
    call = Call("turn_on", {"device": "灯", "level": 3})
    assert call_of(call.text(), OFFERED) == call
    assert "\n" not in call.text()


@pytest.mark.parametrize(
    "text",
    [
        "It is raining.",
        "{curly} braces",
        '{"tool": "lock"}',
        '{"tool": "unlock", "arguments": {}}',
        '{"tool": ["lock"], "arguments": {}}',
        "{}",
        "[]",
        '{"tool": "lock", "arguments": []}',
        '{"tool": 3, "arguments": {}}',
        '{"tool": "lock", "arguments": {}, "more": 1}',
        "{" * 5_000,
        "",
    ],
)
def test_anything_else_is_said(text: str) -> None:
    assert call_of(text, OFFERED) is None


def test_arguments_alone_call_the_one_tool_that_takes_them() -> None:
    assert call_of('{"minutes": 10}', OFFERED) == Call("set_timer", {"minutes": 10})
    assert call_of('{"room": "bath"}', OFFERED) is None, "two tools take a room"
    assert call_of('{"minutes": 10, "name": "tea"}', OFFERED) is None


def test_a_call_is_known_by_its_beginning() -> None:
    assert begins_call(' {"to')
    assert not begins_call("The {")
