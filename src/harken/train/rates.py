"""The optimiser and its learning rates: by what a parameter is, and by how far the run is."""

import math

import torch

from harken.train.config import TrainConfig
from harken.train.model import StreamModel


def optimiser_of(model: StreamModel, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW over what learns, a group for each parameter that knows its `full_lr`."""
    decoder = config.lr_full if config.adapt == "full" else config.lr_lora
    rates = {
        "controls.output": config.lr_output,
        "sound.embedding": config.lr_dense,
        "acoustic.weight": config.lr_dense,
    }
    groups = [
        {
            "params": [parameter],
            "full_lr": rates.get(name, decoder if name.startswith("decoder.") else config.lr_rows),
        }
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    ]
    return torch.optim.AdamW(groups, lr=config.lr_lora, weight_decay=0.0, fused=True)


def rate_factor(fraction: float, config: TrainConfig) -> float:
    """Linear warm-up, then half a cosine down to the floor; `fraction` of the run is done."""
    if fraction < config.warmup:
        # The first step is not wasted: it moves a little.
        return max(fraction / config.warmup, 0.02)
    through = (fraction - config.warmup) / (1 - config.warmup)
    return config.lr_floor + (1 - config.lr_floor) * 0.5 * (1 + math.cos(math.pi * through))
