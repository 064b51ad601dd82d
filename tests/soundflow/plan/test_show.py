"""Plans as text, and the examples in the documentation."""

from pathlib import Path

import pytest

from harken.soundflow.plan import GrammarPlanner, Plan, PlannedEvent, shown

DOC = Path(__file__).parents[3] / "docs" / "planning.md"


def test_a_line_for_each_event_and_each_order() -> None:
    hum = PlannedEvent("hum", "fan", "ambient", (0, 0), 9.0, "A hum.", "fan in a room", ("Fan",))
    talk = PlannedEvent(
        "hello", "speech", "fg", (0.25, 2), 3, "", "a woman says hello", ("Speech",), "Ann", "Bob"
    )
    plan = Plan("home", (hum, talk), 3, "hand", "Two meet.", (("hum", "hello"),))
    assert shown(plan).splitlines() == [
        "home: Two meet. (seed 3)",
        "ambient    0.0 to 0.0    9.0  hum    fan in a room",
        "fg         0.2 to 2.0    3.0  hello  Ann to Bob: a woman says hello",
        "hum before hello",
    ]


@pytest.mark.parametrize("seed", [47, 31])
def test_the_examples_in_the_documentation_are_what_the_planner_makes(seed: int) -> None:
    assert f"```\n{shown(GrammarPlanner().plan(seed))}\n```" in DOC.read_text(encoding="utf-8")
