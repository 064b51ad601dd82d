"""Latency, speed and memory of listening; run it with nothing else on the machine.

    python benchmarks/latency.py [--model PATH] [--json OUT]

Prints each figure with its bound. Absolute milliseconds depend on the machine; ratios within one
run are what to compare between versions.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np

from harken.cli.app import run
from harken.decide.listener import Audible, State
from harken.decide.model import load_listener
from harken.decide.onnx_listener import OnnxListener
from harken.decide.rule import OperatingPoint
from harken.live.conduct import Conduct
from harken.live.replay import at_own_speed, paced, replay
from harken.live.session import Flow, Session
from harken.live.trace import Event, ResponseTrace
from harken.perceive.chunks import chunks
from harken.perceive.percept import Percept
from harken.perceive.perception import Hearing, Perception
from harken.perceive.source import open_source
from harken.stream import CHUNK_SAMPLES, SAMPLE_RATE, Prefix

SAMPLES = Path(__file__).parents[1] / "samples"
CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE
TWO_MINUTES = 300
REPLY_CHUNKS = 20
LONGEST_REPLY = 40


def perceived(perception: Perception, audio: list[np.ndarray]) -> tuple[list[Percept], np.ndarray]:
    """Percepts and the seconds each took."""
    hearing, out, took = perception.start(), [], []
    for samples in audio:
        began = time.perf_counter()
        hearing, percept = perception.hear(hearing, samples)
        took.append(time.perf_counter() - began)
        out.append(percept)
    return out, np.array(took)


def decided(
    listener: OnnxListener, state: State, percepts: list[Percept]
) -> tuple[State, np.ndarray]:
    """Every chunk decided silent, one at a time, and the seconds each took."""
    took = []
    for percept in percepts:
        began = time.perf_counter()
        state, judged = listener.hear(state, [Audible(percept)])
        took.append(time.perf_counter() - began)
        state = listener.decide(state, judged[-1], "silent")
    return state, np.array(took)


def with_context(
    listener: OnnxListener, percepts: list[Percept], n: int, prefix: Prefix | None = None
) -> State:
    """A session that has heard n chunks."""
    state = listener.start(prefix or Prefix())
    for i in range(0, n, 10):
        batch = [Audible(percepts[j % len(percepts)]) for j in range(i, min(n, i + 10))]
        state, judged = listener.hear(state, batch)
        state = listener.decide(state, judged[-1], "silent")
    return state


def first_texts_s(
    listener: OnnxListener, percepts: list[Percept], quiet: list[Percept]
) -> list[tuple[float, float]]:
    """Seconds from the respond decisions of a session to the first text id, and per further id.

    After two minutes it is spoken to, and answers as it was ordered.
    """
    order = Prefix(instruction="Please transcribe what I say.")
    state = with_context(listener, quiet, TWO_MINUTES, order)
    found = []
    for percept in percepts:
        state, judged = listener.hear(state, [Audible(percept)])
        if judged[-1].p_respond < OperatingPoint().respond:
            state = listener.decide(state, judged[-1], "silent")
            continue
        responding = listener.decide(state, judged[-1], "respond")
        began, marks = time.perf_counter(), []
        for _, behind in islice(listener.say(responding), LONGEST_REPLY):
            marks.append(time.perf_counter() - began)
            state = behind
        # The first is the emotion; where there is but an end behind it, nothing was said.
        if marks[2:]:
            found.append((marks[1], float(np.mean(np.diff(marks[1:])))))
    return found


def backlog_s(listener: OnnxListener, state: State, percepts: list[Percept], n: int) -> float:
    """Seconds until n queued chunks are all judged, in one pass."""
    began = time.perf_counter()
    listener.hear(state, [Audible(p) for p in percepts[:n]])
    return time.perf_counter() - began


def import_s() -> float:
    """Seconds of `import harken` in a fresh interpreter, without the interpreter's own start."""
    code = "import time; t = time.perf_counter(); import harken; print(time.perf_counter() - t)"
    runs = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
    return min(runs)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", type=Path)
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()

    # First, because the peak of a child process is never below that of the process it came from.
    peak_mb = listen_peak_mb(chosen.model)
    perception, listener = Perception(), load_listener(chosen.model, threads=2)
    speech = [c.samples for c in chunks(SAMPLES / "announcements.flac")]
    quiet_random = np.random.default_rng(0)
    quiet = [quiet_random.normal(0, 3e-3, CHUNK_SAMPLES).astype(np.float32) for _ in range(60)]
    perceived(perception, quiet[:4])  # warm-up
    silent_percepts, silent_s = perceived(perception, quiet)
    speech_percepts, speech_s = perceived(perception, speech)

    context = with_context(listener, silent_percepts, TWO_MINUTES)
    _, decide_silent = decided(listener, context, silent_percepts[:50])
    _, decide_speech = decided(listener, listener.fork(context), speech_percepts[:50])
    silent_ms = 1000 * (silent_s[:50] + decide_silent)
    speech_ms = 1000 * (speech_s[:50] + decide_speech[: len(speech_s[:50])])
    firsts = first_texts_s(listener, speech_percepts, silent_percepts)

    ten = min(backlog_s(listener, listener.fork(context), silent_percepts, 10) for _ in range(3))
    one_by_one = 10 * float(np.median(decide_silent))

    stalled, replies = stalls(listener)

    figures = {
        "decision, nobody speaks, p50 ms (<= 80)": np.percentile(silent_ms, 50),
        "decision, nobody speaks, p95 ms (<= 160)": np.percentile(silent_ms, 95),
        "decision, somebody speaks, p95 ms (<= 300)": np.percentile(speech_ms, 95),
        "first text after the decision, median ms (<= 60)": 1000
        * np.median([f for f, _ in firsts]),
        "each further piece, median ms": 1000 * np.median([s for _, s in firsts]),
        "replies measured for these two": len(firsts),
        "real-time factor, silent (<= 0.25)": silent_ms.mean() / 1000 / CHUNK_S,
        "real-time factor, speech (<= 0.6)": speech_ms.mean() / 1000 / CHUNK_S,
        "backlog of 10 chunks, s (<= 0.4)": ten,
        "backlog of 10: one pass against one by one, ratio": one_by_one / ten,
        "replay of announcements, times real time (>= 5)": replay_speed(listener, perception),
        "to resume after a reply of 8 s, nobody speaks: no queue / queue (>= 4.5)": resume_ratio(
            listener, context, quiet
        ),
        "to resume after a reply of 8 s, somebody speaks: no queue / queue (>= 4.5)": resume_ratio(
            listener, context, speech
        ),
        "live: chunks heard more than 0.4 s late, % (0)": stalled,
        "live: replies meanwhile": replies,
        "import harken, s (<= 0.3)": import_s(),
        "harken listen, resident memory, peak MB (<= 1400)": peak_mb,
    }
    for name, value in figures.items():
        print(f"{name:75} {value:.3g}" if value < 100 else f"{name:75} {value:.0f}")
    if chosen.json:
        chosen.json.write_text(json.dumps({k: float(v) for k, v in figures.items()}, indent=1))


