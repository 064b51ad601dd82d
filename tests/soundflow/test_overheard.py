"""Lines addressed to somebody else."""

import json
import re

import numpy as np
import pytest

from harken.soundflow.corpora import data_text
from harken.soundflow.overheard import overheard
from harken.soundflow.texts import is_chinese


@pytest.mark.parametrize(("language", "least"), [("en", 1000), ("zh", 250)])
def test_lines_are_many_and_well_formed(language: str, least: int) -> None:
    random = np.random.default_rng(0)
    lines = [overheard(language, random) for _ in range(2000)]
    assert len(set(lines)) > least
    for line in lines:
        assert not re.search(r"[\[\](){}|<>]| [,.?!]|  ", line), line
        assert is_chinese(line) == (language == "zh"), line
        assert line[-1] in ".?!。？", line


def test_equal_seeds_give_equal_lines() -> None:
    first, again = (overheard("en", np.random.default_rng(5)) for _ in range(2))
    assert first == again


def test_no_line_is_one_of_the_orders_that_are_meant_for_the_listener() -> None:
    spoken = [json.loads(row) for row in data_text("spoken.jsonl").splitlines()]
    orders = {s["text"] for s in spoken if s["kind"].startswith(("order", "stop"))}
    random = np.random.default_rng(1)
    assert orders and not orders & {overheard("en", random) for _ in range(4000)}
