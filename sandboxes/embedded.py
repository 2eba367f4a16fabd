"""The default backend: fork servers on this machine, walled in with what the kernel offers; no daemon.

A worker is two processes: a guard that waits, and the nanny, which forks a child per job (see `nanny` and `walls`).

What is contained, in the tiers `namespaced+cgroup` and `namespaced`: files, processes, signals, the network, devices,
kernel objects, time, memory, processes, disk; nothing survives a job. In `reduced`: files by Landlock, signals by
Landlock scope, no sockets, resource limits; the host's process names and network interfaces can be seen, and the
scratch is a directory on the host. What is not contained in any: bugs of the kernel, timing, the CPU's caches.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofgym.sandboxes import boot, cgroups
from proofgym.sandboxes.client import NannyWorker
from proofgym.sandboxes.errors import WorkerLost
from proofgym.sandboxes.types import Isolation, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PRELOAD", "EmbeddedBackend"]

PRELOAD = (
    "abc", "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools",
    "heapq", "io", "itertools", "json", "linecache", "math", "operator", "random", "re", "statistics", "string",
    "struct", "time", "traceback", "types", "typing",
)  # fmt: skip
"""What solutions import most; imported once per worker. About 6 MB, and 20 ms less for a job that wants them all."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
ETC = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime")
# Ids that systemd reserves for passing services; nobody else on a machine has them.
UIDS = range(61184, 65520)

_NUMBERS = itertools.count()

GAPS = {
    Isolation.NAMESPACED_CGROUP: (),
    Isolation.NAMESPACED: (
        "memory of several processes together is watched every 25 ms, not counted by the kernel",
    ),
    Isolation.REDUCED: (
        "no namespaces: names of the host's files, its processes and its network interfaces can be seen",
        "memory of several processes together is watched every 100 ms, not counted by the kernel",
        "scratch is a directory on the host: each file is limited, their sum is not",
    ),
    Isolation.NONE: ("no isolation at all: a job can read, write and contact whatever this user can",),
}  # fmt: skip


class EmbeddedBackend:
    """Makes workers of one tier. `probe` finds the tiers that work here; `Pool` asks it for you.

    Args:
        isolation: The tier every worker must have.
        preload: Modules that each worker imports before its first job.
        site: Whether jobs can import the packages installed beside this interpreter (proofgym itself is hidden).
        binds: Further host directories that jobs may read, at the same path.
    """

    name = "embedded"

    def __init__(
        self,
        isolation: Isolation = Isolation.NAMESPACED_CGROUP,
        *,
        preload: Sequence[str] = PRELOAD,
        site: bool = True,
        binds: Sequence[str | os.PathLike[str]] = (),
    ) -> None:
        if isolation is Isolation.CONTAINER:
            raise ValueError("the embedded backend makes no containers; use the Docker backend")
        self.isolation = isolation
        self.gaps: tuple[str, ...] = GAPS[isolation]
        self._preload, self._site = tuple(preload), site
        self.binds: tuple[str, ...] = tuple(str(Path(path).resolve()) for path in binds)
        if isolation is Isolation.NAMESPACED_CGROUP:
            cgroups.sweep()

    def start(self, slot: int, limits: Limits) -> NannyWorker:
        """Start a worker and wait until its walls stand."""
        with contextlib.ExitStack() as undo:
            group = None
            if self.isolation is Isolation.NAMESPACED_CGROUP:
                try:
                    group = cgroups.Group(limits)
                except OSError as error:
                    raise WorkerLost(f"control group: {error}") from error
                undo.callback(group.remove)
            config = self._config()
            if config["scratch"]:
                undo.callback(shutil.rmtree, config["scratch"], ignore_errors=True)
            ours, theirs = socket.socketpair()
            with theirs:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                    boot.bundled_argv(_interpreter()),
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.DEVNULL,
                    env=boot.ENV,
                    cwd="/",
                )
            done = undo.pop_all()
        ended = contextlib.ExitStack()
        ended.push(done)
        ended.callback(_end, process)
        worker = NannyWorker(
            SocketStream(ours),
            isolation=self.isolation,
            gaps=self.gaps,
            kill=ended.close,
            pids=lambda: _family(process.pid),
            counters=group.counters if group else None,
            prepare=group.set_limits if group else None,
        )
        if group:
            try:
                group.join(process.pid)
            except OSError as error:
                worker.close()
                raise WorkerLost(f"control group: {error}") from error
        worker.greet(config, boot.bundle())
        worker.gaps += tuple(worker.ready["gaps"])
        del slot
        return worker

    def close(self) -> None:
        """Nothing outlives the workers."""

    def _config(self) -> dict[str, Any]:
        namespaced = self.isolation >= Isolation.NAMESPACED
        paths, links, syspath, hide = _trees(self._site, self.binds)
        return {
            "mode": "namespaced" if namespaced else self.isolation.label,
            "uid": UIDS[(os.getpid() * 61 + next(_NUMBERS)) % len(UIDS)] if os.geteuid() == 0 else None,
            "binds": [(path, path) for path in paths],
            "links": links,
            "devices": [device for device in DEVICES if Path(device).exists()],
            "scratch": "" if namespaced else tempfile.mkdtemp(prefix="proofgym-scratch-"),
            "syspath": syspath,
            "hide": hide,
            "preload": list(self._preload),
            "exact_memory": self.isolation is Isolation.NAMESPACED_CGROUP,
            "env": environment("/box/tmp" if namespaced else ""),
        }


