"""Cutting a stream into the chunks that the ears hear, on an integer sample clock."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.perceive.resample import StreamResampler
from harken.perceive.source import Source, open_source, replace_not_finite
from harken.stream.profile import CHUNK_SAMPLES, SAMPLE_RATE


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """One chunk of a stream: 0.4 s at 16 kHz.

    index: counts from 0. samples: float32 [6400]. end_sample: where the chunk ends on the
    stream's 16 kHz clock, (index + 1) * 6400. n_real: how many samples came from the stream,
    6400 but in the last chunk, whose other samples are zeros.
    """

    index: int
    samples: npt.NDArray[np.float32]
    end_sample: int
    n_real: int


class Chunker:
    """Turns blocks of any size at any rate into exact chunks at 16 kHz.

    The chunks do not depend on how the stream is cut into blocks. Samples that are not finite
    become zeros before they reach the resampler, which would spread them; `n_replaced` counts
    them.
    """

    def __init__(self, sample_rate: int = SAMPLE_RATE) -> None:
        """`sample_rate`: of the blocks to come, in Hz."""
        self.n_replaced = 0
        self._resampler = StreamResampler(sample_rate)
        self._pending = np.zeros(CHUNK_SAMPLES, np.float32)
        self._n_pending = 0
        self._next_index = 0
        self._finished = False

    def push(self, block: npt.NDArray[np.floating]) -> list[Chunk]:
        """Take the next samples, mono float [n] from -1 to 1, and give the chunks now complete.

        Raises HarkenError for integer samples, for more than one channel and after `finish`.
        """
        if self._finished:
            raise HarkenError("this stream was finished: use a new Chunker for another stream")
        if block.ndim != 1:
            raise HarkenError(
                f"a block of shape {list(block.shape)} is not mono: average its channels to [n]"
            )
        if not np.issubdtype(block.dtype, np.floating):
            raise HarkenError(
                f"a block holds {block.dtype} samples: scale them to floats from -1 to 1"
            )
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
            samples, n_replaced = replace_not_finite(block.astype(np.float32, copy=False))
        self.n_replaced += n_replaced
        return list(self._cut(self._resampler.push(samples)))

    def finish(self) -> list[Chunk]:
        """End the stream and give what is left, the last chunk padded with zeros.

        Empty when nothing is left; two chunks when the resampler's tail crosses a boundary.
        """
        if self._finished:
            return []
        self._finished = True
        rest = list(self._cut(self._resampler.finish()))
        if self._n_pending:
            self._pending[self._n_pending :] = 0
            rest.append(self._complete(self._n_pending))
        return rest

    def _cut(self, samples: npt.NDArray[np.float32]) -> Iterator[Chunk]:
        while len(samples):
            room = CHUNK_SAMPLES - self._n_pending
            taken, samples = samples[:room], samples[room:]
            self._pending[self._n_pending : self._n_pending + len(taken)] = taken
            self._n_pending += len(taken)
            if self._n_pending == CHUNK_SAMPLES:
                yield self._complete(CHUNK_SAMPLES)

    def _complete(self, n_real: int) -> Chunk:
        index, samples = self._next_index, self._pending
        self._pending, self._n_pending = np.zeros(CHUNK_SAMPLES, np.float32), 0
        self._next_index += 1
        return Chunk(index, samples, (index + 1) * CHUNK_SAMPLES, n_real)


def chunks_of(source: Source) -> Iterator[Chunk]:
    """The chunks of an opened source, as its samples arrive; its `warnings` stay with it."""
    chunker = Chunker(source.sample_rate)
    for block in source:
        yield from chunker.push(block)
    yield from chunker.finish()


def chunks(path: str | os.PathLike[str]) -> Iterator[Chunk]:
    """The chunks of a recording, or of standard input for `-`; raises as `open_source` does."""
    with open_source(path) as source:
        yield from chunks_of(source)
