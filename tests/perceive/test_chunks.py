"""Chunks are exact, on an integer clock, and the same however the stream arrives."""

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.perceive.chunks import Chunk, Chunker, chunks, chunks_of
from harken.perceive.source import Source
from harken.stream.profile import CHUNK_SAMPLES, SAMPLE_RATE

NOISE = (0.1 * np.random.default_rng(0).standard_normal(60_000)).astype(np.float32)


def chunked(samples: np.ndarray, cuts: list[int], rate: int = SAMPLE_RATE) -> list[Chunk]:
    """The chunks of the samples, pushed in blocks that end at the cuts."""
    chunker = Chunker(rate)
    ends = sorted({0, len(samples), *(cut % (len(samples) + 1) for cut in cuts)})
    found = []
    for start, end in pairwise(ends):
        found += chunker.push(samples[start:end])
    return found + chunker.finish()


def joined(found: list[Chunk]) -> np.ndarray:
    """The real samples of the chunks, float32 [n]."""
    return np.concatenate([np.zeros(0, np.float32), *(c.samples[: c.n_real] for c in found)])


@given(
    n_samples=st.integers(0, 30_000),
    cuts=st.lists(st.integers(0, 30_000), max_size=30),
    rate=st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000, 192_000]),
)
def test_chunks_do_not_depend_on_the_blocks(n_samples: int, cuts: list[int], rate: int) -> None:
    samples = NOISE[:n_samples]
    whole, pieces = chunked(samples, [], rate), chunked(samples, cuts, rate)
    assert [(c.index, c.end_sample, c.n_real) for c in pieces] == [
        (c.index, c.end_sample, c.n_real) for c in whole
    ]
    np.testing.assert_array_equal(joined(pieces), joined(whole))


@given(n_samples=st.integers(0, 30_000), cuts=st.lists(st.integers(0, 30_000), max_size=10))
def test_chunks_hold_every_sample_once(n_samples: int, cuts: list[int]) -> None:
    found = chunked(NOISE[:n_samples], cuts)
    np.testing.assert_array_equal(joined(found), NOISE[:n_samples])
    assert [c.index for c in found] == list(range(-(-n_samples // CHUNK_SAMPLES)))
    for chunk in found:
        assert chunk.samples.shape == (CHUNK_SAMPLES,) and chunk.samples.dtype == np.float32
        assert chunk.end_sample == (chunk.index + 1) * CHUNK_SAMPLES
        assert not chunk.samples[chunk.n_real :].any()
    assert all(c.n_real == CHUNK_SAMPLES for c in found[:-1])


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_streaming_resampling_equals_offline(rate: int) -> None:
    found = joined(chunked(NOISE, list(range(0, 60_000, 777)), rate))
    offline = soxr.resample(NOISE, rate, SAMPLE_RATE, "HQ")
    assert found.shape == offline.shape
    np.testing.assert_allclose(found, offline, atol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_blocks_of_one_sample(rate: int) -> None:
    found = joined(chunked(NOISE[:9_000], list(range(9_000)), rate))
    np.testing.assert_array_equal(found, joined(chunked(NOISE[:9_000], [], rate)))


def test_a_resampler_tail_may_cross_a_chunk_boundary() -> None:
    # 1,000 Hz to 16 kHz: the filter holds back more than the last chunk has room for.
    found = chunked(NOISE[:450], [], 1_000)
    assert sum(c.n_real for c in found) == 450 * 16


def test_zero_length_gives_no_chunk() -> None:
    chunker = Chunker(44_100)
    assert chunker.push(np.zeros(0, np.float32)) == []
    assert chunker.finish() == []


def test_the_end_is_padded_once() -> None:
    chunker = Chunker()
    assert chunker.push(NOISE[:10]) == []
    (last,) = chunker.finish()
    assert last.n_real == 10
    assert chunker.finish() == []


def test_samples_that_are_not_finite_are_zeros_and_counted() -> None:
    block = NOISE[:CHUNK_SAMPLES].astype(np.float64)
    block[[5, 6, 7]] = [np.nan, np.inf, 1e300]
    chunker = Chunker()
    (chunk,) = chunker.push(block)
    assert chunker.n_replaced == 3
    np.testing.assert_array_equal(chunk.samples[5:8], 0)
    np.testing.assert_array_equal(chunk.samples[8:], NOISE[8:CHUNK_SAMPLES])


def test_not_a_number_stays_where_it_was_at_another_rate() -> None:
    broken = NOISE.copy()
    broken[30_000] = np.nan
    clean = NOISE.copy()
    clean[30_000] = 0
    np.testing.assert_array_equal(
        joined(chunked(broken, [], 48_000)), joined(chunked(clean, [], 48_000))
    )


@pytest.mark.parametrize(
    ("block", "fix"),
    [
        (np.zeros((100, 2), np.float32), r"shape \[100, 2\] is not mono: average its channels"),
        (np.zeros(100, np.int16), "int16 samples: scale them to floats"),
    ],
)
def test_blocks_that_would_be_misheard_are_refused(block: np.ndarray, fix: str) -> None:
    with pytest.raises(HarkenError, match=fix):
        Chunker().push(block)


def test_a_finished_stream_takes_no_more() -> None:
    chunker = Chunker()
    chunker.finish()
    with pytest.raises(HarkenError, match="use a new Chunker"):
        chunker.push(NOISE)


def test_a_chunk_is_not_changed_by_later_audio() -> None:
    chunker = Chunker()
    (first,) = chunker.push(NOISE[:CHUNK_SAMPLES])
    chunker.push(NOISE[CHUNK_SAMPLES : 3 * CHUNK_SAMPLES])
    np.testing.assert_array_equal(first.samples, NOISE[:CHUNK_SAMPLES])


def test_chunks_of_a_file_at_another_rate(tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.stack([NOISE, NOISE], axis=1), 48_000, subtype="FLOAT")
    found = list(chunks(path))
    np.testing.assert_allclose(
        joined(found), soxr.resample(NOISE, 48_000, SAMPLE_RATE, "HQ"), atol=1e-6
    )
    assert found[-1].n_real == 20_000 - 3 * CHUNK_SAMPLES


def test_an_hour_needs_no_more_memory_than_a_second() -> None:
    def hour() -> Iterator[np.ndarray]:
        second = NOISE[:SAMPLE_RATE].reshape(-1, 1)
        for _ in range(3_600):
            yield second

    tracemalloc.start()
    n_chunks = sum(1 for _ in chunks_of(Source("hour", SAMPLE_RATE, hour())))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_chunks == 9_000
    assert peak_bytes < 2_000_000
