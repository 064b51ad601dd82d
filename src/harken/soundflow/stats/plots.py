"""Elements of a page and the plots made of them: bars in a table, a histogram.

Elements are `xml.etree` ones, so every text and attribute is escaped when they are written.
Widths are percentages: a plot fits every screen and its text keeps its size.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_NICE_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600)
_MOST_BINS = 24
_HISTOGRAM_PX = 150
_AXIS_PX = 22
_TOP_PX = 16


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. parts: lengths that follow each other; value: what is written beside it."""

    label: str
    parts: tuple[float, ...]
    value: str


def element(tag: str, *children: str | Element | None, **attributes: object) -> Element:
    """An element of HTML or SVG.

    In the names of attributes `_` stands for `-`, one at the end is dropped (`class_`). True gives
    an attribute without a value, False and None none; floats are written with two decimals.
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        text = "" if value is True else short(value) if isinstance(value, float) else str(value)
        made.set(name.removesuffix("_").replace("_", "-"), text)
    for child in children:
        if child is None:
            continue
        if isinstance(child, Element):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + child
        else:
            made.text = (made.text or "") + child
    return made


def short(value: float) -> str:
    """A number with at most two decimals and none that says nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def written(*elements: Element) -> str:
    """Elements as HTML."""
    return "".join(ElementTree.tostring(one, encoding="unicode", method="html") for one in elements)


def bars(head: tuple[str, str], rows: Sequence[Bar]) -> Element:
    """A table of bars: what, how much; the longest bar fills its cell."""
    longest = max((math.fsum(row.parts) for row in rows), default=0.0) or 1.0
    return element(
        "table",
        element(
            "thead",
            element(
                "tr",
                element("th", head[0], scope="col"),
                element("th", head[1], scope="col", colspan=2),
            ),
            class_="unseen",
        ),
        element("tbody", *(_bar_row(row, longest) for row in rows)),
        class_="bars",
    )


def _bar_row(row: Bar, longest: float) -> Element:
    return element(
        "tr",
        element("th", row.label, scope="row"),
        element("td", _bar(row.parts, longest), class_="bar", aria_hidden="true"),
        element("td", row.value, class_="number"),
    )


def _bar(parts: Iterable[float], longest: float) -> Element:
    pieces, at = [], 0.0
    for n, part in enumerate(parts):
        width = 100 * part / longest
        if width > 0:
            pieces.append(
                element(
                    "rect", x=f"{at:.2f}%", y=0, width=f"{width:.2f}%", height=12,
                    class_=f"part-{n}",
                )
            )  # fmt: skip
        at += width
    return element("svg", *pieces, width="100%", height=12)


def legend(names: Sequence[str]) -> Element:
    """What the parts of bars mean, in their order."""
    return element(
        "p",
        *(
            element("span", element("i", class_=f"part-{n}", aria_hidden="true"), name)
            for n, name in enumerate(names)
        ),
        class_="legend",
    )


def histogram(values: Mapping[float, int], unit: str, what: str) -> Element:
    """How often values lie in bins of one round width, drawn from 0 or the first filled bin.

    values: how often each occurs, none negative and at least one. what: of what they are, plural.
    """
    low, high = min(values), max(values)
    step = next(
        (s for s in _NICE_STEPS if high // s - low // s < _MOST_BINS),
        math.ceil((high - low) / (_MOST_BINS - 1)) or 1,
    )
    first, last = int(low // step), int(high // step)
    bins = [0] * (last - first + 1)
    for value, many in values.items():
        bins[int(value // step) - first] += many
    tallest, share = max(bins), 100 / max(len(bins), 6)
    plot = _HISTOGRAM_PX - _AXIS_PX
    columns = []
    for n, many in enumerate(bins):
        height = (plot - _TOP_PX) * many / tallest
        start = (first + n) * step
        columns.append(
            element(
                "rect",
                element("title", f"{start} to {start + step} {unit}: {many}"),
                x=f"{n * share + share * 0.06:.2f}%",
                y=plot - height,
                width=f"{share * 0.88:.2f}%",
                height=height,
                class_="part-0",
            )
        )
        if many == tallest and not any(c.tag == "text" for c in columns):
            columns.append(_label(f"{(n + 0.5) * share:.2f}%", plot - height - 5, str(many)))
    every = math.ceil(len(bins) / 6)
    for n in range(0, len(bins) + 1, every):
        text, x = f"{(first + n) * step}", n * share
        if n == 0:
            columns.append(_label("0%", _HISTOGRAM_PX - 6, f"{text} {unit}", "start"))
        else:
            anchor = "end" if x > 97 else "middle"
            columns.append(_label(f"{x:.2f}%", _HISTOGRAM_PX - 6, text, anchor))
    return element(
        "svg",
        *columns,
        element("line", x1=0, x2="100%", y1=plot + 0.5, y2=plot + 0.5, class_="axis"),
        class_="histogram",
        width="100%",
        height=_HISTOGRAM_PX,
        role="img",
        aria_label=f"Histogram: {sum(bins)} {what}, from {short(low)} to {short(high)} {unit}",
    )


def _label(x: str, y: float, text: str, anchor: str = "middle") -> Element:
    return element("text", text, x=x, y=float(y), text_anchor=anchor)
