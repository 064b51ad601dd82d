"""The table of ablations names what exists, and each arm differs from its baseline."""

import dataclasses

import pytest

from harken.errors import HarkenError
from harken.live.backlog import backlog_rule
from harken.soundflow.compositions import COMPOSITIONS
from harken.soundflow.views import VIEWS
from harken.stream import CHUNK_SAMPLES
from harken.train.ablations import ABLATIONS, Ablation, Arm, ablation_named, run_name
from harken.train.config import TrainConfig

LISTED = (
    "tfjp", "planning", "silence", "lambda", "chunk", "ears", "names", "window", "backlog",
)  # fmt: skip


@pytest.mark.parametrize("ablation", ABLATIONS.values(), ids=lambda a: a.name)
def test_every_arm_can_be_made(ablation: Ablation) -> None:
    assert ablation.dev in COMPOSITIONS
    baseline, *changed = ablation.arms
    assert len({a.name for a in ablation.arms}) == len(ablation.arms) == len(changed) + 1
    for arm in ablation.arms:
        assert arm.composition in COMPOSITIONS and arm.view in VIEWS
        backlog_rule(arm.backlog)
        TrainConfig(steps=1, **arm.fields)
        assert (arm.step_samples != CHUNK_SAMPLES) == arm.view.startswith("every")
    for arm in changed:
        assert dataclasses.replace(arm, name=baseline.name) != baseline


def test_the_list_of_the_recipe_is_complete() -> None:
    assert tuple(ABLATIONS) == LISTED
    assert [a.fields.get("control_weight", 1.0) for a in ABLATIONS["lambda"].arms] == [1, 0.5, 2]
    assert [a.step_samples for a in ABLATIONS["chunk"].arms] == [6_400, 3_200, 12_800]
    assert {n for n, a in ABLATIONS.items() if a.composes} == {"tfjp", "planning"}
    assert {n for n, a in ABLATIONS.items() if a.needs_sessions} == {"backlog"}


def test_runs_that_learn_alike_are_one() -> None:
    names = {
        run_name(a, arm, "12ab")
        for a in ABLATIONS.values()
        for arm in a.arms
        if arm.learns_as_the_baseline
    }
    assert names == {"ablation-baseline-12ab"}
    assert run_name(ABLATIONS["lambda"], ABLATIONS["lambda"].arms[1], "0") == (
        "ablation-lambda-0.5-0"
    )
    assert not Arm("x", composition="planned").learns_as_the_baseline
    assert not Arm("x", fields={"seed": 1}).learns_as_the_baseline


def test_arms_are_chosen_beside_the_baseline() -> None:
    chunk = ABLATIONS["chunk"]
    assert chunk.only(()) == chunk
    assert [a.name for a in chunk.only(("800",)).arms] == ["400", "800"]
    with pytest.raises(HarkenError, match="chunk has no arm '600'; choose from 400, 200, 800"):
        chunk.only(("600",))
    with pytest.raises(HarkenError, match="400 is the baseline of chunk"):
        chunk.only(("400",))
    with pytest.raises(HarkenError, match="no ablation 'ear'; choose one of tfjp"):
        ablation_named("ear")
