"""Which number format a run computes in: whichever multiplies faster on this machine.

bfloat16 halves the memory, and with AMX or a GPU it is several times as fast; a processor that only
has AVX-512 may take twice as long for it as for float32. Trained tensors are float32 either way.
"""

import time

import torch
from torch import Tensor

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
_SHAPE = (512, 896, 4864)  # positions, and a matrix of the decoder
_MEASURE_S = 0.3
CPU = torch.device("cpu")


def fastest(device: torch.device = CPU) -> str:
    """The name of the faster format in `DTYPES`; takes a second."""
    return max(DTYPES, key=lambda name: matmul_flops(DTYPES[name], device))


def matmul_flops(dtype: torch.dtype, device: torch.device = CPU) -> float:
    """Floating-point operations a second of a product of the decoder's size, at its best."""
    n, k, m = _SHAPE
    left = torch.zeros(n, k, dtype=dtype, device=device)
    right = torch.zeros(m, k, dtype=dtype, device=device)
    _multiply(left, right)  # the first product also chooses its kernel
    quickest_s, began = float("inf"), time.perf_counter()
    while (tick := time.perf_counter()) - began < _MEASURE_S:
        _multiply(left, right)
        # The quickest one: others may have waited for a core.
        quickest_s = min(quickest_s, time.perf_counter() - tick)
    return 2 * n * k * m / quickest_s


def _multiply(left: Tensor, right: Tensor) -> None:
    left @ right.t()
    if left.device.type == "cuda":
        torch.cuda.synchronize(left.device)
