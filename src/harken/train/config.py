"""What one training run is: every number that decides its result, checked once."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from harken.errors import HarkenError
from harken.stream import profile_named

LEARNERS = ("controls", "sound", "acoustic", "decoder")
"""Control rows, adapters of the two ears, LoRA of the decoder."""
COMPUTE = ("bfloat16", "float32")
ADAPT = ("lora", "full")
SHARDING = ("none", "fsdp2", "zero2")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One run. It ends after `minutes` of training or `steps`, whichever comes first; the
    learning rates follow a cosine over the same span.

    positions: documents are packed up to so many positions a step, all processes together.
    learning rates, by what a step of Adam does to the result: `lr_lora`; `lr_rows` for embeddings
    (control input rows, sound class rows, biases); `lr_dense` for matrices over dense features,
    where every input moves every output; `lr_output` for the control output rows; `lr_full` for
    the decoder where all of it learns.
    control_weight, emotion_weight: factors beside the text loss. respond_weight, stop_weight:
    class weights against silent. drop_*: chance that a whole stream loses that ear; the words ear
    only where nothing is due to what was said.
    trained: beginnings of the names of what learns; the rest stays as it began.
    anchor: a checkpoint file; texts of the tasks `anchored` are to stay what it would say
    (`harken.train.anchor`). "" for none.
    task_weights: share of a task against `other_weight` for those not named.
    *_minutes and *_steps: how often. nice: niceness of the process, 0 to 19.
    compute: bfloat16 or float32, what the decoder computes in (`harken.train.compute`).
    adapt: "lora" beside the frozen decoder, or "full", its matrices in float32 (no checkpoint holds
    them). recompute: keep less for the way back and compute it again. sharding: what several
    processes keep of what learns: "none" all of it, "fsdp2" or "zero2" a part each.
    """

    profile: str = "mini"
    seed: int = 0
    minutes: float | None = None
    steps: int | None = None
    positions: int = 1024
    lr_lora: float = 4e-4
    lr_rows: float = 1e-3
    lr_dense: float = 3e-5
    lr_output: float = 2e-4
    warmup: float = 0.02
    lr_floor: float = 0.02
    clip: float = 1.0
    control_weight: float = 1.0
    emotion_weight: float = 0.2
    respond_weight: float = 3.0
    stop_weight: float = 3.0
    drop_acoustic: float = 0.1
    drop_sound: float = 0.05
    drop_words: float = 0.0
    trained: tuple[str, ...] = LEARNERS
    task_weights: dict[str, float] = field(default_factory=dict)
    other_weight: float = 1.0
    log_steps: int = 10
    dev_steps: int = 200
    dev_streams: int = 48
    checkpoint_minutes: float = 4.0
    checkpoint_steps: int | None = None
    threads: int = 2
    nice: int = 5
    compute: str = "bfloat16"
    adapt: str = "lora"
    lr_full: float = 2e-5
    recompute: bool = False
    sharding: str = "none"
    anchor: str = ""
    anchored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        profile_named(self.profile)
        if self.minutes is None and self.steps is None:
            raise HarkenError("a run needs an end: give --minutes or --steps")
        positive = (
            "minutes", "steps", "positions", "lr_lora", "lr_rows", "lr_dense", "lr_output",
            "lr_full", "clip", "log_steps", "dev_steps", "checkpoint_minutes", "checkpoint_steps",
            "threads",
        )  # fmt: skip
        for name in positive:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise HarkenError(f"{name} is {value:g}; it must be above 0")
        for name in ("drop_acoustic", "drop_sound", "drop_words", "warmup", "lr_floor"):
            if not 0 <= getattr(self, name) < 1:
                raise HarkenError(f"{name} is {getattr(self, name):g}; it must be in 0 to 1")
        weights = {
            name: getattr(self, name)
            for name in (
                "control_weight",
                "emotion_weight",
                "respond_weight",
                "stop_weight",
                "other_weight",
            )
        }
        weights |= {f"the weight of task {k}": v for k, v in self.task_weights.items()}
        for name, value in weights.items():
            if not value >= 0:
                raise HarkenError(f"{name} is {value:g}; it must not be negative")
        object.__setattr__(self, "trained", tuple(self.trained))
        if not self.trained or set(self.trained) - set(LEARNERS):
            raise HarkenError(
                f"trained is {list(self.trained)}; name at least one of {', '.join(LEARNERS)}"
            )
        object.__setattr__(self, "anchored", tuple(self.anchored))
        if bool(self.anchor) != bool(self.anchored):
            raise HarkenError("anchor names a checkpoint and anchored its tasks; give both or none")
        choices = {"compute": COMPUTE, "adapt": ADAPT, "sharding": SHARDING}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise HarkenError(f"{name} is {getattr(self, name)!r}; choose {' or '.join(known)}")
        if self.seed < 0:
            raise HarkenError(f"seed is {self.seed}; it must not be negative")
        if not 0 <= self.nice <= 19:
            raise HarkenError(f"nice is {self.nice}; choose 0 (normal) to 19 (lowest priority)")

    def to_json(self) -> str:
        """For the run's folder."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str, what: str) -> "TrainConfig":
        """The inverse of `to_json`; `what` is named in errors."""
        try:
            raw: dict[str, Any] = json.loads(text)
            unknown = raw.keys() - {f.name for f in fields(cls)}
        except (ValueError, AttributeError) as broken:
            raise HarkenError(f"{what} is no training configuration ({broken})") from broken
        if unknown:
            raise HarkenError(f"{what} has the unknown field {min(unknown)!r}; remove it")
        try:
            return cls(**raw)
        except (TypeError, AttributeError) as broken:
            raise HarkenError(f"{what} has a field of the wrong type ({broken})") from broken
