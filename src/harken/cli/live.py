"""``harken live``: the page, opened in the browser, on recordings or the microphone."""

import os
import sys
import webbrowser
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from harken.cli.models import ready_listener, ready_perception
from harken.cli.serving import address_of, bound, needing_serve, run
from harken.errors import HarkenError
from harken.perceive.perception import EARS
from harken.perceive.source import STANDARD_INPUT, open_source
from harken.respond.voices import voice_names
from harken.stream import POLICIES, Prefix
from harken.stream.policy import DEFAULT_POLICY

_HOST = "127.0.0.1"
NO_VOICE = "none"
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def live(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="Recordings: the page begins with the first one and offers the others. "
            "Without any it waits for the microphone.",
            show_default=False,
        ),
    ] = None,
    instruction: Annotated[
        str, typer.Option(help="What to do, for example: Count the barks.", show_default=False)
    ] = "",
    policy: Annotated[
        str, typer.Option(help="When to speak unasked: " + ", ".join(POLICIES) + ".")
    ] = DEFAULT_POLICY,
    voice: Annotated[
        str, typer.Option(help="Speak the replies: kokoro, espeak, …; the page can change it.")
    ] = NO_VOICE,
    model: Annotated[
        Path | None, typer.Option(help="A checkpoint (.safetensors); the shipped one by default.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8765,
) -> None:
    """Open a page that listens as `harken listen` does, for this machine alone."""
    with needing_serve():
        from harken.serve.app import Service
        from harken.serve.engine import Engine

    Prefix(policy, instruction)
    if voice not in (NO_VOICE, *voice_names()):
        known = ", ".join((NO_VOICE, *voice_names()))
        raise HarkenError(f"no voice {voice!r}; choose one of {known}")
    recordings = _recordings(files or [])
    with closing(bound(_HOST, port)) as listening:
        perception = ready_perception(EARS)
        listener = ready_listener(model)
        wish = {"policy": policy, "voice": voice, "order": instruction}
        page = _page(address_of(listening), recordings, wish)
        with Engine(listener, perception) as engine:
            # The socket listens already: a browser that is quick waits for the server.
            opened = open_page(page)
            typer.echo(f"{'listening at' if opened else 'open'} {page}  Ctrl-C ends it")
            run(Service(engine, samples=recordings), listening)


def _recordings(files: Sequence[str]) -> tuple[Path, ...]:
    """The files, each of which can be heard and has a name of its own. Raises HarkenError."""
    if STANDARD_INPUT in files:
        raise HarkenError("a page cannot hear standard input (-); use harken listen -")
    for file in files:
        open_source(file).close()
    paths = tuple(Path(file) for file in dict.fromkeys(files))
    for name, count in Counter(path.name for path in paths).items():
        if count > 1:
            raise HarkenError(f"{count} recordings are called {name}; rename one of them")
    return paths


def _page(address: str, recordings: Sequence[Path], wish: Mapping[str, str]) -> str:
    """The page's address, which says what to begin with (`serve/page/main.js`)."""
    play = {"play": recordings[0].name} if recordings else {}
    said = {name: value for name, value in wish.items() if value not in ("", NO_VOICE)}
    return f"{address}/?{urlencode(said | play)}"


def open_page(page: str) -> bool:
    """Whether there is a browser with a screen, which then opens the page.

    Without a screen, what `webbrowser` finds are browsers for the terminal, which run no page.
    """
    has_screen = sys.platform in ("darwin", "win32") or any(map(os.environ.get, SCREENS))
    return has_screen and webbrowser.open(page)
