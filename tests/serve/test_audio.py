"""Audio of the wire: formats there and back."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.serve.audio import Encoding, Format

WAVE = (0.9 * np.sin(np.arange(1_600) / 9)).astype(np.float32)


@pytest.mark.parametrize(
    ("encoding", "bytes_each", "worst"),
    [("audio/pcm", 2, 1 / 32_768), ("audio/pcmu", 1, 0.02), ("audio/pcma", 1, 0.02)],
)
def test_a_sound_comes_back_within_its_steps(
    encoding: Encoding, bytes_each: int, worst: float
) -> None:
    format = Format(encoding, 8_000)
    text = format.encode(WAVE)
    assert len(base64.b64decode(text)) == bytes_each * len(WAVE)
    assert np.abs(format.decode(text) - WAVE).max() <= worst


def test_the_laws_are_those_of_g711() -> None:
    """Silence, the loudest, and the quietest step of each law (ITU-T G.711, tables 1 and 2)."""
    mu, a = Format("audio/pcmu", 8_000), Format("audio/pcma", 8_000)
    codes = base64.b64encode(bytes([0xFF, 0x80, 0x00, 0xFE])).decode()
    assert np.allclose(mu.decode(codes) * 32_768, [0, 32_124, -32_124, 8])
    codes = base64.b64encode(bytes([0xD5, 0xAA, 0x2A, 0x55])).decode()
    assert np.allclose(a.decode(codes) * 32_768, [8, 32_256, -32_256, -8])


def test_what_is_too_loud_is_clipped() -> None:
    loud = np.array([2.0, -2.0], np.float32)
    for encoding in ("audio/pcm", "audio/pcmu", "audio/pcma"):
        back = Format(encoding, 8_000).decode(Format(encoding, 8_000).encode(loud))  # type: ignore[arg-type]
        assert back[0] > 0.97 and back[1] < -0.97


@given(st.text(max_size=20))
def test_any_text_is_audio_or_refused(text: str) -> None:
    try:
        assert np.isfinite(Format().decode(text)).all()
    except HarkenError as wrong:
        assert "audio" in str(wrong)


def test_no_audio_is_no_samples() -> None:
    for encoding in ("audio/pcm", "audio/pcmu"):
        assert Format(encoding, 8_000).decode("").shape == (0,)  # type: ignore[arg-type]
