"""Ways to compose a data set that differ in one thing, to measure what that thing is worth.

`plain` is the default mix. `cleaned` cuts every sound to its event first (`clean`, the joint
preprocessing of the published engine). `planned` takes scenes that were planned where `plain`
strings sounds together; `concatenated` plays as many sounds and turns of talk as such a plan asks
for, but any, in any order, with any pause. `either` has the sounds of `plain` and of `planned`,
half and half, and is there to judge the last two by.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.soundflow.build import Means, build_recipe, means
from harken.soundflow.clean import clean
from harken.soundflow.composing import pick
from harken.soundflow.engine import local
from harken.soundflow.events import EVENTS
from harken.soundflow.ground.labels import classes_of
from harken.soundflow.plan import SPEECH, GrammarPlanner, Plan, PlannedEvent
from harken.soundflow.planned import from_plan
from harken.soundflow.production import Progress
from harken.soundflow.recipe import Recipe, Shares, load_recipe
from harken.soundflow.scene import Scene, Variant
from harken.soundflow.studio import Studio
from harken.soundflow.tasks import COMPOSERS

F32 = npt.NDArray[np.float32]

SEEDS = {"train": 41, "dev": 42}
"""Of all compositions alike: the same index draws the same task."""
ANY_PAUSE_S = (0.3, 5.0)
_PLANS = 4


@dataclass(frozen=True, slots=True)
class Composition:
    """What is composed: the share of scenes with unasked sounds that comes from `planned`, whether
    those are concatenated at random, and whether sounds are cleaned."""

    planned_share: float = 0.0
    at_random: bool = False
    cleaned: bool = False


COMPOSITIONS: Mapping[str, Composition] = {
    "plain": Composition(),
    "cleaned": Composition(cleaned=True),
    "planned": Composition(planned_share=1.0),
    "concatenated": Composition(planned_share=1.0, at_random=True),
    "either": Composition(planned_share=0.5),
}


def compose(
    name: str,
    folder: Path,
    split: str,
    streams: int,
    *,
    workers: int = 1,
    progress: Callable[[Progress], None] | None = None,
    made_with: Means | None = None,
) -> None:
    """Fill `folder` with so many streams of a split; what is there stays, sound is kept.

    Args:
        name: one of `COMPOSITIONS`.
        split: "train" or "dev".
        made_with: other composers, material or ears than those of Harken.

    Raises:
        HarkenError: no such composition, or what `build_recipe` raises.
    """
    if name not in COMPOSITIONS:
        raise HarkenError(f"no composition {name!r}; choose from {', '.join(COMPOSITIONS)}")
    composition = COMPOSITIONS[name]
    build_recipe(
        Recipe(f"ablation {name}", SEEDS[split], split, shares_of(composition)),
        folder,
        streams=streams,
        engine=local(workers),
        keep_audio=True,
        progress=progress,
        made_with=made_with or means_of(composition),
    )


def shares_of(composition: Composition) -> Shares:
    """The default mix, with the share of unasked sounds divided between `events` and `planned`."""
    shares = dict(load_recipe("default").tasks)
    unasked = shares["events"]
    shares["events"] = unasked * (1 - composition.planned_share)
    shares["planned"] = unasked * composition.planned_share
    # In the order that the draw of a task depends on.
    return tuple((task, shares[task]) for task in COMPOSERS if shares.get(task))


def means_of(composition: Composition) -> Means:
    """Composers, material and ears of a composition."""
    made_with = means()
    if composition.at_random:
        composers = {**made_with.composers, "planned": concatenated}
        made_with = replace(made_with, composers=composers)
    return replace(made_with, studio=_cleaned_studio) if composition.cleaned else made_with


class CleanedStudio(Studio):
    """A studio whose sounds are cut to their event after they were varied.

    Beds of ambience and music are left alone: they have no event.
    """

    def event(self, label: str, random: np.random.Generator) -> tuple[F32, str]:
        """One sound of a label, cleaned; as it was where cleaning leaves nothing."""
        clip, source = super().event(label, random)
        cleaned = clean(clip).samples
        return (cleaned if len(cleaned) else clip), source


def concatenated(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    """Sounds and talk of a planned scene's number, without its plan.

    Raises:
        LookupError: the split has too little of what four of them ask for.
    """
    planner = GrammarPlanner()
    *first, last = (int(seed) for seed in random.integers(1 << 31, size=_PLANS))
    for seed in first:
        try:
            return from_plan(without_plan(planner.plan(seed), studio, random), studio, random)
        except LookupError:
            continue
    return from_plan(without_plan(planner.plan(last), studio, random), studio, random)


def without_plan(plan: Plan, studio: Studio, random: np.random.Generator) -> Plan:
    """As many sounds, any of those the studio has, and the same turns of talk: all in the
    foreground, in any order, after pauses that nothing decides. What lies under them stays."""
    ambient = [e for e in plan.events if e.role == "ambient"]
    drawn = [
        replace(
            event if event.label == SPEECH else _another(event, pick(random, studio.labels)),
            role="fg",
            start_after=ANY_PAUSE_S,
        )
        for event in plan.events
        if event.role != "ambient"
    ]
    shuffled = [drawn[i] for i in random.permutation(len(drawn))]
    return replace(plan, events=(*ambient, *shuffled), orders=())


def _another(event: PlannedEvent, label: str) -> PlannedEvent:
    """The event with another sound, looked for and judged by its own words."""
    name = EVENTS[label].name
    tags = classes_of(label)
    return replace(event, label=label, query=name, description=name, accept_tags=tags)


@lru_cache(maxsize=2)
def _cleaned_studio(split: str) -> Studio:
    return CleanedStudio(split)
