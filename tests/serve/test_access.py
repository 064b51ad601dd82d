"""Hosts, origins and tokens."""

import pytest
from starlette.datastructures import Headers, QueryParams

from harken.errors import HarkenError
from harken.serve.access import Access, Refusal


def allowed(access: Access, query: str = "", **headers: str) -> str:
    """The code of the refusal, empty when there is none."""
    try:
        access.check(Headers(headers), QueryParams(query))
    except Refusal as refusal:
        return refusal.code
    return ""


def test_an_open_server_needs_a_token() -> None:
    with pytest.raises(HarkenError, match="--token"):
        Access(host="0.0.0.0")
    assert not Access(host="0.0.0.0", token="t").is_local


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1", "[::1]:8765", "LOCALHOST"])
def test_this_machine_by_its_names(host: str) -> None:
    assert allowed(Access(), host=host) == ""


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[", ""])
def test_other_names_do_not_reach_a_local_server(host: str) -> None:
    assert allowed(Access(), host=host) == "forbidden_host"


def test_an_open_server_has_any_name() -> None:
    access = Access(host="0.0.0.0", token="t")
    assert allowed(access, "token=t", host="home.example") == ""


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:9"])
def test_a_foreign_origin(origin: str) -> None:
    assert allowed(Access(), host="localhost:8765", origin=origin) == "forbidden_origin"


def test_a_header_goes_before_the_address() -> None:
    access = Access(token="t")
    shown = {"host": "localhost", "authorization": "bearer t"}
    assert allowed(access, "token=wrong", **shown) == ""
    assert allowed(access, "token=t", host="localhost", authorization="Basic x") == ""
    assert allowed(access, host="localhost") == "invalid_token"
