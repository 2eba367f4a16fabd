"""Sandboxes on every node of a Ray cluster, behind the same pool: `Pool(backend="ray")`.

A worker is a Ray actor on some node, which holds one worker of a local backend there (the embedded one, or Docker). A
job and its result travel through Ray; queue, order, retries and limits stay with the pool in this process. An actor or
a node that dies takes no job along: the pool runs the job again on another, and a job's future is resolved once.

What is contained: what the local backend contains on each node; every result says in which tier it ran. What is not:
Ray itself. Whoever can reach its ports owns the cluster, so they belong to a private network. Results come back in
Ray's own serialisation, from our actor, which decoded what the job wrote; nothing that a job wrote is unpickled.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Literal

from proofgym.errors import ProofgymError, need
from proofgym.sandboxes import errors
from proofgym.sandboxes.embedded import PRELOAD
from proofgym.sandboxes.errors import NoRoom, WorkerLost
from proofgym.sandboxes.scaling import Scaling
from proofgym.sandboxes.types import Isolation, Job, Limits, Result

if TYPE_CHECKING:
    from proofgym.sandboxes.types import Worker

__all__ = ["RayBackend"]

Answer = tuple[str, Any]


class RayBackend:
    """Makes workers on a Ray cluster.

    Args:
        inner: The backend on each node: `auto`, `embedded` or `docker`.
        address: Of the cluster; by default the one that this process is connected to, or `RAY_ADDRESS`, or a new one
            on this machine.
        cpus: Processors that one worker takes up in Ray's books.
        resources: Further resources that a node must have, such as `{"sandbox": 0.01}`.
        scaling: When to start a worker and when to let it go. Ray's own autoscaler adds nodes for workers that find no
            room.
        room_s: How long a slot waits for room in the cluster before it leaves its job to the workers there are.
    Raises:
        MissingExtra: If the extra `ray` is not installed.
    """

    name = "ray"
    gaps: tuple[str, ...] = ()

    def __init__(
        self,
        inner: Literal["auto", "embedded", "docker"] = "auto",
        *,
        address: str | None = None,
        cpus: float = 1.0,
        resources: Mapping[str, float] | None = None,
        scaling: Scaling | None = None,
        room_s: float = 30.0,
        min_isolation: Isolation | str = Isolation.NAMESPACED,
        insecure: bool = False,
        preload: Sequence[str] = PRELOAD,
        site: bool = True,
        binds: Sequence[str] = (),
    ) -> None:
        self._ray = need("ray", "ray")
        if not self._ray.is_initialized():
            self._ray.init(address=address, log_to_driver=False, logging_level="warning")
        self.isolation = Isolation.parse(min_isolation)
        """The tier of the workers so far, the worst if they differ; before there is one, what was asked for."""
        self._seen: set[Isolation] = set()
        self.scaling = scaling or Scaling()
        self.processors = max(1, int(self._ray.cluster_resources().get("CPU", 1) / max(cpus, 1e-3)))
        self._room_s = room_s
        self._inner: dict[str, Any] = {
            "name": inner, "min_isolation": self.isolation.label, "insecure": insecure, "preload": tuple(preload),
            "site": site, "binds": tuple(binds),
        }  # fmt: skip
        self._actor = self._ray.remote(_Sandbox).options(
            num_cpus=cpus, resources=dict(resources or {}), max_concurrency=3, max_restarts=0, max_task_retries=0
        )

    def start(self, slot: int, limits: Limits) -> RayWorker:
        """Place an actor and wait until its walls stand.

        Raises:
            NoRoom: If no node had room in time.
            WorkerLost: If the actor or its node died on the way.
            IsolationUnavailable: If the node cannot give the isolation that was asked for.
        """
        actor = self._actor.remote(self._inner)
        worker = RayWorker(self._ray, actor)
        try:
            worker.begin(slot, limits, self._room_s)
            self._seen.add(worker.isolation)
            self.isolation = min(self._seen)
        except BaseException:
            worker.close()
            raise
        return worker

    def close(self) -> None:
        """Nothing outlives the workers; the connection to the cluster is left to whoever made it."""


class RayWorker:
    """One worker somewhere in the cluster."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor = ray, actor
        self.isolation = Isolation.NONE
        self.gaps: tuple[str, ...] = ()
        self.node = ""
        self._worn, self._placed = False, False
        self._pids: tuple[int, ...] = ()

    def begin(self, slot: int, limits: Limits, timeout_s: float) -> None:
        """Start the sandbox in the actor."""
        started = self._ask(self._actor.start.remote(slot, limits), time.monotonic() + timeout_s)
        self.isolation, self.gaps, self._pids, self.node = started
        self._placed = True

    @property
    def worn(self) -> bool:
        """Whether the pool should replace this worker before the next job."""
        return self._worn

    def run(self, job: Job, limits: Limits, cancel: threading.Event | None = None) -> Result:
        """Run a job there. Raises `WorkerLost` if the actor, its node or its sandbox broke."""
        result, self._worn, self._pids = self._ask(self._actor.run.remote(job, limits), None, cancel)
        assert isinstance(result, Result)
        return result

    def pids(self) -> tuple[int, ...]:
        """The sandbox's processes, as its own node numbers them."""
        return self._pids

    def close(self) -> None:
        """End the sandbox, then the actor."""
        actor, self._actor = self._actor, None
        if actor is None or not self._ray.is_initialized():
            return
        with contextlib.suppress(Exception):
            if self._placed:  # one that waits for room would not answer
                self._ray.get(actor.close.remote(), timeout=10.0)
        with contextlib.suppress(Exception):
            self._ray.kill(actor)

    def _ask(self, reference: Any, deadline: float | None, cancel: threading.Event | None = None) -> Any:
        asked = False
        while True:
            try:
                ready, _ = self._ray.wait([reference], timeout=0.05 if cancel is not None else 1.0)
                if ready:
                    kind, value = self._ray.get(reference)
                    break
            except self._ray.exceptions.RayError as error:
                raise WorkerLost(f"Ray: {_first_line(error)}") from error
            if cancel is not None and cancel.is_set() and not asked:
                asked = True
                self._actor.stop.remote()
            if deadline is not None and time.monotonic() > deadline:
                raise NoRoom("the cluster had no room for another worker")
        if kind == "cancelled":
            raise CancelledError
        if kind == "lost":
            raise WorkerLost(value)
        if kind == "error":
            name, message = value
            raise getattr(errors, name, ProofgymError)(message)
        return value


