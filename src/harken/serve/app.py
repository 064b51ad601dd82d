"""The server as an ASGI application: the page, the websockets, health and figures."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from harken.serve.access import Access, Refusal
from harken.serve.connection import DISPLACED, GONE, close, converse
from harken.serve.conversation import Conversation
from harken.serve.dialects.dialect import Dialect
from harken.serve.dialects.live import LiveDialect
from harken.serve.dialects.realtime import RealtimeDialect
from harken.serve.engine import Engine
from harken.serve.metrics import CONTENT_TYPE, Metrics
from harken.serve.outbox import Outbox
from harken.serve.session_id import check_name, new_session_id
from harken.serve.sessions import Limits, Sessions
from harken.serve.settings import Settings

_YEAR_S = 365 * 86_400
_AUDIO = (".flac", ".wav", ".mp3", ".ogg", ".opus", ".m4a")
_HEADERS = {
    "content-security-policy": "default-src 'self'; connect-src 'self' ws: wss:; "
    "style-src 'self'; media-src 'self' blob:; worker-src 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
"""The page may have a token in its address."""

MakeDialect = Callable[[str, WebSocket], Dialect]


@dataclass(frozen=True, slots=True)
class Service:
    """What a server is made of. default: settings of a session whose client states nothing.
    samples: recordings for the page, or folders of them. record: where the audio of sessions is
    kept; None, nowhere."""

    engine: Engine
    access: Access = field(default_factory=Access)
    limits: Limits = field(default_factory=Limits)
    default: Settings = field(default_factory=Settings)
    samples: tuple[Path, ...] = ()
    record: Path | None = None
    metrics: Metrics = field(default_factory=Metrics)
    page: Path = field(default_factory=lambda: Path(str(files("harken"))) / "serve" / "page")
    name: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)


def build_app(service: Service) -> Starlette:
    """The application. The engine is the caller's to close, after the application has ended."""
    sessions = Sessions(service.limits)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        sessions.close()

    def live(session_id: str, socket: WebSocket) -> Dialect:
        voices = service.engine.voices.names
        return LiveDialect(session_id, _expiry(), service.default, voices)

    def realtime(session_id: str, socket: WebSocket) -> Dialect:
        voices = service.engine.voices.names
        model = socket.query_params.get("model", "harken")
        return RealtimeDialect(session_id, _expiry(), service.default, voices, model)

    def endpoint(make: MakeDialect) -> Callable[[WebSocket], Awaitable[None]]:
        async def serve(socket: WebSocket) -> None:
            await _serve(socket, service, sessions, make)

        return serve

    async def healthz(request: Request) -> Response:
        named = {"name": service.name} if service.name else {}
        return JSONResponse({"status": "ok", "sessions": len(sessions), **named})

    async def metrics(request: Request) -> Response:
        try:
            service.access.check(request.headers, request.query_params)
        except Refusal as refusal:
            return PlainTextResponse(str(refusal), refusal.status)
        engine = service.engine
        lag_s = engine.lag_s()
        text = service.metrics.text(sessions=len(sessions), lag_s=lag_s, sheds=engine.sheds)
        return Response(text, media_type=CONTENT_TYPE)

    return Starlette(
        routes=[
            *_page_routes(service),
            Route("/healthz", healthz),
            Route("/metrics", metrics),
            WebSocketRoute("/v1/live/sessions", endpoint(live)),
            WebSocketRoute("/v1/realtime", endpoint(realtime)),
        ],
        lifespan=lifespan,
    )


def _page_routes(service: Service) -> list[Route | Mount]:
    """The page, its files, and recordings that it can play."""

    async def index(request: Request) -> Response:
        return FileResponse(service.page / "index.html", headers=_HEADERS)

    async def samples(request: Request) -> Response:
        return JSONResponse(sorted(_recordings(service.samples)))

    async def sample(request: Request) -> Response:
        # Only what the listing names is served, so that no name can lead out of the folder.
        path = _recordings(service.samples).get(request.path_params["name"])
        return FileResponse(path) if path else PlainTextResponse("no such sample", 404)

    return [
        Route("/", index),
        Route("/samples", samples),
        Route("/samples/{name}", sample),
        Mount("/static", _PageFiles(directory=service.page, check_dir=False)),
    ]


class _PageFiles(StaticFiles):
    """Files of the page; a browser asks each time, lest it mixes those of two versions."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers.update(_HEADERS)
        return response


async def _serve(
    socket: WebSocket, service: Service, sessions: Sessions, make: MakeDialect
) -> None:
    """One connection from its request to its end."""
    conversation, is_back, displaced = None, False, asyncio.Event()
    try:
        service.access.check(socket.headers, socket.query_params)
        if wanted := socket.query_params.get("session_id", ""):
            conversation, is_back = sessions.rejoin(wanted), True
        else:
            dialect = make(new_session_id(service.name), socket)
            outbox = Outbox(service.limits.outbox_bytes)
            conversation = sessions.admit(
                Conversation(dialect, service.engine, service.metrics, outbox, service.record)
            )
        displaced = conversation.displace()
        await socket.accept()
        async with conversation.line:
            code = DISPLACED
            if not displaced.is_set():
                conversation.greet(is_back=is_back)
                code = await converse(socket, conversation, displaced)
        await close(socket, code)
    except Refusal as refusal:
        service.metrics.refused(refusal.code)
        with suppress(*GONE):
            await _refuse(socket, refusal)
    finally:
        if conversation and not displaced.is_set():
            sessions.leave(conversation)


async def _refuse(socket: WebSocket, refusal: Refusal) -> None:
    """Refuse a websocket: by an HTTP response, which a browser cannot read; it gets an event."""
    error = {"type": "invalid_request_error", "code": refusal.code, "message": str(refusal)}
    if "origin" not in socket.headers:
        body = json.dumps({"error": error})
        response = Response(body, refusal.status, media_type="application/json")
        await socket.send_denial_response(response)
        return
    await socket.accept()
    await socket.send_json({"type": "error", "event_id": "event_0", "error": error})
    await socket.close(4000 + refusal.status, str(refusal)[:120])


def _expiry() -> int:
    """The dialects want a time at which a session ends; ours have none."""
    return int(time.time()) + _YEAR_S


def _recordings(samples: Iterable[Path]) -> dict[str, Path]:
    """Recordings by their file name: those named, and what there is now in folders."""
    found: dict[str, Path] = {}
    for path in samples:
        if path.is_dir():
            found |= {one.name: one for one in path.iterdir() if one.suffix in _AUDIO}
        elif path.is_file():
            found[path.name] = path
    return found
