"""The four stages: each valid, each teaching only what it names, one after the other."""

import json
from pathlib import Path

import pytest
import torch

from harken.errors import HarkenError
from harken.soundflow.tasks import COMPOSERS
from harken.stream import Vocabulary
from harken.train.config import LEARNERS, TrainConfig
from harken.train.examples import load_document, read_records
from harken.train.loop import train
from harken.train.model import BaseParts
from harken.train.order import loses_words
from harken.train.run import Run
from harken.train.stages import STAGES, stage_named

_KNOWN_TASKS = {*COMPOSERS, "care", "narrate", "quiet", "bench"}
_TINY = {"profile": "tiny", "steps": 4, "positions": 256, "dev_steps": 4, "task_weights": {}}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_a_configuration_of_tasks_that_exist(name: str) -> None:
    config = TrainConfig(**(stage_named(name) | {"steps": 1}))
    assert set(config.trained) <= set(LEARNERS)
    assert set(config.task_weights) <= _KNOWN_TASKS


def test_an_unknown_stage_lists_the_known_ones() -> None:
    with pytest.raises(HarkenError, match="no stage 'fifth'; choose one of format, ears, streams"):
        stage_named("fifth")


def test_each_stage_moves_what_it_trains_and_nothing_else(
    tiny_parts: BaseParts, write_streams, tmp_path: Path
) -> None:
    data = write_streams(16)
    before: Run | None = None
    for name in STAGES:
        config = TrainConfig(**(stage_named(name) | _TINY | {"other_weight": 1.0}))
        run = Run(tmp_path / name)
        run.begin(config, data, before)
        started = run.load()
        train(run, config, data, tiny_parts)
        ended = run.load()
        assert ended is not None
        if started is not None:
            moved = {n for n, t in ended.tensors.items() if not torch.equal(t, started.tensors[n])}
            assert moved and all(n.startswith(config.trained) for n in moved)
            assert {n.split(".")[0] for n in moved} == set(config.trained)
        before = run
    first, last = (_dev_losses(tmp_path / name) for name in ("format", "interaction"))
    assert last[-1] < first[-1]


def _dev_losses(folder: Path) -> list[float]:
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [entry["dev_loss"] for entry in entries if entry["kind"] == "dev"]


def test_words_are_dropped_only_where_nothing_is_due_to_them(
    write_streams, vocabulary: Vocabulary
) -> None:
    data = write_streams(2)
    lines = [json.loads(line) for line in (data / "streams.jsonl").read_text().splitlines()]
    lines[0]["due"] = [[0, 6_400, "sound", "test"]]
    lines[1]["due"] = [[0, 6_400, "words", "test"]]
    (data / "streams.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    by_sound, by_words = read_records(data).all
    assert not by_sound.asks_aloud and by_words.asks_aloud
    whole = load_document(by_sound, vocabulary)
    deaf = load_document(by_sound, vocabulary, without_words=True)
    assert len(deaf) < len(whole) and deaf.said.sum() == whole.said.sum()


def test_words_are_dropped_as_often_as_asked_and_the_same_again() -> None:
    draws = [loses_words(3, 1, cursor, 0.3) for cursor in range(600)]
    assert 0.22 < sum(draws) / len(draws) < 0.38
    assert draws == [loses_words(3, 1, cursor, 0.3) for cursor in range(600)]
    assert not any(loses_words(3, 1, cursor, 0.0) for cursor in range(10))
