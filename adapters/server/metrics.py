"""What Prometheus reads: sessions, calls and their times, how episodes ended, and what was refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from proofgym.adapters.server.sessions import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofgym.adapters.server.hosts import Host

__all__ = ["Metrics"]

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The counters of one server, in a registry of their own."""

    def __init__(self, hosts: Callable[[], Sequence[Host]]) -> None:
        self.registry = kept = CollectorRegistry()
        self._calls = Counter(
            "proofgym_calls", "Calls by operation and by what came of them", ["op", "result"], registry=kept
        )
        self._seconds = Histogram("proofgym_call_seconds", "Time of a call", ["op"], buckets=_BUCKETS, registry=kept)
        self._episodes = Counter("proofgym_episodes", "Episodes by how they ended", ["env", "end"], registry=kept)
        self._unjudged = Counter("proofgym_unjudged", "Calls that could not be judged", ["env"], registry=kept)
        self._refused = Counter(
            "proofgym_refused", "Requests turned away before any session saw them", ["why"], registry=kept
        )
        self.reaped = Counter("proofgym_sessions_reaped", "Idle sessions closed", registry=kept)
        self.replaced = Counter(
            "proofgym_workers_replaced", "Worker processes that died and were started again", registry=kept
        )
        started = Gauge("proofgym_start_time_seconds", "When the server started, in Unix time", registry=kept)
        started.set_to_current_time()
        sessions = Gauge("proofgym_sessions", "Live sessions", registry=kept)
        sessions.set_function(lambda: sum(host.live for host in hosts()))
        ready = Gauge("proofgym_workers_ready", "Workers that take calls", registry=kept)
        ready.set_function(lambda: sum(host.ready for host in hosts()))

    def count(self, operation: str, reply: Reply, seconds: float) -> None:
        """One call that was carried out."""
        note = reply.note
        self._calls.labels(operation, note.get("problem", "repeated" if note.get("repeated") else "ok")).inc()
        self._seconds.labels(operation).observe(seconds)
        if "end" in note:
            self._episodes.labels(note["env"], note["end"]).inc()
        if note.get("problem") == "unjudged":
            self._unjudged.labels(note.get("env", "")).inc()

    def refuse(self, why: str) -> None:
        """One request that was turned away."""
        self._refused.labels(why).inc()

    def text(self) -> bytes:
        """Prometheus's exposition format."""
        return generate_latest(self.registry)
