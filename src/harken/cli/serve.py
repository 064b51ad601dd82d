"""``harken serve``: sessions over websockets, and the page."""

import ssl
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from harken.cli.models import ready_batched_listener, ready_perception
from harken.cli.outputs import require_folder
from harken.cli.serving import address_of, bound, needing_serve, run, run_replicas
from harken.errors import HarkenError
from harken.perceive.perception import EARS
from harken.stream import POLICIES, Prefix
from harken.stream.policy import DEFAULT_POLICY


def serve(
    host: Annotated[
        str, typer.Option(help="The address to listen on; another than loopback needs --token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8765,
    token: Annotated[
        str, typer.Option(help="What clients have to show.", envvar="HARKEN_TOKEN")
    ] = "",
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Pages of this other site may connect, as https://example.org."),
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    sessions: Annotated[int, typer.Option(min=1, help="So many at a time.")] = 4,
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds for which a session waits for its client.")
    ] = 60.0,
    policy: Annotated[
        str, typer.Option(help="Where a client states none: " + ", ".join(POLICIES) + ".")
    ] = DEFAULT_POLICY,
    voice: Annotated[
        str, typer.Option(help="Of replies, where a client states none: none, kokoro, espeak, …")
    ] = "none",
    model: Annotated[
        Path | None, typer.Option(help="A checkpoint (.safetensors); the shipped one by default.")
    ] = None,
    samples: Annotated[
        Path | None, typer.Option(help="A folder of recordings that the page offers.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            callback=require_folder,
            help="Keep the audio of every session in this folder; by default none is.",
        ),
    ] = None,
    name: Annotated[
        str, typer.Option(help="Of this server among several; the ids of its sessions hold it.")
    ] = "",
    replicas: Annotated[
        int, typer.Option(min=0, help="So many servers, in a Ray cluster; 0 is this process.")
    ] = 0,
) -> None:
    """Listen for clients and their audio, and reply."""
    with needing_serve():
        from harken.serve.access import Access
        from harken.serve.app import Service
        from harken.serve.engine import Engine
        from harken.serve.session_id import check_name
        from harken.serve.sessions import Limits
        from harken.serve.settings import Settings
        from harken.serve.speaking import Voices

    access = Access(host, token, tuple(origin or ()))
    Prefix(policy)
    check_name(name)
    if name and replicas:
        raise HarkenError(f"--name {name} is of one server; Ray names the replicas, leave it out")
    default = Settings(policy=policy, voice=voice)
    Voices().check(voice)
    _require_files(tls_cert, tls_key, samples)
    offered = (samples,) if samples else ()

    def service(name: str) -> Service:
        perception = ready_perception(EARS)
        engine = Engine(ready_batched_listener(model), perception, Voices())
        limits = Limits(sessions, grace)
        return Service(engine, access, limits, default, offered, record, name=name)

    with closing(bound(host, port)) as listening:
        told = f"listening on {address_of(listening, is_tls=bool(tls_cert))}; Ctrl-C ends it"
        if replicas:
            run_replicas(service, replicas, listening, told, tls_cert=tls_cert, tls_key=tls_key)
            return
        one = service(name)
        with one.engine:
            typer.echo(told)
            run(one, listening, tls_cert=tls_cert, tls_key=tls_key)


def _require_files(tls_cert: Path | None, tls_key: Path | None, samples: Path | None) -> None:
    """Refuse a folder or certificate that cannot be used."""
    if samples is not None and not samples.is_dir():
        raise HarkenError(f"there is no folder {samples}; give --samples one with recordings")
    for path in (tls_cert, tls_key):
        if path is not None and not path.is_file():
            raise HarkenError(f"{path} does not exist; give a PEM file")
    if tls_cert is None and tls_key is None:
        return
    if tls_cert is None or tls_key is None:
        raise HarkenError("TLS needs both --tls-cert and --tls-key")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls_cert, tls_key)
    except (ssl.SSLError, OSError) as error:
        raise HarkenError(
            f"{tls_cert} and {tls_key} are no certificate and its key ({error}); give PEM files"
        ) from error
