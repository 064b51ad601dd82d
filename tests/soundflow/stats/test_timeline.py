"""A stream on its time axis: everything at its time, no text on another."""

from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.soundflow.stats.timeline import (
    Moment,
    drawing,
    drawn_px,
    envelope,
    moments,
    wrapped,
)


def row(**more: Any) -> dict[str, Any]:
    return {
        "id": "dev-1-00001-0", "n_chunks": 50, "words": [], "said": [], "sounds": [], "due": [],
        "playing": [], "stops": [],
    } | more  # fmt: skip


FULL = row(
    words=[[4, " Stop"], [5, " that."]],
    said=[[9, "Someone is at the door.", "urgent", "doorbell"]],
    sounds=[[16_000, 32_000, "siren_or_fire_station"], [40_000, 44_800, ""]],
    due=[[16_000, 32_000, "sound", "doorbell"]],
    playing=[2, 3, 4, 8, 9],
    stops=[5],
)


def marks(made: Element, kind: str) -> list[float]:
    """Times at which moments of a kind are marked, read back from the drawing."""
    scale, left = float(str(made.get("data-scale"))), float(str(made.get("data-left")))
    return [
        (float(str(mark.get("x"))) - left) / scale
        for group in made.iter("g")
        if group.get("class") == f"moment {kind}"
        for mark in group.iter("rect")
        if mark.get("class") == "mark"
    ]


def test_moments_are_told_in_their_order() -> None:
    assert moments(FULL) == [
        Moment(pytest.approx(0.8), pytest.approx(2.0), "voice", "own voice"),
        Moment(1.0, 2.0, "sound", "siren or fire station"),
        Moment(pytest.approx(2.0), pytest.approx(2.0), "heard", "Stop"),
        Moment(pytest.approx(2.4), pytest.approx(2.4), "heard", "that."),
        Moment(pytest.approx(2.4), pytest.approx(2.4), "stop", "told to stop"),
        Moment(2.5, 2.8, "sound", "without a name"),
        Moment(pytest.approx(3.2), 4.0, "voice", "own voice"),
        Moment(4.0, 4.0, "reply", "Someone is at the door.", "urgent, for doorbell"),
    ]


def test_everything_is_drawn_at_its_time() -> None:
    made = drawing(FULL, None, "stream-0")
    for kind in ("sound", "heard", "voice", "stop", "reply"):
        expected = [m.start_s for m in moments(FULL) if m.kind == kind]
        assert marks(made, kind) == pytest.approx(expected, abs=0.01), kind
    (waits,) = (r for r in made.iter("rect") if r.get("class") == "waits")
    scale = float(str(made.get("data-scale")))
    assert float(str(waits.get("width"))) == pytest.approx(scale, abs=0.01)


def test_lanes_without_anything_are_left_out() -> None:
    titles = [
        t.text for t in drawing(row(words=[[1, "a"]]), None, "a").iter("text")
        if t.get("class") == "lane-title"
    ]  # fmt: skip
    assert titles == ["words heard"]


def test_a_waveform_is_drawn_only_where_there_is_audio() -> None:
    audio = np.zeros(16_000, np.float32)
    assert len(list(drawing(FULL, audio, "stream-3").iter("path"))) == 2
    silent = drawing(FULL, None, "stream-3")
    assert not list(silent.iter("path"))
    height = float(str(drawing(FULL, audio, "a").get("height")))
    assert float(str(silent.get("height"))) < height


@given(
    st.lists(st.tuples(st.integers(0, 49), st.text("ab 再", min_size=1, max_size=90)), max_size=12),
    st.integers(1, 200),
)
def test_no_text_lies_on_another(said: list[tuple[int, str]], n_chunks: int) -> None:
    drawn = row(
        said=[[chunk % n_chunks, text, "normal", "question"] for chunk, text in said],
        n_chunks=n_chunks,
    )
    made = drawing(drawn, None, "stream-0")
    boxes = [
        tuple(float(str(box.get(k))) for k in ("x", "y", "width", "height"))
        for box in made.iter("rect")
        if box.get("class") == "box"
    ]
    assert len(boxes) == len(said)
    for n, (x, y, w, h) in enumerate(boxes):
        for x2, y2, w2, h2 in boxes[n + 1 :]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    width = float(str(made.get("width")))
    assert width < 350 or all(x >= 0 and x + w <= width for x, _, w, _ in boxes)


@given(st.text("ab 再 ", max_size=120), st.integers(2, 40))
def test_lines_keep_every_word_and_fit(text: str, most: int) -> None:
    lines = wrapped(text, most)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert lines and all(drawn_px(line) <= drawn_px("a" * most) for line in lines)


def test_the_envelope_holds_the_extremes_of_every_column() -> None:
    audio = np.zeros(16_000, np.float32)
    audio[8_000], audio[12_000] = 0.5, -0.25
    points = [tuple(map(float, p.split())) for p in envelope(audio, 100.0)[1:-1].split("L")]
    assert len(points) == 100
    top, bottom = min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])
    middle, half = 22 + 84 / 2, 84 / 2 - 3
    assert top == (pytest.approx(8 + 50, abs=2), pytest.approx(middle - half, abs=0.1))
    assert bottom == (pytest.approx(8 + 75, abs=2), pytest.approx(middle + half / 2, abs=0.1))


def test_silence_and_a_sample_have_an_envelope() -> None:
    for audio in (np.zeros(16_000, np.float32), np.full(1, 0.3, np.float32)):
        assert envelope(audio, 50.0).startswith("M8 ")
