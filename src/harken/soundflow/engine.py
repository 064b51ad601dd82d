"""Engines: who runs the jobs of a build. Results come in any order.

`local` uses processes of this machine, `ray` a Ray cluster. A job is a pure function of its item,
most often an index (it may write files of its own), so engines can only differ in speed.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import parent_process
from typing import Any, Protocol, TypeVar

from harken.errors import HarkenError

Item = TypeVar("Item")
Made = TypeVar("Made")
Results = Generator[tuple[Item, Made], None, None]

ENGINES = ("local", "ray")
AHEAD = 2
"""Jobs handed out for each worker: one runs, one waits, so that none idles between two."""


class Engine(Protocol):
    """Runs `job` on every item and yields (item, result), in any order.

    Items are drawn when a worker can take them, so whoever gives them may stop when enough is
    made. Closing the iterator, or an error in a job, drops what has not begun; what has begun ends
    or is interrupted before the iterator does.
    """

    def __call__(
        self, job: Callable[[Item], Made], items: Iterable[Item], /
    ) -> Results[Item, Made]: ...


def engine_of(name: str, workers: int) -> Engine:
    """The engine of that name with so many workers.

    Raises:
        HarkenError: there is none, or fewer than one worker.
    """
    if workers < 1:
        raise HarkenError(f"workers is {workers}; at least 1 is needed")
    if name not in ENGINES:
        raise HarkenError(f"no engine {name!r}; choose from {', '.join(ENGINES)}")
    return ray(workers) if name == "ray" else local(workers)


def local(workers: int) -> Engine:
    """Processes of this machine. They end by themselves when the process that started them ends."""

    def run(job: Callable[[Item], Made], items: Iterable[Item]) -> Results[Item, Made]:
        left = iter(items)
        running: dict[Future[Made], Item] = {}
        pool = ProcessPoolExecutor(workers, initializer=_begin_worker)
        try:
            while True:
                while len(running) < AHEAD * workers and (item := next(left, None)) is not None:
                    running[pool.submit(job, item)] = item
                if not running:
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(done), done.result()
        except BrokenProcessPool as died:
            raise HarkenError(
                "a worker was killed, perhaps for want of memory; run it again with fewer "
                "workers: it goes on where it was"
            ) from died
        finally:
            pool.shutdown(cancel_futures=True)

    return run


def _begin_worker() -> None:
    """Let this worker end at once by Ctrl-C, and when its parent ends, however that does.

    A worker that took Ctrl-C for the error of one job would make the next one in the queue first.
    One that waits for a job would wait for ever: it holds the other end of the queue itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = parent_process()
    if parent is None:  # pragma: no cover - the initializer runs in workers only
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def ray(workers: int, address: str | None = None) -> Engine:
    """Tasks of a Ray cluster, at most `AHEAD` times `workers` handed out at once.

    Args:
        workers: how many processes of a local cluster, if one is started.
        address: of a cluster; else that of RAY_ADDRESS; else a local one is started and stopped.
            The data folder and the cache must be at the same paths on its machines.

    Raises:
        HarkenError: Ray is not installed (when the engine is run).
    """

    def run(job: Callable[[Item], Made], items: Iterable[Item]) -> Results[Item, Made]:
        cluster = _ray()
        ours = not cluster.is_initialized()
        if ours:
            _connect(cluster, workers, address or os.environ.get("RAY_ADDRESS"))
        task = cluster.remote(num_cpus=1, max_retries=0)(job_of(job))
        left = iter(items)
        running: dict[Any, Item] = {}
        try:
            while True:
                while len(running) < AHEAD * workers and (item := next(left, None)) is not None:
                    running[task.remote(item)] = item
                if not running:
                    return
                done, _ = cluster.wait(list(running), num_returns=1)
                yield running.pop(done[0]), _result(cluster, done[0])
        finally:
            for reference in running:
                cluster.cancel(reference)
            if running:
                cluster.wait(list(running), num_returns=len(running))
            if ours:
                cluster.shutdown()

    return run


def job_of(job: Callable[[Item], Made]) -> Callable[[Item], Made]:
    """The job as a plain function: Ray takes no `functools.partial`."""

    def run(item: Item) -> Made:
        return job(item)

    return run


def _ray() -> Any:
    # Said so that Ray neither reports home nor warns of what it will do in a later version.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as missing:
        raise HarkenError(
            "the engine ray needs Ray; `pip install 'harken[ray]'`, or take the engine local"
        ) from missing
    return ray


def _connect(cluster: Any, workers: int, address: str | None) -> None:
    if address:
        try:
            cluster.init(address=address, log_to_driver=False, logging_level="error")
        except ConnectionError as refused:
            raise HarkenError(f"no Ray cluster at {address} ({refused})") from refused
    else:
        cluster.init(
            address="local",
            num_cpus=workers,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="error",
            object_store_memory=100_000_000,  # nothing but counts travels through it
        )


def _result(cluster: Any, reference: Any) -> Any:
    """What the task returned; what it raised, as the job raised it."""
    try:
        return cluster.get(reference)
    except cluster.exceptions.RayTaskError as failed:
        raise (failed.cause or failed) from failed
    except cluster.exceptions.WorkerCrashedError as died:
        raise HarkenError(
            "a worker was killed, perhaps for want of memory; run it again with fewer "
            "workers: it goes on where it was"
        ) from died
