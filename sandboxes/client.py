"""The host's end of a worker: send a job to a nanny, judge nothing, say how it ended.

A backend brings a `Stream` to a started nanny and gets a `Worker` back:

    worker = NannyWorker(stream, isolation=..., gaps=..., kill=..., pids=..., counters=...)
    worker.greet(config, boot.bundle())   # program, CONFIG -> READY, or WorkerLost with the nanny's reason
    worker.run(job, limits)         # JOB -> DATA..., ARTIFACT..., DONE -> Result

The nanny keeps the job's clock; this end has its own behind it, for a nanny that hangs. `DONE` and the counters come
from trusted code, the bytes of the three data streams from hostile code: only `wire.read_answers` reads those.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import signal as signals
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from proofgym.sandboxes import wire
from proofgym.sandboxes.errors import JobRefused, MissingProgram, WorkerLost
from proofgym.sandboxes.types import MAX_JOB_BYTES, Answer, Artifact, Isolation, Job, Limits, Metrics, Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Counters", "NannyWorker", "Stream", "pack_job"]

START_S = 60.0
GRACE_S = 15.0
TOP = 0xFFFF


class Stream(Protocol):
    """A two-way stream of bytes to a nanny."""

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError when the peer is gone."""

    def recv(self, timeout_s: float) -> bytes:
        """Wait for some bytes; empty when the peer is gone. Raises TimeoutError."""

    def close(self) -> None:
        """Hang up."""


Counters = Callable[[], tuple[int, int]]
"""Reads the kernel's counts of (out-of-memory kills, refused forks) of this worker's control group, since it began."""


def pack_job(job: Job, limits: Limits, *, live: bool = False) -> bytes:
    """The JOB frame: numbers for the nanny, then a body that only the confined child will read.

    Raises:
        JobRefused: For a job that is too large, or an input that does not travel.
    """
    meta = {
        "kind": job.kind,
        "wall": float(limits.wall_s),
        "cpu": float(limits.cpu_s),
        "memory": limits.memory_mb << 20,
        "processes": limits.processes,
        "output": limits.output_kb << 10,
        "scratch": limits.scratch_mb << 20,
        "inodes": limits.inodes,
        "files": limits.files,
        "program": job.argv[0] if job.kind == "command" else "",
        "ships": job.kind == "command" and job.argv[0].removeprefix("./") in job.files,
        "proc": job.proc,
        "init": job.init,
        "live": live,
        "stack": (64 if job.kind == "command" else 8) << 20,
        "reserve": job.reserve_mb << 20,
        "artifacts": list(job.artifacts),
        "warm": ["pytest", "pytest_timeout"] if job.kind == "pytest" else [],
    }
    body = {
        "source": job.source,
        "entry": job.entry,
        "args": [(args, kwargs) for args, kwargs in job.args],
        "arguments": job.observe == "arguments",
        "argv": list(job.argv),
        "env": dict(job.env),
        "files": dict(job.files),
        "tests": list(job.tests),
        "timeout": float(limits.wall_s),
    }
    packed, inner = json.dumps(meta).encode(), _pack_body(body)
    size = len(packed) + len(job.stdin) + len(inner)
    if size > MAX_JOB_BYTES:
        most = MAX_JOB_BYTES >> 20
        raise JobRefused(f"a job of {size / 2**20:.1f} MiB; source, files and inputs together may have {most} MiB")
    return wire.frame(wire.JOB, struct.pack("<II", len(packed), len(job.stdin)) + packed + job.stdin + inner)


_SCALARS = frozenset((type(None), bool, int, float, complex, str, bytes))


def _pack_body(body: dict[str, Any]) -> bytes:
    """The body as the child's interpreter reads it fastest: marshal, this way only, where the data is the host's own.

    Version 2 has no references: two calls that are given one list each get a list of their own.
    """
    try:
        plain = (
            body if _is_plain(body) else wire.decode(wire.encode(body, strict=True), most_nodes=wire.MAX_INPUT_NODES)
        )
        return marshal.dumps(plain, 2)
    except (TypeError, OverflowError, ValueError, RecursionError) as error:
        raise JobRefused(f"an input that does not travel into a sandbox: {error}") from None


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is dict:
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    if kind in (list, tuple, set, frozenset):
        return _SCALARS.issuperset(map(type, value)) or all(map(_is_plain, value))
    return False


