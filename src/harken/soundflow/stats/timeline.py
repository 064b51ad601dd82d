"""One stream drawn on a time axis: its waveform, and under it what sounds, is heard and is due.

Times are seconds from the start. What is recognised or said in a chunk is drawn at the chunk's end,
where the decision falls.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import east_asian_width
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from harken.soundflow.stats.counts import CHUNK_S
from harken.soundflow.stats.plots import element, short
from harken.stream import SAMPLE_RATE

F32 = npt.NDArray[np.float32]

UNNAMED = "without a name"
_WIDE_PX, _SCALES_PX_PER_S = 1036.0, (38.0, 110.0)
_MARGIN_PX = 8.0
_RULER_PX, _WAVE_PX = 22.0, 84.0
_HEAD_PX, _LANE_GAP_PX = 20.0, 8.0
_ROW_PX, _LINE_PX = 21.0, 16.0
_CHARACTER_PX, _PAD_PX = 6.7, 6.0
_REPLY_CHARACTERS = 44
_COLUMN_PX = 2
_FAINTEST_PEAK = 0.05
"""A stream that stays below this is drawn as quiet as it is."""
_TICK_S = (1, 2, 5, 10, 30, 60)
_TICK_LEAST_PX, _CLOCK_PX = 80, 30


@dataclass(frozen=True, slots=True)
class Moment:
    """Something in a stream. kind: sound, heard, reply, voice or stop; end_s: of what lasts."""

    start_s: float
    end_s: float
    kind: str
    text: str
    detail: str = ""


@dataclass(slots=True)
class _Lane:
    """A strip under the waveform; texts that would touch take another row."""

    name: str
    title: str
    head_px: float = _HEAD_PX
    shapes: list[Element] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def rows_for(self, left: float, right: float, rows: int) -> int:
        """The first row from which so many rows are free there, taken from now on."""
        row = 0
        while any(end > left for end in self.ends[row : row + rows]):
            row += 1
        self.ends += [-1.0] * (row + rows - len(self.ends))
        self.ends[row : row + rows] = [right + _PAD_PX] * rows
        return row


def moments(row: dict[str, Any]) -> list[Moment]:
    """Everything in a variant, in the order in which it happens."""
    found = [
        Moment(start / SAMPLE_RATE, end / SAMPLE_RATE, "sound", label.replace("_", " ") or UNNAMED)
        for start, end, label in row["sounds"]
    ]
    for chunk, text in row["words"]:
        at = (chunk + 1) * CHUNK_S
        found.append(Moment(at, at, "heard", text.strip()))
    for chunk, text, emotion, cause in row["said"]:
        at = (chunk + 1) * CHUNK_S
        mood = "" if emotion == "normal" else f"{emotion}, "
        found.append(Moment(at, at, "reply", text, f"{mood}for {cause.replace('_', ' ')}"))
    for first, last in _runs(row["playing"]):
        found.append(Moment(first * CHUNK_S, (last + 1) * CHUNK_S, "voice", "own voice"))
    for chunk in row["stops"]:
        at = (chunk + 1) * CHUNK_S
        found.append(Moment(at, at, "stop", "told to stop"))
    order = ("sound", "heard", "stop", "voice", "reply")
    return sorted(found, key=lambda m: (m.start_s, order.index(m.kind)))


def seconds(row: dict[str, Any]) -> float:
    """How long a variant is."""
    return float(row["n_chunks"] * CHUNK_S)


def drawing(row: dict[str, Any], audio: F32 | None, name: str) -> Element:
    """The timeline of a variant as SVG, in pixels, with `data-scale` (px/s) and `data-left` (px).

    audio: float32 [n] at 16 kHz; without it there is no waveform. name: unique in the page.
    """
    length = max(seconds(row), CHUNK_S)
    scale = round(min(max(_WIDE_PX / length, _SCALES_PX_PER_S[0]), _SCALES_PX_PER_S[1]), 2)
    width = max(length * scale + 2 * _MARGIN_PX, 320.0)
    happened = moments(row)
    lanes = [lane for lane in _lanes(row, happened, scale, width) if lane.shapes]
    body: list[Element] = []
    y = _RULER_PX + (_WAVE_PX + _LANE_GAP_PX if audio is not None else 0.0)
    for lane in lanes:
        tall = lane.head_px + _ROW_PX * len(lane.ends)
        body.append(element("rect", x=0, y=y, width=width, height=tall, rx=6, class_="lane"))
        body.append(element("text", lane.title, x=_MARGIN_PX + 5, y=y + 14, class_="lane-title"))
        body.append(
            element(
                "g",
                *lane.shapes,
                transform=f"translate(0 {short(y + lane.head_px)})",
                class_=lane.name,
            )
        )
        y += tall + _LANE_GAP_PX
    wave = _wave(audio, scale, name) if audio is not None else []
    return element(
        "svg",
        *_ruler(length, scale, y - _LANE_GAP_PX),
        *wave,
        *body,
        width=width,
        height=y,
        viewBox=f"0 0 {short(width)} {short(y)}",
        role="img",
        aria_label=f"Timeline of {row['id']}, {short(length)} s; the list below says the same.",
        data_scale=scale,
        data_left=_MARGIN_PX,
    )


def _lanes(
    row: dict[str, Any], happened: Sequence[Moment], scale: float, width: float
) -> Iterator[_Lane]:
    imagined = " (imagined)" if "resound" in row else ""
    sounds = _Lane("sounds", f"sounds{imagined}")
    heard = _Lane("heard", "words heard")
    voice = _Lane("voice", "own voice, and when it is told to stop")
    due = _Lane("replies", "replies due", head_px=_HEAD_PX + 7)
    places = {"sound": sounds, "heard": heard, "reply": due, "voice": voice, "stop": voice}
    for moment in happened:
        most = _REPLY_CHARACTERS if moment.kind == "reply" else 10_000
        lines = wrapped(moment.text, most)
        _put(places[moment.kind], moment, lines, scale, width)
    if due.shapes:
        due.shapes[:0] = [
            element(
                "rect",
                element("title", f"waits for {cause.replace('_', ' ')}"),
                x=_MARGIN_PX + start / SAMPLE_RATE * scale,
                y=-7.0,
                width=max(2.0, (end - start) / SAMPLE_RATE * scale),
                height=3,
                rx=1.5,
                class_="waits",
            )
            for start, end, _, cause in row["due"]
        ]
    return iter((sounds, heard, voice, due))


def _put(lane: _Lane, moment: Moment, lines: Sequence[str], scale: float, width: float) -> None:
    """A mark at the moment's time with its text to the right, or to the left where it would end."""
    start = _MARGIN_PX + moment.start_s * scale
    span = max(3.0, (moment.end_s - moment.start_s) * scale)
    text_px = max(map(drawn_px, lines)) + 2 * _PAD_PX
    is_boxed = moment.kind == "reply"
    is_turned = start + text_px > width and start + span - text_px >= 0
    left, right = start, start + max(span, text_px)
    if is_turned:
        left, right = min(start, start + span - text_px), start + span
    # Lines of one text are nearer to each other than rows.
    rows = 1 + int((len(lines) - 1) * _LINE_PX / _ROW_PX + 0.99)
    y = lane.rows_for(left, right, rows) * _ROW_PX
    height = rows * _ROW_PX - 4
    anchor, x = ("end", right - _PAD_PX) if is_turned else ("start", start + _PAD_PX)
    first = y + (height - (len(lines) - 1) * _LINE_PX) / 2 + 4
    lane.shapes.append(
        element(
            "g",
            element("title", ", ".join(filter(None, (_clock(moment), moment.detail)))),
            element(
                "rect",
                x=left if is_boxed else start,
                y=y,
                width=right - left if is_boxed else span,
                height=height,
                rx=3,
                class_="box",
            ),
            element("rect", x=start, y=y, width=3, height=height, rx=1.5, class_="mark"),
            *(
                element("text", line, x=x, y=first + n * _LINE_PX, text_anchor=anchor)
                for n, line in enumerate(lines)
            ),
            class_=f"moment {moment.kind}",
        )
    )


