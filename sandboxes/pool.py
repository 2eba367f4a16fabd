"""The pool: many jobs, a few workers, one queue. For threads and for asyncio alike.

>>> from proofgym.sandboxes import Job, Pool
>>> with Pool(workers=1) as pool:  # doctest: +SKIP
...     pool.run(Job.calls("def double(n): return 2 * n", "double", [(4,)])).values
[8]

One thread per slot holds one worker at a time. A worker that breaks is replaced and its job runs again, at most twice;
then `InfraError`. A job's own misdeeds are results, never exceptions; our failures are exceptions, never results.
"""

from __future__ import annotations

import asyncio
import atexit
import collections
import contextlib
import heapq
import itertools
import os
import threading
import time
import warnings
import weakref
from concurrent.futures import CancelledError, Future, InvalidStateError
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from proofgym.errors import ProofgymError
from proofgym.sandboxes import languages, probe, pytests
from proofgym.sandboxes.embedded import PRELOAD, EmbeddedBackend
from proofgym.sandboxes.errors import (
    InfraError,
    IsolationUnavailable,
    JobRefused,
    NoRoom,
    PoolClosed,
    QueueFull,
    WorkerLost,
)
from proofgym.sandboxes.scaling import Scaling
from proofgym.sandboxes.types import Backend, Isolation, Job, Limits, Result, Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

__all__ = ["JobFuture", "Pool", "Report", "make_backend"]

ATTEMPTS = 3
NO_ROOM_S = 600.0  # how long a job waits for a first worker anywhere
REST_S = 5.0  # how long a slot that found no room leaves the queue to the others
_OPEN: weakref.WeakSet[Pool] = weakref.WeakSet()


