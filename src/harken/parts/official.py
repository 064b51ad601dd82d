"""Download from an official address: short patience for an answer, resumed with Range."""

import http.client
import queue
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from os import environ
from pathlib import Path

from harken.parts.cache import BLOCK_BYTES, cache_writes, sha256_of

ANSWER_TIMEOUT_S = 6.0
"""How long an official host may take to begin to answer (name look-up to headers)."""

STALL_TIMEOUT_S = 30.0
"""How long a running download may bring nothing."""

ATTEMPTS = 4
"""How often a download that broke off is continued before another source is tried."""

_silent_hosts: set[str] = set()
"""Hosts that did not answer this process: asking again would only cost time."""


class SourceFailed(Exception):
    """One source did not deliver; the message says why, another source may do better."""


def download(
    url: str,
    staging: Path,
    *,
    sha256: str,
    size_bytes: int,
    needed_bytes: int,
    progress: Callable[[int], None],
    answer_timeout_s: float = ANSWER_TIMEOUT_S,
) -> None:
    """Bring ``staging`` to the complete and verified bytes of ``url``.

    What ``staging`` holds already is continued with a Range request; an interrupted
    call leaves it for the next one.

    Args:
        url: the official address; ``HF_ENDPOINT`` replaces the hub's host, as in the
            hub's own client.
        staging: where the bytes gather.
        sha256: of the complete file.
        size_bytes: of the complete file.
        needed_bytes: the room named when the disk is full.
        progress: called with the bytes gathered so far.
        answer_timeout_s: patience for the beginning of an answer.

    Raises:
        SourceFailed: no answer, a refusal, or other bytes than the expected.
        HarkenError: the cache cannot be written.
    """
    address = _mirrored(url)
    host = urllib.parse.urlsplit(address).netloc
    if host in _silent_hosts:
        raise SourceFailed(f"{host} did not answer before")
    failure = ""
    for _ in range(ATTEMPTS):
        have_bytes = _length(staging)
        if have_bytes > size_bytes:
            # Left by another version or a server that sent too much: no use in continuing.
            staging.unlink()
            have_bytes = 0
        if have_bytes < size_bytes:
            try:
                _continue(address, staging, size_bytes, needed_bytes, progress, answer_timeout_s)
            except TimeoutError as error:
                _silent_hosts.add(host)
                raise SourceFailed(f"{host} did not answer in {answer_timeout_s:g} s") from error
            except urllib.error.HTTPError as error:
                error.close()
                if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have_bytes:
                    failure = f"{host} refused to continue at byte {have_bytes}"
                    staging.unlink()
                    continue
                raise SourceFailed(f"{address} answered {error.code} {error.reason}") from error
            except urllib.error.URLError as error:
                _silent_hosts.add(host)
                raise SourceFailed(f"{host} cannot be reached ({error.reason})") from error
            except _BrokenOff as error:
                failure = f"{host} broke off after {_length(staging)} of {size_bytes} bytes"
                failure += f" ({error})" if str(error) else ""
                continue
        found = sha256_of(staging)
        if found == sha256:
            return
        staging.unlink()
        failure = f"{address} has sha256 {found} instead of {sha256}"
        if not have_bytes:
            break  # All of it came from this server: a second time would be no better.
    raise SourceFailed(failure)


class _BrokenOff(Exception):
    """The connection ended before the file did."""


def _continue(
    address: str,
    staging: Path,
    size_bytes: int,
    needed_bytes: int,
    progress: Callable[[int], None],
    answer_timeout_s: float,
) -> None:
    have_bytes = _length(staging)
    headers = {"User-Agent": "harken", "Accept-Encoding": "identity"}
    if have_bytes:
        headers["Range"] = f"bytes={have_bytes}-"
    request = urllib.request.Request(address, headers=headers)
    with _open_within(request, answer_timeout_s) as response:
        # A server may ignore Range and send everything: then begin again.
        continued = have_bytes > 0 and response.status == http.client.PARTIAL_CONTENT
        done_bytes = have_bytes if continued else 0
        with (
            cache_writes(staging.parent, needed_bytes),
            staging.open("ab" if continued else "wb") as file,
        ):
            while done_bytes < size_bytes:
                block = _read(response)
                if not block:
                    break
                # Unbuffered bytes survive a kill, so that the next run goes on from here.
                file.write(block[: size_bytes - done_bytes])
                file.flush()
                done_bytes = min(size_bytes, done_bytes + len(block))
                progress(done_bytes)
    if done_bytes < size_bytes:
        raise _BrokenOff


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(BLOCK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOff(str(error)) from error


def _open_within(request: urllib.request.Request, timeout_s: float) -> http.client.HTTPResponse:
    """Open a request, or raise TimeoutError when headers have not come after ``timeout_s``.

    In a thread, because the time-out of a socket bounds neither the look-up of the name
    nor a chain of redirections, and because a running download deserves more patience.
    """
    answers: queue.SimpleQueue[http.client.HTTPResponse | Exception] = queue.SimpleQueue()
    given_up = threading.Event()

    def ask() -> None:
        try:
            response = urllib.request.urlopen(request, timeout=STALL_TIMEOUT_S)
        except Exception as error:
            answers.put(error)
            return
        if given_up.is_set():
            response.close()
        answers.put(response)

    threading.Thread(target=ask, name="ask-official-source", daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty:
        given_up.set()
        raise TimeoutError from None
    if isinstance(answer, http.client.HTTPResponse):
        return answer
    if isinstance(answer, (urllib.error.URLError, TimeoutError)):
        raise answer
    # A connection cut before the status line is an HTTPException or a bare OSError.
    raise urllib.error.URLError(str(answer)) from answer


def _mirrored(url: str) -> str:
    hub, endpoint = "https://huggingface.co/", environ.get("HF_ENDPOINT")
    if endpoint and url.startswith(hub):
        return f"{endpoint.rstrip('/')}/{url.removeprefix(hub)}"
    return url


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
