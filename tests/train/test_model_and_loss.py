"""What is learnt, where the loss falls, and that adapters agree with those that serve."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from harken.decide.adapters import Adapters
from harken.decide.checkpoint import Checkpoint
from harken.decide.embedding import EmbeddingTable
from harken.perceive.percept import Percept
from harken.stream import profile_named
from harken.train.batch import Collator, Kind
from harken.train.config import TrainConfig
from harken.train.examples import Document, load_document, read_records
from harken.train.loss import StreamLoss, over_tasks
from harken.train.model import BaseParts, StreamModel

TINY = profile_named("tiny")


@pytest.fixture
def model(tiny_parts: BaseParts) -> StreamModel:
    return StreamModel(TINY, tiny_parts, seed=3, dtype=torch.float32)


@pytest.fixture
def documents(write_streams, vocabulary) -> list[Document]:
    return [load_document(r, vocabulary) for r in read_records(write_streams(4)).all]


def test_adapters_agree_with_those_that_serve(model: StreamModel) -> None:
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.01)
    tensors = {n: t.numpy() for n, t in model.checkpoint_tensors().items()}
    served = Adapters(Checkpoint(TINY, tensors))
    random = np.random.default_rng(0)
    sound = random.uniform(0, 1, 1545).astype(np.float16)
    acoustic = random.normal(0, 2, 2560).astype(np.float16)
    expected = served.embed(Percept(0, sound, acoustic, (), -20.0, 0.0))
    with torch.no_grad():
        mine = torch.stack(
            [
                model.sound(torch.from_numpy(sound.astype(np.float32))),
                model.acoustic(torch.from_numpy(acoustic.astype(np.float32))),
            ]
        )
    np.testing.assert_allclose(mine.numpy(), expected, atol=1e-5)


def test_every_position_gets_its_embedding(model, documents, tiny_parts) -> None:
    table = EmbeddingTable(tiny_parts.folder)
    batch = Collator(TINY, table).collate(documents)
    embeds = model.embed(batch).detach()
    offset = len(documents[0])
    document = documents[1]
    for i, token in enumerate(document.ids.tolist()):
        got = embeds[offset + i]
        if i in document.audio:
            chunk, which = divmod(document.audio.tolist().index(i), 2)
            ear = model.acoustic if which else model.sound
            features = (document.acoustic if which else document.sound)[chunk].astype(np.float32)
            expected = ear(torch.from_numpy(features))
        elif token < TINY.text_ids:
            expected = torch.from_numpy(table.rows([token]))[0]
        else:
            name = next(n for n, known in TINY.controls if known == token)
            expected = model.controls.input[TINY.own_rows.index(name)]
        torch.testing.assert_close(got, expected.detach())


def test_a_deaf_ear_delivers_zeros(documents, tiny_parts) -> None:
    collator = Collator(TINY, EmbeddingTable(tiny_parts.folder))
    batch = collator.collate(documents[:2], deaf=[(True, False), (False, True)])
    chunks = len(documents[0].sound)
    assert not batch.sound[:chunks].any() and batch.sound[chunks:].any()
    assert batch.acoustic[:chunks].any() and not batch.acoustic[chunks:].any()


def test_targets_are_the_said_positions_and_nothing_else(documents, tiny_parts) -> None:
    batch = Collator(TINY, EmbeddingTable(tiny_parts.folder)).collate(documents)
    said = np.flatnonzero(np.concatenate([d.said for d in documents]))
    ids = np.concatenate([d.ids for d in documents])
    at = torch.cat([t.at for t in batch.targets.values()]).numpy() + 1
    assert sorted(at) == said.tolist()
    text = batch.targets[Kind.TEXT]
    for position, choice in zip(text.at.tolist(), text.choice.tolist(), strict=True):
        token = int(ids[position + 1])
        assert choice == (TINY.text_ids if token == TINY.control("END") else token)


def test_the_loss_is_the_constrained_cross_entropy(model, documents, tiny_parts) -> None:
    """By hand, position by position, for the same states."""
    config = TrainConfig(profile="tiny", steps=1, respond_weight=3.0, emotion_weight=0.5)
    batch = Collator(TINY, EmbeddingTable(tiny_parts.folder)).collate(documents)
    states = torch.randn(batch.positions, TINY.hidden)
    total, tally = StreamLoss(TINY, config)(model, batch, states)

    output = model.controls.output.detach()
    row = {TINY.control(n): output[i] for i, n in enumerate(TINY.own_rows)}
    ids = np.concatenate([d.ids for d in documents]).tolist()
    emotions = [TINY.control(e) for e in ("HAPPY", "SAD", "ANGRY", "SURPRISE", "NORMAL", "URGENT")]
    control, weights, emotion, text = [], [], [], []
    for position in np.flatnonzero(np.concatenate([d.said for d in documents])).tolist():
        state, token = states[position - 1], ids[position]
        if token in TINY.decision_ids or token in emotions:
            among = list(TINY.decision_ids) if token in TINY.decision_ids else emotions
            logits = torch.stack([state @ row[i] for i in among])
            nats = -float(logits.log_softmax(0)[among.index(token)])
            if token in emotions:
                emotion.append(nats)
            else:
                control.append(nats)
                weights.append(3.0 if token == TINY.control("RESPOND") else 1.0)
        else:
            logits = torch.cat([model.head @ state, (state @ row[TINY.control("END")])[None]])
            choice = TINY.text_ids if token == TINY.control("END") else token
            text.append(-float(logits.log_softmax(0)[choice]))
    expected = np.mean(text) + np.average(control, weights=weights) + 0.5 * np.mean(emotion)
    assert float(total.detach()) == pytest.approx(float(expected), rel=1e-4)
    assert over_tasks(tally, "text").n == len(text)
    assert over_tasks(tally, "respond").n + over_tasks(tally, "silent").n == len(control)
    assert over_tasks(tally, "response").n == over_tasks(tally, "respond").n


def test_a_response_is_right_only_when_all_of_it_is(model, documents, tiny_parts) -> None:
    config = TrainConfig(profile="tiny", steps=1)
    batch = Collator(TINY, EmbeddingTable(tiny_parts.folder)).collate(documents)
    text = batch.targets[Kind.TEXT]
    states = torch.zeros(batch.positions, TINY.hidden)
    with torch.no_grad():  # a head that reads the wanted id off the state
        model.head = torch.randn(TINY.text_ids, TINY.hidden)
        model.controls.output.copy_(torch.randn_like(model.controls.output))
        every = torch.cat([model.head, model.controls.output[[TINY.own_rows.index("END")]]])
    states[text.at] = torch.linalg.lstsq(
        every, 9 * torch.nn.functional.one_hot(text.choice, len(every)).float().t()
    ).solution.t()
    loss = StreamLoss(TINY, config)
    right = {k: v.right for k, v in loss(model, batch, states)[1].items() if k[0] == "response"}
    assert all(v > 0 for v in right.values())
    states[text.at[0]] = -states[text.at[0]]
    now = {k: v.right for k, v in loss(model, batch, states)[1].items() if k[0] == "response"}
    assert sum(now.values()) == sum(right.values()) - 1


def test_a_batch_without_responses_has_a_loss(model, documents, tiny_parts) -> None:
    collator = Collator(TINY, EmbeddingTable(tiny_parts.folder))
    document = documents[0]
    cut = int(np.flatnonzero(document.ids == TINY.control("RESPOND"))[0])
    chunks = int((document.audio < cut).sum()) // 2
    quiet = dataclasses.replace(
        document,
        ids=document.ids[:cut],
        said=document.said[:cut],
        audio=document.audio[: 2 * chunks],
        sound=document.sound[:chunks],
        acoustic=document.acoustic[:chunks],
    )
    batch = collator.collate([quiet])
    total, _ = StreamLoss(TINY, TrainConfig(profile="tiny", steps=1))(model, batch, model(batch))
    assert math.isfinite(float(total.detach()))


def test_the_beginning_is_a_function_of_the_seed(tiny_parts: BaseParts) -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.rand(3)
        return StreamModel(TINY, tiny_parts, seed=seed).acoustic.weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))
