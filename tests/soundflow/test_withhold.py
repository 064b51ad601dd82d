"""Kinds of sounds that training is to know nothing of."""

from pathlib import Path

import numpy as np
import pytest
from tests.soundflow.tiny_rows import folder, row
from typer.testing import CliRunner

from harken.cli.data import app
from harken.errors import HarkenError
from harken.evals.respond_or_ignore import categories
from harken.soundflow.rows import rows
from harken.soundflow.withhold import withhold
from harken.train.examples import load_document, read_records


def made(path: Path) -> Path:
    path.mkdir()
    return folder(
        path,
        [
            row("bell", 6, split="train", sounds=[[0, 6400, "doorbell"]]),
            row("both", 6, split="train", sounds=[[0, 1, "owl"], [6400, 12800, "doorbell"]]),
            row("owl", 6, (2, "An owl.", "owl"), split="train", sounds=[[0, 6400, "owl"]]),
            row("talk", 6, split="train"),
            row("dev", 6, sounds=[[0, 6400, "doorbell"]]),
        ],
    )


def test_no_training_stream_holds_the_kind_and_all_others_are_learnt_from_as_before(
    tiny_vocabulary, tmp_path: Path
) -> None:
    data, out = made(tmp_path / "data"), tmp_path / "less"
    run = CliRunner().invoke(app, ["withhold", str(data), str(out), "--kind", "doorbell"])
    assert run.exit_code == 0 and "2 of 4 training streams" in run.output, run.output
    assert [r["id"] for r in rows(out)] == ["owl-0", "talk-0", "dev-0"]
    assert "doorbell" in categories(rows(out))["unseen"]
    assert "owl" in categories(rows(out))["seen"]
    owl = read_records(out).all[0]
    assert np.array_equal(load_document(owl, tiny_vocabulary).sound, np.full((6, 1545), 2))
    assert load_document(owl, tiny_vocabulary).ids.tolist() == (
        load_document(read_records(data).all[2], tiny_vocabulary).ids.tolist()
    )
    # A folder that withholds already can be the source of another one.
    withhold(out, tmp_path / "least", ["owl"])
    assert [r["id"] for r in rows(tmp_path / "least")] == ["talk-0", "dev-0"]
    assert np.all(
        load_document(read_records(tmp_path / "least").all[0], tiny_vocabulary).sound == 3
    )


def test_mistakes_are_told_and_nothing_is_overwritten(tmp_path: Path) -> None:
    data = made(tmp_path / "data")
    before = (data / "streams.jsonl").read_bytes()
    with pytest.raises(HarkenError, match="holds streams already; name a new folder"):
        withhold(data, data, ["owl"])
    with pytest.raises(HarkenError, match="no kind of sound 'bells'"):
        withhold(data, tmp_path / "out", ["bells"])
    with pytest.raises(HarkenError, match=r"no streams\.jsonl"):
        withhold(tmp_path, tmp_path / "out", ["owl"])
    alone = tmp_path / "alone"
    alone.mkdir()
    folder(alone, [row("owl", 6, split="train", sounds=[[0, 6400, "owl"]])])
    with pytest.raises(HarkenError, match="without owl nothing is left"):
        withhold(alone, tmp_path / "out", ["owl"])
    assert not any((tmp_path / "out").iterdir())
    assert (data / "streams.jsonl").read_bytes() == before