def wrapped(text: str, most: int) -> list[str]:
    """Lines of at most `most` characters, wide ones counting twice; broken at spaces if it can."""
    lines, line = [], ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if _cells(joined) <= most:
            line = joined
            continue
        if line:
            lines.append(line)
        line = ""
        for character in word:
            if _cells(line + character) > most:
                lines.append(line)
                line = ""
            line += character
    return [*lines, line] if line or not lines else lines


def drawn_px(text: str) -> float:
    """About the width of a text as it is drawn, rather too much than too little."""
    return _cells(text) * _CHARACTER_PX


def _cells(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def _clock(moment: Moment) -> str:
    lasts = moment.end_s > moment.start_s
    return f"{moment.start_s:.1f}" + (f" to {moment.end_s:.1f} s" if lasts else " s")


def _ruler(length: float, scale: float, bottom: float) -> Iterator[Element]:
    step = next((s for s in _TICK_S if s * scale >= _TICK_LEAST_PX), _TICK_S[-1])
    for at in range(0, int(length) + 1, step):
        x = _MARGIN_PX + at * scale
        yield element("line", x1=x, x2=x, y1=_RULER_PX - 5, y2=bottom, class_="tick")
        if (length - at) * scale > _CLOCK_PX:
            text = f"{at // 60}:{at % 60:02d}"
            yield element("text", text, x=x + 4, y=_RULER_PX - 8, class_="clock")


def _wave(audio: F32, scale: float, name: str) -> list[Element]:
    """The envelope, and the same again above it, clipped to what was played."""
    path = envelope(audio, scale)
    y = _RULER_PX
    clip = element(
        "clipPath",
        element("rect", x=0, y=0, width=0, height=y + _WAVE_PX, class_="played"),
        id=f"{name}-played",
    )
    return [
        clip,
        element("path", d=path, class_="wave"),
        element("path", d=path, class_="wave heard-so-far", clip_path=f"url(#{name}-played)"),
    ]


def envelope(audio: F32, scale: float) -> str:
    """The outline of a waveform as a path: highest and lowest sample of every two pixels.

    It fills its strip at the loudest sample, or at 0.05 of full scale if all are fainter.
    """
    columns = max(1, int(len(audio) / SAMPLE_RATE * scale / _COLUMN_PX))
    edges = np.linspace(0, len(audio), columns + 1).astype(int)[:-1]
    high, low = np.maximum.reduceat(audio, edges), np.minimum.reduceat(audio, edges)
    half = _WAVE_PX / 2 - 3
    gain = half / max(_FAINTEST_PEAK, float(np.abs(audio).max()))
    middle = _RULER_PX + _WAVE_PX / 2
    top = middle - np.maximum(high * gain, 0.4)
    bottom = middle - np.minimum(low * gain, -0.4)
    x = _MARGIN_PX + np.arange(columns) * _COLUMN_PX
    points = [*zip(x, top, strict=True), *zip(x[::-1], bottom[::-1], strict=True)]
    return "M" + "L".join(f"{short(px)} {py:.1f}" for px, py in points) + "Z"


def _runs(chunks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of every run of consecutive chunks."""
    runs: list[list[int]] = []
    for chunk in chunks:
        if runs and chunk == runs[-1][1] + 1:
            runs[-1][1] = chunk
        else:
            runs.append([chunk, chunk])
    return ((first, last) for first, last in runs)
