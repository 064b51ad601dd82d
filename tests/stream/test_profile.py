"""Profiles are validated when they are built, and the shipped ones hold the published numbers."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harken.errors import HarkenError
from harken.stream import Profile, profile_named
from harken.stream.profile import EMOTIONS

NAMES = ("mini", "released-3b", "tiny")

# Facts of the release, as published.
RELEASED = {
    "USER": 151_601,
    "ASSISTANT": 151_602,
    "SILENT": 151_605,
    "AUDIO": 151_608,
    "ONLINE": 151_609,
    "OFFLINE": 151_610,
    "ENGLISH": 151_611,
    "HAPPY": 151_614,
    "SAD": 151_615,
    "ANGRY": 151_616,
    "SURPRISE": 151_617,
    "NORMAL": 151_618,
    "URGENT": 151_619,
    "END": 151_643,
    "RESPOND": 151_644,
    "AUDIO_PAD": 151_646,
    "AUDIO_BEGIN": 151_647,
    "AUDIO_END": 151_648,
}


def test_released_ids_are_the_published_ones() -> None:
    assert dict(profile_named("released-3b").controls) == RELEASED


def test_controls_of_mini_follow_the_specials_of_the_tokenizer() -> None:
    mini = profile_named("mini")
    assert min(mini.own_row_ids) == 151_665
    assert sorted(mini.own_row_ids) == list(range(151_665, 151_665 + len(mini.own_rows)))


@pytest.mark.parametrize("name", NAMES)
def test_a_chunk_is_two_fifths_of_a_second(name: str) -> None:
    profile = profile_named(name)
    assert (profile.sample_rate, profile.chunk_samples) == (16_000, 6_400)


@pytest.mark.parametrize("name", NAMES)
def test_lookups_name_controls(name: str) -> None:
    profile = profile_named(name)
    ids = dict(profile.controls)
    assert profile.decision_ids == tuple(ids[d.upper()] for d in profile.decisions)
    assert profile.emotion_ids == tuple(ids[e.upper()] for e in EMOTIONS)
    assert profile.own_row_ids == tuple(ids[n] for n in profile.own_rows)
    assert (profile.audio_id, profile.end_id) == (ids["AUDIO"], ids["END"])
    assert profile.respond_id == ids["RESPOND"]
    assert profile.control_ids == set(ids.values())


def test_an_unknown_profile_lists_the_known_ones() -> None:
    with pytest.raises(HarkenError, match=r"'maxi'.*mini, released-3b, tiny"):
        profile_named("maxi")


def test_an_unknown_control_is_named(mini: Profile) -> None:
    with pytest.raises(HarkenError, match="mini has no control TEXT_BEGIN"):
        mini.control("TEXT_BEGIN")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"open": ("NOISE",)}, "field open .* NOISE"),
        ({"close": ("NOISE",)}, "field close .* NOISE"),
        ({"own_rows": ("NOISE",)}, "field own_rows .* NOISE"),
        ({"decisions": ("silent", "respond", "wait")}, "field decisions .* WAIT"),
        ({"decisions": ("respond", "silent")}, "field decisions"),
        ({"decisions": ("silent",)}, "field decisions"),
        ({"context": 8}, "context 8"),
        ({"audio_positions": 0}, "0 audio positions"),
    ],
)
def test_a_wrong_field_is_refused_by_name(
    tiny: Profile, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(HarkenError, match=named):
        replace(tiny, **changes)


def test_controls_repeat_neither_name_nor_id(tiny: Profile) -> None:
    for again in (("SILENT", 999), ("OTHER", tiny.end_id)):
        with pytest.raises(HarkenError, match="field controls repeats"):
            replace(tiny, controls=(*tiny.controls, again))


@pytest.mark.parametrize("needed", ["AUDIO", "END", "URGENT"])
def test_what_every_stream_needs_must_be_there(tiny: Profile, needed: str) -> None:
    rest = tuple(c for c in tiny.controls if c[0] != needed)
    own = tuple(n for n in tiny.own_rows if n != needed)
    with pytest.raises(HarkenError, match=f"unknown control {needed}"):
        replace(tiny, controls=rest, own_rows=own)


@pytest.mark.parametrize("column", range(3))
def test_the_documented_ids_are_those_of_the_code(column: int) -> None:
    page = Path(__file__).parents[2] / "docs" / "stream-format.md"
    rows = page.read_text(encoding="utf-8").split("Control ids:")[1].split("\n\n")[1].splitlines()
    header, _, *rest = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    documented = {}
    for cells in rest:
        numbers = [int(n) for n in re.findall(r"\d+", cells[column + 1])]
        if " to " in cells[column + 1]:
            numbers = list(range(numbers[0], numbers[1] + 1))
        documented |= dict(zip(re.findall(r"\w+", cells[0]), numbers, strict=False))
    name = header[column + 1].strip("`")
    assert documented == dict(profile_named(name).controls)
