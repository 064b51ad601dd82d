"""Recordings are described on disk and read one by one."""

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.clips import Clips, read_clips, write_clips
from harken.soundflow.manifest import Clip, listed_clips

BYTES_EACH = 40
"""What a worker keeps of a recording: row numbers of its label and of the lists that it is in."""

ROOT = Path("/corpora")


def clip(n: int, **fields: object) -> Clip:
    given = {
        "id": f"box/{n:012x}",
        "path": ROOT / "box" / f"usr/share/sounds/a folder/{n}.ogg",
        "package": "box",
        "split": ("train", "dev")[n % 10 == 0],
        "kind": "event",
        "label": ("owl", "dog_bark", "rain_storm")[n % 3],
        "language": "",
        "text": "",
        "english": "",
        "seconds": n / 7,
        "licence": "CC0-1.0",
    }
    return Clip(**given | fields)  # type: ignore[arg-type]


def stored(folder: Path, clips: list[Clip]) -> Clips:
    folder.mkdir(exist_ok=True)
    write_clips(folder, ROOT, clips)
    return read_clips(folder, ROOT)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=30)
@given(st.lists(st.tuples(texts, texts, st.floats(0, 1e6)), max_size=8))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, described: list[tuple[str, str, float]]
) -> None:
    clips = [
        clip(n, label=label, text=text, seconds=seconds)
        for n, (label, text, seconds) in enumerate(described)
    ]
    read = stored(tmp_path_factory.mktemp("clips"), clips)
    assert list(read) == clips
    assert read.seconds.tolist() == [c.seconds for c in clips]
    assert [read[n] for n in range(-len(clips), 0)] == clips


def test_every_listed_recording_comes_back(tmp_path: Path) -> None:
    listed = listed_clips()[::50]
    assert list(stored(tmp_path, listed)) == listed


def test_a_path_outside_of_the_corpora_stays_one(tmp_path: Path) -> None:
    away = clip(1, path=Path("/elsewhere/1.ogg"))
    write_clips(tmp_path, ROOT, [away, clip(2)])
    moved = read_clips(tmp_path, Path("/moved"))
    assert [c.path for c in moved] == [
        away.path,
        Path("/moved/box/usr/share/sounds/a folder/2.ogg"),
    ]


def test_they_are_chosen_grouped_and_joined_in_their_order(tmp_path: Path) -> None:
    clips = [clip(n) for n in range(30)]
    read = stored(tmp_path, clips)
    assert list(read[3:9:2]) == clips[3:9:2]
    dev = read.among("split", ["dev"])
    assert list(dev) == [c for c in clips if c.split == "dev"]
    assert list(dev.among("label", ["owl", "unheard of"])) == [clips[0]]
    assert not dev.among("language", ["fr"])
    assert list(read.at(read.seconds > 4)) == clips[29:]
    assert list(read.where(lambda c: c.id.endswith("a"))) == [clips[10], clips[26]]
    assert list(dev + read[:2]) == [*dev, *clips[:2]]
    groups = read[1:].by_label()
    assert list(groups) == ["dog_bark", "rain_storm", "owl"]
    assert list(groups["owl"]) == clips[3::3]


def test_processes_that_share_an_open_list_do_not_disturb_each_other(tmp_path: Path) -> None:
    clips = [clip(n) for n in range(200)]
    read = stored(tmp_path, clips)
    children = []
    for _ in range(3):
        child = os.fork()
        if not child:
            os._exit(int(any(list(read) != clips for _ in range(5))))
        children.append(child)
    assert list(read) == clips
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]


def test_a_broken_list_is_named(tmp_path: Path) -> None:
    stored(tmp_path, [clip(1)])
    (tmp_path / "words.json").write_text("{")
    with pytest.raises(HarkenError, match=f"the list {tmp_path} is broken"):
        read_clips(tmp_path, ROOT)


def many(count: int) -> Iterator[Clip]:
    return (clip(n) for n in range(count))


def kept_of(folder: Path) -> list[object]:
    read = read_clips(folder, ROOT)
    return [read, read.among("split", ["train"]).by_label(), read.where(lambda c: c.seconds > 1)]


def test_a_worker_keeps_few_bytes_of_a_recording(tmp_path: Path) -> None:
    count = 10_000
    write_clips(tmp_path, ROOT, many(count))
    kept_of(tmp_path)  # what Python itself keeps of names that passed by, once
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = kept_of(tmp_path)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept and (after - before) / count < BYTES_EACH


def test_writing_holds_none_of_them(tmp_path: Path) -> None:
    peaks = []
    for count in (500, 3000):
        folder = tmp_path / str(count)
        folder.mkdir()
        tracemalloc.start()
        write_clips(folder, ROOT, many(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 2500 < BYTES_EACH
