"""The four stages of the recipe, each a frozen configuration of the one loop.

After the published recipe (Audio Interaction Model, stages S1 to S4): first what the new ids mean,
then what the ears mean, then all capabilities in streams, at last long mixed sessions at a low
rate. What the publication trains with 32 accelerators and 120,000 steps is here a share of a budget
in minutes: `harken train run DATA --name NAME --stage STAGE --minutes M`, each stage `--from` the
one before it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from harken.errors import HarkenError

_SPOKEN = {"chat": 3.0, "translate": 2.0, "transcribe": 1.0, "remember": 1.0}
_SOUNDS = {"narrate": 3.0, "care": 2.0, "what_was_that": 1.0}
_SILENCE = {"background": 1.0, "others_talking": 1.0}

STAGES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # New ids and the layout of a stream: short, text-heavy streams.
        "format": {
            "trained": ("controls",),
            "lr_rows": 2e-3,
            "lr_output": 1e-3,
            "task_weights": {**_SPOKEN, **_SILENCE},
            "other_weight": 0.0,
        },
        # What the audio positions mean: single sounds, half of them without a recognised word.
        "ears": {
            "trained": ("controls", "sound", "acoustic"),
            "lr_rows": 1e-3,
            "lr_dense": 1e-4,
            "drop_words": 0.5,
            "task_weights": {**_SOUNDS, "background": 1.0},
            "other_weight": 0.0,
        },
        # All capabilities: the mix as it was composed.
        "streams": {
            "trained": ("controls", "sound", "acoustic", "decoder"),
            "lr_lora": 4e-4,
            "drop_words": 0.3,
            "drop_sound": 0.1,
        },
        # Memory 0.30, silence 0.40, speaking up 0.30, at a low rate.
        "interaction": {
            "trained": ("controls", "sound", "acoustic", "decoder"),
            "lr_lora": 1e-4,
            "lr_rows": 3e-4,
            "lr_dense": 1e-5,
            "lr_output": 5e-5,
            "drop_words": 0.3,
            "other_weight": 0.0,
            "task_weights": {
                "remember": 1.5,
                "chat": 1.5,
                "background": 2.0,
                "others_talking": 2.0,
                "care": 1.5,
                "quiet": 0.75,
                "count": 0.75,
            },
        },
    }
)
"""Fields of `TrainConfig` that a stage sets; `--config` and options win over them."""


def stage_named(name: str) -> dict[str, Any]:
    """The fields of a stage; an unknown name is a `HarkenError` that lists the known ones."""
    try:
        return dict(STAGES[name])
    except KeyError:
        raise HarkenError(f"no stage {name!r}; choose one of {', '.join(STAGES)}") from None
