"""Downloads from the official address: resumed, checked, and impatient with silence."""

import hashlib
import socket
from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.parts.official import SourceFailed, download

CONTENT = bytes(range(256)) * 400


def _download(url: str, staging: Path, sha256: str | None = None, **options: float) -> list[int]:
    reports: list[int] = []
    download(
        url,
        staging,
        sha256=sha256 or hashlib.sha256(CONTENT).hexdigest(),
        size_bytes=len(CONTENT),
        needed_bytes=len(CONTENT),
        progress=reports.append,
        **options,
    )
    return reports


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    return tmp_path / "weights.part"


@pytest.fixture
def url(official_server) -> str:
    official_server.files["/weights.bin"] = CONTENT
    return f"{official_server.address}/weights.bin"


def test_progress_grows_to_the_size(url, staging):
    reports = _download(url, staging)
    assert staging.read_bytes() == CONTENT
    assert reports == sorted(reports)
    assert reports[-1] == len(CONTENT)


def test_what_is_there_is_not_asked_for_again(url, staging, official_server):
    staging.write_bytes(CONTENT[:1000])
    _download(url, staging)
    assert staging.read_bytes() == CONTENT
    assert official_server.asked == [("/weights.bin", "bytes=1000-")]


def test_a_complete_download_asks_nothing(url, staging, official_server):
    staging.write_bytes(CONTENT)
    _download(url, staging)
    assert official_server.asked == []


def test_a_server_without_range_begins_again(url, staging, official_server):
    official_server.ignores_range = True
    staging.write_bytes(b"\0" * 1000)
    _download(url, staging)
    assert staging.read_bytes() == CONTENT


def test_a_broken_off_answer_is_continued(url, staging, official_server):
    official_server.cut_first_answer_at = 5000
    _download(url, staging)
    assert staging.read_bytes() == CONTENT
    assert [wanted for _, wanted in official_server.asked] == [None, "bytes=5000-"]


def test_a_damaged_beginning_is_downloaded_afresh(url, staging, official_server):
    staging.write_bytes(b"\0" * 1000)
    _download(url, staging)
    assert staging.read_bytes() == CONTENT
    assert [wanted for _, wanted in official_server.asked] == ["bytes=1000-", None]


def test_too_long_a_beginning_is_downloaded_afresh(url, staging):
    staging.write_bytes(b"\0" * (len(CONTENT) + 1))
    _download(url, staging)
    assert staging.read_bytes() == CONTENT


def test_a_file_that_is_too_short_fails(url, staging, official_server):
    official_server.files["/weights.bin"] = CONTENT[:777]
    with pytest.raises(SourceFailed, match=r"refused to continue at byte 777|broke off after 777"):
        _download(url, staging)


def test_wrong_bytes_are_refused_with_both_hashes(url, staging, official_server):
    wrong = b"x" * len(CONTENT)
    official_server.files["/weights.bin"] = wrong
    with pytest.raises(SourceFailed) as refusal:
        _download(url, staging)
    assert hashlib.sha256(wrong).hexdigest() in str(refusal.value)
    assert hashlib.sha256(CONTENT).hexdigest() in str(refusal.value)
    assert not staging.exists()


def test_an_absent_file_is_named_with_the_answer(staging, official_server):
    with pytest.raises(SourceFailed, match=r"/gone\.bin answered 404"):
        _download(f"{official_server.address}/gone.bin", staging)


def test_a_silent_host_is_given_up_and_remembered(staging):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/weights.bin"
        with pytest.raises(SourceFailed, match=r"did not answer in 0\.1 s"):
            _download(url, staging, answer_timeout_s=0.1)
        silent.accept()[0].close()
        silent.setblocking(False)
        with pytest.raises(SourceFailed, match="did not answer before"):
            _download(url, staging, answer_timeout_s=0.1)
        with pytest.raises(BlockingIOError):
            silent.accept()  # Nobody knocked a second time.


def test_an_unreachable_host_is_named(staging):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SourceFailed, match=rf"127\.0\.0\.1:{port} cannot be reached"):
        _download(f"http://127.0.0.1:{port}/weights.bin", staging)


def test_the_hub_is_asked_at_the_endpoint_the_user_chose(official_server, staging, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", official_server.address + "/")
    official_server.files["/a/b/resolve/main/weights.bin"] = CONTENT
    _download("https://huggingface.co/a/b/resolve/main/weights.bin", staging)
    assert staging.read_bytes() == CONTENT


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_named_with_the_room_needed(url, staging):
    staging.symlink_to("/dev/full")
    with pytest.raises(HarkenError, match=r"no room in the cache .*0\.1 MB are needed; free"):
        _download(url, staging)
