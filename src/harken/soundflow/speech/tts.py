"""Voices behind one protocol: Kokoro, espeak-ng, and CosyVoice over HTTP.

A voice model that cannot say one sentence raises `VoiceFailed`, which the recognition check
counts; what a user has to mend first (nothing installed, an unknown voice) is a plain HarkenError.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Literal, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from harken.errors import HarkenError
from harken.respond.cosyvoice import COSYVOICE_HZ, RATE_HEADER
from harken.soundflow.decode import SAMPLE_RATE_HZ
from harken.soundflow.speak import JUDGE_VOICES, planned_file, synthesise, training_voices

Samples = NDArray[np.float32]

QUIETEST_PEAK = 1e-3
"""Speech whose largest sample is smaller counts as silence."""

_ESPEAK_WORDS_PER_MINUTE = 175  # its own default
_ESPEAK_VARIANTS = ("", "+m1", "+m3", "+m7", "+f1", "+f2", "+f4", "+f5")
_ESPEAK_ACCENTS = ("en-gb", "en-us")


class VoiceFailed(HarkenError):
    """A voice model did not say a sentence. why: `died` or `silent`."""

    def __init__(self, why: Literal["died", "silent"], message: str) -> None:
        super().__init__(message)
        self.why: Literal["died", "silent"] = why


class Tts(Protocol):
    """A voice model.

    Attributes:
        name: the model and what else decides how it sounds, for the keys of caches.
        rate_hz: the rate of what `say` returns.
    """

    @property
    def name(self) -> str: ...

    @property
    def rate_hz(self) -> int: ...

    def voices(self, language: str) -> tuple[str, ...]:
        """The voices that speak `language`; none when there are none."""
        ...

    def say(self, text: str, language: str, voice: str, speed: float = 1.0) -> Samples:
        """`text` in spoken form as float32[n] at `rate_hz`; speed 0.5 to 2 times the voice's own.

        Raises:
            VoiceFailed: it died of this sentence, or returned silence.
            HarkenError: something that has to be mended before anything can be said.
        """
        ...


def voice_of(tts: Tts, language: str, dialogue: str) -> str:
    """The voice in which all of a dialogue is said, drawn by a hash of the dialogue's name.

    The voices kept for judging are never drawn.

    Raises:
        HarkenError: no voice speaks the language.
    """
    voices = sorted(set(tts.voices(language)) - JUDGE_VOICES)
    if not voices:
        raise HarkenError(f"{tts.name} has no voice for {language!r}: choose another voice model")
    return voices[int.from_bytes(hashlib.sha256(dialogue.encode()).digest()[:8]) % len(voices)]


def check_sound(samples: Samples, who: str, text: str) -> Samples:
    """`samples` themselves when there is something to hear in them.

    Raises:
        VoiceFailed: they are empty, silent, or not finite.
    """
    if samples.size and not np.isfinite(samples).all():
        raise VoiceFailed("died", f"{who} returned samples that are no numbers for {text!r}")
    if not samples.size or float(np.abs(samples).max()) < QUIETEST_PEAK:
        raise VoiceFailed("silent", f"{who} returned silence for {text!r}: write it in words")
    return samples


@dataclass(frozen=True, slots=True)
class Kokoro:
    """The project's own voice model in English and Chinese, with its cache (`speak`)."""

    name: str = "kokoro-82m-v1.0"
    rate_hz: int = SAMPLE_RATE_HZ

    def voices(self, language: str) -> tuple[str, ...]:
        """The voices for training data of `en` and `zh`."""
        return training_voices(language) if language in ("en", "zh") else ()

    def say(self, text: str, language: str, voice: str, speed: float = 1.0) -> Samples:
        """See `Tts.say`; the same sentence is synthesised once."""
        planned_file(text, language, voice, speed)  # a wrong argument is not the model's failure
        try:
            return check_sound(synthesise(text, language, voice, speed), voice, text)
        except VoiceFailed:
            raise
        except HarkenError as error:
            if str(error).startswith(f"{voice} cannot say"):
                raise VoiceFailed("silent", str(error)) from error
            raise
        except Exception as error:  # onnxruntime and the phonemisers share no base class
            raise VoiceFailed("died", f"{voice} died of {text!r}: {error}") from error


@dataclass(frozen=True, slots=True)
class EspeakNg:
    """The formant synthesiser of the system, in English: rough, quick, never out of words.

    program: the command, found along PATH. timeout_s: for one sentence.
    """

    program: str = "espeak-ng"
    timeout_s: float = 60.0
    name: str = "espeak-ng"
    rate_hz: int = 22_050

    def voices(self, language: str) -> tuple[str, ...]:
        """Accents and variants of English; its Mandarin is not intelligible."""
        if language != "en":
            return ()
        return tuple(accent + each for accent in _ESPEAK_ACCENTS for each in _ESPEAK_VARIANTS)

    def say(self, text: str, language: str, voice: str, speed: float = 1.0) -> Samples:
        """See `Tts.say`."""
        _check_request(self, text, language, voice, speed)
        program = shutil.which(self.program)
        if program is None:
            raise HarkenError(f"no {self.program} on the PATH: apt-get install espeak-ng")
        rate = str(round(_ESPEAK_WORDS_PER_MINUTE * speed))
        # The text goes in by the standard input, where it can be no option of the command.
        command = [program, "--stdin", "--stdout", "-b", "1", "-v", voice, "-s", rate]
        try:
            done = subprocess.run(
                command, input=text.encode(), capture_output=True, timeout=self.timeout_s
            )
        except subprocess.TimeoutExpired as error:
            message = f"{self.program} did not end {text!r} within {self.timeout_s} s"
            raise VoiceFailed("died", message) from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
            message = f"{self.program} ended with {done.returncode} on {text!r}: {said}"
            raise VoiceFailed("died", message)
        if not done.stdout:
            raise VoiceFailed("silent", f"{self.program} wrote nothing for {text!r}")
        try:
            samples, rate_hz = soundfile.read(io.BytesIO(_sized(done.stdout)), dtype="float32")
        except soundfile.LibsndfileError as error:
            message = f"{self.program} wrote no WAV for {text!r}: {error}"
            raise VoiceFailed("died", message) from error
        samples = _at(np.asarray(samples, np.float32), int(rate_hz), self.rate_hz)
        return check_sound(samples, f"{self.program} {voice}", text)


