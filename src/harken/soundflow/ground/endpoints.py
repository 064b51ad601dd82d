"""Sounds from text by a model behind HTTP: ElevenLabs, or a server of one's own (AudioX and such).

ElevenLabs: `POST /v1/sound-generation` with `text`, `duration_seconds` (0.5 to 30),
`prompt_influence` and the header `xi-api-key`; the answer is an audio file (its API reference,
"Create sound effect"). AudioX and its like publish no protocol, so theirs is this: `POST` of
`prompt`, `seconds_total`, `seed`; the answer is an audio file of any format.
Answers are kept on disk under a hash of the question: the same draw costs nothing again.
"""

import hashlib
import http.client
import json
import os
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harken.errors import HarkenError
from harken.parts.cache import cache_dir, cache_writes, place
from harken.soundflow.decode import Samples, decode
from harken.soundflow.ground.generator import Made
from harken.soundflow.plan import SPEECH, PlannedEvent

ELEVENLABS_KEY, AUDIOX_KEY = "HARKEN_ELEVENLABS_KEY", "HARKEN_AUDIOX_KEY"

_SHORTEST_S, _LONGEST_S = 0.5, 30.0
_ANSWER_BYTES = 32 << 20
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_ATTEMPTS = 3


@dataclass(slots=True)
class Requests:
    """Asks one server and counts: at most `most` requests, failed ones included."""

    most: int = 200
    timeout_s: float = 120.0
    cache: Path | None = None
    pause: Callable[[float], None] = time.sleep
    made: int = field(default=0, init=False)

    def audio(
        self, url: str, body: Mapping[str, object], headers: Mapping[str, str], salt: int = 0
    ) -> Samples:
        """The sound of the answer, kept or new: float32 [n], 16 kHz.

        Args:
            salt: equal questions with different salts are asked anew.

        Raises:
            HarkenError: the server refuses, fails or answers no audio, or all requests are used.
        """
        question = json.dumps([url, body, salt], sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(question.encode()).hexdigest()
        path = (self.cache or cache_dir() / "sounds") / digest[:2] / f"{digest}.audio"
        if path.is_file():
            return decode(path)
        answer = self._asked(url, json.dumps(body).encode(), headers)
        with cache_writes(path.parent, len(answer)):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=path.parent, suffix=".draft", delete=False
            ) as draft:
                draft.write(answer)
        try:
            samples = decode(Path(draft.name))
        except HarkenError as error:
            Path(draft.name).unlink()
            raise HarkenError(
                f"{url} answered {len(answer)} bytes that are no audio; check the address"
            ) from error
        place(Path(draft.name), path)
        return samples

    def _asked(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        why = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                self.pause(2.0**attempt)
            if self.made >= self.most:
                raise HarkenError(
                    f"{url}: all {self.most} requests are used; raise `most` to go on "
                    "(answers so far are kept)"
                )
            self.made += 1
            request = urllib.request.Request(
                url, data=body, headers={"Content-Type": "application/json", **headers}
            )
            # Without redirections: they would carry the key to another host.
            opener = urllib.request.build_opener(_NoRedirection)
            try:
                with opener.open(request, timeout=self.timeout_s) as response:
                    answer: bytes = response.read(_ANSWER_BYTES)
                    return answer
            except urllib.error.HTTPError as error:
                error.close()
                why = f"HTTP {error.code}"
                if error.code not in _PASSING:
                    raise HarkenError(
                        f"{url} refuses with {why}; check the address and the key"
                    ) from error
            except (OSError, http.client.HTTPException) as error:
                why = f"no reply ({getattr(error, 'reason', None) or error})"
        raise HarkenError(f"{url} failed {_ATTEMPTS} times, at last with {why}; try again later")


@dataclass(frozen=True, slots=True)
class ElevenLabs:
    """The sound effects of ElevenLabs; asks nothing unless HARKEN_ELEVENLABS_KEY is set.

    Its terms, not Harken's licence, hold for what it makes.
    """

    url: str = "https://api.elevenlabs.io"
    prompt_influence: float = 0.5
    requests: Requests = field(default_factory=Requests)

    def can(self, event: PlannedEvent) -> bool:
        """Whether there is a key; it makes any sound but speech."""
        return bool(_key(ELEVENLABS_KEY)) and event.label != SPEECH

    def generate(self, event: PlannedEvent, seconds: float, random: np.random.Generator) -> Made:
        """The sound of the event's description, of 0.5 to 30 s."""
        key = _key(ELEVENLABS_KEY)
        if not key:
            raise HarkenError(f"ElevenLabs needs a key; put it into {ELEVENLABS_KEY}")
        body = {
            "text": event.description,
            "duration_seconds": _bounded(seconds),
            "prompt_influence": self.prompt_influence,
        }
        # The service has no seed: the number keeps several answers to one question apart.
        take = int(random.integers(2**31))
        address = f"{_web(self.url)}/v1/sound-generation?output_format=mp3_44100_128"
        samples = self.requests.audio(
            address, body, {"xi-api-key": key, "Accept": "audio/mpeg"}, take
        )
        return Made(samples, "elevenlabs", "ElevenLabs terms of service", "ElevenLabs")


@dataclass(frozen=True, slots=True)
class AudioX:
    """A text-to-audio server of one's own; HARKEN_AUDIOX_KEY is sent as bearer if it is set.

    Attributes:
        url: the whole address that takes the question.
        licence: of what its model makes, as its weights state it.
        attribution: whom to name for it.
    """

    url: str
    licence: str
    attribution: str = "AudioX"
    requests: Requests = field(default_factory=Requests)

    def can(self, event: PlannedEvent) -> bool:
        """Any sound but speech."""
        return event.label != SPEECH

    def generate(self, event: PlannedEvent, seconds: float, random: np.random.Generator) -> Made:
        """The sound of the event's description, of 0.5 to 30 s."""
        seed = int(random.integers(2**31))
        body = {"prompt": event.description, "seconds_total": _bounded(seconds), "seed": seed}
        key = _key(AUDIOX_KEY)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        samples = self.requests.audio(_web(self.url), body, headers)
        return Made(samples, "audiox", self.licence, self.attribution)


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """None: urllib then reports the redirection as the HTTP state it is."""


def _bounded(seconds: float) -> float:
    return round(min(_LONGEST_S, max(_SHORTEST_S, seconds)), 2)


def _web(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        HarkenError: it is none of the web.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HarkenError(f"{url!r} is no web address; give it as http://host:port/path")
    return url.rstrip("/")


def _key(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise HarkenError(
            f"the key in {variable} has a character that no HTTP header can carry; set it again "
            "without line breaks"
        )
    return key