class NannyWorker:
    """A started nanny, seen from the host. It is a `types.Worker`; one job at a time."""

    def __init__(
        self,
        stream: Stream,
        *,
        isolation: Isolation,
        gaps: tuple[str, ...],
        kill: Callable[[], None],
        pids: Callable[[], tuple[int, ...]] = tuple,
        counters: Counters | None = None,
        prepare: Callable[[Limits], None] | None = None,
        most_jobs: int = 5000,
    ) -> None:
        self.isolation, self.gaps = isolation, gaps
        self.ready: dict[str, Any] = {}
        self.jobs = 0
        self._stream, self._kill, self._pids = stream, kill, pids
        self._counters, self._prepare = counters, prepare
        self._frames = wire.Frames()
        self._pending: Iterator[tuple[int, int, bytes]] = iter(())
        self._most_jobs = most_jobs
        self._broken = self._closed = False
        self._counted = (0, 0)
        self._sending = threading.Lock()

    @property
    def worn(self) -> bool:
        """Whether the worker broke, was hurt by an out-of-memory kill, or has simply done its share."""
        return self._broken or self._closed or self.jobs >= self._most_jobs

    def pids(self) -> tuple[int, ...]:
        """The worker's processes on the host."""
        return self._pids()

    def greet(self, config: dict[str, Any], program: bytes = b"", timeout_s: float = START_S) -> None:
        """Send the program (`boot.bundle()`, unless it was sent before) and the configuration; wait for the walls.

        Raises:
            WorkerLost: With the step that failed, in words.
        """
        try:
            self._send(program + wire.frame(wire.CONFIG, wire.encode(config)))
            kind, _, body = self._next(time.monotonic() + timeout_s, None)
            if kind != wire.READY:
                raise WorkerLost(str(wire.decode(body)))
            self.ready = wire.decode(body)
            if self._counters:
                self._counted = self._counters()
        except (EOFError, OSError, wire.Malformed) as error:
            self.close()
            raise WorkerLost(f"the worker did not start: {str(error) or type(error).__name__}") from error
        except BaseException:
            self.close()
            raise

    def run(self, job: Job, limits: Limits, cancel: threading.Event | None = None) -> Result:
        """Run one job to its end.

        Raises:
            WorkerLost: The nanny died, hung, or could not build the sandbox. The job has no result.
            JobRefused: The job cannot be run as asked.
            CancelledError: `cancel` was set; the job is dead.
        """
        packed = pack_job(job, limits)
        try:
            return self._run(job, limits, packed, cancel)
        except (OSError, EOFError, wire.Malformed, json.JSONDecodeError) as error:
            self.close()
            raise WorkerLost(f"the worker died: {str(error) or type(error).__name__}") from error
        except WorkerLost:
            self.close()
            raise

    def _run(self, job: Job, limits: Limits, packed: bytes, cancel: threading.Event | None) -> Result:
        self.jobs += 1
        if self._prepare:
            self._prepare(limits)
        deadline = time.monotonic() + limits.wall_s + GRACE_S
        self._send(packed)
        streams: dict[int, bytes] = {}
        artifacts: list[Artifact] = []
        while True:
            kind, index, body = self._next(deadline, cancel)
            if kind == wire.DATA:
                streams[index] = streams.get(index, b"") + body
            elif kind == wire.ARTIFACT:
                path, data, truncated = wire.decode(body)
                artifacts.append(Artifact(path, data, truncated))
            elif kind == wire.DONE:
                done = json.loads(body)
                break
            elif kind == wire.FAILED:
                raise WorkerLost(str(wire.decode(body)))
            else:
                raise WorkerLost(f"the worker sent a frame of kind {kind} in the middle of a job")
        return self._result(job, limits, done, streams, tuple(artifacts))

    def feed(self, data: bytes) -> None:
        """Give bytes to a live job's control pipe."""
        self._send(wire.frame(wire.FEED, data))

    def begin(self, job: Job, limits: Limits) -> None:
        """Start a live job, whose output `events` hands out as it comes (sessions use this)."""
        self.jobs += 1
        packed = pack_job(job, limits, live=True)
        if self._prepare:
            self._prepare(limits)
        self._send(packed)

    def event(self, timeout_s: float) -> tuple[int, int, bytes]:
        """The next frame of a live job. Raises TimeoutError, or WorkerLost when the nanny is gone."""
        try:
            return self._next(time.monotonic() + timeout_s, None)
        except (EOFError, OSError, wire.Malformed) as error:
            if isinstance(error, TimeoutError):
                raise
            self.close()
            raise WorkerLost(f"the worker died: {str(error) or type(error).__name__}") from error

    def stop(self) -> None:
        """Ask the nanny to end the job that runs now; its DONE follows."""
        self._send(wire.frame(wire.KILL))

    def close(self) -> None:
        """End the worker and all it runs."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError):
                self._stream.close()
            self._kill()

    def _send(self, data: bytes) -> None:
        with self._sending:
            self._stream.send(data)

    def _next(self, deadline: float, cancel: threading.Event | None) -> tuple[int, int, bytes]:
        asked = False
        while True:
            for got in self._pending:
                return got
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("it did not answer in time")
            if cancel is not None and cancel.is_set() and not asked:
                asked = True
                self.stop()
            try:
                data = self._stream.recv(left if cancel is None else min(left, 0.05))
            except TimeoutError:
                continue
            if not data:
                raise EOFError("it hung up")
            self._frames.feed(data)
            self._pending = iter(list(self._frames))

    def _result(
        self, job: Job, limits: Limits, done: dict[str, Any], streams: dict[int, bytes], artifacts: tuple[Artifact, ...]
    ) -> Result:
        why, code, signal = done["why"], done["code"], done["signal"]
        if why == "setup":
            raise WorkerLost(f"the sandbox could not be built: {done['detail']}")
        if why == "missing":
            raise MissingProgram(f"{(job.argv or (job.kind,))[0]!r} is not in the sandbox: {done['detail']}")
        if why == "killed":
            raise CancelledError
        oom, refused = self._count()
        oom, refused = oom + done["oom"], refused + done["refused"]
        crowded = bool(refused or done["crowded"])
        if oom:
            self._broken = True
        if oom and why != "output":
            outcome = Outcome.MEMORY
        elif why != "exit":
            outcome = Outcome(why)
        elif signal:
            spent = signal == signals.SIGXCPU or (signal == signals.SIGKILL and done["cpu"] >= 0.9 * limits.cpu_s)
            outcome = Outcome.CPU if spent else Outcome.CRASH
        else:
            outcome = Outcome.ERROR if code else Outcome.OK
        detail = (
            "the kernel ended a process of the job: out of memory"
            if outcome is Outcome.MEMORY and oom
            else done["detail"]
        )
        result = Result(
            outcome, code, signal, streams.get(1, b""), streams.get(2, b""),
            artifacts=artifacts, truncated=done["truncated"], detail=detail,
            wall_s=done["wall"], cpu_s=done["cpu"], max_rss_kb=done["rss_kb"],
            isolation=self.isolation, gaps=self.gaps,
            metrics=Metrics(0.0, done["setup_s"], done["wall"], done["teardown_s"]),
        )  # fmt: skip
        if job.kind == "command":
            result = _with_signal(result, streams.get(3, b""))
        else:
            result = _with_answers(job, result, streams.get(3, b""), ended=why == "exit" and not signal)
        if crowded and result.outcome in (Outcome.ERROR, Outcome.CRASH, Outcome.TIMEOUT, Outcome.CPU):
            result = replace(
                result, outcome=Outcome.PROCESSES, detail=result.detail or "the limit on processes was reached"
            )
        elif result.outcome in (Outcome.ERROR, Outcome.CRASH) and result.max_rss_kb >= 993 * limits.memory_mb:
            result = replace(result, outcome=Outcome.MEMORY, detail=result.detail or "it died with its memory full")
        return result

    def out_of_memory(self) -> bool:
        """Whether the kernel has killed for memory in this worker's group since this was last asked."""
        return self._count()[0] > 0

    def _count(self) -> tuple[int, int]:
        if self._counters is None:
            return 0, 0
        before, self._counted = self._counted, self._counters()
        return self._counted[0] - before[0], self._counted[1] - before[1]


