"""Several processes over 🤗 Accelerate: copies of the model, or FSDP2 or ZeRO-2 shards of it."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import (
    DeepSpeedPlugin,
    DistributedDataParallelKwargs,
    FullyShardedDataParallelPlugin,
    broadcast_object_list,
    gather_object,
)
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map

from harken.errors import HarkenError
from harken.train.config import TrainConfig
from harken.train.loss import Tally
from harken.train.processes import State

T = TypeVar("T")


class Accelerated:
    """The processes of `accelerate launch` or `torchrun`; see `harken.train.processes`."""

    def __init__(self, config: TrainConfig) -> None:
        plugins: dict[str, Any] = {}
        if config.sharding == "fsdp2":
            plugins["fsdp_plugin"] = _fsdp2(config)
        elif config.sharding == "zero2":
            plugins["deepspeed_plugin"] = _zero2(config)
        # The frozen weights are buffers and the same everywhere: never send them about.
        ddp = DistributedDataParallelKwargs(broadcast_buffers=False)
        self._accelerator = Accelerator(mixed_precision="no", kwargs_handlers=[ddp], **plugins)
        self._sharding = config.sharding
        self.rank = int(self._accelerator.process_index)
        self.count = int(self._accelerator.num_processes)
        self.device = torch.device(self._accelerator.device)

    def prepare(
        self, module: nn.Module, optimiser: torch.optim.Optimizer
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Module and optimiser as they take part in steps."""
        prepared, optimiser = self._accelerator.prepare(module, optimiser)
        if isinstance(prepared, FSDPModule) and self.device.type == "cpu":
            prepared.set_force_sum_reduction_for_comms(True)  # gloo has no mean
        return prepared, optimiser

    def backward(self, loss: Tensor) -> None:
        """Gradients of the mean of all processes' losses."""
        self._accelerator.backward(loss)

    def clip(self, module: nn.Module, most: float) -> float:
        """Scale gradients whose norm is above `most`; their norm before."""
        norm = self._accelerator.clip_grad_norm_(module.parameters(), most)
        return float("nan") if norm is None else float(_whole(norm))

    def sum(self, numbers: Tensor) -> Tensor:
        """Elementwise sum over the processes."""
        total: Tensor = self._accelerator.reduce(numbers.to(self.device), "sum")
        return total.cpu()

    def from_first(self, make: Callable[[], T]) -> T:
        """What `make` gives in process 0, or the `HarkenError` it raises there, in all of them."""
        told: list[Any] = [None]
        if self.rank == 0:
            try:
                told = [make()]
            except HarkenError as mistake:
                told = [mistake]
        broadcast_object_list(told)
        if isinstance(told[0], HarkenError):
            raise told[0]
        result: T = told[0]
        return result

    def gather(self, tally: Tally) -> list[Tally]:
        """The tallies of all processes, in their order."""
        tallies: list[Tally] = gather_object([tally])
        return tallies

    def tensors(self, module: nn.Module) -> dict[str, Tensor]:
        """The parameters by name, whole and in main memory."""
        return {name: _whole(p.detach()).cpu() for name, p in module.named_parameters()}

    def state(self, optimiser: torch.optim.Optimizer) -> State | None:
        """The optimiser's state as one process alone would have it; None under ZeRO-2."""
        if self._sharding == "zero2":
            return None
        state: State = tree_map(_in_memory, optimiser.state_dict())
        return state

    def restore(self, optimiser: torch.optim.Optimizer, state: State) -> None:
        """The inverse of `state`."""
        if self._sharding == "zero2":
            return
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        spread = {
            index: {name: _like(value, parameters[index]) for name, value in values.items()}
            for index, values in state["state"].items()
        }
        optimiser.load_state_dict({**state, "state": spread})

    def leave(self) -> None:
        """Close the connections."""
        self._accelerator.end_training()


def _fsdp2(config: TrainConfig) -> FullyShardedDataParallelPlugin:
    # LoRA and adapters are one small group. Full matrices are gathered one at a time.
    full = config.adapt == "full"
    return FullyShardedDataParallelPlugin(
        fsdp_version=2,
        reshard_after_forward=True,
        auto_wrap_policy="transformer_based_wrap" if full else "no_wrap",
        transformer_cls_names_to_wrap=["FullLinear"] if full else None,
        cpu_ram_efficient_loading=False,
    )


def _zero2(config: TrainConfig) -> DeepSpeedPlugin:
    return DeepSpeedPlugin(
        hf_ds_config={
            "train_micro_batch_size_per_gpu": 1,
            "gradient_accumulation_steps": 1,
            "gradient_clipping": config.clip,
            "zero_optimization": {"stage": 2},
            # Ours keeps a learning rate for each parameter.
            "zero_allow_untested_optimizer": True,
            "zero_force_ds_cpu_optimizer": False,
        }
    )


def _whole(tensor: Tensor) -> Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _in_memory(value: Any) -> Any:
    return _whole(value).cpu() if isinstance(value, Tensor) else value


def _like(value: Any, parameter: Tensor) -> Any:
    """A state tensor spread as its parameter is."""
    if not isinstance(value, Tensor) or not isinstance(parameter, DTensor) or not value.ndim:
        return value
    whole = value.to(parameter.device)
    return distribute_tensor(whole, parameter.device_mesh, parameter.placements)
