"""Figures for Prometheus, in the units of the domain; a registry of its own for each server."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from harken.live.trace import CompactionTrace
from harken.serve.outcomes import Ended, Judged, Outcome, Replied
from harken.serve.shedding import NAMES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What the server counts."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._chunks = Counter("harken_chunks", "Chunks of 0.4 s decided.", registry=registry)
        self._decision = Histogram(
            "harken_decision_seconds",
            "From a chunk's last sample to its decision.",
            buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4),
            registry=registry,
        )
        self._first_text = Histogram(
            "harken_first_text_seconds",
            "From the decision to respond to the first text.",
            buckets=(0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6),
            registry=registry,
        )
        self._responses = Counter("harken_responses", "Replies said.", registry=registry)
        self._compactions = Counter("harken_compactions", "Contexts rebuilt.", registry=registry)
        self._broken = Counter("harken_broken_sessions", "Ended by an error.", registry=registry)
        self._refused = Counter(
            "harken_refused", "Connections refused, by code.", ["code"], registry=registry
        )
        self._sessions = Gauge("harken_sessions", "Sessions held.", registry=registry)
        self._lag = Gauge("harken_lag_seconds", "Of the oldest undecided chunk.", registry=registry)
        self._shedding = Gauge(
            "harken_shedding", f"What is shed: {', '.join(NAMES)}, from 0.", registry=registry
        )

    def count(self, outcome: Outcome) -> None:
        """Take what a session told."""
        match outcome:
            case Judged():
                self._chunks.inc()
                self._decision.observe(outcome.trace.latency_ms / 1000)
            case Replied():
                self._responses.inc()
                self._first_text.observe(outcome.trace.first_token_ms / 1000)
            case CompactionTrace():
                self._compactions.inc()
            case Ended(error=error) if error:
                self._broken.inc()
            case _:
                pass

    def refused(self, code: str) -> None:
        """A connection was refused."""
        self._refused.labels(code).inc()

    def text(self, *, sessions: int, lag_s: float, sheds: str) -> bytes:
        """Everything, as Prometheus reads it."""
        self._sessions.set(sessions)
        self._lag.set(lag_s)
        self._shedding.set(NAMES.index(sheds))
        return generate_latest(self._registry)
