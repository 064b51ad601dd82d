"""The tiny listener, for this process and for replicas in others.

As a program it runs two replicas until its input ends: tiny.py DECODER SHAPES PIDS PORT.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.live.conftest import random_checkpoint

from harken.decide import onnx_listener
from harken.decide.batched_listener import BatchedListener
from harken.perceive.perception import Perception
from harken.serve.app import Service
from harken.serve.engine import Engine
from harken.serve.sessions import Limits
from harken.stream import profile_named


def tiny_listener_of(decoder: Path, shapes: Mapping[str, tuple[int, ...]]) -> BatchedListener:
    """decoder: its folder. shapes: of what a checkpoint brings to its graph."""
    checkpoint = random_checkpoint(replace(profile_named("tiny"), context=512))
    blank = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_listener, "lora_of", lambda checkpoint: blank)
        graph = (decoder / "decoder.batched.onnx").read_bytes()
        return BatchedListener(decoder, checkpoint, threads=1, graph=graph)


def main(decoder: str, shapes: str, pids: str, port: str) -> None:
    from harken.serve.replicas import deployed

    def service(name: str) -> Service:
        (Path(pids) / name).write_text(str(os.getpid()))
        listener = tiny_listener_of(Path(decoder), json.loads(shapes))
        return Service(Engine(listener, Perception(())), limits=Limits(2), name=name)

    with deployed(service, 2, host="127.0.0.1", port=int(port)):
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
