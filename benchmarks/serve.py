"""Many sessions in one process: decisions, cuts, idle work and memory; nothing else should run.

    python benchmarks/serve.py [--sessions 4] [--seconds 60] [--hours 0] [--one-by-one] [--json OUT]

Clients send at the speed of life over loopback, 30 % speech, each from another place in it. Before
that the decoder alone: the same work of four sessions at once, and one after another. --one-by-one
serves with the listener of one session, to compare. With --hours one more session hears so many
hours, a chunk as soon as the one before is decided; its last quarter (of 4 hours, the last hour) is
compared with the first, in the most memory held and in the time from a chunk to its decision.
"""

import argparse
import asyncio
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import uvicorn

from harken.cli.app import run
from harken.client import connect_async
from harken.decide.batched_listener import BatchedListener
from harken.decide.listener import Audible, State
from harken.decide.model import load_batched_listener, load_listener
from harken.errors import HarkenError
from harken.perceive.chunks import Chunk, chunks
from harken.perceive.percept import Percept
from harken.perceive.perception import Perception
from harken.serve.app import Service, build_app
from harken.serve.commands import Start
from harken.serve.engine import Engine
from harken.serve.outcomes import Ended, Judged, Outcome
from harken.serve.sessions import Limits
from harken.serve.settings import Settings
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE, Prefix

SAMPLES = Path(__file__).parents[1] / "samples"
BLOCK_S = 0.1
CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE
SPEECH_SHARE = 0.3
IDLE_S = 10.0
P_OF_SILENCE = 1e-12  # a p(respond) that even silence reaches
CONTEXT_CHUNKS, WORK_STEPS, COMPANY_ROUNDS = 50, 20, 5


def audio(seconds: float, turn: float) -> np.ndarray:
    """float32 at 16 kHz: 20 s of which the first 30 % are speech, again and again; turned by a
    share of them."""
    spoken = np.concatenate([c.samples for c in chunks(SAMPLES / "announcements.flac")])
    spoken = spoken[: int(20 * SPEECH_SHARE * SAMPLE_RATE)]
    quiet = np.random.default_rng(0).normal(0, 3e-3, 20 * SAMPLE_RATE).astype(np.float32)
    quiet[: len(spoken)] += spoken
    quiet = np.roll(quiet, int(turn * len(quiet)))
    return np.resize(quiet, int(seconds * SAMPLE_RATE))


@contextmanager
def serving(engine: Engine, sessions: int) -> Iterator[str]:
    """A server on a free port; its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    app = build_app(Service(engine, limits=Limits(most_sessions=sessions)))
    config = uvicorn.Config(app, ws="websockets-sansio", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


async def listen(url: str, samples: np.ndarray) -> tuple[list[float], int, int]:
    """Latency of every decision in ms, chunks without one, and how often the server shed."""
    block = int(BLOCK_S * SAMPLE_RATE)
    async with connect_async(url) as session:

        async def speak() -> None:
            began = time.monotonic()
            for n, first in enumerate(range(0, len(samples), block), 1):
                await session.send(samples[first : first + block])
                await asyncio.sleep(max(0.0, began + n * BLOCK_S - time.monotonic()))
            await session.finish()

        speaking = asyncio.create_task(speak())
        latency_ms, sheds = [], 0
        async for event in session:
            if event["type"] == "harken.chunk":
                latency_ms.append(event["latency_ms"])
            sheds += event["type"] == "harken.lag" and event["policy"] != "none"
        await speaking
    return latency_ms, -(-len(samples) // CHUNK_SAMPLES) - len(latency_ms), sheds


async def cut_ms(url: str, voice: str) -> float:
    """From asking for a stop, while a reply is spoken, to being told to drop its sound."""
    async with connect_async(url, threshold=P_OF_SILENCE, voice=voice) as session:
        await session.send(np.zeros(2 * CHUNK_SAMPLES, np.float32))
        began, answered = 0.0, False
        async for event in session:
            if event["type"] == "session.output_audio.delta" and not began:
                began = time.monotonic()
                await session.tell("harken.response.cancel")
                # A cut is told before the next pass, which a chunk begins.
                await session.send(np.zeros(CHUNK_SAMPLES, np.float32))
            elif event["type"] == "harken.chunk" and not answered:
                answered = event["decision"] == "respond"
                if not answered:
                    raise HarkenError("silence was not answered: lower P_OF_SILENCE in this file")
            elif event["type"] == "harken.playback.flush":
                return 1000 * (time.monotonic() - began)
    raise HarkenError("the reply was over before it could be cut: try again, or another --voice")


async def idle_share(url: str, sessions: int) -> float:
    """Of one core, with clients that are connected and send nothing."""
    async with asyncio.TaskGroup() as group:

        async def wait() -> None:
            async with connect_async(url):
                await asyncio.sleep(IDLE_S)

        for _ in range(sessions):
            group.create_task(wait())
        await asyncio.sleep(IDLE_S / 4)
        began = time.process_time()
        await asyncio.sleep(IDLE_S / 2)
        return (time.process_time() - began) / (IDLE_S / 2)


def resident_mb() -> float:
    """Of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def company_ratios(listener: BatchedListener) -> dict[str, float]:
    """How many times faster sessions are at once than one after another, as many as fit a pass."""
    n = listener.company_of

    def begin(session: int) -> State:
        random = np.random.default_rng(session)
        state = listener.start(Prefix())
        for chunk in range(CONTEXT_CHUNKS):
            state = hear(state, chunk, random)
        return state

    def hear(state: State, chunk: int, random: np.random.Generator) -> State:
        sound, acoustic = random.random(1545), random.standard_normal(2560)
        percept = Percept(
            chunk, sound.astype(np.float16), acoustic.astype(np.float16), (), -60.0, 0.0
        )
        state, judged = listener.hear(state, [Audible(percept)])
        return listener.decide(state, judged[-1], "silent")

    def decisions(session: int, state: State) -> None:
        random = np.random.default_rng(session)
        for chunk in range(WORK_STEPS):
            state = hear(state, chunk, random)

    def reply(session: int, state: State) -> None:
        endless = replace(state, pending=listener.profile.decision_ids[1:2])
        for _ in islice(listener.say(endless), WORK_STEPS):
            pass

    states = [begin(session) for session in range(n)]
    ratios = {}
    for name, work in (("decisions", decisions), ("replies", reply)):

        def take(session: int, work: Callable[[int, State], None] = work) -> None:
            with listener.company.step():
                work(session, states[session])

        took_s: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(COMPANY_ROUNDS):
            for at_once in (False, True):
                began = time.perf_counter()
                with ThreadPoolExecutor(n if at_once else 1) as threads:
                    list(threads.map(take, range(n)))
                took_s[at_once].append(time.perf_counter() - began)
        alone_s, together_s = (float(np.median(took_s[at_once])) for at_once in (False, True))
        ratios[f"{name} of {n} sessions, batched: one by one"] = alone_s / together_s
    return ratios


