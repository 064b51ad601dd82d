"""Ears that are truly slower than the stream: what is left out, told and taken back."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tests.serve.conftest import Serve
from tests.serve.told import pcm16
from tests.serve.wire import get, open_live, receive, send, start

from harken.decide.onnx_listener import OnnxListener
from harken.perceive.percept import Percept
from harken.perceive.perception import Hearing, Perception
from harken.serve.engine import Engine
from harken.serve.shedding import Shedding

WORK_S = 0.3
BURST = 3
"""Chunks that a client may send at once without being taken for a recording."""


class Laborious(Perception):
    """The real words ear, which costs much more unless words are spared."""

    def hear(
        self,
        hearing: Hearing,
        samples: npt.NDArray[np.float32],
        *,
        spare_words: bool = False,
        spare_acoustic: bool = False,
    ) -> tuple[Hearing, Percept]:
        done_s = time.monotonic() + (0 if spare_words else WORK_S)
        while time.monotonic() < done_s:
            np.linalg.norm(np.outer(samples[:200], samples[:200]))
        return super().hear(
            hearing, samples, spare_words=spare_words, spare_acoustic=spare_acoustic
        )


@pytest.mark.slow
def test_a_server_that_falls_behind_sheds_tells_and_recovers(
    serve: Serve, tiny_listener: OnnxListener, said: np.ndarray
) -> None:
    ears = Laborious(("words",))
    shedding = Shedding(begin_s=1.5 * WORK_S, more_s=1e6, recovered_s=WORK_S)
    with Engine(tiny_listener, ears, shedding=shedding) as engine:
        server, events = serve(engine=engine), list[dict[str, Any]]()
        pieces = list(said[: len(said) // 9_600 * 9_600].reshape(-1, 9_600))
        n_sent = 0
        with open_live(server) as live:

            def hear(chunks: list[np.ndarray]) -> None:
                """Send them at once, and wait until they are decided."""
                nonlocal n_sent
                for samples in chunks:
                    send(live, type="session.input_audio.append", audio=pcm16(samples))
                n_sent += len(chunks)
                while sum(event["type"] == "harken.chunk" for event in events) < n_sent:
                    events.append(receive(live))

            def told(kind: str, field: str) -> list[Any]:
                return [event[field] for event in events if event["type"] == kind]

            start(live)
            ahead = pcm16(np.zeros(2_400))  # the resampler keeps some, so that a chunk is whole
            send(live, type="session.input_audio.append", audio=ahead)
            for first in range(0, len(pieces), BURST):
                hear(pieces[first : first + BURST])
                if first == 0:
                    assert b"harken_shedding 1.0" in get(server, "/metrics")[1]
                    send(live, type="harken.order.add", text="Count the barks.")
            while told("harken.lag", "policy")[-1] != "none":
                hear([np.zeros(9_600, np.float32)])

    policies = told("harken.lag", "policy")
    assert policies == ["words-at-pauses", "none"] * (len(policies) // 2)
    for lag_s, policy in zip(told("harken.lag", "lag_s"), policies, strict=True):
        assert lag_s > shedding.begin_s if policy != "none" else lag_s < shedding.recovered_s
    assert told("harken.chunk", "chunk") == list(range(n_sent))
    words = "".join(told("session.input_transcript.delta", "delta"))
    assert "placed into the conference" in words
    assert told("harken.orders", "orders")[-1][0]["text"] == "Count the barks."
