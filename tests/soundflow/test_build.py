"""One stream and a folder of them, on composers of a few chunks and, once, on the real ones."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.soundflow.tiny_streams import MEANS, RECIPE, tree

from harken.errors import HarkenError
from harken.soundflow.build import Job, build, build_recipe, make
from harken.soundflow.engine import local
from harken.soundflow.recipe import Recipe
from harken.soundflow.rows import refusals, rows
from harken.soundflow.scene import Scene, Variant
from harken.soundflow.studio import Studio

STREAMS = range(12)


def job(folder: Path, index: int, *, keep_audio: bool = False) -> Job:
    return Job(folder, "train", 3, index, keep_audio, RECIPE.tasks)


def nothing(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    scene = Scene(random, 6400)
    scene.lay(np.ones(100, np.float32), -40)
    return scene, []


def broken(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    return {}["door"]  # type: ignore[no-any-return]


def test_equal_jobs_give_equal_bytes(tmp_path: Path) -> None:
    chunks = [[make(job(tmp_path / f, n), MEANS) for n in STREAMS] for f in ("a", "b")]
    assert chunks[0] == chunks[1]
    assert 0 in chunks[0] and max(chunks[0]) > 2
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_features_carry_no_time_of_day(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    kept = [n for n in STREAMS if make(job(folder, n), MEANS)]
    content = (folder / f"train-3-{kept[0]:05d}" / "features.npz").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as members:
        assert {member.date_time for member in members.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_mix_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    build_recipe(RECIPE, tmp_path, streams=5, keep_audio=True, made_with=MEANS)
    for row in rows(tmp_path):
        audio, rate = soundfile.read(tmp_path / "audio" / f"{row['features']}.flac")
        assert rate == 16_000 and len(audio) == row["n_chunks"] * 6400
    assert len(list((tmp_path / "audio").iterdir())) == len({r["features"] for r in rows(tmp_path)})


@pytest.mark.parametrize(
    ("composer", "reason"), [(nothing, "no material"), (broken, "KeyError")]
)  # fmt: skip
def test_a_composer_without_a_stream_is_refused_by_name(
    tmp_path: Path, composer: object, reason: str
) -> None:
    means = replace(MEANS, composers={"events": composer, "chat": composer})  # type: ignore[dict-item]
    assert build_recipe(RECIPE, tmp_path, streams=3, made_with=means) == 0
    assert refusals(tmp_path) == {reason: 3}
    assert not list((tmp_path / "features").iterdir())


def test_a_recipe_without_hours_needs_an_amount(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="'tiny' has no hours"):
        build_recipe(RECIPE, tmp_path, made_with=MEANS)
    recipe = replace(RECIPE, hours=0.002)
    assert build_recipe(recipe, tmp_path, made_with=MEANS) > 10
    with pytest.raises(HarkenError, match="either"):
        build_recipe(recipe, tmp_path, hours=1, streams=1, made_with=MEANS)


def test_another_recipe_of_the_same_seed_is_refused(tmp_path: Path) -> None:
    build_recipe(RECIPE, tmp_path, streams=2, made_with=MEANS)
    before = tree(tmp_path)
    with pytest.raises(HarkenError, match="by another recipe"):
        other = replace(RECIPE, tasks=(("chat", 1.0),))
        build_recipe(other, tmp_path, streams=9, made_with=MEANS)
    assert tree(tmp_path) == before


def test_nothing_to_make_gathers_what_is_there(tmp_path: Path) -> None:
    assert build(tmp_path, split="train", streams=0, seed=1) == 0
    assert tree(tmp_path) == {"streams.jsonl": b""}
    with pytest.raises(HarkenError, match="no task 'juggle'"):
        build(tmp_path, split="train", streams=1, seed=1, only=("juggle",))


@pytest.mark.slow
def test_real_streams_are_the_same_by_recipe_and_by_task_from_any_number_of_workers(
    tmp_path: Path,
) -> None:
    recipe = Recipe("ambience", 21, "dev", (("background", 1.0),))
    build_recipe(recipe, tmp_path / "a", streams=2, engine=local(2))
    build(tmp_path / "b", split="dev", streams=2, seed=21, only=("background",))
    by_recipe, by_task = tree(tmp_path / "a"), tree(tmp_path / "b")
    assert by_recipe.pop("recipes.json")
    assert by_recipe == by_task
    assert {row["task"] for row in rows(tmp_path / "a")} == {"background"}
