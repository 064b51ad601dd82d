"""Where audio comes from: a recording of any common format, or raw PCM on standard input.

A source is one pass over mono samples at their native rate. `harken.perceive.chunks` cuts them
into the chunks that the ears hear.
"""

import os
import stat
import sys
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Self, cast

import numpy as np
import numpy.typing as npt

from harken.errors import HarkenError
from harken.perceive.recording import Decoder, open_recording
from harken.stream.profile import SAMPLE_RATE

STANDARD_INPUT = "-"

# Beyond these a rate is a damaged header; the resampler would need absurd amounts of memory.
_MIN_RATE, _MAX_RATE = 1_000, 768_000

_PCM_READ_BYTES = 12_800  # one chunk of 0.4 s at most, so that live input is not held back
_PCM_COMMAND = "ffmpeg -i FILE -f s16le -ac 1 -ar 16000 - | harken listen -"
_FILE_STARTS = {b"RIFF": "a WAV file", b"OggS": "an Ogg file", b"fLaC": "a FLAC file"}


class Source:
    """One pass over the samples of a recording or a pipe, mono at the native rate.

    Iterating yields float32 [n] blocks, n at least 1, nominally from -1 to 1: the mean of all
    channels, with samples that are not finite replaced by zeros. Memory does not grow with the
    length. A recording that breaks off ends the iteration early; `warnings` then says so.
    """

    def __init__(self, name: str, sample_rate: int, decoder: Decoder) -> None:
        if not _MIN_RATE <= sample_rate <= _MAX_RATE:
            raise HarkenError(
                f"{name} states a rate of {sample_rate} Hz, which no recording has: "
                f"convert it to a rate from {_MIN_RATE} to {_MAX_RATE} Hz"
            )
        self.name = name
        self.sample_rate = sample_rate
        self._decoder = decoder
        self._n_samples = 0
        self._n_not_finite = 0
        self._ending: str | None = None

    def __iter__(self) -> Iterator[npt.NDArray[np.float32]]:
        """Raises HarkenError when a damaged recording ends before its first sample."""
        while True:
            try:
                frames = next(self._decoder)
            except StopIteration as end:
                self._close_with(end.value)
                return
            frames, n_not_finite = replace_not_finite(frames)
            self._n_not_finite += n_not_finite
            self._n_samples += len(frames)
            if len(frames):
                # The mean of a silent and a loud channel is still heard, in any combination.
                yield frames.mean(axis=1, dtype=np.float64).astype(np.float32)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the audio so far, each one line; empty if all is well.

        Complete when the iteration has ended.
        """
        found = []
        if self._ending is not None:
            found.append(f"{self.name} {self._ending}")
        if self._n_not_finite:
            found.append(
                f"{self.name}: {self._n_not_finite} samples were NaN or infinite and were "
                "heard as silence; check how it was recorded"
            )
        return tuple(found)

    def close(self) -> None:
        """Release the file; further iteration yields nothing."""
        self._decoder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _close_with(self, ending: str | None) -> None:
        if self._n_samples == 0:
            if ending is not None:
                raise HarkenError(f"{self.name} {ending}")
            ending = "is audio of no length (0 samples), so there was nothing to hear"
        self._ending = self._ending or ending


def open_source(path: str | os.PathLike[str]) -> Source:
    """Open a recording, or raw PCM on standard input for `-`.

    A recording may have any format, rate and number of channels that libsndfile or FFmpeg
    decodes. PCM is 16-bit little-endian mono at 16 kHz. Raises HarkenError, naming the fix, when
    there is nothing to listen to.
    """
    if os.fspath(path) == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.isatty():
            raise HarkenError(f"standard input is not a pipe: send audio into it, {_PCM_COMMAND}")
        return open_pcm(cast(BufferedIOBase, sys.stdin.buffer), "standard input")
    checked = _check_readable(Path(path))
    recording = open_recording(checked)
    return Source(str(checked), recording.sample_rate, recording.decoder)


def open_pcm(stream: BufferedIOBase, name: str) -> Source:
    """A source of 16-bit little-endian mono PCM at 16 kHz, read as it arrives."""
    return Source(name, SAMPLE_RATE, _decode_pcm(stream))


def replace_not_finite(
    samples: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], int]:
    """The samples with NaN and infinities as zeros, and how many there were; any shape.

    Samples that are all finite are given back as they are, uncopied.
    """
    finite = np.isfinite(samples)
    n_not_finite = samples.size - int(np.count_nonzero(finite))
    if n_not_finite == 0:
        return samples, 0
    return np.where(finite, samples, np.float32(0)), n_not_finite


def _check_readable(path: Path) -> Path:
    try:
        str(path).encode()  # neither decoder opens other names
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise HarkenError(f"{path} is a folder: name the recordings in it, as in {path}/*.wav")
        if stat.S_ISREG(status.st_mode):
            if status.st_size == 0:
                raise HarkenError(f"{path} is empty (0 bytes): record or download it again")
            path.open("rb").close()
    except UnicodeEncodeError as error:
        name = ascii(str(path))
        raise HarkenError(f"{name} is a name that is not UTF-8: rename the file") from error
    except FileNotFoundError as error:
        raise HarkenError(f"{path} does not exist: check the name and the folder") from error
    except PermissionError as error:
        raise HarkenError(f"{path} may not be read: allow it with chmod u+r {path}") from error
    except OSError as error:
        raise HarkenError(f"{path} cannot be opened ({error.strerror}): check the name") from error
    return path


def _decode_pcm(stream: BufferedIOBase) -> Decoder:
    odd_byte = b""
    is_start = True
    while data := stream.read1(_PCM_READ_BYTES):
        kind = _FILE_STARTS.get(data[:4]) if is_start else None
        if kind is not None:
            # Heard as PCM it would be noise.
            return f"is {kind}, not raw PCM: name the file itself, or pipe {_PCM_COMMAND}"
        is_start = False
        data = odd_byte + data
        odd_byte = data[len(data) & ~1 :]
        samples = np.frombuffer(data, "<i2", count=len(data) // 2)
        yield (samples.astype(np.float32) / np.float32(32768)).reshape(-1, 1)
    if odd_byte:
        return (
            "ends in half a sample (an odd number of bytes), which was left out: "
            f"send 16-bit samples, as {_PCM_COMMAND}"
        )
    return None
