"""The listener of many sessions: what they ask at about the same time runs as one pass.

A pass over few positions takes as long as reading the weights, which a pass of several sessions
reads once. Each attends to a cache of its own, as long as it is, and everything else in the
decoder goes row by row: what a session hears does not depend on who else is in the pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from harken.decide.checkpoint import Checkpoint
from harken.decide.company import Company
from harken.decide.onnx_listener import Cache, OnnxListener, open_graph
from harken.parts.convert.layout import graph_file

F32 = npt.NDArray[np.float32]
MOST_ROWS = 12
"""In a pass of several, which all of them wait for: text, and a chunk or two. Longer ones gain too
little to be worth the wait, and run alone."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Rows [n, hidden] to be fed behind `length` positions of a cache.

    wants_text: the logits of the text ids are needed too, behind the last row.
    """

    cache: Cache
    length: int
    rows: F32
    wants_text: bool

    @property
    def total(self) -> int:
        return self.length + len(self.rows)


@dataclass(frozen=True, slots=True)
class Passed:
    """Final states [n, hidden], and the logits [text_ids] if they were wanted, else none [0]."""

    hidden: F32
    logits: F32


class BatchedListener(OnnxListener):
    """As `OnnxListener`; safe to share between sessions in up to `company_of` threads, each of
    which takes its steps inside of `company.step()`."""

    def __init__(
        self,
        decoder: Path,
        checkpoint: Checkpoint,
        *,
        threads: int = 2,
        graph: bytes | None = None,
    ) -> None:
        """graph: for a decoder of another size than the shipped one."""
        self._graph = graph or graph_file("decoder.batched.onnx")
        super().__init__(decoder, checkpoint, threads=threads)
        shapes = {i.name: i.shape for i in self._decoder.get_inputs()}
        self.company_of: int = shapes["rows"][0]
        self._idle_row = np.zeros((1, 1, shapes["idle"][2]), np.float32)
        self._idle_cache = Cache(self._blank(room=1))
        self.company = Company(self.run, lambda waiting: fitting(waiting, self.company_of))

    def _open_decoder(
        self, decoder: Path, threads: int, lora: dict[str, F32]
    ) -> ort.InferenceSession:
        return open_graph(decoder / "decoder.batched.onnx", threads, lora, self._graph)

    def _shapes_of_caches(self) -> dict[str, Any]:
        """Those of the first session in a pass; all are alike."""
        inputs = self._decoder.get_inputs()
        firsts = [i for i in inputs if i.name.startswith("past.") and i.name.endswith(".0")]
        return {i.name.removesuffix(".0"): i.shape for i in firsts}

    def run(self, passes: Sequence[Pass]) -> list[Passed]:
        """Feed up to `company_of` of them at once."""
        hidden = self._run_decoder(passes)
        lasts = [h[-1] for h, p in zip(hidden, passes, strict=True) if p.wants_text]
        logits = iter(self._logits_of(np.stack(lasts)) if lasts else ())
        none = np.zeros(0, np.float32)
        return [
            Passed(h, next(logits) if p.wants_text else none)
            for h, p in zip(hidden, passes, strict=True)
        ]

    def _run_rows(self, cache: Cache, length: int, rows: F32) -> F32:
        return self.company.ask(Pass(cache, length, rows, wants_text=False)).hidden

    def _text_pass(self, cache: Cache, length: int, rows: F32) -> tuple[F32, F32]:
        passed = self.company.ask(Pass(cache, length, rows, wants_text=True))
        return passed.hidden, passed.logits

    def _run_decoder(self, passes: Sequence[Pass]) -> list[F32]:
        """Final states [n, hidden] of each."""
        rows = np.concatenate([p.rows for p in passes])
        idle = self.company_of - len(passes)
        counts = [len(p.rows) for p in passes] + [1] * idle
        binding = self._decoder.io_binding()
        binding.bind_cpu_input("embeds", np.ascontiguousarray(rows[None], np.float32))
        binding.bind_cpu_input("rows", np.array(counts, np.int64))
        binding.bind_cpu_input("idle", np.repeat(self._idle_row, idle, axis=1))
        binding.bind_cpu_input("kept", np.array([len(rows)], np.int64))
        nobody = Pass(self._idle_cache, 0, self._idle_row[0], wants_text=False)
        for n, one in enumerate([*passes, *[nobody] * idle]):
            binding.bind_cpu_input(f"last.{n}", np.array([one.total - 1], np.int32))
            binding.bind_cpu_input(f"total.{n}", np.array(one.total, np.int32))
            one.cache.bind(binding, f".{n}")
        binding.bind_output("hidden", "cpu")
        self._decoder.run_with_iobinding(binding)
        hidden: F32 = binding.get_outputs()[-1].numpy()[0]
        return np.split(hidden, np.cumsum([len(p.rows) for p in passes])[:-1])


def fitting(waiting: Sequence[Pass], company_of: int) -> int:
    """How many of what waits, oldest first, one pass takes."""
    rows = np.cumsum([len(p.rows) for p in waiting[:company_of]])
    return max(1, int((rows <= MOST_ROWS).sum()))