def _with_signal(result: Result, channel: bytes) -> Result:
    """The end of a program that had a parent inside: a status above 128 may stand for the signal it names."""
    with contextlib.suppress(wire.Malformed):
        for kind, index, _ in wire.read_answers(channel):
            if kind == wire.END and index and result.exit_code == 128 + index:
                outcome = Outcome.CRASH if result.outcome is Outcome.ERROR else result.outcome
                if index == signals.SIGXCPU:
                    outcome = Outcome.CPU
                return replace(result, outcome=outcome, exit_code=None, signal=index)
    return result


def _with_answers(job: Job, result: Result, channel: bytes, *, ended: bool) -> Result:
    """Read the hostile answers: the first for each call counts, and a forgery that nobody could write is `tampered`."""
    found: dict[int, Answer] = {}
    tests: dict[str, str] = {}
    outcome, detail, complete = result.outcome, result.detail, False
    try:
        for kind, index, value in wire.read_answers(channel):
            if kind == wire.END:
                complete = True
            elif kind == wire.TEST:
                if job.kind != "pytest" or value[0] not in job.tests:
                    raise wire.Malformed("the outcome of a test that was not asked for")
                tests.setdefault(value[0], value[1][:200])
            elif kind == wire.RAISED and index == TOP:
                detail = detail or f"{value[0]}: {value[1]}"
                outcome = _of_exception(value[0], value[1], outcome)
            elif index >= len(job.args):
                raise wire.Malformed("an answer to a call that was not made")
            elif index not in found:
                if kind == wire.VALUE:
                    found[index] = Answer("returned", value)
                else:
                    found[index] = Answer("raised", None, *value)
                    if value[0] == "MemoryError" and outcome is Outcome.OK:
                        outcome = Outcome.MEMORY
    except wire.Malformed as error:
        if ended:
            outcome, detail = Outcome.TAMPERED, f"what came back is not what the runner writes: {error}"
    answers = tuple(found.get(index, Answer("missing")) for index in range(len(job.args)))
    complete = complete and all(answer.status != "missing" for answer in answers)
    if outcome is Outcome.OK and job.kind != "script" and not complete:
        outcome, detail = Outcome.ERROR, detail or "it ended before it had done all it was asked to"
    return replace(result, outcome=outcome, detail=detail, answers=answers, tests=tests)


def _of_exception(name: str, message: str, outcome: Outcome) -> Outcome:
    if name == "MemoryError" and outcome is Outcome.ERROR:
        return Outcome.MEMORY
    if outcome not in (Outcome.ERROR, Outcome.TIMEOUT):
        return outcome
    if "can't start new thread" in message or (name == "BlockingIOError" and "temporarily unavailable" in message):
        return Outcome.PROCESSES
    return outcome