class SocketStream:
    """A connected socket as a `client.Stream`."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._end.settimeout(60)
        self._end.sendall(data)

    def recv(self, timeout_s: float) -> bytes:
        """Wait for some bytes; empty at the end."""
        self._end.settimeout(timeout_s)
        try:
            return self._end.recv(1 << 18)
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        """Hang up; the nanny then kills what it runs and leaves."""
        self._end.close()


def environment(home: str) -> dict[str, str]:
    """The environment of every job: nothing of the caller's."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    places = {"HOME": home, "TMPDIR": home} if home else {}
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", **threads, **places}


def _interpreter() -> str:
    return str(Path(getattr(sys, "_base_executable", None) or sys.executable).resolve())


def _trees(site: bool, extra: Sequence[str]) -> tuple[list[str], list[tuple[str, str]], list[str], list[str]]:
    """(directories to show, symbolic links to make, sys.path entries, directories to cover) for a worker's root."""
    wanted = ["/usr", str(Path(sys.base_prefix).resolve()), *extra]
    syspath = []
    if site:
        syspath = list(dict.fromkeys(str(Path(sysconfig.get_path(key)).resolve()) for key in ("purelib", "platlib")))
        wanted += syspath
    links = []
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            links.append((str(path), str(path.readlink())))
        elif path.is_dir():
            wanted.append(str(path))
    paths: list[str] = []
    for place in sorted({place for place in wanted if Path(place).is_dir()}):
        if not any(Path(place).is_relative_to(above) for above in paths):
            paths.append(place)
    paths += [place for place in (*ETC, *map(str, Path("/etc").glob("java-*-openjdk"))) if Path(place).exists()]
    hide = [place for place in hidden() if any(Path(place).is_relative_to(above) for above in paths)]
    return paths, links, syspath, hide


def hidden() -> list[str]:
    """Where proofgym is installed: jobs may import its neighbours, but must not see how tasks are made and judged."""
    places = {Path(sysconfig.get_path(key), "proofgym").resolve() for key in ("purelib", "platlib")}
    places |= {Path(__file__).resolve().parent.parent, Path(__file__).absolute().parent.parent}
    return sorted(str(place) for place in places if place.name == "proofgym" and place.is_dir())


def _family(pid: int) -> tuple[int, ...]:
    """A process and all its descendants, as this process sees them."""
    found, todo = [pid], [pid]
    while todo:
        parent = todo.pop()
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                children = [int(child) for child in (task / "children").read_text().split()]
                found += children
                todo += children
    return tuple(found) if Path(f"/proc/{pid}").exists() else ()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a worker that was hung up on; if it does not leave at once, kill its guard and with it the rest."""
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
