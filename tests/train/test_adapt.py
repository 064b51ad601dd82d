"""A decoder that learns fully, and one that computes its layers twice."""

import dataclasses
from pathlib import Path

import pytest
import torch

from harken.decide.embedding import EmbeddingTable
from harken.errors import HarkenError
from harken.stream import profile_named
from harken.train.batch import Batch, Collator
from harken.train.config import TrainConfig
from harken.train.examples import load_document, read_records
from harken.train.export import export
from harken.train.loop import train
from harken.train.loss import Learner, StreamLoss
from harken.train.model import BaseParts, StreamModel
from harken.train.run import Run

TINY = profile_named("tiny")
CONFIG = TrainConfig(profile="tiny", steps=1, threads=1, nice=0, compute="float32")


@pytest.fixture
def batch(tiny_parts: BaseParts, write_streams, vocabulary) -> Batch:
    documents = [load_document(r, vocabulary) for r in read_records(write_streams(3)).all]
    return Collator(TINY, EmbeddingTable(tiny_parts.folder)).collate(documents)


def model_of(parts: BaseParts, *, full: bool = False, recompute: bool = False) -> StreamModel:
    return StreamModel(TINY, parts, seed=3, dtype=torch.float32, full=full, recompute=recompute)


@pytest.mark.parametrize("full", [False, True])
def test_layers_computed_twice_give_the_very_same_gradients(
    tiny_parts: BaseParts, batch: Batch, full: bool
) -> None:
    gradients, kept = [], []
    for recompute in (False, True):
        model = model_of(tiny_parts, full=full, recompute=recompute)
        sizes: list[int] = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t, sizes=sizes: sizes.append(t.numel()) or t, lambda t: t
        ):
            loss, _ = Learner(model, StreamLoss(TINY, CONFIG))(batch)
        loss.backward()
        kept.append(sum(sizes))
        gradients.append({n: p.grad for n, p in model.named_parameters()})
    for name, gradient in gradients[0].items():
        assert gradient is not None and torch.equal(gradient, gradients[1][name]), name
    assert kept[1] < kept[0]


def test_a_full_decoder_begins_as_the_frozen_one_and_moves(
    tiny_parts: BaseParts, batch: Batch
) -> None:
    lora, full = model_of(tiny_parts), model_of(tiny_parts, full=True)
    with torch.no_grad():
        torch.testing.assert_close(full(batch), lora(batch))
    names = {n for n, _ in full.named_parameters() if n.startswith("decoder.")}
    assert "decoder.layers.0.qkv.bias" in names and not any("lora" in n for n in names)
    assert all(p.dtype == torch.float32 for p in full.parameters())
    loss, _ = Learner(full, StreamLoss(TINY, CONFIG))(batch)
    loss.backward()
    assert all(p.grad is not None and p.grad.any() for p in full.decoder.parameters())


def test_a_full_decoder_is_kept_in_float32_and_computes_in_its_format(
    tiny_parts: BaseParts, batch: Batch
) -> None:
    model = StreamModel(TINY, tiny_parts, seed=3, dtype=torch.bfloat16, full=True)
    assert model(batch).dtype == torch.bfloat16
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_parts_of_a_step_add_up_to_its_loss(
    tiny_parts: BaseParts, write_streams, vocabulary, batch: Batch
) -> None:
    learner = Learner(model_of(tiny_parts), StreamLoss(TINY, CONFIG))
    whole, _ = learner(batch)
    documents = [load_document(r, vocabulary) for r in read_records(write_streams(0)).all]
    collator = Collator(TINY, EmbeddingTable(tiny_parts.folder))
    parts = [collator.collate(documents[:1]), collator.collate(documents[1:])]
    loss = StreamLoss(TINY, CONFIG)
    weights = [loss.weights(part) for part in parts]
    total = loss.weights(batch)
    torch.testing.assert_close(sum(weights), total)
    each = [learner(p, (w / total).tolist())[0] for p, w in zip(parts, weights, strict=True)]
    torch.testing.assert_close(each[0] + each[1], whole)


def test_a_full_run_learns_and_is_not_exported(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data = write_streams(12)
    config = dataclasses.replace(CONFIG, adapt="full", steps=2, positions=256, recompute=True)
    run = Run(tmp_path / "run")
    run.begin(config, data)
    outcome = train(run, config, data, tiny_parts)
    assert outcome.finished
    saved, before = run.load(), model_of(tiny_parts, full=True)
    assert saved is not None
    moved = saved.tensors["decoder.layers.0.down.weight"]
    assert not torch.equal(moved, dict(before.named_parameters())["decoder.layers.0.down.weight"])
    with pytest.raises(HarkenError, match=r"changed the decoder itself.*adapt 'lora' to export"):
        export(run, tmp_path / "x.safetensors")
    lora = dataclasses.replace(CONFIG, adapt="lora")
    with pytest.raises(HarkenError, match="does not fit adapt 'lora'"):
        train(run, lora, data, tiny_parts)
