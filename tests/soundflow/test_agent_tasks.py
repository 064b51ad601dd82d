"""Calls of tools: the ones that are offered, for wishes and at sounds."""

import json
import re

import numpy as np
import pytest
from tests.soundflow.needs import needs_corpora

from harken.soundflow.agent_tasks import NOT_OFFERED, call, call_tool, offer
from harken.soundflow.composing import AGREED
from harken.soundflow.corpora import data_text
from harken.soundflow.events import EVENTS
from harken.soundflow.spoken import lines
from harken.soundflow.studio import Studio

CONTENT = json.loads(data_text("tools.json"))


def test_a_call_is_one_line_of_json() -> None:
    text = call("set_timer", {"minutes": 10})
    assert text == '{"tool": "set_timer", "arguments": {"minutes": 10}}'


def test_an_offer_names_each_tool_with_what_it_takes() -> None:
    text = offer(["set_timer", "tell_time"])
    assert text.startswith("Tools: set_timer(minutes), tell_time(). Answer")


def test_every_wish_is_for_a_tool_with_its_arguments() -> None:
    for group in ("commands", "wishes"):
        for text, (tool, arguments) in CONTENT[group].items():
            assert ", ".join(arguments) == CONTENT["tools"][tool], text
    for text, (label, wish) in CONTENT["orders"].items():
        assert label in EVENTS and wish in CONTENT["wishes"], text
        assert wish[1:-1] in text
    spoken = {line.text for line in lines() if line.kind == "order_tool"}
    assert spoken <= CONTENT["orders"].keys()


@needs_corpora
@pytest.mark.parametrize("split", ["train", "dev"])
def test_only_offered_tools_are_called(split: str) -> None:
    studio, refused, called = Studio(split), 0, 0
    for seed in range(16):
        scene, (variant,) = call_tool(studio, np.random.default_rng([seed, 8]))
        listed = variant.prefix.instruction.removeprefix("Tools: ").split(". Answer")[0]
        offered = dict(re.findall(r"(\w+)\(([^)]*)\)", listed))
        assert offered.items() <= CONTENT["tools"].items()
        for due in variant.due:
            if due.text in (AGREED, NOT_OFFERED):
                refused += due.text == NOT_OFFERED
                continue
            made = json.loads(due.text)
            assert ", ".join(made["arguments"]) == offered[made["tool"]]
            called += 1
            if due.waits_for == "sound":
                again = [start for start, _, label in scene.sounds if label == due.cause]
                assert due.start in again
    assert called > 10
    assert refused or split == "dev"
