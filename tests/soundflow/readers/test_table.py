import re
import subprocess
import sys
from pathlib import Path

import pytest

from harken.soundflow.readers.table import READERS

# The sources of stage 1: three general forms and the corpora of the mix.
NAMES = [
    *("lhotse", "shar", "huggingface", "folder"),
    *("librispeech", "commonvoice", "gigaspeech", "voxpopuli", "covost2", "aishell"),
    *("audioset", "fma", "esc50", "fsd50k", "musan", "wham", "dns"),
    *("moss", "gammacorpus", "ultrachat", "magpie-pro", "coig-cqia", "belle", "du-qa", "webqa"),
]
# Entries of these state their own licence, or the caller has to state one.
WITHOUT_LICENCE = {"lhotse", "shar", "huggingface", "folder", "fma", "dns", "coig-cqia", "webqa"}


def test_the_sources_are_all_there() -> None:
    assert list(READERS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_it_is(name: str) -> None:
    reader = READERS[name]
    assert reader.corpus.name == name
    assert reader.corpus.layout
    assert (reader.licence == "") == (name in WITHOUT_LICENCE)
    assert name == "folder" or re.match(r"https?://", reader.homepage)


def test_the_page_on_sources_tells_of_each() -> None:
    page = Path(__file__).parents[3] / "docs" / "sources.md"
    named = set(re.findall(r"^\| `([\w-]+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named == set(NAMES)


def test_the_table_imports_nothing_heavy() -> None:
    heavy = ("lhotse", "datasets", "pyarrow", "torch", "ijson")
    code = (
        "import sys, harken.soundflow.readers.reading;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
