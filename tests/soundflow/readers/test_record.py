import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.soundflow.readers.record import Audio, Reason, Recorded, Refused, Turn, flaw

SPEECH = Recorded(
    id="c/1",
    kind="speech",
    corpus="c",
    licence="CC0-1.0",
    attribution="somebody",
    audio=Audio(Path("a.wav")),
    text="hello",
    language="en",
)
TALK = replace(SPEECH, kind="text", audio=None, text=None, turns=(Turn("user", "hi"),))


def reason(record: Recorded) -> Reason | None:
    found = flaw(record)
    return found.reason if found else None


def test_a_whole_record_has_no_flaw() -> None:
    assert flaw(SPEECH) is None
    assert flaw(TALK) is None
    assert flaw(replace(SPEECH, text=None)) is None  # the corpus has no transcript


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"licence": " "}, Reason.MISSING_LICENCE),
        ({"text": "  "}, Reason.EMPTY_TEXT),
        ({"audio": None}, Reason.MALFORMED),
        ({"kind": "event"}, Reason.NO_LABEL),
        ({"audio": Audio(Path("a.wav"), duration_s=0.0)}, Reason.ZERO_LENGTH),
        ({"audio": Audio(Path("a.wav"), start_s=-1.0)}, Reason.OUT_OF_RANGE),
        ({"audio": Audio(Path("a.wav"), start_s=math.nan)}, Reason.OUT_OF_RANGE),
        ({"kind": "text", "turns": ()}, Reason.EMPTY_TEXT),
        ({"kind": "text", "turns": (Turn("user", "hi"), Turn("assistant", ""))}, Reason.EMPTY_TEXT),
    ],
)
def test_each_flaw_has_its_name(changes: dict[str, object], expected: Reason) -> None:
    assert reason(replace(SPEECH, **changes)) is expected


def test_a_refusal_says_where_and_what() -> None:
    broken = replace(TALK, turns=(Turn("user", "hi"), Turn("assistant", " ")))
    assert flaw(broken) == Refused(Reason.EMPTY_TEXT, "c/1", "turn 2 (assistant)")


def test_english_is_the_translation_into_english_only() -> None:
    assert replace(SPEECH, translation="hallo", translation_language="de").english == ""
    assert replace(SPEECH, translation="hello", translation_language="en").english == "hello"


@given(start=st.floats(), duration=st.none() | st.floats())
def test_a_span_without_flaw_is_one_that_can_be_cut_out(
    start: float, duration: float | None
) -> None:
    record = replace(SPEECH, audio=Audio(Path("a.wav"), start_s=start, duration_s=duration))
    can_be_cut = start >= 0 and (duration is None or duration > 0)  # false for NaN
    assert (flaw(record) is None) == can_be_cut
