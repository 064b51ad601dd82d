"""The pretrained decoder as it came, on text: what the listener's answers are measured against.

Same weights, same runtime, no LoRA and no ears: what is lost between this and a session is lost by
hearing, deciding and our training, not by the size of the decoder.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from harken.decide.checkpoint import Checkpoint
from harken.decide.listener import State
from harken.decide.model import shipped_checkpoint
from harken.decide.onnx_listener import OnnxListener
from harken.parts.convert import converted
from harken.stream.profile import MINI
from harken.stream.writer import chat_ids

_INTERPRETER = "You are an interpreter. Give the translation alone, nothing else."
_ASSISTANT = "You are a helpful voice assistant. Answer in one short sentence."
_LANGUAGES = {"en": "English", "zh": "Chinese"}


class PlainDecoder(OnnxListener):
    """The decoder of a checkpoint's profile without the checkpoint, in its own chat format."""

    def __init__(self, decoder: Path, checkpoint: Checkpoint) -> None:
        bare = {k: v for k, v in checkpoint.tensors.items() if ".lora_" not in k}
        super().__init__(decoder, replace(checkpoint, tensors=bare))

    def translated(self, text: str, language: str) -> str:
        """`text` in `language` (en or zh)."""
        return self.reply(_INTERPRETER, f"Translate into {_LANGUAGES[language]}: {text}")

    def answered(self, question: str) -> str:
        """A short answer."""
        return self.reply(_ASSISTANT, question)

    def reply(self, system: str, user: str, most_ids: int = 64) -> str:
        """The decoder's greedy turn after a system and a user turn."""
        ids: list[int] = []
        state, fed = State(self._new_cache(), 0), chat_ids(self._vocabulary, system, user)
        while len(ids) < most_ids:
            hidden, state = self._run(state, self._embed_ids(fed))
            logits = self._head.run(None, {"hidden": hidden[-1][None, None]})[0][0, 0]
            chosen = int(np.argmax(logits))
            if chosen >= self._profile.text_ids:  # the end of its turn, or of everything
                break
            ids.append(chosen)
            fed = [chosen]
        return self._vocabulary.decode(ids).strip()


def plain_decoder() -> PlainDecoder:
    """The decoder of the default profile."""
    return PlainDecoder(converted("decoder"), Checkpoint.load(shipped_checkpoint(), MINI))
