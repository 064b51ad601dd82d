"""What is kept is what was made; broken files are made again."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.soundflow.ground.kept import kept


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path))


def never() -> np.ndarray:
    raise AssertionError("it was made already")


def test_a_value_is_made_once_bit_by_bit() -> None:
    value = np.random.default_rng(0).normal(size=7).astype(np.float32)
    assert np.array_equal(kept("kind", b"a", make=lambda: value), value)
    assert np.array_equal(kept("kind", b"a", make=never), value)


def test_other_content_and_another_kind_are_another_value() -> None:
    one, two = np.zeros(1, np.float32), np.ones(1, np.float32)
    kept("kind", b"ab", b"c", make=lambda: one)
    assert kept("kind", b"a", b"bc", make=lambda: two) == two
    assert kept("other", b"ab", b"c", make=lambda: two) == two


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_a_broken_file_is_made_again(tmp_path: Path, content: bytes) -> None:
    value = np.arange(3, dtype=np.float32)
    kept("kind", b"a", make=lambda: value)
    (path,) = (tmp_path / "grounding").rglob("*.npy")
    path.write_bytes(content)
    assert np.array_equal(kept("kind", b"a", make=lambda: value), value)
    assert np.array_equal(kept("kind", b"a", make=never), value)


@settings(max_examples=20)
@given(st.lists(st.floats(width=32, allow_nan=False), max_size=9), st.binary(max_size=9))
def test_any_values_come_back(values: list[float], content: bytes) -> None:
    array = np.array(values, np.float32)
    assert np.array_equal(kept("any", content, repr(values).encode(), make=lambda: array), array)
