"""What Prometheus reads: sessions, calls and their times, how episodes ended, and what was refused."""

from __future__ import annotations

import time
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
        self.registry = CollectorRegistry()
        made = {"registry": self.registry, "namespace": "proofgym"}
        self._calls = Counter("calls", "Calls by operation and by what came of them", ["op", "result"], **made)
        self._seconds = Histogram("call_seconds", "Time of a call", ["op"], buckets=_BUCKETS, **made)
        self._episodes = Counter("episodes", "Episodes by how they ended", ["env", "end"], **made)
        self._unjudged = Counter("unjudged", "Calls that could not be judged", ["env"], **made)
        self.refused = Counter("refused", "Requests turned away before any session saw them", ["why"], **made)
        self.reaped = Counter("sessions_reaped", "Idle sessions closed", **made)
        self.replaced = Counter("workers_replaced", "Worker processes that died and were started again", **made)
        self._started = Gauge("start_time_seconds", "When the server started, in Unix time", **made)
        self._started.set(time.time())
        for name, told, read in (
            ("sessions", "Live sessions", lambda: sum(host.live for host in hosts())),
            ("workers_ready", "Workers that take calls", lambda: sum(host.ready for host in hosts())),
        ):
            Gauge(name, told, **made).set_function(read)

    def count(self, operation: str, reply: Reply, seconds: float) -> None:
        """One call that was carried out."""
        note = reply.note
        self._calls.labels(operation, note.get("problem", "repeated" if note.get("repeated") else "ok")).inc()
        self._seconds.labels(operation).observe(seconds)
        if "end" in note:
            self._episodes.labels(note["env"], note["end"]).inc()
        if note.get("problem") == "unjudged":
            self._unjudged.labels(note.get("env", "")).inc()

    def text(self) -> bytes:
        """Prometheus's exposition format."""
        return generate_latest(self.registry)
