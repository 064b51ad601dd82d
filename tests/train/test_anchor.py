"""Texts that are anchored stay what the anchor says, whatever the streams would teach."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from harken.cli.train import app
from harken.decide.checkpoint import Checkpoint
from harken.decide.embedding import EmbeddingTable
from harken.decide.model import shipped_checkpoint
from harken.errors import HarkenError
from harken.stream import profile_named
from harken.train.anchor import Anchor
from harken.train.batch import Collator, Kind
from harken.train.config import TrainConfig
from harken.train.examples import load_document, read_records
from harken.train.export import export
from harken.train.loop import train
from harken.train.loss import StreamLoss, text_logits
from harken.train.model import BaseParts, StreamModel
from harken.train.run import Run

TINY = profile_named("tiny")
CHAT = TrainConfig(
    profile="tiny",
    steps=60,
    positions=256,
    log_steps=20,
    dev_steps=60,
    threads=1,
    nice=0,
    lr_lora=3e-3,
    compute="float32",
    task_weights={"chat": 1.0},
    other_weight=0.0,
)


def text_loss(run: Run) -> float:
    """Nats a position of the dev streams of task chat when the run ended."""
    entries = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    dev = [e for e in entries if e["kind"] == "dev"][-1]
    return float(dev["tasks"]["chat"]["text"]["loss"])


def test_the_loss_of_anchored_texts_is_against_the_anchor(
    tiny_parts: BaseParts, write_streams, vocabulary, tmp_path: Path
) -> None:
    """Both models hear all documents here, the anchor itself only those that are anchored."""
    other = StreamModel(TINY, tiny_parts, seed=5, dtype=torch.float32)
    with torch.no_grad():
        for p in other.parameters():
            p.add_(torch.randn_like(p) * 0.05)
    file = tmp_path / "anchor.safetensors"
    tensors = {n: t.numpy() for n, t in other.checkpoint_tensors().items()}
    Checkpoint(TINY, tensors).save(file)
    stored = Checkpoint.load(file, TINY).tensors  # rounded
    with torch.no_grad():
        for name, p in other.named_parameters():
            p.copy_(torch.from_numpy(stored[name.removeprefix("decoder.")]))

    config = dataclasses.replace(CHAT, anchor=str(file), anchored=("chat",))
    documents = [load_document(r, vocabulary) for r in read_records(write_streams(6)).all]
    deaf = [(n == 1, n == 3) for n in range(len(documents))]
    collator = Collator(TINY, EmbeddingTable(tiny_parts.folder))
    said = Anchor(config, tiny_parts, collator, torch.device("cpu")).said(documents, deaf)
    assert said is not None
    batch = collator.collate(documents, deaf=deaf)
    model = StreamModel(TINY, tiny_parts, seed=3, dtype=torch.float32)
    loss = StreamLoss(TINY, dataclasses.replace(config, control_weight=0.0, emotion_weight=0.0))
    states = model(batch).detach()
    total, tally = loss(model, batch.anchored_to(said, config.anchored), states)

    text = batch.targets[Kind.TEXT]
    mine = text_logits(model, states[text.at]).log_softmax(-1).detach()
    its = text_logits(other, other(batch)[text.at]).softmax(-1).detach()
    nats = []
    for i, (choice, task) in enumerate(zip(text.choice.tolist(), text.task.tolist(), strict=True)):
        anchored = batch.tasks[task] == "chat"
        nats.append(float(-(its[i] @ mine[i]) if anchored else -mine[i, choice]))
    assert {batch.tasks[t] for t in text.task.tolist()} == {"alarm", "chat"}
    assert float(total.detach()) == pytest.approx(sum(nats) / len(nats), rel=1e-4)
    # What is told is about the words that were written, as without an anchor.
    assert tally == loss(model, batch, states)[1]


def test_a_run_that_is_anchored_goes_on_saying_what_it_said(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data = write_streams(12)
    first = Run(tmp_path / "first")
    first.begin(CHAT, data)
    train(first, CHAT, data, tiny_parts)
    file = tmp_path / "first.safetensors"
    export(first, file, "newest")

    told_otherwise = write_streams(12, folder=tmp_path / "other")
    path = told_otherwise / "streams.jsonl"
    path.write_text(path.read_text().replace('"hi"', '"oh no"'))
    losses = {}
    for name, anchored in (("free", ()), ("held", ("chat",))):
        config = dataclasses.replace(CHAT, anchor=str(file) if anchored else "", anchored=anchored)
        run = Run(tmp_path / name)
        run.begin(config, told_otherwise, first)
        train(run, config, told_otherwise, tiny_parts)
        losses[name] = text_loss(run)
    # It does not come to say "oh no", which it learns when it is free.
    assert losses["free"] < 0.6 * losses["held"]


def test_mistakes_are_told(tiny_parts: BaseParts, write_streams, tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="give both or none"):
        dataclasses.replace(CHAT, anchor="mini.safetensors")
    config = dataclasses.replace(CHAT, anchor=str(tmp_path / "no.safetensors"), anchored=("chat",))
    data, run = write_streams(4), Run(tmp_path / "run")
    run.begin(config, data)
    with pytest.raises(HarkenError, match=r"no\.safetensors"):
        train(run, config, data, tiny_parts)


@pytest.mark.parametrize(
    ("anchor", "task", "told"),
    [("no.safetensors", "chat", "no.safetensors"), ("", "gossip", "anchored task 'gossip'")],
)
def test_an_anchor_that_cannot_be_used_leaves_the_name_of_the_run_free(
    anchor: str,
    task: str,
    told: str,
    write_streams,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path / "cache"))
    fields = {"anchor": anchor or str(shipped_checkpoint()), "anchored": [task]}
    config = tmp_path / "config.json"
    config.write_text(json.dumps(fields))
    options = ["--name", "mine", "--steps", "1", "--config", str(config)]
    run = CliRunner().invoke(app, ["run", str(write_streams(4)), *options])
    assert isinstance(run.exception, HarkenError) and told in str(run.exception)
    assert not (tmp_path / "cache" / "runs" / "mine").exists()


def test_a_run_finds_its_anchor_from_any_folder(
    write_streams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = dataclasses.replace(CHAT, anchor="weak.safetensors", anchored=("chat",))
    run = Run(tmp_path / "run")
    run.begin(config, write_streams(4))
    assert run.describe()[0].anchor == str(tmp_path / "weak.safetensors")
