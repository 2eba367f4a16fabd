"""Killable processes for symbolic work: a bounded pool, usable from any thread and any process.

    with the pool's lock: take an idle worker, or let the nursery fork one
    send the request, wait for the reply at most `budget_s`
    no reply: the nursery kills the worker, and the next request gets a fresh one

A process that was forked from one that uses the pool starts a pool of its own. Everything ends when the process ends,
by whatever death: the nursery sees its socket close, kills its workers and exits.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofgym.errors import Unjudged

__all__ = ["POOL", "Pool"]

_START_S, _QUEUE_S = 60.0, 120.0
_JOBS = 2000  # after so many requests a worker is replaced, so that caches do not grow for ever
_MAX_REPLY = 1 << 16


@dataclass
class _Worker:
    pid: int
    connection: socket.socket
    jobs: int = 0


class Pool:
    """Symbolic workers.

    Args:
        size: Workers at most; by default one for each processor, 8 at most.

    `asked` counts the requests, `killed` the workers that were killed or replaced, and `cpu_s` adds up the processor
    time that requests took, that of a killed one by its budget.
    """

    def __init__(self, size: int | None = None) -> None:
        self.size = size or min(8, os.cpu_count() or 1)
        self.killed, self.asked, self.cpu_s = 0, 0, 0.0
        self._fresh()

    def _fresh(self) -> None:
        """Forget everything: at the beginning, and in a process that was forked from ours."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(self.size)
        self._idle: list[_Worker] = []
        self._all: list[_Worker] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def after_fork(self) -> None:
        """In a forked child: let go of the parent's sockets, so that they close when the parent ends."""
        for connection in [worker.connection for worker in self._all] + [self._control]:
            if connection is not None:
                with contextlib.suppress(OSError):
                    connection.close()
        if self._process is not None:
            self._process.returncode = 0  # it is not our child: nobody here waits for it
        self._fresh()

    def ask(self, request: dict[str, Any], budget_s: float) -> dict[str, Any]:
        """Send one request and wait for its reply.

        Returns:
            The reply; `{"kind": "timeout"}` if the budget ran out or the worker died.
        Raises:
            Unjudged: If no worker can be had.
        """
        body = json.dumps({**request, "budget_s": budget_s}).encode()
        if not self._slots.acquire(timeout=_QUEUE_S):
            raise Unjudged(f"no symbolic worker was free for {_QUEUE_S:.0f} s")
        try:
            worker = self._take()
            reply = self._exchange(worker, body, budget_s)
            self.asked += 1
            self.cpu_s += float(reply.get("cpu_s", 0.0)) if reply is not None else budget_s
            if reply is None:
                self._kill(worker)
                return {"kind": "timeout", "why": f"symbolic work took more than {budget_s} s or too much memory"}
            worker.jobs += 1
            if worker.jobs >= _JOBS:
                self._kill(worker)
            else:
                with self._lock:
                    self._idle.append(worker)
            return reply
        finally:
            self._slots.release()

    def pids(self) -> list[int]:
        """The process ids of the nursery and its workers, for tests and the doctor."""
        with self._lock:
            return [self._process.pid, *(worker.pid for worker in self._all)] if self._process is not None else []

    def start(self) -> None:
        """Start the nursery and one worker now, so that the first case does not wait for them."""
        worker = self._take()
        with self._lock:
            self._idle.append(worker)

    def close(self) -> None:
        """End all workers; the next request starts afresh."""
        with self._lock:
            self._shut()

    # -- inside ---------------------------------------------------------------------------------------------------
    def _take(self) -> _Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            for attempt in (1, 2):
                try:
                    return self._fork()
                except (OSError, Unjudged) as error:  # the nursery is gone, by whose hand ever: start another
                    self._shut()
                    if attempt == 2:
                        raise Unjudged(f"no symbolic worker can be started: {error}") from error
        raise AssertionError("unreachable")

    def _fork(self) -> _Worker:
        control = self._started()
        control.settimeout(_START_S)
        control.sendall(b"F")
        head, descriptors, _, _ = socket.recv_fds(control, 4, 1)
        if len(head) != 4 or len(descriptors) != 1:
            raise Unjudged("the nursery of symbolic workers has ended")
        connection = socket.socket(fileno=descriptors[0])
        connection.set_inheritable(False)
        worker = _Worker(struct.unpack("!I", head)[0], connection)
        self._all.append(worker)
        return worker

    def _started(self) -> socket.socket:
        if self._control is not None:
            return self._control
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-I", str(Path(__file__).with_name("worker.py")), str(theirs.fileno())]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own file, by our own interpreter
                command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True, cwd="/",
            )  # fmt: skip
        finally:
            theirs.close()
        ours.settimeout(_START_S)
        self._control = ours
        if ours.recv(1) != b"R":
            raise Unjudged("symbolic workers need sympy: `pip install 'proofgym[math]'` brings it")
        return ours

    def _exchange(self, worker: _Worker, body: bytes, budget_s: float) -> dict[str, Any] | None:
        deadline = time.monotonic() + budget_s
        try:
            worker.connection.settimeout(budget_s)
            worker.connection.sendall(struct.pack("!I", len(body)) + body)
            head = self._receive(worker.connection, 4, deadline)
            (length,) = struct.unpack("!I", head)
            if length > _MAX_REPLY:
                return None
            reply = json.loads(self._receive(worker.connection, length, deadline))
            return reply if isinstance(reply, dict) else None
        except (OSError, ValueError, struct.error):
            return None

    @staticmethod
    def _receive(connection: socket.socket, count: int, deadline: float) -> bytes:
        data = b""
        while len(data) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
            part = connection.recv(count - len(data))
            if not part:
                raise OSError("the worker has ended")
            data += part
        return data

    def _kill(self, worker: _Worker) -> None:
        with self._lock:
            self.killed += 1
            worker.connection.close()
            if worker in self._all:
                self._all.remove(worker)
            try:
                if self._control is not None:
                    self._control.sendall(b"K" + struct.pack("!I", worker.pid))
            except OSError:
                self._shut()

    def _shut(self) -> None:
        for worker in self._all:
            worker.connection.close()
        self._idle, self._all = [], []
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


POOL = Pool()
"""The pool that `verify` uses; nothing is started before the first symbolic case."""

os.register_at_fork(after_in_child=POOL.after_fork)
atexit.register(POOL.close)
