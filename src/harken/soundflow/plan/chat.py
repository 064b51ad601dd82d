"""Questions to a language model behind any OpenAI-compatible chat endpoint.

One request is `POST {url}/chat/completions` with `model`, `messages`, `temperature`, a bound on the
answer's tokens and `response_format: {"type": "json_object"}`; of the answer
`choices[0].message.content`, `finish_reason` and `usage.total_tokens` are read (OpenAI API
reference, "Create chat completion"). The standard library speaks it, so nothing is to be installed.
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
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from harken.errors import HarkenError
from harken.parts.cache import cache_dir, cache_writes, place
from harken.soundflow.plan.answer import WrongShape, json_in

T = TypeVar("T")
Message = dict[str, str]
"""`role` ("system", "user" or "assistant") and `content`."""

KEY_VARIABLE = "HARKEN_LLM_KEY"
_ANSWER_BYTES = 4 << 20
_PASSING = {408, 409, 425, 429, 500, 502, 503, 504}
"""HTTP states that may be over when one asks again."""
_BYTES_PER_TOKEN = 3
"""Where an endpoint counts no tokens. English has about four bytes a token: rather too many."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to ask.

    Attributes:
        url: up to and with the version, such as `http://localhost:8000/v1`.
        model: its name there.
        json_mode: whether to ask for `response_format`; off for servers that refuse it.
        limit_field: the field for the most tokens of an answer; some models of OpenAI want
            `max_completion_tokens`.
    """

    url: str
    model: str
    temperature: float = 0.7
    timeout_s: float = 120.0
    json_mode: bool = True
    limit_field: str = "max_tokens"

    def __post_init__(self) -> None:
        try:
            parts = urllib.parse.urlsplit(self.url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise HarkenError(
                f"the endpoint {self.url!r} is no web address; give it as http://host:port/v1"
            )
        if parts.username is not None:
            raise HarkenError(
                f"the address of the endpoint at {parts.hostname} has a user name in it; take it "
                f"out and put the key into {KEY_VARIABLE}"
            )
        if not self.model:
            raise HarkenError(f"no model is named for {self.url}; give the name it has there")

    def __str__(self) -> str:
        return f"{self.model} at {self.url}"


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    tokens: int


class _Passing(Exception):
    """The endpoint failed in a way that may pass; after `pause_s` if it said so."""

    def __init__(self, why: str, pause_s: float | None = None) -> None:
        super().__init__(why)
        self.pause_s = pause_s


class Chat:
    """Asks for JSON, tells what was wrong with it, keeps good answers and counts the cost.

    `tokens` is what was spent since it was made, failed answers included, kept ones not.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        attempts: int = 3,
        token_cap: int = 200_000,
        answer_tokens: int = 4_000,
        cache: Path | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Args:
            attempts: how often one question is asked at most.
            token_cap: no question is asked once so many tokens are spent.
            answer_tokens: the most tokens of one answer.
            cache: folder of kept answers; `plans` in Harken's cache if None.
            pause: waits so many seconds.

        Raises:
            HarkenError: a number is not positive.
        """
        for name, number in (
            ("attempts", attempts),
            ("token_cap", token_cap),
            ("answer_tokens", answer_tokens),
        ):
            if number < 1:
                raise HarkenError(f"{name} is {number}; it must be at least 1")
        self.endpoint = endpoint
        self.tokens = 0
        self._attempts, self._token_cap = attempts, token_cap
        self._answer_tokens = answer_tokens
        self._cache = cache
        self._pause = pause

    def ask(self, messages: list[Message], read: Callable[[str], T], salt: str = "") -> T:
        """What `read` makes of the answer.

        Args:
            messages: the question, with what was said before it.
            read: takes the JSON of the answer; raises WrongShape if it cannot be used, with
                words that tell the model what to mend.
            salt: equal questions with different salts are different questions.

        Raises:
            HarkenError: no usable answer in all attempts, the endpoint refuses, or the tokens
                are spent. The message names the endpoint and the reason.
        """
        path = self._kept_path(messages, salt)
        kept = _kept(path)
        if kept is not None:
            try:
                return read(json_in(kept))
            except WrongShape:
                pass  # Kept by a version that asked for another form: ask anew.
        said = list(messages)
        why = ""
        for attempt in range(self._attempts):
            try:
                answer = self._request(said)
            except _Passing as error:
                why = str(error)
                if attempt + 1 < self._attempts:
                    wished_s = error.pause_s
                    pause_s = _FIRST_PAUSE_S * 2**attempt if wished_s is None else wished_s
                    self._pause(min(pause_s, _LONGEST_PAUSE_S))
                continue
            try:
                value = read(json_in(answer.text))
            except WrongShape as error:
                why = str(error)
                said = [*messages, *_told_back(answer.text, why)]
                continue
            self._keep(path, answer)
            return value
        raise HarkenError(
            f"{self.endpoint} gave no usable answer in {self._attempts} attempts, the last one: "
            f"{why}; try again, another seed or another model"
        )

    def _request(self, messages: list[Message]) -> _Answer:
        left = self._token_cap - self.tokens
        if left <= 0:
            raise HarkenError(
                f"{self.endpoint}: {self.tokens} tokens are spent and the cap is "
                f"{self._token_cap}; raise token_cap to go on (answers so far are kept)"
            )
        content = self._content(messages)
        content[self.endpoint.limit_field] = min(left, self._answer_tokens)
        body = json.dumps(content).encode()
        raw = self._post(body)
        try:
            reply = json.loads(raw)
            choice = reply["choices"][0]
            text, reason = choice["message"]["content"], choice.get("finish_reason")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            self.tokens += _estimate(len(body) + len(raw))
            shown = self._public(raw[:200].decode(errors="replace"))
            raise _Passing(f"the reply is no chat completion: {shown!r}") from error
        self.tokens += _spent(reply, len(body) + len(raw))
        if not isinstance(text, str) or not text.strip():
            raise _Passing(f"the answer is empty (finish_reason {reason!r})")
        if reason == "length":
            raise _Passing(f"the answer was cut off at {content[self.endpoint.limit_field]} tokens")
        return _Answer(text, self.tokens)

    def _content(self, messages: list[Message]) -> dict[str, Any]:
        content: dict[str, Any] = {
            "model": self.endpoint.model,
            "messages": messages,
            "temperature": self.endpoint.temperature,
        }
        if self.endpoint.json_mode:
            content["response_format"] = {"type": "json_object"}
        return content

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "User-Agent": "harken"}
        if key := _key():
            headers["Authorization"] = f"Bearer {key}"
        address = f"{self.endpoint.url.rstrip('/')}/chat/completions"
        request = urllib.request.Request(address, data=body, headers=headers, method="POST")
        # Without redirections: they would carry the key to another host.
        opener = urllib.request.build_opener(_NoRedirection)
        try:
            with opener.open(request, timeout=self.endpoint.timeout_s) as response:
                raw: bytes = response.read(_ANSWER_BYTES)
                return raw
        except urllib.error.HTTPError as error:
            with error:
                told = self._public(_read_some(error))
            if error.code in _PASSING:
                raise _Passing(f"HTTP {error.code} {told}", _wished(error)) from error
            raise HarkenError(
                f"{self.endpoint} refuses with HTTP {error.code}: {told}; {_advice(error.code)}"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            # URLError and a time-out are both OSError.
            raise _Passing(f"no reply ({getattr(error, 'reason', None) or error})") from error

    def _public(self, text: str) -> str:
        """The text in one line without the key, which a server may well repeat."""
        key = _key()
        return " ".join((text.replace(key, "<key>") if key else text).split())

    def _kept_path(self, messages: list[Message], salt: str) -> Path:
        question = {"url": self.endpoint.url, "salt": salt, **self._content(messages)}
        text = json.dumps(question, sort_keys=True, ensure_ascii=False)
        name = hashlib.sha256(text.encode()).hexdigest()
        return (self._cache or cache_dir() / "plans") / name[:2] / f"{name}.json"

    def _keep(self, path: Path, answer: _Answer) -> None:
        entry = {"model": self.endpoint.model, **asdict(answer)}
        with cache_writes(path.parent, 1 << 16):
            path.parent.mkdir(parents=True, exist_ok=True)
            # A name of its own, so that two processes with one question do not meet.
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=path.parent, suffix=".draft", delete=False
            ) as file:
                json.dump(entry, file, ensure_ascii=False)
            place(Path(file.name), path)


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """None: urllib then reports the redirection as the HTTP state it is."""


def _key() -> str:
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise HarkenError(
            f"the key in {KEY_VARIABLE} has a character that no HTTP header can carry; set it "
            "again without line breaks"
        )
    return key


def _kept(path: Path) -> str | None:
    try:
        text = json.loads(path.read_text(encoding="utf-8"))["text"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return text if isinstance(text, str) else None


def _told_back(answer: str, why: str) -> list[Message]:
    return [
        {"role": "assistant", "content": answer},
        {
            "role": "user",
            "content": f"That cannot be used: {why}. Answer again with the whole corrected "
            "JSON object and nothing else.",
        },
    ]


def _spent(reply: dict[str, Any], size_bytes: int) -> int:
    usage = reply.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) and total > 0 else _estimate(size_bytes)


def _estimate(size_bytes: int) -> int:
    return size_bytes // _BYTES_PER_TOKEN + 1


def _read_some(error: urllib.error.HTTPError) -> str:
    try:
        return error.read(300).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""


def _wished(error: urllib.error.HTTPError) -> float | None:
    """Seconds of a `Retry-After` header; None if there is none or it is a date."""
    value = error.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None


def _advice(state: int) -> str:
    if state in (401, 403):
        return f"put a valid key into the environment variable {KEY_VARIABLE}"
    if state == 404 or 300 <= state < 400:
        return "check the address (it ends in /v1 as a rule) and the name of the model"
    return "the server may want json_mode=False or another limit_field"