def listen_peak_mb(model: Path | None) -> float:
    """Peak resident memory of `harken listen` on a sample, a process of its own."""
    command = [sys.executable, "-m", "harken", "listen", "--json"]
    command += [str(SAMPLES / "announcements.flac")] + (["--model", str(model)] if model else [])
    # Of all children waited for, this is by far the largest.
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def replay_speed(listener: OnnxListener, perception: Perception) -> float:
    """Seconds of sample per second of replay."""
    with open_source(str(SAMPLES / "announcements.flac")) as source:
        began = time.perf_counter()
        summary = replay(source, listener, perception)
    return summary.seconds / (time.perf_counter() - began)


def resume_ratio(listener: OnnxListener, context: State, audio: list[np.ndarray]) -> float:
    """A reply of 8 s leaves 20 chunks: heard and judged one after the other (no queue, the ears
    wait for the reply), against the passes over a queue that the ears kept filling meanwhile."""
    audio = [audio[i % len(audio)] for i in range(REPLY_CHUNKS)]
    perception = Perception()
    percepts, _ = perceived(perception, audio)
    most = Flow().most_chunks
    state = listener.fork(context)
    began = time.perf_counter()
    for i in range(0, REPLY_CHUNKS, most):
        state, judged = listener.hear(state, [Audible(p) for p in percepts[i : i + most]])
        state = listener.decide(state, judged[-1], "silent")
    queued = time.perf_counter() - began
    hearing, state = perception.start(), listener.fork(context)
    began = time.perf_counter()
    for samples in audio:
        hearing, percept = perception.hear(hearing, samples)
        state, judged = listener.hear(state, [Audible(percept)])
        state = listener.decide(state, judged[-1], "silent")
    return (time.perf_counter() - began) / queued


class Timed(Perception):
    """Ears that note when each chunk was heard."""

    def __init__(self) -> None:
        super().__init__()
        self.heard_at: list[float] = []

    def hear(self, hearing: Hearing, samples: np.ndarray) -> tuple[Hearing, Percept]:
        found = super().hear(hearing, samples)
        self.heard_at.append(time.monotonic())
        return found


def stalls(listener: OnnxListener) -> tuple[float, int]:
    """Chunks heard more than a chunk late in a live session full of replies, and how many replies.

    The sample comes in at its own speed and is written down as it is spoken.
    """
    ears, arrived_at = Timed(), []
    order = Conduct(Prefix(instruction="Please transcribe what I say."))
    replies = 0

    def count(event: Event) -> None:
        nonlocal replies
        replies += isinstance(event, ResponseTrace)

    with Session(listener, ears, order, on_event=count, flow=paced()) as session:
        for chunk in at_own_speed(chunks(SAMPLES / "announcements.flac")):
            arrived_at.append(time.monotonic())
            session.push(chunk)
        session.finish()
    late = np.array(ears.heard_at) - np.array(arrived_at) > CHUNK_S
    return 100 * float(late.mean()), replies


if __name__ == "__main__":
    sys.exit(run(main, "latency"))