class _Sandbox:
    """The actor: one worker of a local backend. What goes wrong is returned, so that Ray's own errors mean Ray's."""

    def __init__(self, inner: Mapping[str, Any]) -> None:
        self._inner = dict(inner)
        self._backend: Any = None
        self._worker: Worker | None = None
        self._stop = threading.Event()

    def start(self, slot: int, limits: Limits) -> Answer:
        """Make the sandbox."""
        import ray

        from proofgym.sandboxes.pool import make_backend

        def make() -> Answer:
            self._backend = make_backend(**self._inner)
            self._worker = self._backend.start(slot, limits)
            node = ray.get_runtime_context().get_node_id()
            return "value", (self._worker.isolation, self._worker.gaps, self._worker.pids(), node)

        return _told(make)

    def run(self, job: Job, limits: Limits) -> Answer:
        """Run one job."""
        self._stop.clear()

        def work() -> Answer:
            assert self._worker is not None
            result = self._worker.run(job, limits, self._stop)
            return "value", (result, self._worker.worn, self._worker.pids())

        return _told(work)

    def stop(self) -> None:
        """Kill the job that runs."""
        self._stop.set()

    def close(self) -> None:
        """End the sandbox."""
        self._stop.set()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        if self._backend is not None:
            self._backend.close()


def _told(work: Any) -> Answer:
    try:
        answer: Answer = work()
    except CancelledError:
        return "cancelled", None
    except WorkerLost as error:
        return "lost", str(error)
    except ProofgymError as error:
        return "error", (type(error).__name__, str(error))
    return answer


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
