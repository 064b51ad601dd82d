"""The ablations: for each what its arms differ in, and nothing else.

An arm says how its streams are composed (`harken.soundflow.compositions`), how they are seen
(`harken.soundflow.views`), which fields of the configuration it changes, how the sound position
begins, and at which pace and by which rule its sessions decide. The first arm is the baseline.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from harken.errors import HarkenError
from harken.stream import CHUNK_SAMPLES

AS_IT_IS = "as it is"

Beginning = Literal["names", "random"]
"""The sound position begins with the names of the classes, or with random rows of their length."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One run of an ablation.

    step_samples: how long a chunk of its streams lasts; the words ear keeps to 0.4 s.
    backlog: the rule of its sessions ("per-chunk" or "drain"), which training knows nothing of.
    """

    name: str
    composition: str = "plain"
    view: str = AS_IT_IS
    fields: Mapping[str, Any] = field(default_factory=dict)
    beginning: Beginning = "names"
    step_samples: int = CHUNK_SAMPLES
    backlog: str = "per-chunk"

    @property
    def learns_as_the_baseline(self) -> bool:
        """Whether training is that of every other ablation's baseline, and can be shared."""
        changed = self.fields or self.beginning != "names" or self.view != AS_IT_IS
        return not changed and self.composition == "plain"


@dataclass(frozen=True, slots=True)
class Ablation:
    """A question and the arms that answer it; `dev`: the composition on which all are judged."""

    name: str
    question: str
    arms: tuple[Arm, ...]
    dev: str = "plain"

    @property
    def composes(self) -> bool:
        """Whether it needs streams of its own, composed for it."""
        return self.dev != "plain" or any(a.composition != "plain" for a in self.arms)

    @property
    def needs_sessions(self) -> bool:
        """Whether its arms differ in sessions alone."""
        return len({(a.composition, a.view, a.beginning, *a.fields.items()) for a in self.arms}) < 2

    def only(self, names: tuple[str, ...]) -> "Ablation":
        """The ablation with the baseline and the arms of these names; all if there are none.

        Raises:
            HarkenError: it has no such arm, or none but the baseline is left.
        """
        known = [a.name for a in self.arms]
        if unknown := [n for n in names if n not in known]:
            raise HarkenError(
                f"ablation {self.name} has no arm {unknown[0]!r}; choose from {', '.join(known)}"
            )
        kept = tuple(a for n, a in enumerate(self.arms) if not names or not n or a.name in names)
        if len(kept) < 2:
            raise HarkenError(
                f"{kept[0].name} is the baseline of {self.name}; name an arm to compare with it: "
                f"{', '.join(known[1:])}"
            )
        return Ablation(self.name, self.question, kept, self.dev)


def run_name(ablation: Ablation, arm: Arm, fingerprint: str) -> str:
    """The name of an arm's run; `fingerprint` tells its data and configuration from others'."""
    whose = "baseline" if arm.learns_as_the_baseline else f"{ablation.name}-{arm.name}"
    return f"ablation-{whose}-{fingerprint}"


def ablation_named(name: str) -> Ablation:
    """The ablation of that name; an unknown name is a `HarkenError` that lists the known ones."""
    try:
        return ABLATIONS[name]
    except KeyError:
        raise HarkenError(f"no ablation {name!r}; choose one of {', '.join(ABLATIONS)}") from None


_ALL = (
    Ablation(
        "tfjp",
        "Is it worth cutting sounds to their event before they are composed?",
        (Arm("with", composition="cleaned"), Arm("without")),
    ),
    Ablation(
        "planning",
        "Is a planned scene worth more than sounds strung together at random?",
        (Arm("planned", composition="planned"), Arm("random", composition="concatenated")),
        dev="either",
    ),
    Ablation(
        "silence",
        "What do streams in which nothing is to be said teach?",
        (Arm("with"), Arm("without", view="without silence")),
    ),
    Ablation(
        "lambda",
        "How much should the decision weigh against the text?",
        (
            Arm("1"),
            Arm("0.5", fields={"control_weight": 0.5}),
            Arm("2", fields={"control_weight": 2.0}),
        ),
    ),
    # A step holds about as many streams at any pace, so that equal steps are equal data.
    Ablation(
        "chunk",
        "How often should it decide?",
        (
            Arm("400"),
            Arm("200", "plain", "every 200 ms", {"positions": 2048}, step_samples=3_200),
            Arm("800", "plain", "every 800 ms", {"positions": 512}, step_samples=12_800),
        ),
    ),
    Ablation(
        "ears",
        "What is each ear worth?",
        (
            Arm("all"),
            Arm("no-sound", view="without sound"),
            Arm("no-acoustic", view="without acoustic"),
            Arm("no-words", view="without words"),
        ),
    ),
    Ablation(
        "names",
        "Does a sound position that begins with the names of the classes learn faster?",
        (Arm("names"), Arm("random", beginning="random")),
    ),
    Ablation(
        "window",
        "Is it worth hearing what came before the chunk with it?",
        (Arm("sliding"), Arm("isolated", view="isolated chunks")),
    ),
    Ablation(
        "backlog",
        "What does one decision for a whole backlog lose?",
        (Arm("per-chunk"), Arm("drain", backlog="drain")),
    ),
)

ABLATIONS: Mapping[str, Ablation] = MappingProxyType({a.name: a for a in _ALL})
