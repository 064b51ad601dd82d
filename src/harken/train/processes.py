"""The processes that share a run: one alone, or several that take part in every step.

Several are started by `accelerate launch` or `torchrun`; they need the package accelerate.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from harken.errors import HarkenError
from harken.train.config import TrainConfig
from harken.train.loss import Tally

T = TypeVar("T")
State = dict[str, Any]


class Processes(Protocol):
    """What the loop asks of the processes of a run. Each method is called by all of them."""

    @property
    def rank(self) -> int:
        """Which one this is; 0 alone writes the run's files and its log."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def device(self) -> torch.device:
        """Where this one computes."""

    def prepare(
        self, module: nn.Module, optimiser: torch.optim.Optimizer
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Module and optimiser as they take part in steps."""

    def backward(self, loss: Tensor) -> None:
        """Gradients of the mean of all processes' losses."""

    def clip(self, module: nn.Module, most: float) -> float:
        """Scale gradients whose norm is above `most`; their norm before."""

    def sum(self, numbers: Tensor) -> Tensor:
        """Elementwise sum over the processes."""

    def from_first(self, make: Callable[[], T]) -> T:
        """What `make` gives in process 0, or the `HarkenError` it raises there, in all of them."""

    def gather(self, tally: Tally) -> list[Tally]:
        """The tallies of all processes, in their order."""

    def tensors(self, module: nn.Module) -> dict[str, Tensor]:
        """The parameters by name, whole and in main memory."""

    def state(self, optimiser: torch.optim.Optimizer) -> State | None:
        """The optimiser's state as one process alone would have it; None if it cannot be had."""

    def restore(self, optimiser: torch.optim.Optimizer, state: State) -> None:
        """The inverse of `state`."""

    def leave(self) -> None:
        """Close the connections between them."""


class Alone:
    """One process on the CPU."""

    rank, count, device = 0, 1, torch.device("cpu")

    def prepare(
        self, module: nn.Module, optimiser: torch.optim.Optimizer
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Both as they are."""
        return module, optimiser

    def backward(self, loss: Tensor) -> None:
        """Gradients of the loss."""
        loss.backward()  # type: ignore[no-untyped-call]

    def clip(self, module: nn.Module, most: float) -> float:
        """Scale gradients whose norm is above `most`; their norm before."""
        return float(nn.utils.clip_grad_norm_(module.parameters(), most))

    def sum(self, numbers: Tensor) -> Tensor:
        """The numbers as they are."""
        return numbers

    def from_first(self, make: Callable[[], T]) -> T:
        """What `make` gives."""
        return make()

    def gather(self, tally: Tally) -> list[Tally]:
        """The only one."""
        return [tally]

    def tensors(self, module: nn.Module) -> dict[str, Tensor]:
        """The parameters by name."""
        return {name: p.detach() for name, p in module.named_parameters()}

    def state(self, optimiser: torch.optim.Optimizer) -> State | None:
        """The optimiser's state."""
        return optimiser.state_dict()

    def restore(self, optimiser: torch.optim.Optimizer, state: State) -> None:
        """Load the optimiser's state."""
        optimiser.load_state_dict(state)

    def leave(self) -> None:
        """Nothing is open."""


ALONE = Alone()


def join(config: TrainConfig, environment: Mapping[str, str] = os.environ) -> Processes:
    """The processes this one was started among.

    Raises:
        HarkenError: a package that `config.sharding` or several processes need is missing, or
            there is nothing to shard over.
    """
    if "LOCAL_RANK" not in environment:
        if config.sharding != "none":
            raise HarkenError(
                f"sharding is {config.sharding!r} and one process runs; start several with "
                "`accelerate launch --num_processes N -m harken train …`, or set sharding to 'none'"
            )
        return ALONE
    try:
        import accelerate  # noqa: F401
    except ImportError as missing:
        raise HarkenError(
            "several processes need accelerate; install it with `pip install 'harken[train]' "
            "-c constraints.txt`"
        ) from missing
    if config.sharding == "zero2":
        try:
            import deepspeed  # noqa: F401
        except ImportError as missing:
            raise HarkenError(
                "sharding 'zero2' needs DeepSpeed; install it with `pip install deepspeed`, or set "
                "sharding to 'fsdp2'"
            ) from missing
    from harken.train.accelerated import Accelerated

    return Accelerated(config)
