"""Microphone and loudspeaker through PortAudio (`sounddevice`, the extra `mic`)."""

import queue
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import soxr

from harken.errors import HarkenError
from harken.perceive.recording import Decoder
from harken.perceive.source import Source
from harken.respond.voice import Samples, Speech

_LOUDSPEAKER_HZ = 24_000


def open_microphone() -> Source:
    """The default microphone at its own rate, recorded from the first read on.

    Raises HarkenError without the extra, the library or a device.
    """
    device = _sounddevice()
    blocks: queue.SimpleQueue[npt.NDArray[np.float32]] = queue.SimpleQueue()

    def take(block: npt.NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
        blocks.put(block.copy())

    try:
        rate = int(device.query_devices(kind="input")["default_samplerate"])
        stream = device.InputStream(samplerate=rate, channels=1, dtype="float32", callback=take)
    except (device.PortAudioError, ValueError) as error:
        raise HarkenError(
            f"no microphone ({_one_line(error)}): plug one in, or pipe audio into harken listen -"
        ) from error

    def decode() -> Decoder:
        with stream:  # starts it, and stops it when the source is closed
            while True:
                yield blocks.get()

    return Source("microphone", rate, decode())


class Loudspeaker:
    """The default loudspeaker: plays replies one after the other.

    `heard` is told the chunk of a reply and how many milliseconds of it went to the device, which
    sounds them a moment later; it is called from the device's thread.
    """

    def __init__(self, heard: Callable[[int, float], None]) -> None:
        """Raises HarkenError without the extra, the library or a device."""
        device = _sounddevice()
        self._heard = heard
        self._changed = threading.Condition()
        self._waiting: deque[tuple[int, Samples]] = deque()
        self._dropped = self._chunk = -1
        self._played = 0
        try:
            self._stream = device.OutputStream(
                samplerate=_LOUDSPEAKER_HZ, channels=1, dtype="float32", callback=self._fill
            )
            self._stream.start()
        except (device.PortAudioError, ValueError) as error:
            raise HarkenError(
                f"no loudspeaker ({_one_line(error)}): plug one in, or give --save-voice OUT.wav"
            ) from error

    def play(self, chunk: int, speech: Speech) -> None:
        """See `harken.live.speaking.Player.play`."""
        samples = speech.samples
        if speech.rate != _LOUDSPEAKER_HZ:
            resampled = soxr.resample(samples, speech.rate, _LOUDSPEAKER_HZ)
            samples = np.asarray(resampled, np.float32)
        with self._changed:
            if chunk > self._dropped:
                self._waiting.append((chunk, samples))

    def flush(self, chunk: int) -> None:
        """See `harken.live.speaking.Player.flush`."""
        with self._changed:
            self._dropped = max(self._dropped, chunk)
            self._waiting = deque(w for w in self._waiting if w[0] > chunk)
            self._changed.notify_all()

    def finish(self) -> None:
        """Wait until all went to the device."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._stream.stop()  # what the device still has sounds to its end
        self._stream.close()

    def _fill(self, out: npt.NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
        """The device wants `frames` samples in `out` float32 [frames, 1]."""
        out[:] = 0
        filled, told = 0, {}
        with self._changed:
            while filled < frames and self._waiting:
                chunk, samples = self._waiting.popleft()
                taken, rest = samples[: frames - filled], samples[frames - filled :]
                out[filled : filled + len(taken), 0] = taken
                filled += len(taken)
                if len(rest):
                    self._waiting.appendleft((chunk, rest))
                self._played = len(taken) + (self._played if chunk == self._chunk else 0)
                self._chunk = chunk
                told[chunk] = 1000 * self._played / _LOUDSPEAKER_HZ
            self._changed.notify_all()
        for chunk, ms in told.items():
            self._heard(chunk, ms)


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise HarkenError(f"no sound devices ({error}): pip install 'harken[mic]'") from error
    except OSError as error:  # PortAudio comes with the wheels for macOS and Windows alone
        raise HarkenError(f"no sound devices ({error}): apt-get install libportaudio2") from error
    return sounddevice


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
