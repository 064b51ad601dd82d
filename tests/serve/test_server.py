"""The server from the outside: who may connect, what is refused, and that nothing breaks it.

Nobody starts a session here, so no model is loaded.
"""

import http.client
import json
import socket
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.serve.conftest import Serve
from tests.serve.wire import RawClient, get, open_live, receive, refused
from websockets.exceptions import ConnectionClosed

from harken.serve.access import Access
from harken.serve.sessions import Limits

# HTTP


def test_the_page_and_its_files_are_served_and_nothing_else(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<p>harken</p>")
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "owl.flac").write_bytes(b"fLaC")
    (tmp_path / "secret.flac").write_bytes(b"secret")
    server = serve(page=tmp_path / "page", samples=(tmp_path / "samples",))
    assert get(server, "/") == (200, b"<p>harken</p>")
    assert get(server, "/static/index.html") == (200, b"<p>harken</p>")
    assert get(server, "/samples") == (200, b'["owl.flac"]')
    assert get(server, "/samples/owl.flac") == (200, b"fLaC")
    assert json.loads(get(server, "/healthz")[1]) == {"status": "ok", "sessions": 0}
    outside = ("../secret.flac", "..%2fsecret.flac", "%2e%2e/secret.flac", "....//secret.flac")
    for path in outside:
        assert get(server, f"/samples/{path}")[0] == 404
        assert get(server, f"/static/{path}")[0] == 404


def test_a_page_of_another_version_is_not_kept_by_the_browser(serve: Serve) -> None:
    """Each file is asked for anew, and answered without its body when it is the same."""
    server = serve()
    connection = http.client.HTTPConnection(server.address)
    for path in ("/", "/static/main.js"):
        connection.request("GET", path)
        first = connection.getresponse()
        assert first.read() and first.headers["cache-control"] == "no-cache"
    connection.request("GET", path, headers={"If-None-Match": first.headers["etag"]})
    assert connection.getresponse().status == 304
    connection.close()


def test_prometheus_reads_the_figures(serve: Serve) -> None:
    server = serve(limits=Limits(most_sessions=0))
    assert refused(server) == (503, "server_full")
    text = get(server, "/metrics")[1].decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert all(family.documentation for family in families.values())
    assert families["harken_decision_seconds"].type == "histogram"
    assert families["harken_sessions"].type == "gauge"
    samples = {
        (one.name, *one.labels.values()): one.value for one in families["harken_refused"].samples
    }
    assert samples["harken_refused_total", "server_full"] == 1


# Who may connect


def test_a_token_opens_the_server(serve: Serve) -> None:
    server = serve(access=Access(token="s3cret"))
    assert refused(server) == (401, "invalid_token")
    assert refused(server, "?token=wrong") == (401, "invalid_token")
    assert refused(server, Authorization="Bearer wröng") == (401, "invalid_token")
    open_live(server, "?token=s3cret").close()
    open_live(server, additional_headers={"Authorization": "Bearer s3cret"}).close()
    assert get(server, "/metrics")[0] == 401
    assert b"harken_refused_total" in get(server, "/metrics?token=s3cret")[1]
    assert get(server, "/healthz")[0] == 200


def test_pages_of_other_sites_may_not_connect(serve: Serve) -> None:
    server = serve(access=Access(origins=("https://friend.example",)))
    open_live(server, origin=f"http://{server.address}").close()
    open_live(server, origin="https://friend.example").close()
    with open_live(server, origin="https://evil.example") as live:
        assert receive(live)["error"]["code"] == "forbidden_origin"
        with pytest.raises(ConnectionClosed) as closed:
            live.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4403


def test_a_name_that_points_here_is_not_this_machine(serve: Serve) -> None:
    server = serve()
    status, body = get(server, "/metrics", Host="evil.example")
    assert (status, b"evil.example" in body) == (403, True)


def test_a_full_server_says_so_and_a_place_becomes_free(serve: Serve) -> None:
    server = serve(limits=Limits(most_sessions=1))
    with open_live(server):
        assert refused(server) == (503, "server_full")
    while json.loads(get(server, "/healthz")[1])["sessions"]:
        pass
    open_live(server).close()


# What a client should not send


def test_nonsense_and_events_out_of_order_get_an_error_and_the_connection_stays(
    serve: Serve,
) -> None:
    server = serve()
    with open_live(server) as live:
        for frame, code in (
            (b"\x00\xff\x13" * 40, "invalid_frame"),
            ("\x00\x01 not json", "invalid_json"),
            ("[" * 5_000, "invalid_json"),
            ("[1, 2]", "invalid_event"),
            ('{"type": 5}', "invalid_event"),
            ('{"type": "session.close"}', "session_not_started"),
        ):
            live.send(frame)
            assert receive(live)["error"]["code"] == code


def test_a_giant_frame_ends_the_connection(serve: Serve) -> None:
    server = serve()
    with open_live(server, max_size=None) as live:
        with pytest.raises(ConnectionClosed) as closed:
            live.send("x" * (2 << 20))
            live.recv(timeout=60)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


def test_a_client_that_does_not_read_is_given_up(serve: Serve) -> None:
    server = serve(limits=Limits(outbox_bytes=20_000))
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
    with RawClient(server, receive_buffer=4_096) as client:
        while client.protocol.close_rcvd is None:  # it reads, but far less than it is sent
            for _ in range(400):
                client.protocol.send_text(b"nonsense")
            client.flush()
            client.read()
    assert client.protocol.close_rcvd.code == 4008
