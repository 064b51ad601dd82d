"""The listener on ONNX Runtime: no torch, 8-bit weights, keys and values in place."""

import weakref
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from harken.decide.checkpoint import Checkpoint
from harken.decide.decoder_listener import DecoderListener, lora_of
from harken.decide.listener import State
from harken.errors import HarkenError

F32 = npt.NDArray[np.float32]

SPARE_CACHES = 2
"""Kept when nobody needs them, for the next session or compaction. Given back to the allocator, 50
MB in many pieces, they were scattered among smaller things, and a long session grew and grew."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Cache:
    """Preallocated keys and values, float32 [1, kv_heads, room, head_size] each, by graph name."""

    values: dict[str, Any]

    def bind(self, binding: ort.IOBinding, session: str = "") -> None:
        """Read and write it in place. session: what names end with in a graph for several."""
        for name, value in self.values.items():
            binding.bind_ortvalue_input(name + session, value)
            binding.bind_ortvalue_output(name.replace("past", "present", 1) + session, value)


class OnnxListener(DecoderListener):
    """Decoder, head and adapters of one checkpoint; safe to share between sessions in one thread.

    decoder: the converted part (`harken.parts.convert.converted("decoder")`).
    """

    def __init__(self, decoder: Path, checkpoint: Checkpoint, *, threads: int = 2) -> None:
        super().__init__(decoder, checkpoint)
        self._spare: deque[dict[str, Any]] = deque(maxlen=SPARE_CACHES)
        self._decoder = self._open_decoder(decoder, threads, lora_of(checkpoint))
        self._head = open_graph(decoder / "head.onnx", threads)
        self._cache_shapes = self._shapes_of_caches()

    def fork(self, state: State) -> State:
        """The same place in a cache of its own."""
        cache = self._new_cache()
        for name, value in state.cache.values.items():
            kept = value.numpy()[:, :, : state.length]
            cache.values[name].numpy()[:, :, : state.length] = kept
        return State(cache, state.length, state.pending)

    def _open_decoder(
        self, decoder: Path, threads: int, lora: dict[str, F32]
    ) -> ort.InferenceSession:
        return open_graph(decoder / "decoder.onnx", threads, lora)

    def _shapes_of_caches(self) -> dict[str, Any]:
        """By graph name; their room is the caller's choice."""
        inputs = self._decoder.get_inputs()
        return {i.name: i.shape for i in inputs if i.name.startswith("past.")}

    def _new_cache(self) -> Cache:
        try:
            values = self._spare.pop()
        except IndexError:
            values = self._blank(self._profile.context)
        cache = Cache(values)
        # What stands behind the length of a state is never read, so nothing is wiped.
        weakref.finalize(cache, self._spare.append, values).atexit = False
        return cache

    def _blank(self, room: int) -> dict[str, Any]:
        """Keys and values for so many positions."""
        values = {}
        for name, (_, heads, _, size) in self._cache_shapes.items():
            blank = np.zeros((1, heads, room, size), np.float32)
            values[name] = ort.OrtValue.ortvalue_from_numpy(blank)
        return values

    def _run_rows(self, cache: Cache, length: int, rows: F32) -> F32:
        total = length + len(rows)
        binding = self._decoder.io_binding()
        binding.bind_cpu_input("embeds", np.ascontiguousarray(rows[None], np.float32))
        binding.bind_cpu_input("last", np.array([total - 1], np.int32))
        binding.bind_cpu_input("total", np.array(total, np.int32))
        cache.bind(binding)
        binding.bind_output("hidden", "cpu")
        self._decoder.run_with_iobinding(binding)
        hidden: F32 = binding.get_outputs()[-1].numpy()[0]
        return hidden

    def _text_logits(self, state: F32) -> F32:
        logits: F32 = self._logits_of(state[None])[0]
        return logits

    def _logits_of(self, states: F32) -> F32:
        """Logits of the text ids, float32 [n, text_ids], of final states [n, hidden]."""
        logits: F32 = self._head.run(None, {"hidden": states[None]})[0][0]
        return logits[:, : self.profile.text_ids]


def open_graph(
    path: Path, threads: int, given: dict[str, F32] | None = None, graph: bytes = b""
) -> ort.InferenceSession:
    """An inference session; a broken file is a `HarkenError`.

    given: tensors that the checkpoint brings. graph: what to open instead of the file, over the
    weights in its folder.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what fails is raised, not printed
    # Spinning workers would keep a laptop's cores busy between chunks.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    folder = "session.model_external_initializers_file_folder_path"
    if graph:
        options.add_session_config_entry(folder, str(path.parent))
    if given:
        options.add_external_initializers(
            list(given), [ort.OrtValue.ortvalue_from_numpy(v) for v in given.values()]
        )
    try:
        return ort.InferenceSession(graph or str(path), options, providers=["CPUExecutionProvider"])
    except Exception as broken:
        first = str(broken).splitlines()[0][:200]
        raise HarkenError(
            f"{path} cannot be loaded ({first}); delete the folder {path.parent} and run again"
        ) from broken
