"""What the ears heard of a stream: as a data folder stores it, and as percepts."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.perceive.percept import HeardWord, Percept
from harken.stream import CHUNK_SAMPLES

F16 = npt.NDArray[np.float16]


def stored_features(path: Path, stream: str) -> tuple[F16, F16]:
    """Sound [chunks, 1545] and acoustic [chunks, 2560] in `features/<name>.npz`.

    stream: who they are of, named in errors.

    Raises:
        HarkenError: they are missing or broken.
    """
    try:
        with np.load(path) as stored:
            return stored["sound"], stored["acoustic"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as broken:
        raise HarkenError(
            f"the features {path} of stream {stream} cannot be read ({broken}); compose the data "
            "again"
        ) from broken


def require_chunks(n_chunks: int, sound: F16, acoustic: F16, stream: str) -> None:
    """Refuse features that are not as many as the chunks of the stream."""
    if not len(sound) == len(acoustic) == n_chunks:
        raise HarkenError(
            f"stream {stream} has {n_chunks} chunks, its features {len(sound)} and "
            f"{len(acoustic)}; compose the data again"
        )


def percepts_of(
    sound: F16, acoustic: F16, words: Iterable[Sequence[object]]
) -> tuple[Percept, ...]:
    """Features and [chunk, text] of recognised words as the percepts of a session."""
    text = {chunk: str(said) for chunk, said in words}
    return tuple(
        Percept(
            chunk,
            sound[chunk],
            acoustic[chunk],
            (HeardWord(text[chunk], (chunk + 1) * CHUNK_SAMPLES, ""),) if chunk in text else (),
            0.0,
            0.0,
        )
        for chunk in range(len(sound))
    )
