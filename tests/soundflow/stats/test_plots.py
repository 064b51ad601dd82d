"""Plots: what they show adds up, and nothing in them is markup that was text."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.soundflow.stats.plots import Bar, bars, element, histogram, legend, short, written

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]))


class Read(HTMLParser):
    """The text and the attributes of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.attributes = "", list[tuple[str, str, str | None]]()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@given(TEXTS, TEXTS)
def test_texts_and_attributes_come_back_as_they_were(text: str, attribute: str) -> None:
    made = Read(written(element("p", text, element("b", text), text, title=attribute)))
    assert made.text == text * 3
    assert made.attributes == [("p", "title", attribute)]


def test_attributes_are_spelt_for_html() -> None:
    made = element("a", class_="x", data_at=1.5, hidden=True, open=False, lang=None, tabindex=0)
    assert made.attrib == {"class": "x", "data-at": "1.5", "hidden": "", "tabindex": "0"}
    assert [short(x) for x in (2.0, 0.126, 100.0, 0.1)] == ["2", "0.13", "100", "0.1"]


def test_the_longest_bar_fills_its_cell_and_parts_follow_each_other() -> None:
    made = bars(("task", "hours"), [Bar("a", (1.0, 3.0), "4"), Bar("b", (0.0, 2.0), "2")])
    drawn = [
        (r.get("x"), r.get("width"), r.get("class")) for r in made.iter("rect")
    ]  # fmt: skip
    assert drawn == [
        ("0.00%", "25.00%", "part-0"), ("25.00%", "75.00%", "part-1"),
        ("0.00%", "50.00%", "part-1"),
    ]  # fmt: skip
    assert [th.get("scope") for th in made.iter("th")] == ["col", "col", "row", "row"]


def test_bars_of_nothing_are_empty() -> None:
    assert not list(bars(("a", "b"), [Bar("x", (0.0,), "0")]).iter("rect"))
    assert [i.get("class") for i in legend(("train", "dev")).iter("i")] == ["part-0", "part-1"]


@given(
    st.dictionaries(
        st.floats(0, 10_000, allow_nan=False), st.integers(1, 1000), min_size=1, max_size=40
    )
)
def test_a_histogram_loses_nothing_and_fits(values: dict[float, int]) -> None:
    made = histogram(values, "s", "streams")
    columns = list(made.iter("rect"))
    titles = [c.findtext("title") or "" for c in columns]
    assert sum(int(title.rpartition(": ")[2]) for title in titles) == sum(values.values())
    assert 1 <= len(columns) <= 24
    for column in columns:
        left, width = (float(str(column.get(k)).rstrip("%")) for k in ("x", "width"))
        assert left >= 0 and left + width <= 100
        assert float(str(column.get("y"))) >= 0


def test_a_histogram_says_where_its_bins_lie() -> None:
    made = histogram({18.4: 4, 20.4: 1, 46.8: 2}, "s", "streams")
    titles = [t.text for t in made.iter("title")]
    assert titles[:2] == ["18 to 20 s: 4", "20 to 22 s: 1"]
    assert titles[-1] == "46 to 48 s: 2"
    assert made.get("aria-label") == "Histogram: 7 streams, from 18.4 to 46.8 s"
    assert next(t.text for t in made.iter("text")) == "4"


@pytest.mark.parametrize("step", [1, 7, 700])
def test_equal_lengths_make_one_column(step: int) -> None:
    assert len(list(histogram({step * 1.0: 3}, "s", "streams").iter("rect"))) == 1
