"""Decoding recordings on disk: libsndfile where it can, else FFmpeg through PyAV.

Both decode block by block, so a recording of hours needs no more memory than one of seconds.
A decoder never raises for a recording that breaks off: what decodes is delivered, and how it
ended is the decoder's return value.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import numpy.typing as npt
import soundfile
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from harken.errors import HarkenError

Decoder: TypeAlias = Generator[npt.NDArray[np.float32], None, str | None]
"""Yields float32 [frames, channels]; returns what was missing at the end, or None."""

# Small, because libsndfile withholds the whole block in which a damaged file stops to decode.
_BLOCK_FRAMES = 4096

# Encoders pad their last frame and containers round, so a shorter shortfall means nothing.
_SHORTFALL_S = 0.25

# What a header says when its writer could not know the length: a pipe, for example.
_UNKNOWN_BYTES = 0x7FFF_0000

_OGG_PAGE_MAX_BYTES = 65_307
_OGG_HEADER_BYTES = 27  # to the page's segment lengths
_OGG_LAST_PAGE = 0x04


@dataclass(frozen=True, slots=True)
class Recording:
    """An opened recording: its rate in Hz and its samples, to be decoded once."""

    sample_rate: int
    decoder: Decoder


def open_recording(path: Path) -> Recording:
    """Open a recording of any format that libsndfile or FFmpeg decodes.

    Raises HarkenError when neither knows the format, when it has no audio track, and when not a
    single sample of a damaged one decodes.
    """
    # libsndfile's MP3 decoder prints to stderr about damaged files, FFmpeg's does not.
    if not path.is_file() or _is_mp3(path):
        return _open_ffmpeg(path)
    try:
        sound = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, TypeError):  # TypeError: headerless .raw files
        return _open_ffmpeg(path)
    return Recording(sound.samplerate, _decode_sndfile(sound, path))


def _decode_sndfile(sound: soundfile.SoundFile, path: Path) -> Decoder:
    heard_frames, damaged = 0, False
    with sound:
        stated_frames = _stated_frames(sound)
        while True:
            try:
                block = sound.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError:
                damaged = True
                break
            if not len(block):
                break
            heard_frames += len(block)
            yield block
        heard_s, stated_s = heard_frames / sound.samplerate, stated_frames / sound.samplerate
        if damaged or heard_frames < stated_frames:
            return _cut_short(heard_s, stated_s)
        if sound.format == "OGG" and not _ogg_is_closed(path):
            return _cut_short(heard_s, None)
    return None


def _stated_frames(sound: soundfile.SoundFile) -> int:
    """The frames that the header promises; libsndfile itself trims them to the file's end."""
    trimmed = re.search(r"^\s*(?:data|SSND)\s*: (\d+) \(should be (\d+)\)", sound.extra_info, re.M)
    if trimmed is None or int(trimmed[1]) >= _UNKNOWN_BYTES:
        return int(sound.frames) if sound.format == "FLAC" and sound.frames < 2**62 else 0
    stated_bytes, there_bytes = int(trimmed[1]), int(trimmed[2])
    return int(sound.frames * stated_bytes / there_bytes) if there_bytes else 1


