"""What the commands that serve have in common: the socket, its address, the running server."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from harken.errors import HarkenError

if TYPE_CHECKING:
    from harken.serve.app import Service

_MOST_EVENT_BYTES = 4 << 20


@contextmanager
def needing_serve() -> Iterator[None]:
    """For imports of what the extra `serve` brings: without it, it says how to get it."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise HarkenError(
            f"{missing.name} is not installed; run pip install 'harken[serve]'"
        ) from missing


def bound(host: str, port: int) -> socket.socket:
    """A listening socket, to be had before anything is loaded. Raises HarkenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise HarkenError(
            f"cannot listen on {host}, port {port} ({error.strerror}); choose another --port or "
            "--host"
        ) from error


def address_of(listening: socket.socket, *, is_tls: bool = False) -> str:
    """Where a browser finds it."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http{'s' if is_tls else ''}://{shown}:{port}"


def run(
    service: "Service",
    listening: socket.socket,
    *,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
) -> None:
    """Serve until Ctrl-C or a signal."""
    import uvicorn

    from harken.serve.app import build_app

    # What uvicorn says of every connection that we refuse by an HTTP response.
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "without completing handshake" not in record.getMessage()
    )
    config = uvicorn.Config(
        build_app(service),
        ws="websockets-sansio",
        ws_max_size=_MOST_EVENT_BYTES,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
        log_level="warning",
    )
    uvicorn.Server(config).run(sockets=[listening])


def run_replicas(
    service: "Callable[[str], Service]",
    replicas: int,
    listening: socket.socket,
    told: str,
    *,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
) -> None:
    """The same by several servers in a Ray cluster. service: makes that of a name. told: when all
    are ready."""
    try:
        from harken.serve.replicas import deployed
    except ModuleNotFoundError as missing:
        raise HarkenError(
            f"{missing.name} is not installed; run pip install 'harken[replicas]'"
        ) from missing

    host, port = listening.getsockname()[:2]
    listening.close()  # the proxies of Ray Serve take the port
    with deployed(service, replicas, host=host, port=port, tls_cert=tls_cert, tls_key=tls_key):
        typer.echo(told)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
