"""A run computes in what is faster here, and keeps to it."""

import pytest
import torch

from harken.errors import HarkenError
from harken.train.compute import DTYPES, fastest, matmul_flops
from harken.train.config import COMPUTE, TrainConfig


def test_the_faster_format_is_one_that_a_run_can_have() -> None:
    assert set(DTYPES) == set(COMPUTE)
    assert TrainConfig(steps=1, compute=fastest()).compute in DTYPES
    assert matmul_flops(torch.float32) > 1e6


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(HarkenError, match="compute is 'int4'; choose bfloat16 or float32"):
        TrainConfig(steps=1, compute="int4")
