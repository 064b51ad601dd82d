"""Torch in float32 and ONNX Runtime in 8 bits are one listener.

ONNX Runtime rounds activations to 8 bits in blocks of 32 (accuracy level 4); torch does not. The
tolerances say what that costs.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from harken.decide.checkpoint import Calibration, Checkpoint
from harken.decide.decoder_listener import DecoderListener
from harken.decide.listener import Audible, Judgement, State
from harken.decide.model import shipped_checkpoint
from harken.decide.onnx_listener import OnnxListener
from harken.decide.rule import OperatingPoint, decision_of
from harken.errors import HarkenError
from harken.parts.convert.layout import Layout
from harken.perceive.percept import HeardWord, Percept
from harken.stream import Prefix, Profile, profile_named

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow

PROBABILITY_TOLERANCE = 0.05
SPEECH, DOG, SMOKE_ALARM, RAIN = 0, 70, 393, 283
"""Rows of YAMNet's class map."""

CHUNKS = 24
MAX_RESPONSE_IDS = 12
RANDOM_RESPOND_BIAS = 3.5
SEEDS = (0, 3)
"""Streams whose probabilities stay further from the threshold than the tolerance."""
WORDS = {2: " Hello there.", 8: " What is the capital", 9: " of France?", 18: " Thank you."}
SOUNDS = {**dict.fromkeys(range(4, 8), DOG), **dict.fromkeys(range(12, 17), SMOKE_ALARM), 20: RAIN}


def golden_stream(seed: int) -> list[Audible]:
    """A greeting, a dog, a question, an alarm, thanks and rain, over a little noise."""
    random = np.random.default_rng(seed)
    chunks = []
    for chunk in range(CHUNKS):
        sound = random.uniform(0, 0.02, 1545).astype(np.float16)
        sound[521:] = np.abs(random.normal(0, 1, 1024))
        if chunk in SOUNDS:
            sound[SOUNDS[chunk]] = 0.9
        if chunk in WORDS:
            sound[SPEECH] = 0.9
        end = (chunk + 1) * 6400
        words = (HeardWord(WORDS[chunk], end, "en"),) if chunk in WORDS else ()
        acoustic = random.normal(0, 1, 2560).astype(np.float16)
        chunks.append(Audible(Percept(chunk, sound, acoustic, words, -30.0, 0.5)))
    return chunks


def random_checkpoint(profile: Profile) -> Checkpoint:
    """Every trained tensor at a plausible size, nothing learnt; a bias lets it respond at times."""
    random = np.random.default_rng(11)
    shapes = {
        **Layout.of("decoder").from_checkpoint,
        "controls.input": (len(profile.own_rows), profile.hidden),
        "controls.output": (len(profile.own_rows), profile.hidden),
        "sound.scores": (521, profile.hidden),
        "sound.embedding": (1024, profile.hidden),
        "sound.bias": (profile.hidden,),
        "acoustic.weight": (2560, profile.hidden),
        "acoustic.bias": (profile.hidden,),
    }
    sizes = {"acoustic.weight": 3e-4, "sound.embedding": 5e-4}
    drawn = {n: random.normal(0, sizes.get(n, 0.015), s) for n, s in shapes.items()}
    tensors = {n: t.astype(np.float32) for n, t in drawn.items()}
    return Checkpoint(profile, tensors, Calibration(respond_bias=RANDOM_RESPOND_BIAS))


@dataclass(frozen=True, slots=True)
class Backends:
    onnx: DecoderListener
    torch: DecoderListener


@pytest.fixture(scope="module", params=["random", "shipped"])
def backends(request: pytest.FixtureRequest, decoder_folder: Path) -> Iterator[Backends]:
    from harken.decide.torch_listener import TorchListener

    mini = profile_named("mini")
    if request.param == "random":
        checkpoint = random_checkpoint(mini)
    else:
        try:
            checkpoint = Checkpoint.load(shipped_checkpoint(), mini)
        except HarkenError as absent:
            pytest.skip(str(absent))
    yield Backends(
        OnnxListener(decoder_folder, checkpoint), TorchListener(decoder_folder, checkpoint)
    )


def live(listener: DecoderListener, chunks: list[Audible]) -> tuple[list[str], list[Judgement]]:
    """Step by step: each chunk's decision, and after a respond the ids that were said."""
    state, spoken, judged = listener.start(Prefix()), [], []
    for chunk in chunks:
        state, (judgement,) = listener.hear(state, [chunk])
        judged.append(judgement)
        decision = decision_of(listener.profile, judgement, OperatingPoint())
        state = listener.decide(state, judgement, decision)
        if decision == "respond":
            said = []
            for i, after in itertools.islice(listener.say(state), MAX_RESPONSE_IDS):
                said.append(i)
                state = after
            decision = f"respond {said}"
        spoken.append(decision)
    return spoken, judged


@pytest.mark.parametrize("seed", SEEDS)
def test_probabilities_agree_on_the_same_history(backends: Backends, seed: int) -> None:
    chunks = golden_stream(seed)
    found = []
    for listener in (backends.onnx, backends.torch):
        _, judged = listener.hear(listener.start(Prefix()), chunks)
        found.append(np.stack([j.probabilities for j in judged]))
    onnx, in_torch = found
    assert np.abs(onnx - in_torch).max() < PROBABILITY_TOLERANCE
    assert onnx.std() > 1e-3  # the comparison is not one of constants


@pytest.mark.parametrize("seed", SEEDS)
def test_decisions_and_responses_of_golden_streams_are_equal(backends: Backends, seed: int) -> None:
    chunks = golden_stream(seed)
    onnx, _ = live(backends.onnx, chunks)
    in_torch, _ = live(backends.torch, chunks)
    assert in_torch == onnx
    assert len(set(onnx)) > 1  # silence alone would agree with anything


def test_a_backlog_is_judged_as_its_chunks_one_by_one(backends: Backends) -> None:
    chunks, listener = golden_stream(0)[:8], backends.torch
    _, together = listener.hear(listener.start(Prefix()), chunks)
    state: State = listener.start(Prefix())
    for chunk, expected in zip(chunks, together, strict=True):
        state, (judgement,) = listener.hear(state, [chunk])
        np.testing.assert_allclose(judgement.probabilities, expected.probabilities, atol=1e-4)
        assert judgement.position == expected.position
        state = listener.decide(state, judgement, "silent")


def test_a_fork_is_a_place_of_its_own(backends: Backends) -> None:
    chunks, listener = golden_stream(1)[:4], backends.torch
    state, _ = listener.hear(listener.start(Prefix()), chunks[:2])
    copy = listener.fork(state)
    listener.hear(state, chunks[3:])  # overwrites what lies behind the original
    _, (one,) = listener.hear(copy, chunks[2:3])
    _, (again,) = listener.hear(listener.fork(copy), chunks[2:3])
    np.testing.assert_allclose(one.probabilities, again.probabilities, atol=1e-6)
