"""The colours of the page: text on its ground can be read in both themes."""

import re
from pathlib import Path

import pytest

import harken

COLOURS = Path(harken.__file__).parent / "serve" / "page" / "colours.css"
PAIRS = [
    ("ink", "ground"),
    ("ink", "surface"),
    ("ink", "raised"),
    ("ink", "accent-soft"),
    ("ink", "card"),
    ("ink", "warning-ground"),
    ("muted", "ground"),
    ("muted", "surface"),
    ("muted", "raised"),
    ("accent", "raised"),
    ("on-accent", "accent"),
    ("reply", "surface"),
    ("urgent", "raised"),
]


def themes() -> dict[str, dict[str, str]]:
    """The blocks of the file in order: light, dark by choice, dark by the system."""
    blocks = re.findall(r"\{([^{}]*)\}", COLOURS.read_text(encoding="utf-8"))
    named = [dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in blocks]
    return dict(zip(("light", "dark", "system dark"), named, strict=True))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21, WCAG 2.2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out(theme: str) -> None:
    colours = themes()[theme]
    assert [pair for pair in PAIRS if contrast(*(colours[name] for name in pair)) < 4.5] == []


def test_dark_is_the_same_by_choice_and_by_the_system() -> None:
    assert themes()["dark"] == themes()["system dark"]