class JobFuture(Future[Result]):
    """A job's result to come. Unlike a plain future, `cancel` also ends a job that already runs."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self.stop = threading.Event()
        self.queued_at = time.monotonic()
        self.place = (0, 0)
        self.no_room_since: float | None = None

    def cancel(self) -> bool:
        """Take the job out of the queue, or kill it. Returns False when it had already ended."""
        if super().cancel():
            return True
        self.stop.set()
        return not self.done()


@dataclass(frozen=True, slots=True)
class Report:
    """What a pool has done so far. Times are (median, 95th percentile) in seconds over the last 4096 jobs."""

    backend: str
    isolation: str
    workers: int
    jobs: int
    outcomes: dict[str, int]
    retries: int
    workers_started: int
    infra_errors: int
    queue_s: tuple[float, float]
    setup_s: tuple[float, float]
    run_s: tuple[float, float]
    teardown_s: tuple[float, float]


def make_backend(
    name: str = "auto",
    *,
    min_isolation: Isolation | str = Isolation.NAMESPACED,
    insecure: bool = False,
    preload: Sequence[str] = PRELOAD,
    site: bool = True,
    binds: Sequence[str] = (),
) -> Backend:
    """The named backend in the best tier that works here; `auto` tries the embedded one, then Docker.

    Raises:
        IsolationUnavailable: Nothing here reaches `min_isolation`; the message says what failed and the cure.
    """
    least = Isolation.parse(min_isolation)
    if name == "docker":
        from proofgym.sandboxes.docker_backend import DockerBackend

        return DockerBackend(preload=preload)
    if name == "ray":
        from proofgym.sandboxes.ray_backend import RayBackend

        return RayBackend(min_isolation=least, insecure=insecure, preload=preload, site=site, binds=tuple(binds))
    if name not in ("auto", "embedded"):
        raise ValueError(f"no backend {name!r}; there are 'auto', 'embedded', 'docker' and 'ray', or give one of yours")
    binds = (*binds, *languages.binds())
    try:
        isolation = probe.choose(least, insecure=insecure)
    except IsolationUnavailable as unavailable:
        if name == "embedded":
            raise
        try:
            return make_backend("docker", min_isolation=least, preload=preload)
        except Exception as error:
            raise IsolationUnavailable(f"{unavailable}; Docker: {error}") from error
    if isolation < Isolation.NAMESPACED:
        warnings.warn(f"sandboxes run with isolation {isolation.label!r} only; results list the gaps", stacklevel=3)
    return EmbeddedBackend(isolation, preload=preload, site=site, binds=binds)


class Pool:
    """Runs jobs in sandboxes, several at a time.

    Args:
        backend: `auto`, `embedded`, `docker`, `ray`, or an object of your own that implements `types.Backend`.
        workers: How many jobs run at once; by default one per processor, with `ray` one per processor of the cluster.
        limits: For jobs that bring none.
        min_isolation: The least tier to accept.
        insecure: Needed, in so many words, to accept `none`.
        preload: Modules every worker imports beforehand.
        site: Whether jobs can import the packages installed beside this interpreter.
        queue: How many jobs may wait; `submit` then blocks. By default 64 per worker.

    A pool belongs to the process that made it; after a fork, make a new one. Close it, or leave the `with` block.
    """

    def __init__(
        self,
        backend: str | Backend = "auto",
        workers: int | None = None,
        limits: Limits | None = None,
        *,
        min_isolation: Isolation | str = Isolation.NAMESPACED,
        insecure: bool = False,
        preload: Sequence[str] = PRELOAD,
        site: bool = True,
        binds: Sequence[str] = (),
        queue: int | None = None,
    ) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"workers={workers!r}; a pool needs at least one")
        if isinstance(backend, str):
            backend = make_backend(
                backend, min_isolation=min_isolation, insecure=insecure, preload=preload, site=site, binds=binds
            )
        elif backend.isolation < Isolation.parse(min_isolation) and not insecure:
            least = Isolation.parse(min_isolation).label
            raise IsolationUnavailable(
                f"backend {backend.name!r} gives {backend.isolation.label!r}, less than {least!r}"
            )
        count = workers or getattr(backend, "processors", 0) or len(os.sched_getaffinity(0))
        self.backend, self.workers, self.limits = backend, count, limits or Limits()
        self._scaling: Scaling | None = getattr(backend, "scaling", None)
        self._most = 64 * count if queue is None else max(1, queue)
        self._owner = os.getpid()
        self._lock = threading.Condition()
        self._heap: list[tuple[int, int, JobFuture]] = []
        self._numbers = itertools.count()
        self._rooms: collections.deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = collections.deque()
        self._running: set[JobFuture] = set()
        self._closed = False
        self.at_close: list[Callable[[], None]] = []  # what ends together with the pool, beside its own workers
        self._stats = _Stats()
        self._compiler = languages.Compiler(backend.name, getattr(backend, "binds", ()))
        self._slots = [_Slot(self, number) for number in range(count)]
        for slot in self._slots:
            slot.thread.start()
        _OPEN.add(self)

    # Running jobs -----------------------------------------------------------------------------------------------------

    def submit(self, job: Job, *, priority: int = 0, block: bool = True, timeout_s: float | None = None) -> JobFuture:
        """Queue a job. Higher priorities go first; equal ones in order.

        Args:
            block: Wait for room in the queue (that is the back-pressure), at most `timeout_s`.
        Raises:
            QueueFull: There was no room.
            JobRefused: The job cannot be run as asked.
            PoolClosed: The pool is closed, or belongs to another process.
        """
        if not isinstance(job, Job):
            raise JobRefused(
                f"{type(job).__name__} is not a Job; build one with Job.calls, Job.script, Job.command, ..."
            )
        if job.kind == "compiled":
            languages.check(job.language)
        future = JobFuture(job)
        with self._lock:
            self._check_open()
            if len(self._heap) >= self._most:
                room = block and self._lock.wait_for(lambda: self._closed or len(self._heap) < self._most, timeout_s)
                self._check_open()
                if not room:
                    raise QueueFull(f"{len(self._heap)} jobs are waiting, as many as this pool holds")
            future.queued_at = time.monotonic()
            future.place = (-priority, next(self._numbers))
            heapq.heappush(self._heap, (*future.place, future))
            self._lock.notify_all()
        future.add_done_callback(self._forget)
        return future

    def run(self, job: Job, *, priority: int = 0) -> Result:
        """Run one job and wait for it.

        Raises:
            InfraError: The machinery failed three times. There is no result, and no score.
        """
        future = self.submit(job, priority=priority)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def map(self, jobs: Iterable[Job], *, priority: int = 0) -> Iterator[Result]:
        """Results in the order of the jobs. Takes jobs only as fast as they are run, so the iterable may be endless."""
        waiting: collections.deque[JobFuture] = collections.deque()
        source = iter(jobs)
        try:
            for job in itertools.islice(source, 4 * self.workers):
                waiting.append(self.submit(job, priority=priority))
            while waiting:
                yield waiting.popleft().result()
                for job in itertools.islice(source, 1):
                    waiting.append(self.submit(job, priority=priority))
        finally:
            for future in waiting:
                future.cancel()

    async def arun(self, job: Job, *, priority: int = 0) -> Result:
        """Run one job from asyncio. Cancelling the task kills the job."""
        return await asyncio.wrap_future(await self._asubmit(job, priority))

    async def astream(self, jobs: Iterable[Job], *, priority: int = 0) -> AsyncIterator[tuple[int, Result]]:
        """(index, result) of each job as it ends, in whatever order. Takes jobs only as fast as they are run."""
        source = enumerate(jobs)
        waiting: dict[asyncio.Future[Result], int] = {}
        try:
            while True:
                for index, job in itertools.islice(source, 4 * self.workers - len(waiting)):
                    waiting[asyncio.wrap_future(await self._asubmit(job, priority))] = index
                if not waiting:
                    return
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for future in sorted(done, key=waiting.__getitem__):
                    yield waiting.pop(future), future.result()
        finally:
            for future in waiting:
                future.cancel()

    async def _asubmit(self, job: Job, priority: int) -> JobFuture:
        while True:
            try:
                return self.submit(job, priority=priority, block=False)
            except QueueFull:
                loop = asyncio.get_running_loop()
                room = loop.create_future()
                with self._lock:
                    if len(self._heap) < self._most:
                        continue
                    self._rooms.append((loop, room))
                await room

    # Looking after it -------------------------------------------------------------------------------------------------

    def report(self) -> Report:
        """Counts and times so far."""
        return self._stats.report(self)

    def pids(self) -> list[int]:
        """The host's process ids of all workers, for tests and for the curious."""
        return [pid for slot in self._slots for pid in slot.pids()]

    def close(self) -> None:
        """Cancel what waits, kill what runs, end the workers. Only processes that this pool started are touched."""
        if self._owner != os.getpid():
            return
        with self._lock:
            self._closed = True
            futures = [future for _, _, future in self._heap] + list(self._running)
            self._lock.notify_all()
        for future in futures:
            future.cancel()
        for slot in self._slots:
            if slot.thread is not threading.current_thread():
                slot.thread.join()
        self._wake_rooms()
        while self.at_close:
            self.at_close.pop()()
        self.backend.close()
        _OPEN.discard(self)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._owner != os.getpid():
            raise PoolClosed(f"this pool belongs to process {self._owner}; make one of your own after a fork")
        if self._closed:
            raise PoolClosed("the pool is closed")

    def _forget(self, future: Future[Result]) -> None:
        if future.cancelled():
            with self._lock:
                kept = [item for item in self._heap if item[2] is not future]
                if len(kept) < len(self._heap):
                    self._heap = kept
                    heapq.heapify(self._heap)
                    self._lock.notify_all()
            self._wake_rooms()

    def _take(self, slot: _Slot) -> JobFuture | None:
        """The next job for a slot; None when the pool is closed, or the slot's worker has been idle for too long."""
        with self._lock:
            slot.serving = False
            rule = self._scaling
            patience = rule.idle_s if rule is not None and slot.worker is not None else None
            while True:
                found = self._lock.wait_for(lambda: self._closed or self._may_take(slot), patience)
                if self._closed:
                    return None
                if not found:
                    if rule is not None and self._manned() > rule.least:
                        slot.leaving = True
                        return None
                    continue
                slot.serving = True
                future = heapq.heappop(self._heap)[2]
                self._lock.notify_all()
                if future.no_room_since is not None or future.set_running_or_notify_cancel():
                    self._running.add(future)
                    break
        self._wake_rooms()
        return future

    def _may_take(self, slot: _Slot) -> bool:
        """Whether there is a job, and it is for this slot: one without a worker leaves it to those that have one."""
        if not self._heap or self._scaling is None or slot.worker is not None:
            return bool(self._heap)
        return self._scaling.wants_more(len(self._heap), self._manned())

    def _manned(self) -> int:
        """How many slots hold a worker or are getting one."""
        return sum((slot.worker is not None and not slot.leaving) or slot.serving for slot in self._slots)

    def _done(self, future: JobFuture) -> None:
        with self._lock:
            self._running.discard(future)

    def _give_back(self, future: JobFuture) -> bool:
        """Put a job back in its place, for a slot that has a worker. Not when there has been none for too long."""
        now = time.monotonic()
        with self._lock:
            since = future.no_room_since = future.no_room_since or now
            alone = not any(slot.worker is not None for slot in self._slots)
            if self._closed or (alone and now - since > NO_ROOM_S):
                return False
            self._running.discard(future)
            heapq.heappush(self._heap, (*future.place, future))
            self._lock.notify_all()
        return True

    def _rest(self, slot: _Slot) -> None:
        """Leave the queue to others for a while."""
        with self._lock:
            slot.serving = False
            self._lock.wait_for(lambda: self._closed, REST_S)

    def _wake_rooms(self) -> None:
        with self._lock:
            rooms = [self._rooms.popleft() for _ in range(len(self._rooms))]
        for loop, room in rooms:
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(_set, room)


