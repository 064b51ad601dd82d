"""Ids of sessions, which name the server that has them where there are several."""

import re
import secrets

from harken.errors import HarkenError

_NAME = re.compile(r"[A-Za-z0-9-]{0,40}")


def new_session_id(server: str = "") -> str:
    """A new id, not to be guessed: `sess_SERVER_…`, or `sess_…` of a server without a name."""
    return "_".join(filter(None, ("sess", server, secrets.token_hex(12))))


def server_of(session_id: str) -> str:
    """The name of the server that has a session; empty when the id names none."""
    match session_id.split("_"):
        case ["sess", server, _]:
            return server
        case _:
            return ""


def check_name(server: str) -> None:
    """Raise HarkenError for a name that cannot stand in an id."""
    if not _NAME.fullmatch(server):
        raise HarkenError(
            f"a server cannot be called {server!r}; use up to 40 letters, digits and hyphens"
        )
