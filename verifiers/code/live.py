"""Jobs that are spoken with while they run: two of them side by side, and the host between them.

A live job hears on its file descriptor 4 and answers on its standard output or on 3; see `sandboxes.nanny`. Its worker
comes from the pool's backend, beside the pool's slots, and is kept for the next one.
"""

from __future__ import annotations

import contextlib
import functools
import json
import queue
import threading
import time
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from proofgym.errors import Unjudged
from proofgym.sandboxes import InfraError, Outcome, wire
from proofgym.sandboxes.client import NannyWorker
from proofgym.sandboxes.errors import WorkerLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proofgym.sandboxes import Job, Limits, Pool

__all__ = ["Ended", "Event", "Live", "Talk"]

GRACE_S = 15.0
_lock = threading.Lock()
_idle: weakref.WeakKeyDictionary[Pool, list[NannyWorker]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Event:
    """Bytes that a live job wrote to stream `index` (1, 2, or 3), or its end."""

    source: str
    index: int = 0
    data: bytes = b""
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a live job ended; the fields are those of a `Result`. `stopped` means that we ended it."""

    outcome: Outcome
    exit_code: int | None
    signal: int | None
    detail: str
    wall_s: float
    cpu_s: float
    max_rss_kb: int
    stopped: bool = False


class Live:
    """One live job. Made by `Talk.begin`."""

    def __init__(
        self, name: str, worker: NannyWorker, job: Job, limits: Limits, events: queue.Queue[Event | str]
    ) -> None:
        self.name, self.worker, self._events = name, worker, events
        self.ended: Ended | None = None
        self._limits = limits
        worker.begin(job, limits)
        self._thread = threading.Thread(target=self._listen, name=f"live-{name}", daemon=True)
        self._thread.start()

    def feed(self, data: bytes) -> None:
        """Give it bytes to read on descriptor 4."""
        if self.ended is None:
            with contextlib.suppress(OSError):  # gone: its end, or the machinery's, is on its way through the queue
                self.worker.feed(data)

    def stop(self) -> None:
        """Have it killed; its end follows as an event."""
        if self.ended is None:
            with contextlib.suppress(OSError):
                self.worker.stop()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the job's end to be noted."""
        self._thread.join(timeout_s)

    def _listen(self) -> None:
        deadline = time.monotonic() + self._limits.wall_s + GRACE_S
        try:
            while True:
                kind, index, body = self.worker.event(max(0.01, deadline - time.monotonic()))
                if kind == wire.DATA:
                    self._events.put(Event(self.name, index, body))
                elif kind == wire.DONE:
                    self.ended = self._ending(json.loads(body))
                    self._events.put(Event(self.name, ended=self.ended))
                    return
                elif kind == wire.FAILED:
                    raise WorkerLost(str(wire.decode(body)))
        except TimeoutError:
            # Its nanny is stuck behind a job that does not read what it is sent: the job's own doing.
            self.worker.close()
            self.ended = Ended(Outcome.TIMEOUT, None, None, "it did not read what it was sent", 0.0, 0.0, 0)
            self._events.put(Event(self.name, ended=self.ended))
        except Exception as error:
            self._events.put(f"{type(error).__name__}: {error}")

    def _ending(self, done: dict[str, Any]) -> Ended:
        why, code, signal = done["why"], done["code"], done["signal"]
        if why in ("setup", "missing"):
            raise WorkerLost(f"the sandbox could not be built: {done['detail']}")
        stopped = why == "killed"
        if self.worker.out_of_memory():
            outcome = Outcome.MEMORY
        elif why not in ("exit", "killed"):
            outcome = Outcome(why)
        elif signal:
            outcome = Outcome.CRASH
        else:
            outcome = Outcome.ERROR if code else Outcome.OK
        return Ended(outcome, code, signal, done["detail"], done["wall"], done["cpu"], done["rss_kb"], stopped)


class Talk:
    """Two live jobs and one queue of what they say. Use it as a context; leaving it ends them."""

    def __init__(self) -> None:
        self._events: queue.Queue[Event | str] = queue.Queue()
        self._lives: list[tuple[Pool, Live]] = []

    def begin(self, name: str, pool: Pool, job: Job, limits: Limits) -> Live:
        """Start a live job.

        Raises:
            InfraError: No worker would take it.
        """
        reasons = []
        for _ in range(3):
            try:
                worker = _borrow(pool, limits)
                live = Live(name, worker, replace(job, limits=limits), limits, self._events)
            except (WorkerLost, OSError) as error:
                reasons.append(str(error))
                continue
            self._lives.append((pool, live))
            return live
        raise InfraError(f"no live sandbox, three times: {'; '.join(dict.fromkeys(reasons))}")

    def events(self, timeout_s: float) -> Iterator[Event]:
        """What the jobs say, as it comes, for at most `timeout_s` seconds.

        Raises:
            InfraError: The machinery of one of them broke.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            try:
                event = self._events.get(timeout=max(0.0, left))
            except queue.Empty:
                return
            if isinstance(event, str):
                raise InfraError(f"a live sandbox broke: {event}")
            yield event

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        for _pool, live in self._lives:
            live.stop()
        for pool, live in self._lives:
            live.join(timeout_s=5)
            if live.ended is None:
                live.worker.close()
                live.join()
            _give_back(pool, live.worker)


def _borrow(pool: Pool, limits: Limits) -> NannyWorker:
    with _lock:
        idle = _idle.get(pool, [])
        while idle:
            worker = idle.pop()
            if not worker.worn:
                return worker
            worker.close()
    pool._check_open()
    started = pool.backend.start(0, limits)
    if not isinstance(started, NannyWorker):
        started.close()
        raise Unjudged(f"backend {pool.backend.name!r} has no live jobs, so nothing that talks can be judged on it")
    return started


def _give_back(pool: Pool, worker: NannyWorker) -> None:
    with _lock:
        held = _idle.get(pool)
        if held is None:
            held = _idle[pool] = []
            pool.at_close.append(functools.partial(_close, held))
        if not worker.worn and len(held) < 2 * pool.workers and not pool._closed:
            held.append(worker)
            return
    worker.close()


def _close(workers: list[NannyWorker]) -> None:
    for worker in workers:
        worker.close()