def _set(room: asyncio.Future[None]) -> None:
    if not room.done():
        room.set_result(None)


class _Slot:
    """A thread and the worker it holds."""

    def __init__(self, pool: Pool, number: int) -> None:
        self.pool, self.number = pool, number
        self.worker: Worker | None = None
        self.serving = self.leaving = False
        self.thread = threading.Thread(target=self._loop, name=f"sandbox-{number}", daemon=True)

    def pids(self) -> tuple[int, ...]:
        worker = self.worker
        return worker.pids() if worker else ()

    def _loop(self) -> None:
        pool = self.pool
        if pool._scaling is None or self.number < pool._scaling.least:
            with contextlib.suppress(WorkerLost):
                self._ready(pool.limits)
        while True:
            future = pool._take(self)
            if future is None:
                if pool._closed:
                    break
                self._drop()
                self.leaving = False
                continue
            self._serve(future)
            del future  # or the last result would live until the next job
        self._drop()

    def _serve(self, future: JobFuture) -> None:
        pool, begun = self.pool, time.monotonic()
        result: Result | None = None
        fault: BaseException | None = None
        try:
            result = self._whole(future)
            result = replace(result, metrics=replace(result.metrics, queue_s=begun - future.queued_at))
            pool._stats.add(result)
        except NoRoom as error:
            if pool._give_back(future):
                pool._rest(self)
                return
            fault = InfraError(f"no worker could be placed, so there is no result: {error}")
            pool._stats.infra_errors += 1
        except (CancelledError, ProofgymError) as error:
            pool._stats.infra_errors += isinstance(error, InfraError)
            fault = error
        except BaseException as error:
            fault = InfraError(f"a bug of ours, and no result: {type(error).__name__}: {error}")
            fault.__cause__ = error
        pool._done(future)
        with contextlib.suppress(InvalidStateError):
            if result is not None:
                future.set_result(result)
            else:
                future.set_exception(fault)

    def _whole(self, future: JobFuture) -> Result:
        job = future.job

        def execute(part: Job) -> Result:
            return self._attempts(part, part.limits or self.pool.limits, future.stop)

        if job.kind == "compiled":
            return self.pool._compiler.run(job, execute)
        if job.kind == "pytest":
            return pytests.run(job, execute)
        return execute(job)

    def _attempts(self, job: Job, limits: Limits, stop: threading.Event) -> Result:
        reasons = []
        for attempt in range(1, ATTEMPTS + 1):
            if stop.is_set():
                raise CancelledError
            try:
                result = self._ready(limits).run(job, limits, stop)
            except NoRoom:
                raise
            except WorkerLost as error:
                reasons.append(str(error))
                self.pool._stats.retries += attempt < ATTEMPTS
                self._drop()
                if self.pool._closed:
                    raise CancelledError from None
                time.sleep(0.02 * 4 ** (attempt - 1))
                continue
            if attempt > 1:
                result = replace(result, metrics=replace(result.metrics, attempts=attempt))
            return result
        raise InfraError(
            f"the sandbox failed on {ATTEMPTS} workers, so there is no result: {'; '.join(dict.fromkeys(reasons))}"
        )

    def _ready(self, limits: Limits) -> Worker:
        if self.worker is not None and self.worker.worn:
            self._drop()
        if self.worker is None:
            self.worker = self.pool.backend.start(self.number, limits)
            self.pool._stats.workers_started += 1
        return self.worker

    def _drop(self) -> None:
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.close()


@dataclass
class _Stats:
    jobs: int = 0
    retries: int = 0
    workers_started: int = 0
    infra_errors: int = 0
    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    times: collections.deque[tuple[float, float, float, float]] = field(
        default_factory=lambda: collections.deque(maxlen=4096)
    )
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, result: Result) -> None:
        times = result.metrics
        with self.lock:
            self.jobs += 1
            self.outcomes[result.outcome.value] += 1
            self.times.append((times.queue_s, times.setup_s, times.run_s, times.teardown_s))

    def report(self, pool: Pool) -> Report:
        with self.lock:
            columns = [sorted(column) for column in zip(*self.times, strict=True)] or [[], [], [], []]
            return Report(
                pool.backend.name, pool.backend.isolation.label, pool.workers, self.jobs, dict(self.outcomes),
                self.retries, self.workers_started, self.infra_errors, *(_middle(column) for column in columns),
            )  # fmt: skip


def _middle(column: list[float]) -> tuple[float, float]:
    if not column:
        return 0.0, 0.0
    return column[len(column) // 2], column[min(len(column) - 1, len(column) * 95 // 100)]


@atexit.register
def _close_all() -> None:
    for pool in list(_OPEN):
        pool.close()
