"""CosyVoice over HTTP: a large voice on another machine, its sound as it is made.

The server is the FastAPI one of CosyVoice's repository (`runtime/python/fastapi`): `POST
/inference_sft` with a text and a speaker, answered with 16-bit little-endian samples in pieces.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

import numpy as np

from harken.errors import HarkenError
from harken.respond.sentences import language_of
from harken.respond.voice import Speech, Utterance, checked_emotion, has_words

COSYVOICE_HZ = 22_050
"""Of CosyVoice-300M, which older servers do not state."""
RATE_HEADER = "X-Custom-Header-sampleRate"
SPEAKERS = {"en": "英文女", "zh": "中文女"}
"""Of CosyVoice-300M-SFT."""

_READ_BYTES = 16_384


class CosyVoice:
    """One server and its speakers by language.

    It has no emotions without an instructed model, so those are not said. Closing an utterance
    closes its connection, and the server stops.
    """

    def __init__(self, url: str, speakers: dict[str, str] | None = None, timeout_s: float = 30.0):
        """url: such as `http://127.0.0.1:50000`. timeout_s: without a byte.

        Raises HarkenError for another kind of address.
        """
        if not url.startswith(("http://", "https://")):
            raise HarkenError(f"{url!r} is no address: write cosyvoice:http://HOST:PORT")
        self.name = f"cosyvoice:{url}"
        self._url, self._timeout_s = url.rstrip("/"), timeout_s
        self._speakers = speakers or SPEAKERS

    def speak(self, text: str, emotion: str = "normal", language: str | None = None) -> Utterance:
        """See `Voice.speak`."""
        checked_emotion(emotion)
        language = language or language_of(text)
        speaker = self._speakers.get(language)
        if speaker is None:
            known = ", ".join(self._speakers)
            raise HarkenError(f"{self.name} has no speaker for {language!r}; choose {known}")
        if not has_words(text):
            return
        form = urllib.parse.urlencode({"tts_text": text, "spk_id": speaker}).encode()
        request = urllib.request.Request(f"{self._url}/inference_sft", data=form)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
                yield from _sound(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise HarkenError(
                    f"{self._url} answered {error.code} {_detail(error)}: is it CosyVoice's "
                    "FastAPI server, with these speakers?"
                ) from error
        except urllib.error.URLError as error:
            raise HarkenError(
                f"nobody speaks at {self._url} ({error.reason}): start the server"
            ) from error
        except (HTTPException, OSError) as error:
            raise HarkenError(f"{self._url} broke off {text!r} ({error!r}): try again") from error


def _sound(answer: Any) -> Iterator[Speech]:
    rate = int(answer.headers.get(RATE_HEADER) or COSYVOICE_HZ)
    left = b""
    while block := answer.read1(_READ_BYTES):
        pcm, left = left + block, b""
        if len(pcm) % 2:  # half a sample may end a block
            pcm, left = pcm[:-1], pcm[-1:]
        if pcm:
            yield Speech(np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768), rate)


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        said = json.loads(error.read())["detail"]
    except (ValueError, KeyError, TypeError):
        return error.reason
    return str(said)[:200]
