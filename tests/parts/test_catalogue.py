"""The catalogue is consistent: what cannot be seen by fetching one part."""

import re
from pathlib import PurePosixPath

import pytest

from harken.parts.catalogue import LISTEN_PARTS, PARTS, find_part

FILES = [pytest.param(file, id=f"{part.name}/{file.name}") for part in PARTS for file in part.files]


def test_names_are_unique():
    names = [part.name for part in PARTS]
    assert len(set(names)) == len(names)


def test_the_parts_of_listening_exist():
    assert [find_part(name).name for name in LISTEN_PARTS] == list(LISTEN_PARTS)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_states_its_licence_and_its_files_differ(part):
    assert part.licence
    assert len({file.name for file in part.files}) == len(part.files) > 0


@pytest.mark.parametrize("file", FILES)
def test_a_file_can_be_checked_and_stays_in_its_folder(file):
    for sha256 in (file.sha256, file.delivered_sha256):
        assert re.fullmatch("[0-9a-f]{64}", sha256)
    assert file.bytes > 0
    assert PurePosixPath(file.name).name == file.name
    assert not file.name.startswith(".")


@pytest.mark.parametrize("file", FILES)
def test_a_file_has_an_official_address_and_exact_carriers(file):
    assert file.official.startswith("https://")
    assert file.carriers
    for carrier in file.carriers:
        assert re.fullmatch(r"\d+(\.\d+)+", carrier.version)
        assert carrier.pieces


def test_hub_addresses_of_one_part_are_of_one_revision():
    for part in PARTS:
        revisions = {
            match.group(1)
            for file in part.files
            if (match := re.search(r"huggingface\.co/(.+/resolve/[^/]+)/", file.official))
        }
        assert len(revisions) <= 1, part.name
