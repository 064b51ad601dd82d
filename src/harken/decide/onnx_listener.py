"""The listener on ONNX Runtime: no torch, 8-bit weights, keys and values in place."""

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


@dataclass(frozen=True, slots=True)
class _Cache:
    """Preallocated keys and values, float32 [1, kv_heads, room, head_size] each, by graph name."""

    values: dict[str, Any]


class OnnxListener(DecoderListener):
    """Decoder, head and adapters of one checkpoint; safe to share between sessions in one thread.

    decoder: the converted part (`harken.parts.convert.converted("decoder")`).
    """

    def __init__(self, decoder: Path, checkpoint: Checkpoint, *, threads: int = 2) -> None:
        super().__init__(decoder, checkpoint)
        self._decoder = _session(decoder / "decoder.onnx", threads, lora_of(checkpoint))
        self._head = _session(decoder / "head.onnx", threads, {})
        self._cache_shapes = {
            i.name: i.shape for i in self._decoder.get_inputs() if i.name.startswith("past.")
        }

    def fork(self, state: State) -> State:
        """The same place in a cache of its own."""
        cache = self._new_cache()
        for name, value in state.cache.values.items():
            kept = value.numpy()[:, :, : state.length]
            cache.values[name].numpy()[:, :, : state.length] = kept
        return State(cache, state.length, state.pending)

    def _new_cache(self) -> _Cache:
        room = self._profile.context
        values = {}
        for name, (_, heads, _, size) in self._cache_shapes.items():
            blank = np.zeros((1, heads, room, size), np.float32)
            values[name] = ort.OrtValue.ortvalue_from_numpy(blank)
        return _Cache(values)

    def _run_rows(self, cache: _Cache, length: int, rows: F32) -> F32:
        total = length + len(rows)
        binding = self._decoder.io_binding()
        binding.bind_cpu_input("embeds", np.ascontiguousarray(rows[None], np.float32))
        binding.bind_cpu_input("last", np.array([total - 1], np.int32))
        binding.bind_cpu_input("total", np.array(total, np.int32))
        for name, value in cache.values.items():
            binding.bind_ortvalue_input(name, value)
            binding.bind_ortvalue_output(name.replace("past", "present", 1), value)
        binding.bind_output("hidden", "cpu")
        self._decoder.run_with_iobinding(binding)
        hidden: F32 = binding.get_outputs()[-1].numpy()[0]
        return hidden

    def _text_logits(self, state: F32) -> F32:
        logits: F32 = self._head.run(None, {"hidden": state[None, None]})[0][0, 0]
        return logits[: self.profile.text_ids]


def _session(graph: Path, threads: int, given: dict[str, F32]) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what fails is raised, not printed
    # Spinning workers would keep a laptop's cores busy between chunks.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if given:
        options.add_external_initializers(
            list(given), [ort.OrtValue.ortvalue_from_numpy(v) for v in given.values()]
        )
    try:
        return ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as broken:
        first = str(broken).splitlines()[0][:200]
        raise HarkenError(
            f"{graph} cannot be loaded ({first}); delete the folder {graph.parent} and run again"
        ) from broken
