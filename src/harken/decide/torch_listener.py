"""The listener on torch, on the CPU: the same behaviour as on ONNX Runtime, in any format."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from harken.decide.checkpoint import Checkpoint
from harken.decide.decoder_listener import DecoderListener, lora_of
from harken.decide.listener import State
from harken.decide.torch_decoder import FrozenWeights, KeyValues, TorchDecoder
from harken.parts.convert.layout import Layout

F32 = npt.NDArray[np.float32]


class TorchListener(DecoderListener):
    """Decoder, head and adapters of one checkpoint; needs the extra `train`.

    decoder: the converted part (`harken.parts.convert.converted("decoder")`).
    """

    def __init__(
        self, decoder: Path, checkpoint: Checkpoint, *, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__(decoder, checkpoint)
        self._decoder = TorchDecoder(decoder, dtype=dtype)
        given = {n: torch.from_numpy(t) for n, t in lora_of(checkpoint).items()}
        self._decoder.load_state_dict(given)
        head = FrozenWeights(decoder, Layout.of("head"))
        self._head = head.matrix("head", dtype, self.profile.text_ids)

    def fork(self, state: State) -> State:
        """The same place in a cache of its own."""
        cache = self._new_cache()
        cache.keys[:, : state.length] = state.cache.keys[:, : state.length]
        cache.values[:, : state.length] = state.cache.values[:, : state.length]
        return State(cache, state.length, state.pending)

    def _new_cache(self) -> KeyValues:
        return self._decoder.new_cache(self.profile.context)

    def _run_rows(self, cache: KeyValues, length: int, rows: F32) -> F32:
        states: F32 = self._decoder.step(torch.from_numpy(rows), cache, length).float().numpy()
        return states

    @torch.no_grad()
    def _text_logits(self, state: F32) -> F32:
        chosen = torch.from_numpy(state).to(self._head.dtype)
        logits: F32 = (self._head @ chosen).float().numpy()
        return logits
