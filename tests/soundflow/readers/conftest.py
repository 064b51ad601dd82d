from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

Write = Callable[..., Path]


@pytest.fixture
def tone() -> Write:
    """Write a short tone, in the format that the suffix names, with the folders above it."""

    def write(path: Path, seconds: float = 0.5, rate_hz: int = 16_000) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = 0.1 * np.sin(np.arange(round(seconds * rate_hz)) * 0.1)
        options = {".opus": {"format": "OGG", "subtype": "OPUS"}, ".mp3": {"format": "MP3"}}
        soundfile.write(path, samples, rate_hz, **options.get(path.suffix, {}))
        return path

    return write


@pytest.fixture
def put() -> Write:
    """Write a text file, with the folders above it."""

    def write(path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write
