"""What an `Audio` locator points at: its length and rate, and its samples.

`probe` reads a header; a file whose header is whole and whose rest is torn shows it in `load`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from harken.errors import HarkenError
from harken.soundflow.decode import SAMPLE_RATE_HZ, Samples, as_mono, decode
from harken.soundflow.readers.record import Audio


@dataclass(frozen=True)
class Probe:
    """The whole recording that a locator points into, not the stretch alone."""

    seconds: float
    rate_hz: int


def probe(audio: Audio) -> Probe:
    """Length and sampling rate, from the header.

    Raises:
        HarkenError: the audio is missing, or no decoder knows it.
    """
    opened = _opened(audio)
    try:
        info = soundfile.info(opened)
        return Probe(seconds=info.frames / info.samplerate, rate_hz=int(info.samplerate))
    except (soundfile.LibsndfileError, OSError):
        # PyAV knows more formats (m4a, webm); it has to decode to tell a length surely.
        return _probe_with_av(audio)


def load(audio: Audio) -> Samples:
    """The samples of the stretch: float32 `[n]`, 16 kHz, the mean of all channels.

    Raises:
        HarkenError: the audio is missing, cannot be decoded, or holds no samples there.
    """
    samples, rate_hz = _stretch(audio)
    if samples.size == 0:
        raise HarkenError(f"{_named(audio)} holds no samples from {audio.start_s:g} s on")
    return as_mono(samples, rate_hz, _named(audio))


def _stretch(audio: Audio) -> tuple[Samples, int]:
    """All channels of the stretch `[n, channels]` and their rate in Hz."""
    opened = _opened(audio)
    try:
        with soundfile.SoundFile(opened) as file:
            start = min(round(audio.start_s * file.samplerate), file.frames)
            frames = -1 if audio.duration_s is None else round(audio.duration_s * file.samplerate)
            file.seek(start)
            samples = file.read(frames, dtype="float32", always_2d=True)
            return samples, int(file.samplerate)
    except (soundfile.LibsndfileError, OSError) as error:
        if audio.container != "file":
            raise HarkenError(f"cannot decode {_named(audio)}: {error}") from error
    whole = decode(audio.path)
    start = round(audio.start_s * SAMPLE_RATE_HZ)
    end = None
    if audio.duration_s is not None:
        end = start + round(audio.duration_s * SAMPLE_RATE_HZ)
    return whole[start:end, np.newaxis], SAMPLE_RATE_HZ


def _opened(audio: Audio) -> str | io.BytesIO:
    """What soundfile opens: a path, or the bytes of a member."""
    if audio.container == "file":
        try:
            is_there = audio.path.is_file()
        except OSError:  # a name that no file can have
            is_there = False
        if not is_there:
            raise HarkenError(f"{audio.path} is missing")
        return str(audio.path)
    return io.BytesIO(read_bytes(audio))


def read_bytes(audio: Audio) -> bytes:
    """The encoded bytes of a recording: the file, the tar member or the Arrow cell.

    Raises:
        HarkenError: they are not there.
    """
    if audio.container == "arrow":
        return _arrow_bytes(audio)
    try:
        with audio.path.open("rb") as file:
            if audio.container == "file":
                return file.read()
            file.seek(audio.offset_bytes)
            found = file.read(audio.size_bytes)
    except OSError as error:
        raise HarkenError(f"cannot read {_named(audio)}: {error}") from error
    if len(found) < audio.size_bytes:
        raise HarkenError(f"{_named(audio)} is cut off: fetch {audio.path.name} again")
    return found


def _arrow_bytes(audio: Audio) -> bytes:
    split, column, row = audio.member.rsplit("/", 2)
    data = saved_data_set(audio.path)
    part = data[split] if split else data
    cell = part[int(row)][column]
    if not cell or not cell.get("bytes"):
        raise HarkenError(f"{_named(audio)} holds no audio")
    return bytes(cell["bytes"])


@lru_cache(maxsize=4)
def saved_data_set(folder: Path) -> Any:
    """The `Dataset` or `DatasetDict` saved in a folder, with audio left encoded.

    Raises:
        HarkenError: the folder holds none.
    """
    import datasets

    try:
        data = datasets.load_from_disk(str(folder))
    except (FileNotFoundError, ValueError, OSError) as error:
        raise HarkenError(
            f"{folder} holds no saved data set ({error}): write one with Dataset.save_to_disk"
        ) from error
    parts = data.values() if isinstance(data, datasets.DatasetDict) else [data]
    audio_columns = {
        name
        for part in parts
        for name, feature in part.features.items()
        if isinstance(feature, datasets.Audio)
    }
    for name in audio_columns:
        # Decoding here would need one more package; the bytes are all that is wanted.
        data = data.cast_column(name, datasets.Audio(decode=False))
    return data


def _probe_with_av(audio: Audio) -> Probe:
    import av

    opened = _opened(audio)
    samples, rate_hz = 0, 0
    try:
        with av.open(opened, mode="r") as container:
            if not container.streams.audio:
                raise HarkenError(f"{_named(audio)} holds no audio")
            for frame in container.decode(container.streams.audio[0]):
                samples, rate_hz = samples + frame.samples, frame.sample_rate
    except (av.FFmpegError, OSError) as error:
        raise HarkenError(f"cannot decode {_named(audio)}: {error}") from error
    return Probe(seconds=samples / rate_hz if rate_hz else 0.0, rate_hz=rate_hz)


def _named(audio: Audio) -> str:
    return f"{audio.path}:{audio.member}" if audio.member else str(audio.path)
