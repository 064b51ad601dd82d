"""Shards: the same bytes every time, nothing lost to a kill, nothing broken read as whole."""

import dataclasses
import errno
import io
import json
import os
import random
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.rows import gather, write_rows
from harken.soundflow.shards.folder import open_stream, read_shards, write_shards
from harken.soundflow.shards.index import read_index
from harken.soundflow.shards.stream import ShardStream, timeline_of
from harken.soundflow.shards.tar import read_shard
from harken.stream import CHUNK_SAMPLES, Said
from harken.stream.profile import MINI, TINY

STREAMS, CHUNKS, A_SHARD = 7, 3, 2


def add_stream(folder: Path, name: str, *, chunks: int = CHUNKS, audio: bool = True) -> None:
    """One stream with two variants and, if asked, its sound."""
    for part in ("features", "lines", "audio"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(sum(name.encode()))
    np.savez(
        folder / "features" / f"{name}.npz",
        sound=chance.normal(size=(chunks, 1545)).astype(np.float16),
        acoustic=chance.normal(size=(chunks, 2560)).astype(np.float16),
    )
    if audio:
        samples = chance.integers(-9000, 9000, chunks * CHUNK_SAMPLES - 100).astype(np.int16)
        soundfile.write(folder / "audio" / f"{name}.flac", samples, 16_000)
    row = {
        "id": f"{name}-0",
        "features": name,
        "task": "chat",
        "split": name.split("-")[0],
        "n_chunks": chunks,
        "prefix": {"policy": "care", "instruction": ""},
        "words": [[0, " 几点了"], [1, "?"]],
        "said": [[1, "Nöon.", "happy", "question"]],
        "sounds": [],
        "due": [[0, 12_800, "words", "question"]],
        "playing": [],
        "stops": [],
        "sources": ["made:knock", "question"],
    }
    other = {"id": f"{name}-1", "prefix": {"policy": "quiet", "instruction": ""}}
    write_rows(folder, name, [row, row | other])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for n in range(STREAMS):
        add_stream(folder, f"train-4-{n:05d}", audio=n != 3)
    add_stream(folder, "dev-4-00000")
    gather(folder)
    return folder


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shards that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole")
    write_shards(data, out, streams_per_shard=A_SHARD)
    return out


def bytes_in(out: Path) -> dict[str, bytes]:
    """Everything in a folder that is left when the work is done."""
    return {path.name: path.read_bytes() for path in out.iterdir() if path.name != ".lock"}


def same(a: ShardStream, b: ShardStream) -> bool:
    arrays = np.array_equal(a.sound, b.sound) and np.array_equal(a.acoustic, b.acoustic)
    return arrays and all(
        getattr(a, field) == getattr(b, field)
        for field in ("id", "split", "n_chunks", "seed", "index", "rows", "sources", "flac")
    )


def test_the_same_folder_gives_the_same_bytes(data: Path, whole: Path, tmp_path: Path) -> None:
    write_shards(data, tmp_path, streams_per_shard=A_SHARD)
    assert bytes_in(tmp_path) == bytes_in(whole)
    names = sorted(bytes_in(whole))
    assert names == ["harken-dev-000000.tar", *(f"harken-train-00000{n}.tar" for n in range(4)),
                     "index.json"]  # fmt: skip


def test_every_stream_comes_back_with_all_it_had(data: Path, whole: Path) -> None:
    read = {stream.id: stream for stream in read_shards(whole)}
    assert sorted(read) == ["dev-4-00000", *(f"train-4-{n:05d}" for n in range(STREAMS))]
    for id, stream in read.items():
        assert list(stream.rows) == json.loads((data / "lines" / f"{id}.json").read_text("utf-8"))
        with np.load(data / "features" / f"{id}.npz") as stored:
            assert np.array_equal(stream.sound, stored["sound"])
            assert np.array_equal(stream.acoustic, stored["acoustic"])
        assert (stream.seed, stream.index) == (4, int(id[-5:]))
        licences = {source.kind: source.licence for source in stream.sources}
        assert licences == {"made sound": "CC0-1.0", "synthetic speech": "Apache-2.0"}
        samples = stream.samples()
        if id == "train-4-00003":
            assert samples is None
        else:
            kept, _ = soundfile.read(data / "audio" / f"{id}.flac", dtype="float32")
            assert samples is not None and np.array_equal(samples, kept)
    assert [stream.id for stream in read_shards(whole, split="dev")] == ["dev-4-00000"]


def test_variants_come_as_timelines(whole: Path) -> None:
    stream = next(read_shards(whole))
    care, quiet = stream.timelines()
    assert care.said == (Said(1, "Nöon.", "happy", "question"),)
    assert care.words_by_chunk() == {0: " 几点了", 1: "?"}
    assert (care.prefix.policy, quiet.prefix.policy) == ("care", "quiet")
    assert timeline_of(stream.rows[0]) == care


def test_random_access_gives_what_reading_in_order_gives(whole: Path) -> None:
    for stream in read_shards(whole):
        assert same(open_stream(whole, stream.id), stream)
    with pytest.raises(HarkenError, match="train-4-99999"):
        open_stream(whole, "train-4-99999")


def test_shards_are_read_in_any_order_and_without_an_index(whole: Path, tmp_path: Path) -> None:
    names = sorted(name for name in bytes_in(whole) if name.endswith(".tar"))
    for name in names:
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    forth = {stream.id: stream for stream in read_shards(tmp_path)}
    back = {stream.id: stream for stream in read_shards(tmp_path, names=names[::-1])}
    assert list(forth) != list(back) and forth.keys() == back.keys()
    assert all(same(forth[id], back[id]) for id in forth)
    with pytest.raises(HarkenError, match=r"no index\.json"):
        open_stream(tmp_path, "dev-4-00000")


def test_a_shard_can_be_read_from_a_pipe(whole: Path) -> None:
    feed = [sys.executable, "-c", "import sys, shutil; shutil.copyfileobj(open(sys.argv[1], 'rb'), "
            "sys.stdout.buffer)", str(whole / "harken-train-000000.tar")]  # fmt: skip
    with subprocess.Popen(feed, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        piped = list(read_shard(process.stdout, "pipe", MINI))
    kept = list(read_shards(whole, names=["harken-train-000000.tar"]))
    assert len(piped) == 2 and all(map(same, piped, kept))


def test_plain_tarfile_and_the_index_agree(whole: Path) -> None:
    index = read_index(whole, MINI)
    assert sum(shard.streams for shard in index.shards) == STREAMS + 1
    assert sum(shard.variants for shard in index.shards) == 2 * (STREAMS + 1)
    assert index.hours == pytest.approx((STREAMS + 1) * CHUNKS * 0.4 / 3600, abs=1e-5)
    for shard in index.shards:
        content = (whole / shard.name).read_bytes()
        assert len(content) == shard.size_bytes
        with tarfile.open(whole / shard.name) as tar:
            listed = {header.name: header for header in tar}
            assert {header.mtime for header in listed.values()} == {0}
        spans = {
            f"{id}.{extension}": span
            for id, members in shard.members.items()
            for extension, span in members.items()
        }
        assert {name: (h.offset_data, h.size) for name, h in listed.items()} == spans


def test_webdataset_groups_them_into_the_same_streams(whole: Path) -> None:
    tars = pytest.importorskip("webdataset.tariterators")
    name = "harken-train-000000.tar"
    with (whole / name).open("rb") as file:
        opened = [{"url": name, "stream": file}]
        samples = list(tars.group_by_keys(tars.tar_file_expander(opened)))
    kept = list(read_shards(whole, names=[name]))
    assert [sample["__key__"] for sample in samples] == [stream.id for stream in kept]
    for sample, stream in zip(samples, kept, strict=True):
        assert np.array_equal(np.load(io.BytesIO(sample["sound.npy"])), stream.sound)
        assert np.array_equal(np.load(io.BytesIO(sample["acoustic.npy"])), stream.acoustic)
        assert json.loads(sample["json"])["variants"] == list(stream.rows)
        assert sample.get("flac") == stream.flac


def test_without_audio_the_sound_stays_behind(data: Path, tmp_path: Path) -> None:
    write_shards(data, tmp_path, streams_per_shard=100, audio=False)
    assert all(stream.flac is None for stream in read_shards(tmp_path))


WRITE = """
import sys
from pathlib import Path
from harken.soundflow.shards.folder import write_shards
write_shards(Path(sys.argv[1]), Path(sys.argv[2]), streams_per_shard=1,
             progress=lambda done, _: print(done, flush=True))
"""


def test_killed_at_any_moment_nothing_is_lost_doubled_or_torn(tmp_path: Path) -> None:
    data, undisturbed, out = (tmp_path / name for name in ("data", "undisturbed", "out"))
    for n in range(16):
        add_stream(data, f"train-9-{n:05d}", chunks=40)
    gather(data)
    write_shards(data, undisturbed, streams_per_shard=1)
    expected = bytes_in(undisturbed)
    chance = random.Random(6)
    killed = 0
    for shards_seen in (1, 4, 0, 9, 12, 15):
        command = [sys.executable, "-c", WRITE, str(data), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(shards_seen):
                process.stdout.readline()
            try:
                process.wait(timeout=chance.uniform(0, 0.02))
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
        left = bytes_in(out) if out.exists() else {}
        named = {name: content for name, content in left.items() if not name.startswith(".")}
        assert named.items() <= expected.items(), "what has its name is whole"
    assert killed, "no run was killed"
    write_shards(data, out, streams_per_shard=1)
    assert bytes_in(out) == expected
    assert len({stream.id for stream in read_shards(out)}) == 16


def test_a_finished_shard_is_not_written_again(data: Path, whole: Path, tmp_path: Path) -> None:
    write_shards(data, tmp_path, streams_per_shard=A_SHARD)
    before = {path.name: path.stat().st_ino for path in tmp_path.glob("*.tar")}
    torn = tmp_path / "harken-train-000001.tar"
    torn.write_bytes(torn.read_bytes()[:30_000])
    (tmp_path / "harken-train-000002.tar").unlink()
    (tmp_path / ".harken-train-000002.tar.partial").write_bytes(b"half")
    with pytest.raises(HarkenError, match=r"harken-train-000001\.tar"):
        list(read_shards(tmp_path))
    done: list[int] = []
    write_shards(data, tmp_path, streams_per_shard=A_SHARD, progress=lambda n, _: done.append(n))
    assert bytes_in(tmp_path) == bytes_in(whole) and done == [1, 2, 3, 4, 5]
    after = {path.name: path.stat().st_ino for path in tmp_path.glob("*.tar")}
    kept = {"harken-dev-000000.tar", "harken-train-000000.tar", "harken-train-000003.tar"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_shards_of_other_streams_are_left_alone(whole: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    add_stream(data, "train-1-00001")
    gather(data)
    write_shards(data, out, streams_per_shard=2)
    before = bytes_in(out)
    add_stream(data, "train-1-00002")
    gather(data)
    with pytest.raises(HarkenError, match=r"harken-train-000000\.tar holds other streams"):
        write_shards(data, out, streams_per_shard=2)
    with pytest.raises(HarkenError, match=r"harken-train-000000\.tar holds other streams"):
        write_shards(data, out, streams_per_shard=2, profile=TINY)
    assert bytes_in(out) == before
    (out / "harken-dev-000007.tar").write_bytes((whole / "harken-dev-000000.tar").read_bytes())
    with pytest.raises(HarkenError, match="harken-dev-000007"):
        write_shards(data, out, streams_per_shard=2)


def test_a_full_disk_is_one_line_and_keeps_what_is_finished(
    data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real: Callable[[Any], None] = os.fsync

    def full_at_the_third(file: Any) -> None:
        synced.append(1)
        if len(synced) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file)

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full_at_the_third)
        with pytest.raises(HarkenError, match="No space left") as told:
            write_shards(data, tmp_path, streams_per_shard=A_SHARD)
    assert "\n" not in str(told.value) and str(tmp_path) in str(told.value)
    left = bytes_in(tmp_path)
    assert len(left) == 2 and left.items() <= bytes_in(whole).items()
    write_shards(data, tmp_path, streams_per_shard=A_SHARD)
    assert bytes_in(tmp_path) == bytes_in(whole)


def test_two_writers_do_not_share_a_folder(data: Path, tmp_path: Path) -> None:
    with (
        filelock.FileLock(tmp_path / ".lock"),
        pytest.raises(HarkenError, match="another process"),
    ):
        write_shards(data, tmp_path, streams_per_shard=A_SHARD)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**9), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_shard_is_refused_by_name_or_reads_as_before(
    whole: Path, tmp_path: Path, at: int, bit: int, cut: bool
) -> None:
    name = "harken-train-000000.tar"
    content = bytearray((whole / name).read_bytes())
    at %= len(content)
    if cut:
        del content[at:]
    else:
        content[at] ^= 1 << bit
    (tmp_path / name).write_bytes(content)
    kept = list(read_shards(whole, names=[name]))
    try:
        read = list(read_shards(tmp_path, names=[name]))
    except HarkenError as refused:
        assert name in str(refused)
    else:
        assert len(read) == len(kept) and all(map(same, read, kept))


def test_a_damaged_member_is_refused_by_random_access_too(whole: Path, tmp_path: Path) -> None:
    for name, content in bytes_in(whole).items():
        (tmp_path / name).write_bytes(content)
    shard = read_index(tmp_path, MINI).shard_of("dev-4-00000")
    start, size = shard.members["dev-4-00000"]["acoustic.npy"]
    content = bytearray((tmp_path / shard.name).read_bytes())
    content[start + size - 1] ^= 1
    (tmp_path / shard.name).write_bytes(content)
    with pytest.raises(HarkenError, match=rf"{shard.name}.*acoustic\.npy is damaged"):
        open_stream(tmp_path, "dev-4-00000")
    (tmp_path / shard.name).unlink()
    with pytest.raises(HarkenError, match=shard.name):
        open_stream(tmp_path, "dev-4-00000")


def test_another_profile_is_refused_by_the_field_that_differs(whole: Path) -> None:
    with pytest.raises(HarkenError, match=r"harken-dev-000000\.tar.*field context is 2048"):
        list(read_shards(whole, profile=TINY))
    with pytest.raises(HarkenError, match=r"index\.json.*field context is 2048"):
        open_stream(whole, "dev-4-00000", profile=TINY)
    longer = dataclasses.replace(MINI, context=4096)
    with pytest.raises(HarkenError, match=r"harken-dev-000000\.tar.*'mini' with fingerprint"):
        list(read_shards(whole, profile=longer))


def test_another_format_is_refused(whole: Path, tmp_path: Path) -> None:
    index = json.loads((whole / "index.json").read_text("utf-8"))
    (tmp_path / "index.json").write_text(json.dumps(index | {"format": 2}), "utf-8")
    with pytest.raises(HarkenError, match="format 2, this version reads 1"):
        open_stream(tmp_path, "dev-4-00000")
    (tmp_path / "index.json").write_text("{", "utf-8")
    with pytest.raises(HarkenError, match=r"index\.json cannot be read"):
        open_stream(tmp_path, "dev-4-00000")
    foreign = tmp_path / "harken-train-000000.tar"
    with tarfile.open(foreign, "w") as tar:
        header = tarfile.TarInfo("a.json")
        header.size = 2
        tar.addfile(header, io.BytesIO(b"[]"))
    with pytest.raises(HarkenError, match=r"harken-train-000000\.tar cannot be used"):
        list(read_shards(tmp_path))


def test_a_stream_of_two_splits_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    add_stream(data, "train-1-00001")
    rows = json.loads((data / "lines" / "train-1-00001.json").read_text("utf-8"))
    write_rows(data, "train-1-00001", [rows[0], rows[1] | {"split": "dev"}])
    gather(data)
    with pytest.raises(HarkenError, match="train-1-00001 is in more than one split"):
        write_shards(data, tmp_path / "out", streams_per_shard=1)


def test_a_place_that_cannot_be_written_is_told(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HarkenError, match=f"cannot write to {tmp_path / 'file'}"):
        write_shards(data, tmp_path / "file", streams_per_shard=1)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda d: (d / "features" / "train-1-00001.npz").unlink(), "train-1-00001"),
        (lambda d: (d / "streams.jsonl").unlink(), "harken data build"),
        (lambda d: (d / "streams.jsonl").write_text(""), "lists no stream"),
        (lambda d: (d / "streams.jsonl").write_text('{"split": 1}\n'), "line 1"),
    ],
)
def test_a_broken_folder_is_told_in_one_line(
    broken: Callable[[Path], Any], told: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    add_stream(data, "train-1-00001")
    gather(data)
    broken(data)
    with pytest.raises(HarkenError, match=told) as error:
        write_shards(data, tmp_path / "out", streams_per_shard=1)
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "out").glob("*.tar")) and not (tmp_path / "out/index.json").exists()


def test_names_that_cannot_stand_in_a_shard_are_refused(tmp_path: Path) -> None:
    add_stream(tmp_path / "data", "train-1.5-00001")
    gather(tmp_path / "data")
    with pytest.raises(HarkenError, match=r"'train-1\.5-00001'"):
        write_shards(tmp_path / "data", tmp_path / "out", streams_per_shard=1)
    with pytest.raises(HarkenError, match="streams_per_shard is 0"):
        write_shards(tmp_path / "data", tmp_path / "out", streams_per_shard=0)
    with pytest.raises(HarkenError, match="no shards"):
        list(read_shards(tmp_path))


def test_features_of_another_length_are_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    add_stream(data, "train-1-00001")
    np.savez(
        data / "features" / "train-1-00001.npz",
        sound=np.zeros((CHUNKS, 1545), np.float16),
        acoustic=np.zeros((CHUNKS + 1, 2560), np.float16),
    )
    gather(data)
    with pytest.raises(HarkenError, match=r"train-1-00001 has 3 chunks, its acoustic"):
        write_shards(data, tmp_path / "out", streams_per_shard=1)
