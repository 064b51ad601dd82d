"""A data folder seen differently: which rows, which features, and when it is made anew."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harken.errors import HarkenError
from harken.soundflow.rehear import Ears
from harken.soundflow.rows import rows
from harken.soundflow.views import VIEWS, write_view
from harken.stream import CHUNK_SAMPLES
from harken.train.examples import read_records


class Level:
    """An ear of that many numbers: how many samples of the window are not zero, in thousands."""

    def __init__(self, size: int) -> None:
        self.size = size

    def hear(self, window: np.ndarray) -> np.ndarray:
        return np.full(self.size, np.count_nonzero(window) / 1000, np.float32)


EARS = Ears(Level(1545), Level(2560))


def folder(path: Path, tag: str = "a", *, audio: bool = False) -> Path:
    """Two variants of a stream of five chunks, silence in train, and a stream of dev."""
    (path / "features").mkdir(parents=True)
    (path / "audio").mkdir()
    listed: list[dict[str, Any]] = []
    for split, name, task, said in (
        ("train", f"{tag}0", "care", [[3, "Hm.", "normal", "bell"]]),
        ("train", f"{tag}0", "quiet", []),
        ("train", f"{tag}1", "background", []),
        ("dev", f"{tag}2", "background", []),
    ):
        random = np.random.default_rng(len(listed))
        features = {
            "sound": random.random((5, 1545)).astype(np.float16),
            "acoustic": np.repeat(np.arange(25, dtype=np.float16), 512).reshape(5, 2560),
        }
        if not (path / "features" / f"{name}.npz").exists():
            np.savez(path / "features" / f"{name}.npz", **features)
        if audio:
            wave = np.full(5 * CHUNK_SAMPLES, 0.5, np.float32)
            soundfile.write(path / "audio" / f"{name}.flac", wave, 16_000)
        listed.append(
            {
                "id": f"{name}-{len(listed)}",
                "features": name,
                "task": task,
                "split": split,
                "n_chunks": 5,
                "prefix": {"policy": "care", "instruction": ""},
                "words": [[1, " Hello."]],
                "said": said,
                "due": [],
                "playing": [],
                "stops": [],
            }
        )
    (path / "streams.jsonl").write_text("".join(json.dumps(r) + "\n" for r in listed), "utf-8")
    return path


def features(view: Path, split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    record = read_records(view).of(split)[0]
    with np.load(record.features) as stored:
        return stored["sound"], stored["acoustic"]


def test_rows_point_to_where_their_features_lie(tmp_path: Path) -> None:
    one, other = folder(tmp_path / "one"), folder(tmp_path / "other", "b")
    view = write_view("as it is", one, other, tmp_path / "views")
    assert [r["id"] for r in rows(view)] == ["a0-0", "a0-1", "a1-2", "b2-3"]
    paths = [r.features for r in read_records(view).all]
    assert [p.parent.parent.name for p in paths] == ["one"] * 3 + ["other"]
    assert all(p.exists() for p in paths) and not list((view / "features").iterdir())


def test_without_silence_only_what_is_learnt_shrinks(tmp_path: Path) -> None:
    data = folder(tmp_path / "data")
    view = write_view("without silence", data, data, tmp_path / "views")
    assert [(r["split"], r["task"]) for r in rows(view)] == [
        ("train", "care"),
        ("dev", "background"),
    ]


@pytest.mark.parametrize("split", ["train", "dev"])
@pytest.mark.parametrize("ear", ["sound", "acoustic", "words"])
def test_a_deaf_ear_delivers_nothing_and_the_others_the_same(
    tmp_path: Path, ear: str, split: str
) -> None:
    data = folder(tmp_path / "data")
    view = write_view(f"without {ear}", data, data, tmp_path / "views")
    before, after = features(data, split), features(view, split)
    for name, old, new in zip(("sound", "acoustic"), before, after, strict=True):
        assert np.array_equal(new, np.zeros_like(old) if name == ear else old)
    words = next(r["words"] for r in rows(view) if r["split"] == split)
    assert words == ([] if ear == "words" else [[1, " Hello."]])
    assert features(data, split)[0].any(), "the source is left alone"


def test_two_chunks_as_one_take_the_newest_window_and_halve_the_states(tmp_path: Path) -> None:
    data = folder(tmp_path / "data")
    view = write_view("every 800 ms", data, data, tmp_path / "views")
    (sound, _), (heard, acoustic) = features(data), features(view)
    assert np.array_equal(heard, sound[[1, 3, 4]])
    states = acoustic.reshape(3, 5, 512)[..., 0]
    # States 0 to 4 and 5 to 9 of the first two chunks, by twos; the last chunk counts twice.
    assert states.tolist() == [
        [0.5, 2.5, 4.5, 6.5, 8.5],
        [10.5, 12.5, 14.5, 16.5, 18.5],
        [20.5, 22.5, 22.0, 21.5, 23.5],
    ]
    first = next(iter(rows(view)))
    assert first["n_chunks"] == 3 and first["said"] == [[1, "Hm.", "normal", "bell"]]


def test_views_that_hear_again_give_the_ears_other_windows(tmp_path: Path) -> None:
    data = folder(tmp_path / "data", audio=True)
    alone = write_view("isolated chunks", data, data, tmp_path / "views", EARS)
    assert [round(float(x[0]), 1) for x in features(alone)[0]] == [6.4] * 5
    often = write_view("every 200 ms", data, data, tmp_path / "views", EARS)
    assert features(often)[1][:3, 0].round(1).tolist() == pytest.approx([3.2, 6.4, 9.6], abs=0.01)
    assert len(features(often)[0]) == 10 == next(iter(rows(often)))["n_chunks"]


def test_sound_that_was_not_kept_cannot_be_heard_again(tmp_path: Path) -> None:
    data = folder(tmp_path / "data")
    with pytest.raises(HarkenError, match=r"isolated chunks .* 4 of 4 no sound .*--keep-audio"):
        write_view("isolated chunks", data, data, tmp_path / "views", EARS)
    assert not (tmp_path / "views").exists()


def test_a_view_is_made_once_and_anew_when_its_source_changes(tmp_path: Path) -> None:
    data = folder(tmp_path / "data")
    first = write_view("without sound", data, data, tmp_path / "views")
    made = (first / "streams.jsonl").stat().st_mtime_ns
    # What a killed one left is no view.
    (tmp_path / "views" / f".{first.name}.partial").mkdir()
    assert write_view("without sound", data, data, tmp_path / "views") == first
    assert (first / "streams.jsonl").stat().st_mtime_ns == made
    listed = (data / "streams.jsonl").read_text().splitlines(keepends=True)
    (data / "streams.jsonl").write_text("".join(listed[1:]))
    second = write_view("without sound", data, data, tmp_path / "views")
    assert second != first and len(list(rows(second))) == 3


def test_a_view_that_was_killed_half_way_is_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = folder(tmp_path / "data")

    def full(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(np, "savez_compressed", full)
        with pytest.raises(KeyboardInterrupt):
            write_view("without sound", data, data, tmp_path / "views")
    view = write_view("without sound", data, data, tmp_path / "views")
    assert len(list(rows(view))) == 4 and len(list((view / "features").iterdir())) == 3
    assert [p.name for p in (tmp_path / "views").iterdir()] == [view.name]


def test_an_unknown_view_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="no view 'upside down'; choose from as it is"):
        write_view("upside down", tmp_path, tmp_path, tmp_path)
    assert "every 200 ms" in VIEWS
