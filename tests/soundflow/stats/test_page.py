"""The page of a data folder: complete in itself, escaped, with the numbers of the folder."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.soundflow.rows import gather, write_rows
from harken.soundflow.stats.counts import counts
from harken.soundflow.stats.page import write_page

NASTY = """<img src=x onerror="alert('1')"> & $title ${lead}"""
VOID = {"meta", "link", "input"}


class Page(HTMLParser):
    """Elements with their attributes, and every text with the elements around it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"{tag} has an attribute twice: {names}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def cells(self) -> list[str]:
        return [text for tag, text in self.texts if tag in ("td", "th")]


def row(name: str, task: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{name}-0", "features": name, "task": task, "split": name.split("-")[0],
        "n_chunks": 20, "prefix": {"policy": "care", "instruction": ""},
        "words": [[3, " Quiet,"], [4, " Rex!"], [5, " 安静"]],
        "said": [[9, "Someone is at the door.", "urgent", "doorbell"]],
        "sounds": [[16_000, 40_000, "doorbell"], [64_000, 70_000, ""]],
        "due": [[16_000, 35_200, "sound", "doorbell"]],
        "playing": [12, 13, 14], "stops": [14],
        "sources": ["made:doorbell", "question", "scratch/0123456789ab"],
    } | more  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "evening <b> & co"
    (data / "lines").mkdir(parents=True)
    (data / "audio").mkdir()
    first, second = row("train-1-00000", "care"), row("train-1-00001", "count", n_chunks=30)
    write_rows(data, "train-1-00000", [first, first | {"id": "train-1-00000-1", "task": "quiet"}])
    write_rows(data, "train-1-00001", [second])
    nasty = row(
        "dev-1-00000", NASTY, id=NASTY, prefix={"policy": NASTY, "instruction": NASTY},
        words=[[3, NASTY]], said=[[9, NASTY, NASTY, NASTY]], sounds=[[0, 9_000, NASTY]],
        due=[[0, 9_000, "sound", NASTY]], sources=[f"{NASTY}/1"],
    )  # fmt: skip
    write_rows(data, "dev-1-00000", [nasty])
    gather(data)
    tone = np.sin(np.arange(8 * 16_000) / 10).astype(np.float32) / 4
    for name in ("train-1-00000", "dev-1-00000"):
        soundfile.write(data / "audio" / f"{name}.flac", tone, 16_000)
    return data


@pytest.fixture
def text(folder: Path, tmp_path: Path) -> str:
    out = tmp_path / "new" / "page.html"
    write_page(folder, out)
    return out.read_text("utf-8")


def test_the_page_asks_for_nothing_and_its_html_is_sound(text: str) -> None:
    assert "http://" not in text and "https://" not in text
    page = Page(text)
    references = [
        (tag, value)
        for tag, attributes in page.elements
        for name in ("src", "href", "srcset", "action", "poster", "data")
        if (value := attributes.get(name)) is not None
    ]
    assert all(value.startswith(("data:", "#")) for _, value in references), references
    (policy,) = (a["content"] for a in page.all("meta") if "http-equiv" in a)
    assert policy and policy.startswith("default-src 'none'")
    assert not re.search(r"url\((?!#)", text)
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(set(ids)) == len(ids)
    for _, attributes in page.elements:
        if href := attributes.get("href"):
            assert href == "data:," or href.removeprefix("#") in ids


def test_every_text_is_escaped(text: str) -> None:
    page = Page(text)
    assert not page.all("img") and not page.all("b <b>")
    assert not [a for _, a in page.elements if any(name.startswith("on") for name in a)]
    assert {tag for tag, shown in page.texts if NASTY in shown} >= {"h3", "code", "b", "q", "td"}
    assert ("h1", "evening <b> & co") in page.texts
    assert text.count("<script>") == text.count("</script>") == 1


