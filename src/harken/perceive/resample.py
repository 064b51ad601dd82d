"""Resampling a stream to the rate of the ears, block by block, as if it had come in one piece."""

import numpy as np
import numpy.typing as npt
import soxr

from harken.stream.profile import SAMPLE_RATE


class StreamResampler:
    """Resamples one mono stream from `from_rate` to `to_rate`, in Hz.

    The output does not depend on how the stream is cut into blocks, and equals
    `soxr.resample(whole, from_rate, to_rate, "HQ")` in length and within 1e-6 in value.
    It comes late by soxr's filter delay (some milliseconds) until `finish`.
    """

    def __init__(self, from_rate: int, to_rate: int = SAMPLE_RATE) -> None:
        self._soxr = (
            None
            if from_rate == to_rate
            else soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="HQ")
        )

    def push(self, block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Take the next samples, float32 [n], and give those that are ready, float32 [m]."""
        return self._resample(block, last=False)

    def finish(self) -> npt.NDArray[np.float32]:
        """Give the samples that were still in the filter; call once, after the last block."""
        return self._resample(np.zeros(0, np.float32), last=True)

    def _resample(self, block: npt.NDArray[np.float32], *, last: bool) -> npt.NDArray[np.float32]:
        if self._soxr is None:
            return block
        ready: npt.NDArray[np.float32] = self._soxr.resample_chunk(block, last=last)
        return ready