@dataclass(frozen=True)
class CosyVoice:
    """A CosyVoice server: the FastAPI one of its repository, `POST /inference_sft`.

    It answers with 16-bit little-endian samples; newer ones state the rate in a header. The server
    draws its own seed for every request, so only a cache makes its speech repeatable. It has no
    speed: another one is FFmpeg's `atempo`, which keeps the pitch.

    url: such as `http://127.0.0.1:50000`. speakers: its `spk_id`s for each language.
    model: which checkpoint it serves, for the keys of caches. timeout_s: without a byte.
    """

    url: str
    speakers: Mapping[str, Sequence[str]]
    model: str = "CosyVoice-300M-SFT"
    timeout_s: float = 120.0
    rate_hz: int = SAMPLE_RATE_HZ

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise HarkenError(f"{self.url!r} is no address: begin it with http:// or https://")

    @property
    def name(self) -> str:
        """The model, not the address: another server of the same model says the same."""
        return self.model

    def voices(self, language: str) -> tuple[str, ...]:
        """The speakers given for that language."""
        return tuple(self.speakers.get(language, ()))

    def say(self, text: str, language: str, voice: str, speed: float = 1.0) -> Samples:
        """See `Tts.say`."""
        _check_request(self, text, language, voice, speed)
        form = urllib.parse.urlencode({"tts_text": text, "spk_id": voice}).encode()
        request = urllib.request.Request(f"{self.url.rstrip('/')}/inference_sft", data=form)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                pcm = answer.read()
                rate_hz = int(answer.headers.get(RATE_HEADER) or COSYVOICE_HZ)
        except urllib.error.HTTPError as error:
            with error:
                message = f"{self.url} answered {error.code} to {text!r}"
            if error.code in (404, 405, 422):
                raise HarkenError(f"{message}: is it CosyVoice's FastAPI server?") from error
            raise VoiceFailed("died", message) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                raise HarkenError(f"nobody listens at {self.url}: start the server") from error
            raise VoiceFailed("died", f"{self.url} is gone: {error.reason}") from error
        except (HTTPException, OSError, ValueError) as error:
            raise VoiceFailed("died", f"{self.url} broke off {text!r}: {error!r}") from error
        pcm16 = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")
        samples = pcm16.astype(np.float32) / np.float32(32768)
        check_sound(samples, f"{self.model} {voice}", text)
        return _at(_at_speed(samples, rate_hz, speed), rate_hz, self.rate_hz)


def _check_request(tts: Tts, text: str, language: str, voice: str, speed: float) -> None:
    if not text.strip():
        raise HarkenError("there is nothing to say: the text is empty")
    if voice in JUDGE_VOICES:
        raise HarkenError(f"the voice {voice} is kept for judging: choose another one")
    if voice not in tts.voices(language):
        known = ", ".join(tts.voices(language)) or "another voice model"
        raise HarkenError(f"{tts.name} has no voice {voice!r} for {language}: choose {known}")
    if not 0.5 <= speed <= 2:
        raise HarkenError(f"speed {speed} is out of range: choose 0.5 to 2.0")


def _sized(wav: bytes) -> bytes:
    """The WAV with its true sizes: written into a pipe, it says it is as long as can be."""
    start = wav.find(b"data", 12)
    if wav[:4] != b"RIFF" or start < 0:
        return wav
    riff, data = (len(wav) - 8).to_bytes(4, "little"), (len(wav) - start - 8).to_bytes(4, "little")
    return wav[:4] + riff + wav[8 : start + 4] + data + wav[start + 8 :]


def _at(samples: Samples, rate_hz: int, wanted_hz: int) -> Samples:
    if rate_hz == wanted_hz:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, rate_hz, wanted_hz), np.float32)


def _at_speed(samples: Samples, rate_hz: int, speed: float) -> Samples:
    if speed == 1:
        return samples
    import av
    from av.filter import Graph

    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=rate_hz, layout="mono")
    graph.link_nodes(source, graph.add("atempo", str(speed)), graph.add("abuffersink")).configure()
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate = rate_hz
    graph.push(frame)
    graph.push(None)
    blocks: list[Samples] = []
    while True:
        try:
            pulled = graph.pull()
        except (av.EOFError, av.BlockingIOError):
            return np.concatenate(blocks) if blocks else samples[:0]
        assert isinstance(pulled, av.AudioFrame)
        blocks.append(np.asarray(pulled.to_ndarray(), np.float32).ravel())