def test_the_numbers_are_those_of_counts(folder: Path, text: str) -> None:
    cells = Page(text).cells()
    for (split, task), found in counts(folder).items():
        numbers = [
            str(found.variants), str(found.retold), f"{found.hours:.2f}",
            str(found.replies.total()),
        ]  # fmt: skip
        start = next(
            n for n, cell in enumerate(cells) if cells[n : n + 2] == [split, task.replace("_", " ")]
        )
        assert cells[start + 2 : start + 6] == numbers
    texts = Page(text).texts
    figures = [shown for tag, shown in texts[: texts.index(("h2", "Share of the hours by task"))]]
    assert figures[figures.index("Streams") + 1] == "3"
    assert figures[figures.index("Variants") + 1] == "4"
    assert figures[figures.index("Replies due") + 1] == "4"
    assert "1 of dev, 3 of train" in figures


def test_shares_of_the_hours_add_up(text: str) -> None:
    texts = Page(text).texts
    start = texts.index(("h2", "Share of the hours by task"))
    end = texts.index(("h2", "Replies a minute by task"))
    assert texts[start + 1 : start + 3] == [("span", "train"), ("span", "dev")]
    shares = [float(shown[:-1]) for tag, shown in texts[start:end] if shown.endswith("%")]
    assert sorted(shares) == [22.2, 22.2, 22.2, 33.3]


def test_streams_with_audio_can_be_played_and_seeked(text: str) -> None:
    page = Page(text)
    played = page.all("audio")
    assert len(page.all("article")) == 3, "quiet shares its stream with care"
    assert len(played) == 2
    assert all(a["src"] and a["src"].startswith("data:audio/ogg;base64,T2dnU") for a in played)
    assert all("controls" in a for a in played), "it plays without script as well"
    ranges = page.all("input")
    assert [a["max"] for a in ranges] == ["8", "8"]
    assert all(a["aria-label"] for a in ranges)
    buttons = [a for a in page.all("button") if a.get("class") == "play"]
    assert len(buttons) == 2 and all(a["aria-label"] for a in buttons)
    seeks = Counter(a["data-at"] for a in page.all("button") if "data-at" in a)
    assert seeks["4"] == 3, "own voice, an unnamed sound and a reply come at 4 s"
    assert "build with --keep-audio" in text


def test_a_drawing_can_be_named_and_reached_with_the_keyboard(text: str) -> None:
    page = Page(text)
    drawings = [a for a in page.all("svg") if "data-scale" in a]
    assert len(drawings) == 3
    assert all(a["role"] == "img" and a["aria-label"] for a in drawings)
    scrolled = [a for a in page.all("div") if a.get("class") == "scroll"]
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in scrolled)
    assert [a["lang"] for a in page.all("html")] == ["en"]
    assert "zh" in {a.get("lang") for a in page.all("span")}


def test_imagined_and_retold_streams_are_not_played(folder: Path, tmp_path: Path) -> None:
    for name, kind in (("train-1-00000", "retold"), ("train-1-00001", "resound")):
        write_rows(folder, name, [row("train-1-00000", kind) | {kind: True}])
    gather(folder)
    write_page(folder, tmp_path / "page.html", examples=9)
    text = (tmp_path / "page.html").read_text("utf-8")
    assert len(Page(text).all("audio")) == 1


def test_examples_can_be_left_out(folder: Path, tmp_path: Path) -> None:
    write_page(folder, tmp_path / "page.html", examples=0)
    assert not Page((tmp_path / "page.html").read_text("utf-8")).all("article")


def test_what_cannot_be_done_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match=r"nothing holds no streams\.jsonl"):
        write_page(tmp_path / "nothing", tmp_path / "page.html")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "streams.jsonl").touch()
    with pytest.raises(HarkenError, match="holds no stream; compose some"):
        write_page(tmp_path / "empty", tmp_path / "page.html")
    with pytest.raises(HarkenError, match="-1 examples"):
        write_page(folder, tmp_path / "page.html", examples=-1)
    assert not (tmp_path / "page.html").exists()
    with pytest.raises(HarkenError, match="cannot write the page"):
        write_page(folder, folder)
