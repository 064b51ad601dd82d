"""A dialogue that changes its conduct: the context behind another prefix is the one it would have
had, and others get their turn while it is read."""

from dataclasses import replace

import pytest
from tests.live.conftest import Room
from tests.serve.conftest import tiny_listener, tiny_parts

from harken.decide.listener import Judgement
from harken.decide.onnx_listener import OnnxListener
from harken.decide.rule import OperatingPoint
from harken.errors import HarkenError
from harken.live.conduct import Conduct
from harken.live.dialogue import Decided, Dialogue
from harken.live.trace import ResponseTrace
from harken.stream import Prefix, Profile

__all__ = ["tiny_listener", "tiny_parts"]

SILENT = Conduct(point=OperatingPoint(respond=1 - 1e-9))
COUNT = replace(SILENT, prefix=Prefix("narrate", "Count the barks."))


@pytest.fixture(scope="module")
def room(tiny_listener: OnnxListener) -> Room:
    return Room(tiny_listener)


def distance(a: list[float], b: list[float]) -> float:
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))


def judged(room: Room, dialogue: Dialogue, first: int, last: int) -> list[float]:
    """p(respond) after each of some chunks."""
    found = []
    for heard in room.chunks(20)[first:last]:
        (decided,) = dialogue.attend([heard])
        assert isinstance(decided, Decided)
        found.append(decided.judgement.p_respond)
    return found


def test_another_prefix_stands_before_what_was_heard(room: Room) -> None:
    changed = Dialogue(room.listener, SILENT)
    before = judged(room, changed, 0, 6)
    steps = sum(1 for _ in changed.adopt(COUNT))
    assert steps > 2
    meant, same = Dialogue(room.listener, COUNT), Dialogue(room.listener, SILENT)
    assert judged(room, meant, 0, 6) != pytest.approx(before, abs=1e-6)
    assert judged(room, same, 0, 6) == before
    after, wanted, unchanged = (judged(room, d, 6, 9) for d in (changed, meant, same))
    # One pass over several chunks rounds otherwise than one after the other.
    assert distance(after, wanted) < 0.2 * distance(after, unchanged)


def test_a_prefix_can_change_before_anything_was_heard(room: Room) -> None:
    dialogue, meant = Dialogue(room.listener, SILENT), Dialogue(room.listener, COUNT)
    assert [*dialogue.adopt(COUNT)] == [None]
    assert judged(room, dialogue, 0, 2) == pytest.approx(judged(room, meant, 0, 2), abs=1e-4)


def test_a_prefix_that_is_too_long_changes_nothing(room: Room) -> None:
    dialogue, same = Dialogue(room.listener, SILENT), Dialogue(room.listener, SILENT)
    judged(room, dialogue, 0, 2), judged(room, same, 0, 2)
    with pytest.raises(HarkenError, match="positions"):
        [*dialogue.adopt(replace(SILENT, prefix=Prefix("care", "count the barks " * 99)))]
    assert judged(room, dialogue, 2, 4) == judged(room, same, 2, 4)


def test_a_threshold_changes_at_once_and_reads_nothing(room: Room) -> None:
    dialogue = Dialogue(room.listener, SILENT)
    judged(room, dialogue, 0, 1)
    ratio = dialogue.context_ratio
    always = replace(SILENT, point=OperatingPoint(respond=1e-9), most_text_ids=2)
    assert [*dialogue.adopt(always)] == []
    assert dialogue.context_ratio == ratio
    outcomes = [*dialogue.attend(room.chunks(2)[1:])]
    assert isinstance(outcomes[-1], ResponseTrace)
    assert dialogue.context_ratio > ratio


def test_a_pass_may_have_a_rule_of_its_own(room: Room) -> None:
    def reply(profile: Profile, passed: list[Judgement], point: OperatingPoint) -> list[str]:
        return ["respond"]

    dialogue = Dialogue(room.listener, replace(SILENT, most_text_ids=2))
    first, second = room.chunks(2)
    assert isinstance([*dialogue.attend([first], reply)][-1], ResponseTrace)  # type: ignore[arg-type]
    (decided,) = dialogue.attend([second])
    assert isinstance(decided, Decided) and decided.decision == "silent"
