"""Many servers behind one address: replicas of the application in a Ray Serve cluster.

A session lives in the memory of one replica. Its id names that replica, and the proxies of Ray
Serve, which choose a replica for every request, do so by `SessionRouter`.
"""

import asyncio
import logging
import math
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.config import RequestRouterConfig
from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica

from harken.errors import HarkenError
from harken.serve.session_id import server_of

if TYPE_CHECKING:  # the proxies, which import this module, run no models
    from starlette.applications import Starlette

    from harken.serve.app import Service

CORES = 2
"""That Ray sets aside for a replica; the sessions of docs/results/serve.json had as many."""
_MOST_REQUESTS = 1_000
"""At a time in a replica: more than it admits, so that the replica refuses, and says why."""
_ANSWER_S = 1.0


def application(make: Callable[[str], "Service"], replicas: int) -> serve.Application:
    """The application, for `deployed` or for `serve run`.

    make: called once in each replica with its name, which the service has to bear.
    """

    def build() -> "Starlette":
        from harken.serve.app import build_app

        return build_app(make(serve.get_replica_context().replica_id.unique_id))

    deployment = serve.deployment(
        name="harken",
        num_replicas=replicas,
        max_ongoing_requests=_MOST_REQUESTS,
        ray_actor_options={"num_cpus": CORES},
        request_router_config=RequestRouterConfig(request_router_class=SessionRouter),
    )
    return deployment(serve.ingress(build)()).bind()


@contextmanager
def deployed(
    make: Callable[[str], "Service"],
    replicas: int,
    *,
    host: str,
    port: int,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
) -> Iterator[None]:
    """While the block runs, so does the application: in the cluster of RAY_ADDRESS, else in one of
    this machine alone, which is started for it.

    host, port, tls_cert, tls_key: of the proxies; each machine with a replica has one.

    Raises:
        HarkenError: there is no such cluster, or the replicas do not start.
    """
    address = os.environ.get("RAY_ADDRESS", "local")
    _connect(address, cores=CORES * replicas)
    try:
        tls = {"ssl_certfile": str(tls_cert), "ssl_keyfile": str(tls_key)} if tls_cert else {}
        serve.start(http_options={"host": host, "port": port, **tls})
        _run(application(make, replicas))
        yield
    finally:
        serve.shutdown()
        ray.shutdown()


def _connect(address: str, cores: int) -> None:
    # Said so that Ray neither reports home nor warns of what it will do in a later version.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    # Sessions do not travel through the object store.
    alone: dict[str, Any] = {
        "num_cpus": cores,
        "include_dashboard": False,
        "object_store_memory": 100_000_000,
    }
    options = alone if address == "local" else {}
    try:
        ray.init(address, log_to_driver=False, logging_level="error", **options)
    except ConnectionError as refused:
        raise HarkenError(f"no Ray cluster at RAY_ADDRESS={address} ({refused})") from refused


def _run(app: serve.Application) -> None:
    """Wait until all replicas are ready."""
    try:
        serve.run(app)
    except RuntimeError as failed:
        raise HarkenError(
            "the replicas do not start; they tell why in /tmp/ray/session_latest/logs/serve"
        ) from failed


class SessionRouter(RequestRouter):  # type: ignore[misc, unused-ignore]  # without Ray
    """A session that is named goes to the replica that has it, everything else to the idlest."""

    async def choose_replicas(
        self,
        candidate_replicas: list[RunningReplica],
        pending_request: PendingRequest | None = None,
    ) -> list[list[RunningReplica]]:
        """Ranks of replicas, best first.

        A session whose replica is gone may go to any: each says that the session is not there.
        """
        if pending_request is None:
            return [candidate_replicas]
        pending_request.routing_context.should_backoff = True
        wanted = _wanted(pending_request)
        for replica in candidate_replicas:
            if replica.replica_id.unique_id == wanted:
                return [[replica]]
        loads = await asyncio.gather(*map(_load, candidate_replicas))
        ranked = sorted(zip(loads, candidate_replicas, strict=True), key=lambda pair: pair[0])
        return [[replica] for _, replica in ranked]


def _wanted(request: PendingRequest) -> str:
    """The replica that a request names, by `session_id` or as `replica`; empty for none."""
    scope = pickle.loads(request.args[0])._asgi_scope  # what the proxies send, as of Ray 2.60
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    session_id, replica = (query.get(name, [""])[0] for name in ("session_id", "replica"))
    return server_of(session_id) or replica


async def _load(replica: RunningReplica) -> float:
    """Requests in a replica now, websockets among them; infinite when it does not answer."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            load: float = await replica.get_queue_len(deadline_s=_ANSWER_S)
            return load
    except (TimeoutError, RayError):
        return math.inf