def long_session(engine: Engine, hours: float) -> dict[str, float]:
    """The last quarter of a long session against the first."""
    over = threading.Event()
    decided_s = 0.0

    def tell(outcome: Outcome) -> None:
        nonlocal decided_s
        if isinstance(outcome, Judged):
            decided_s = time.perf_counter()
        elif isinstance(outcome, Ended):
            over.set()

    n_chunks = int(hours * 3600 / CHUNK_S)
    heard = audio(20, 0).reshape(-1, CHUNK_SAMPLES)
    latency_ms, resident = np.zeros(n_chunks), np.zeros(n_chunks)
    served = engine.open(Start(Settings(), SAMPLE_RATE), tell)
    began = time.perf_counter()
    for n in range(n_chunks):
        put_s = time.perf_counter()
        served.put(Chunk(n, heard[n % len(heard)], (n + 1) * CHUNK_SAMPLES, CHUNK_SAMPLES))
        engine.wake()
        while served.waiting_chunks or served.can_decide:  # also for the reply to it
            time.sleep(0.001)
        latency_ms[n], resident[n] = 1000 * (decided_s - put_s), resident_mb()
    took_s = time.perf_counter() - began
    served.finish()
    engine.wake()
    over.wait()
    engine.drop(served)
    first, last = slice(n_chunks // 4), slice(-(n_chunks // 4), None)
    most_mb = [float(resident[part].max()) for part in (first, last)]
    p95_ms = [float(np.percentile(latency_ms[part], 95)) for part in (first, last)]
    return {
        f"{hours:g} h: most memory, first quarter, MB": most_mb[0],
        "growth to the last quarter, % (< 2)": 100 * (most_mb[1] / most_mb[0] - 1),
        "p95 of the first quarter, ms": p95_ms[0],
        "p95 of the last quarter, ms": p95_ms[1],
        "p95, last: first quarter (< 1.1)": p95_ms[1] / p95_ms[0],
        "heard, times real time": n_chunks * CHUNK_S / took_s,
    }


async def measure(url: str, chosen: argparse.Namespace) -> dict[str, float]:
    n = chosen.sessions
    heard = [listen(url, audio(chosen.seconds, i / n)) for i in range(n)]
    found = await asyncio.gather(*heard)
    latency_ms = np.concatenate([latency for latency, _, _ in found])
    return {
        f"decision, {n} sessions, p50 ms": float(np.percentile(latency_ms, 50)),
        f"decision, {n} sessions, p95 ms": float(np.percentile(latency_ms, 95)),
        "decisions more than 0.4 s late, %": 100 * float((latency_ms > 400).mean()),
        "chunks without a decision (0)": sum(dropped for _, dropped, _ in found),
        "times that something was shed (0)": sum(sheds for _, _, sheds in found),
        "from a stop to the flush, ms": await cut_ms(url, chosen.voice),
        f"idle, {n} sessions, % of a core": 100 * await idle_share(url, n),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sessions", type=int, default=4)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--hours", type=float, default=0)
    options.add_argument("--voice", default="espeak")
    options.add_argument("--model", type=Path)
    options.add_argument("--one-by-one", action="store_true")
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    load = load_listener if chosen.one_by_one else load_batched_listener
    listener = load(chosen.model)
    figures: dict[str, float] = {}
    if isinstance(listener, BatchedListener):
        figures |= company_ratios(listener)
    with Engine(listener, Perception()) as engine:
        with serving(engine, chosen.sessions) as url:
            figures |= asyncio.run(measure(url, chosen))
        figures["resident memory, MB"] = resident_mb()
        if chosen.hours:
            figures |= long_session(engine, chosen.hours)
    for name, value in figures.items():
        print(f"{name:52} {value:.4g}")
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(run(main, "serve"))