def _ogg_is_closed(path: Path) -> bool:
    """Whether a whole last page with the end-of-stream flag is there (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _OGG_PAGE_MAX_BYTES))
        tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < _OGG_HEADER_BYTES or not page[5] & _OGG_LAST_PAGE:
        return False
    lengths = page[_OGG_HEADER_BYTES : _OGG_HEADER_BYTES + page[26]]
    return len(page) >= _OGG_HEADER_BYTES + page[26] + sum(lengths)


def _is_mp3(path: Path) -> bool:
    """Whether the file starts with an ID3v2 tag or an MPEG audio frame, or says so in its name."""
    with path.open("rb") as file:
        head = file.read(3)
    is_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2  # sync, layer III
    return head == b"ID3" or is_frame or path.suffix.lower() == ".mp3"


def _open_ffmpeg(path: Path) -> Recording:
    try:
        # The prefix keeps FFmpeg from reading a name such as "http:x" as an address.
        container = av.open(f"file:{path}")
    except av.FFmpegError as error:
        raise HarkenError(_unreadable(path, error.strerror)) from error
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream):
        container.close()
        raise HarkenError(f"{path} has no audio track: give a recording, or a video with sound")
    # A header may state another rate than the codec delivers, so the first frame is asked.
    frames = _ffmpeg_frames(container, stream)
    first = next((frame for frame in frames if frame is not None), None)
    if first is None:
        container.close()
        raise HarkenError(_unreadable(path, "nothing in its audio track decodes"))
    stated_s = _stated_s(container, stream, path)
    return Recording(first.sample_rate, _decode_ffmpeg(container, chain([first], frames), stated_s))


def _ffmpeg_frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame | None]:
    """The decoded frames, None for each packet that does not decode; ends where reading fails."""
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except av.FFmpegError:
                yield None
    except av.FFmpegError:
        yield None


def _decode_ffmpeg(
    container: InputContainer, frames: Iterable[AudioFrame | None], stated_s: float | None
) -> Decoder:
    packed: AudioResampler | None = None
    kind, rate = "", 0
    heard_s, n_damaged = 0.0, 0
    with container:
        for frame in frames:
            if frame is None:
                n_damaged += 1
                continue
            rate = rate or frame.sample_rate
            frame_kind = f"{frame.format.name} {frame.layout.name} {frame.sample_rate}"
            if packed is None or frame_kind != kind:
                # Formats may change in mid-stream. Packed, because PyAV crashes when it copies
                # planar frames of eight unnamed channels to numpy.
                packed, kind = AudioResampler("flt", frame.layout, rate), frame_kind
            for even in packed.resample(frame):
                block = even.to_ndarray().astype(np.float32, copy=False)
                yield block.reshape(even.samples, -1)
            # The position in time, not the number of samples: tracks may have pauses.
            heard_s = (frame.time or heard_s) + frame.samples / frame.sample_rate
    if stated_s is not None and heard_s < stated_s - _SHORTFALL_S:
        return _cut_short(heard_s, stated_s)
    if n_damaged:
        return f"is damaged: {n_damaged} packets did not decode and were left out; get a whole copy"
    return None


def _stated_s(container: InputContainer, stream: AudioStream, path: Path) -> float | None:
    """The seconds of audio that the header promises; None where FFmpeg only estimates them."""
    formats = container.format.name.split(",")
    is_stated = "mp4" in formats or "matroska" in formats or _has_mp3_length(path, formats)
    if not is_stated:
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    # Matroska states the length of the longest track, and that of each in an optional tag.
    if "DURATION" in stream.metadata:
        hours, minutes, seconds = stream.metadata["DURATION"].split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if len(container.streams) > 1 or not container.duration:
        return None
    return container.duration / av.time_base


def _has_mp3_length(path: Path, formats: list[str]) -> bool:
    """Whether the MP3 starts with a Xing header, which counts its frames."""
    if "mp3" not in formats:
        return False
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3":  # a tag of syncsafe length (ID3v2.4, section 3.1) comes before
            size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
            file.seek(10 + size)
        frame = file.read(2048)
    return b"Xing" in frame or b"Info" in frame


def _cut_short(heard_s: float, stated_s: float | None) -> str:
    if heard_s == 0:
        return "breaks off before its first sample: get a whole copy"
    of_stated = f" of {stated_s:.1f} s" if stated_s else ""
    return f"is cut short or damaged: {heard_s:.1f} s{of_stated} were heard; get a whole copy"


def _unreadable(path: Path, reason: str | None) -> str:
    return (
        f"{path} is not audio that can be decoded ({reason}): "
        "get a whole copy, or convert it to WAV where it plays"
    )
