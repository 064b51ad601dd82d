"""One stream and a folder of them, on composers of a few chunks and, once, on the real ones."""

import io
import zipfile
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.soundflow.tiny_streams import MEANS, RECIPE, tree

from harken.errors import HarkenError
from harken.soundflow.build import Job, build_recipe, make
from harken.soundflow.engine import local
from harken.soundflow.recipe import Recipe, load_recipe, narrowed
from harken.soundflow.rows import refusals, rows
from harken.soundflow.scene import Due, Scene, Variant
from harken.soundflow.sources import load_path
from harken.soundflow.studio import Studio
from harken.stream import Prefix

STREAMS = range(12)


def job(folder: Path, index: int, *, keep_audio: bool = False) -> Job:
    return Job(folder, "train", 3, index, keep_audio, RECIPE.tasks)


def nothing(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    scene = Scene(random, 6400)
    scene.lay(np.ones(100, np.float32), -40)
    return scene, []


def counting(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    scene, _ = nothing(studio, random)
    scene.counts.update(made=2, left=1)
    return scene, [Variant("chat", Prefix(), ())]


def soundless(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    return Scene(random, 0), [Variant("chat", Prefix(), ())]


def wordless(studio: Studio, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    scene, _ = nothing(studio, random)
    return scene, [Variant("chat", Prefix(), (Due(0, 100, "sound", " ", "normal", "bell"),))]


def here(job: Callable[[int], int], indices: Iterable[int]) -> Generator[tuple[int, int]]:
    for index in indices:
        yield index, job(index)


def of_a_clip(path: Path, random: np.random.Generator) -> tuple[Scene, list[Variant]]:
    scene = Scene(random, 12_800)
    scene.place(load_path(path), -6, "made:clip", "bell")
    return scene, [Variant("events", Prefix(), ())]


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
    ("composer", "reason"),
    [
        (nothing, "no material"),
        (broken, "KeyError"),
        (soundless, "zero length"),
        (wordless, "empty text"),
    ],
)
def test_a_composer_without_a_stream_is_refused_by_name(
    tmp_path: Path, composer: object, reason: str
) -> None:
    means = replace(MEANS, composers={"events": composer, "chat": composer})  # type: ignore[dict-item]
    assert build_recipe(RECIPE, tmp_path, streams=3, made_with=means) == 0
    assert refusals(tmp_path) == {reason: 3}
    assert not list((tmp_path / "features").iterdir())


def test_what_a_composer_counts_stands_in_its_rows(tmp_path: Path) -> None:
    composers = {"events": counting, "chat": MEANS.composers["chat"]}
    build_recipe(RECIPE, tmp_path, streams=8, made_with=replace(MEANS, composers=composers))
    counted = [row.get("counts") for row in rows(tmp_path)]
    assert {"left": 1, "made": 2} in counted and None in counted


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
    assert build_recipe(RECIPE, tmp_path, streams=0, made_with=MEANS) == 0
    assert tree(tmp_path).keys() == {"streams.jsonl", "recipes.json"}


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    with pytest.raises(HarkenError, match="data is no folder"):
        build_recipe(RECIPE, tmp_path / "data", streams=1, made_with=MEANS)


@pytest.mark.parametrize("harm", ["missing", "unreadable", "empty", "no samples"])
def test_a_clip_that_cannot_be_read_ends_the_build_and_it_goes_on_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    """It was screened: what is wrong is this machine, and streams left out would hide that."""
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path / "cache"))
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, np.full(4800, 0.1), 48_000)
    good = clip.read_bytes()
    composers = {"events": of_a_clip, "chat": MEANS.composers["chat"]}
    means = replace(MEANS, composers=composers, studio=lambda _: clip)  # type: ignore[arg-type]
    given = {"engine": here, "made_with": means}
    folders = tmp_path / "a", tmp_path / "b"
    for folder, streams in zip(folders, (9, 2), strict=True):
        build_recipe(RECIPE, folder, streams=streams, **given)  # type: ignore[arg-type]
    finished = tree(folders[1])
    clip.unlink()
    if harm == "no samples":
        soundfile.write(clip, np.zeros(0), 48_000)
    elif harm != "missing":
        clip.write_bytes(b"RIFF? no." if harm == "unreadable" else b"")
    with pytest.raises(HarkenError, match=r"clip\.wav") as told:
        build_recipe(RECIPE, folders[1], streams=9, **given)  # type: ignore[arg-type]
    assert "\n" not in str(told.value)
    assert finished.items() <= tree(folders[1]).items()
    clip.write_bytes(good)
    build_recipe(RECIPE, folders[1], streams=9, **given)  # type: ignore[arg-type]
    assert tree(folders[1]) == tree(folders[0])


@pytest.mark.slow
def test_real_streams_are_the_same_by_recipe_and_by_task_from_any_number_of_workers(
    tmp_path: Path,
) -> None:
    recipe = Recipe("ambience", 21, "dev", (("background", 1.0),))
    build_recipe(recipe, tmp_path / "a", streams=2, engine=local(2))
    default = replace(load_recipe("default"), split="dev", seed=21)
    one_task = narrowed(default, ["background"])
    build_recipe(replace(one_task, tasks=recipe.tasks), tmp_path / "b", streams=2)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    build_recipe(one_task, tmp_path / "c", streams=1)
    first = (tmp_path / name / "lines" / "dev-21-00000.json" for name in ("a", "c"))
    assert len({path.read_bytes() for path in first}) == 1
    assert {row["task"] for row in rows(tmp_path / "a")} == {"background"}
