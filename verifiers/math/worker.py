"""The symbolic worker's own side: a clean interpreter that forks a child for each worker and stays answerable.

Started as a file, `python -I worker.py FD`, by `workers.Pool`; FD is a Unix socket. The first process, the nursery,
imports sympy once and then only forks and kills. Each child judges one request at a time. What is read are trees of
our own (`tree.loads`) as JSON behind a four-byte length; nothing is unpickled, evaluated or imported by name.

What is contained: memory (RLIMIT_AS), processor time (RLIMIT_CPU, renewed for each request), files (no writes, no new
descriptors), lifetime (a child dies with the nursery, and the nursery when its socket closes).
What is not: a child can read files and open sockets as its user can. It runs no code but ours, so nothing asks it to.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import struct
import sys
import time
import types
from pathlib import Path
from typing import Any

MEMORY_MIB = 2048
_HERE = Path(__file__).resolve().parent


def stub_packages() -> None:
    """Make our modules importable without running the package's own `__init__`, which would load Gymnasium."""
    source = _HERE.parents[1]
    package = source if (source / "errors.py").exists() else source / "src" / "proofgym"
    for name, path in (
        ("proofgym", package),
        ("proofgym.verifiers", _HERE.parent),
        ("proofgym.verifiers.math", _HERE),
    ):
        module = types.ModuleType(name)
        module.__path__ = [str(path)]
        sys.modules[name] = module


def read_exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes, or none at the end of the stream."""
    data = b""
    while len(data) < count:
        part = connection.recv(min(count - len(data), 1 << 16))
        if not part:
            return b""
        data += part
    return data


def receive(connection: socket.socket) -> Any:
    """One request, or `None` at the end of the stream."""
    head = read_exactly(connection, 4)
    if not head:
        return None
    (length,) = struct.unpack("!I", head)
    if length > 1 << 24:
        return None
    body = read_exactly(connection, length)
    return json.loads(body) if body else None


def send(connection: socket.socket, data: Any) -> None:
    """One reply."""
    body = json.dumps(data).encode()
    connection.sendall(struct.pack("!I", len(body)) + body)


def confine(parent: int) -> None:
    """Lower the limits of a child once and for all."""
    limits = ((resource.RLIMIT_AS, MEMORY_MIB << 20), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0))
    for kind, amount in limits:
        _, hard = resource.getrlimit(kind)
        amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        try:
            resource.setrlimit(kind, (amount, amount))
        except (OSError, ValueError):
            if sys.platform == "linux":
                raise  # elsewhere some kernels refuse RLIMIT_AS; the wall budget still holds
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: die with the nursery
    if os.getppid() != parent:
        os._exit(0)  # it died before we asked for that


def limit_time(seconds: float) -> None:
    """Let the kernel end this process after so much more processor time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def judge(request: Any) -> dict[str, Any]:
    """The reply to one request; never raises."""
    from proofgym.verifiers.math import judging

    try:
        return judging.judge(request)
    except MemoryError:
        return {"kind": "memory", "why": "out of memory"}
    except RecursionError:
        return {"kind": "undecided", "why": "it nests too deep for the symbolic engine"}
    except Exception as error:
        return {"kind": "undecided", "why": f"{type(error).__name__} in the symbolic engine"}


def child(connection: socket.socket, parent: int) -> None:
    """Serve one connection to its end, or to the parent's."""
    confine(parent)
    while True:
        request = receive(connection)
        if request is None:
            return
        limit_time(float(request["budget_s"]))
        begun = time.process_time()
        reply = judge(request)
        send(connection, {**reply, "cpu_s": time.process_time() - begun})


def nursery(control: socket.socket) -> None:
    """Fork and kill on command until the socket closes: b"F" forks, b"K" and a process id kills."""
    children: set[int] = set()
    parent = os.getpid()
    try:
        while True:
            command = control.recv(1)
            if command == b"F":
                ours, theirs = socket.socketpair()
                pid = os.fork()
                if pid == 0:
                    control.close()
                    ours.close()
                    try:
                        child(theirs, parent)
                    finally:
                        os._exit(0)
                children.add(pid)
                theirs.close()
                socket.send_fds(control, [struct.pack("!I", pid)], [ours.fileno()])
                ours.close()
            elif command == b"K":
                (pid,) = struct.unpack("!I", read_exactly(control, 4))
                if pid in children:
                    children.discard(pid)
                    end(pid)
            else:
                return
    finally:
        for pid in children:
            end(pid)


def end(pid: int) -> None:
    """Kill a child and collect it; its id cannot have been reused, since only we collect it."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def main(descriptor: int) -> None:
    """Run the nursery on an inherited socket."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    stub_packages()
    import mpmath  # noqa: F401
    import sympy  # noqa: F401

    from proofgym.verifiers.math import judging, symbolic  # noqa: F401

    control = socket.socket(fileno=descriptor)
    control.sendall(b"R")
    nursery(control)


if __name__ == "__main__":
    main(int(sys.argv[1]))
