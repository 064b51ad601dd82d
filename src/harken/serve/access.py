"""Who may connect: hosts, origins and the token."""

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams

from harken.errors import HarkenError


class Refusal(Exception):
    """A request that is not served. status: of the HTTP response. code: for programs."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Access:
    """host: the address that is listened on. token: what clients have to show, empty for none.
    origins: of pages on other sites that may connect, as `https://example.org`."""

    host: str = "127.0.0.1"
    token: str = ""
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.is_local and not self.token:
            raise HarkenError(
                f"--host {self.host} opens the server to other machines; add --token SECRET"
            )

    @property
    def is_local(self) -> bool:
        return self.host in LOOPBACK

    def check(self, headers: Headers, query: QueryParams) -> None:
        """Raise Refusal for a request that may not have a session, or the figures.

        A browser sends the origin of the page, which must be our own or a named one. A page on
        another site that got its name to point at this machine is found out by the host.
        """
        host = _hostname("//" + headers.get("host", ""))
        if self.is_local and host not in LOOPBACK:
            raise Refusal(403, "forbidden_host", f"the host {host!r} is not this machine")
        origin = headers.get("origin", "")
        is_own = urlsplit(origin).netloc == headers.get("host", "")
        if origin and not is_own and origin not in self.origins:
            told = f"pages of {origin!r} may not connect; allow them with --origin"
            raise Refusal(403, "forbidden_origin", told)
        if self.token and not hmac.compare_digest(_shown(headers, query), self.token.encode()):
            raise Refusal(401, "invalid_token", "the token is missing or wrong")


def _shown(headers: Headers, query: QueryParams) -> bytes:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    shown = token if scheme.lower() == "bearer" else query.get("token", "")
    return shown.encode()


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
