"""Sandboxes in Docker: a warm, hardened container per slot, with the same nanny inside as the embedded backend's.

A container is made with the daemon's API and spoken to over its attach socket; there is no `docker exec`, which costs
ten times as much and has no time limit. The nanny is process 1, root with four capabilities, and never reads what a job
wrote; each job is a forked child that gives up those too and gets Landlock, seccomp and resource limits of its own.

What is contained: files (a read-only image; the only writable place is a tmpfs of limited size and inodes, emptied
after each job), the network (none), processes (the container's own, swept after each job), memory (control group, swap
included), processor share, devices, kernel objects, and system calls (Docker's list, shortened, around the job's own).
The result channel is not logged. A container ends by itself when its owner does: its standard input closes.

What is not contained: bugs of the kernel, unless `runtime="runsc"`; timing and the CPU's caches; the names and sizes of
files in the image. Jobs of one worker follow each other in one container, swept in between; `fresh=True` makes one
for each job. There is no /proc and no /dev/shm for jobs, so runtimes that insist on them (Node.js, Java) do not run.
The daemon itself is trusted, and so is whoever may talk to it: that is root on its machine.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import os
import platform
import queue
import select
import signal
import socket
import struct
import threading
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from proofgym.errors import ProofgymError, need
from proofgym.sandboxes import boot, docker_seccomp, probe
from proofgym.sandboxes.client import NannyWorker
from proofgym.sandboxes.embedded import DEVICES, PRELOAD, environment
from proofgym.sandboxes.errors import IsolationUnavailable, WorkerLost
from proofgym.sandboxes.image import IMAGE, READ_LABEL, SITE, connect, knock, sdk
from proofgym.sandboxes.types import Isolation, Job, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["DockerBackend", "remove_orphans"]

Made = TypeVar("Made")

LABEL = "proofgym.sandbox"
OWNER = "proofgym.owner"
MAKER = "proofgym.backend"

NOBODY = 65534
SCRATCH = "/tmp"  # noqa: S108 - a tmpfs of the container
NANNY_MB = 48
CAPABILITIES = ("KILL", "SETGID", "SETPCAP", "SETUID")
"""What the nanny needs to end jobs and to become nobody in them. Jobs have none."""
READABLE = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/etc/alternatives", "/etc/group",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/passwd",
)  # fmt: skip
MOST_FILES = 1024
LEAST_PIDS = 64
"""`runc` starts a container from within, with threads that count: the limit is made exact right afterwards."""
PATIENCE_S = 10.0
SELF_TEST_JOBS = 100
GAP_SHARED = "jobs of one worker share a container, one after the other: it is swept between them, not made anew"
GAP_REMOTE = (
    "the containers' control groups cannot be written from here: a limit of fewer than 64 processes is watched every "
    "100 ms, not kept by the kernel"
)


class DockerBackend:
    """Makes workers that are containers.

    Args:
        image: From `proofgym sandbox build-image`, or built with `docker/Dockerfile`.
        preload: Modules that each worker imports before its first job.
        fresh: A container for each job, made ahead in the background. About 200 ms of processor time each.
        cpus: Processors a container may use at a time.
        runtime: Another OCI runtime, such as `runsc`. It is tried with 100 jobs and refused if one of them fails.
        base_url: The daemon's address; else DOCKER_HOST, else the local socket.
        timeout_s: For each request to the daemon.
        most_jobs: After so many a container is replaced; the next is made ahead. Making one takes 200 ms of processor
            time, so a thousand jobs bear 0.2 ms each.
        ahead: How many containers may wait ready at most.

    Raises:
        IsolationUnavailable: No daemon, no image, a runtime that fails, or a container that did not contain what it
            must: one is attacked first. Says which, and the cure.
        MissingExtra: The Docker SDK is not installed.
    """

    name = "docker"
    isolation = Isolation.CONTAINER

    def __init__(
        self,
        image: str = IMAGE,
        *,
        preload: Sequence[str] = PRELOAD,
        fresh: bool = False,
        cpus: float = 1.0,
        runtime: str | None = None,
        base_url: str | None = None,
        timeout_s: float = 30.0,
        most_jobs: int = 1000,
        ahead: int = 2,
    ) -> None:
        if not 0.01 <= cpus <= 1024:
            raise ValueError(f"cpus={cpus!r}; give the share of processors a container may use, such as 1.0")
        if most_jobs < 1 or ahead < 0:
            raise ValueError(f"most_jobs={most_jobs!r} must be at least 1, and ahead={ahead!r} at least 0")
        self.fresh, self.runtime = fresh, runtime
        self.gaps: tuple[str, ...] = () if fresh else (GAP_SHARED,)
        self._id = uuid.uuid4().hex
        self._daemon = _Daemon(base_url, timeout_s)
        self._most_jobs = 1 if fresh else most_jobs
        self._closed = threading.Event()
        try:
            self._image, readable = self._inspect(image)
            self._settings = _Settings(self._image, self._id, cpus, runtime)
            self._config = {
                "mode": "container",
                "uid": NOBODY,
                "binds": [(path, path) for path in readable],
                "links": [],
                "devices": list(DEVICES),
                "scratch": SCRATCH,
                "syspath": [SITE],
                "hide": [],
                "preload": list(preload),
                "env": environment(SCRATCH),
                "drop": True,
            }
            remove_orphans(self._daemon.client())
            self._remover = _Remover(self._daemon)
            self._ahead = _Ahead(self._make, ahead)
            if runtime not in (None, "runc"):
                self._try_runtime()
            self._prove()
        except BaseException:
            self.close()
            raise

    def start(self, slot: int, limits: Limits) -> NannyWorker:
        """Take a container that is ready, or make one. Waits a little for a daemon that is being restarted.

        Raises:
            WorkerLost: No container could be made this time.
        """
        del slot
        if self._closed.is_set():
            raise WorkerLost("the backend is closed")
        worker = self._ahead.take(limits)
        if worker is None:
            worker = self._make(limits)
        if self.fresh:
            self._ahead.order(limits)
        return worker

    def close(self) -> None:
        """Remove every container of this backend, and wait until they are gone."""
        self._closed.set()
        if hasattr(self, "_ahead"):
            self._ahead.close()
        if hasattr(self, "_remover"):
            self._remover.close(self._id)
        self._daemon.close()

    def _inspect(self, image: str) -> tuple[str, list[str]]:
        """(the image's digest, what jobs may read in it). By digest, so that no worker gets a newer one half-way."""
        docker = self._daemon.docker
        try:
            found = self._daemon.client().inspect_image(image)
        except docker.errors.ImageNotFound as error:
            cure = "make it with `proofgym sandbox build-image`, which needs no network"
            raise IsolationUnavailable(f"Docker has no image {image!r}; {cure}") from error
        except (docker.errors.DockerException, OSError) as error:
            raise IsolationUnavailable(_no_daemon(error)) from error
        config = found["Config"] or {}
        if config.get("Volumes"):
            raise IsolationUnavailable(f"image {image!r} declares volumes, which would be writable; build one without")
        more = [path for path in (config.get("Labels") or {}).get(READ_LABEL, "").split(":") if path.startswith("/")]
        inside = [path for path in more if not any(Path(path).is_relative_to(usual) for usual in READABLE)]
        return str(found["Id"]), [*READABLE, *inside]

    def _make(self, limits: Limits) -> DockerWorker:
        """Make a container, start it, and wait until its nanny is ready."""
        container = self._patiently(lambda: _Container(self._daemon, self._remover, self._settings, limits))
        worker = DockerWorker(container, limits, self._most_jobs, self.gaps, self._ahead.order)
        try:
            container.stream.send(boot.bundle())
            container.settle(limits)
        except (OSError, WorkerLost) as error:
            worker.close()
            raise WorkerLost(f"the container did not start: {error}") from error
        if not container.local:
            worker.gaps += (GAP_REMOTE,)
        try:
            worker.greet({**self._config, "exact_memory": container.local})
        except WorkerLost as error:
            said = container.stream.complaint()
            raise WorkerLost(f"{error}; the container said: {said}" if said else str(error)) from error
        worker.gaps += tuple(worker.ready["gaps"])
        return worker

    def _patiently(self, make: Callable[[], Made]) -> Made:
        """Try again for a while when the daemon is away: somebody may be restarting it."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return make()
            except _DaemonAway as error:
                if time.monotonic() > until or self._closed.wait(0.25):
                    raise WorkerLost(f"the Docker daemon does not answer: {error}") from error

    def _prove(self) -> None:
        """Attack a container before any is trusted; it is then the first to be used."""
        try:
            worker = self._make(Limits())
        except WorkerLost as error:
            raise IsolationUnavailable(f"Docker is there, but no worker starts in it: {error}") from error
        try:
            unstopped = probe.attack(worker)
        except (WorkerLost, ProofgymError) as error:
            worker.close()
            raise IsolationUnavailable(f"an honest job failed in a container: {error}") from error
        if unstopped:
            worker.close()
            raise IsolationUnavailable(f"a container here did not contain {', '.join(unstopped)}")
        if self.fresh:
            worker.close()
        else:
            self._ahead.give(worker)

    def _try_runtime(self) -> None:
        """Run a hundred small jobs; a runtime that loses one is not taken."""
        known = self._daemon.client().info().get("Runtimes") or {}
        if self.runtime not in known:
            names = ", ".join(sorted(known)) or "none"
            raise IsolationUnavailable(f"the Docker daemon knows no runtime {self.runtime!r}; it knows {names}")
        job = Job.calls("def f(n):\n    return [n, str(n)]", "f", [(n,) for n in range(5)])
        worker, number = None, 0
        try:
            while (number := number + 1) <= SELF_TEST_JOBS:
                if worker is None or worker.worn:
                    if worker is not None:
                        worker.close()
                    worker = self._make(Limits())
                result = worker.run(job, Limits(wall_s=10))
                if not result.ok or result.values != [[n, str(n)] for n in range(5)]:
                    raise WorkerLost(f"it answered {result.outcome}: {result.detail or result.values}")
        except (WorkerLost, ProofgymError) as error:
            raise IsolationUnavailable(
                f"runtime {self.runtime!r} is not used: it failed job {number} of a self-test of {SELF_TEST_JOBS} "
                f"({error}); use another version or platform of it, or fresh=True with the default runtime"
            ) from error
        finally:
            if worker is not None:
                worker.close()


def remove_orphans(client: Any) -> list[str]:
    """Remove containers whose owner, a process of this very machine, is dead; returns their ids.

    Containers of other machines, of other process namespaces and from before the last boot are not ours to judge.
    """
    here, gone = _whereabouts(), []
    for found in client.containers(all=True, filters={"label": LABEL}):
        place, _, process = str(found["Labels"].get(OWNER, "")).rpartition("/")
        if place == here and not _alive(process):
            with contextlib.suppress(OSError):
                client.remove_container(found["Id"], force=True, v=True)
                gone.append(str(found["Id"]))
    return gone


class DockerWorker(NannyWorker):
    """A nanny in a container. Limits that differ between jobs are set from outside, where that is possible."""

    def __init__(
        self,
        container: _Container,
        limits: Limits,
        most_jobs: int,
        gaps: tuple[str, ...],
        order: Callable[[Limits], None],
    ) -> None:
        super().__init__(
            container.stream,
            isolation=Isolation.CONTAINER,
            gaps=gaps,
            kill=container.kill,
            pids=container.pids,
            counters=container.counters,
            prepare=self._fit,
            most_jobs=most_jobs,
        )
        self.container, self.limits, self._order = container, limits, order

    def _fit(self, limits: Limits) -> None:
        if self.jobs == 3 * self._most_jobs // 4:
            self._order(limits)
        if not self.container.fit(limits):
            raise WorkerLost("its container was made for other limits, which cannot be changed from here")

    def usable(self, limits: Limits) -> bool:
        """Whether it is still there, and can be given jobs within `limits`."""
        return self.container.stream.quiet() and self.container.fit(limits)


@dataclass(frozen=True, slots=True)
class _Settings:
    """What all containers of a backend have in common."""

    image: str
    maker: str
    cpus: float
    runtime: str | None

    def create(self, client: Any, limits: Limits, command: Sequence[str] = ()) -> str:
        """Make a container, not yet started, and return its id. It runs a nanny, or `command`."""
        memory = (limits.memory_mb + limits.scratch_mb + NANNY_MB) << 20
        room = f"rw,nosuid,nodev,exec,mode=1777,size={limits.scratch_mb << 20},nr_inodes={limits.inodes}"
        command = list(command) or boot.bundled_argv("python3")
        limit = sdk().types.Ulimit
        host = client.create_host_config(
            auto_remove=True,
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            cap_add=list(CAPABILITIES),
            security_opt=["no-new-privileges", f"seccomp={docker_seccomp.profile()}"],
            pids_limit=max(LEAST_PIDS, limits.processes + 1),
            mem_limit=memory,
            memswap_limit=memory,
            nano_cpus=int(self.cpus * 1e9),
            tmpfs={SCRATCH: room},
            ipc_mode="none",
            ulimits=[
                limit(name="core", soft=1, hard=1),  # with 0, a handler behind a pipe would still be called
                limit(name="memlock", soft=0, hard=0),
                limit(name="nofile", soft=max(MOST_FILES, limits.files), hard=max(MOST_FILES, limits.files)),
            ],
            log_config={"Type": "none"},
            restart_policy={"Name": "no"},
            **({"runtime": self.runtime} if self.runtime else {}),
        )
        made = client.create_container(
            self.image,
            entrypoint=command[:1],
            command=command[1:],
            user="0:0",
            working_dir="/",
            hostname="sandbox",
            environment=boot.ENV,
            stdin_open=True,  # and closed with our end of it, by which the nanny knows that we are gone
            tty=False,
            network_disabled=True,
            healthcheck={"test": ["NONE"]},
            stop_signal="SIGKILL",
            labels={LABEL: "1", OWNER: f"{_whereabouts()}/{_process(os.getpid())}", MAKER: self.maker},
            host_config=host,
        )
        return str(made["Id"])


class _Container:
    """A started container: a stream to its process 1, and a sure way to end it."""

    def __init__(self, daemon: _Daemon, remover: _Remover, settings: _Settings, limits: Limits) -> None:
        self._daemon, self._remover = daemon, remover
        self._fitted, self._groups = limits, _Groups()
        self._pid, self._pidfd, self._ended = 0, -1, False
        self._lock = threading.Lock()
        self.local = False
        with daemon.errors():
            client = daemon.client()
            self.id = settings.create(client, limits)
            try:
                wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                self.stream = _AttachStream(client.attach_socket(self.id, params=wanted))
                client.start(self.id)
            except BaseException:
                self.kill()
                raise

    def settle(self, limits: Limits) -> None:
        """Find the container's process and control groups, if they are on this machine, and make its limits exact."""
        with self._daemon.errors():
            self._pid = int(self._daemon.client().inspect_container(self.id)["State"]["Pid"])
        if not self._pid:
            raise WorkerLost(self.stream.complaint() or "it ended at once")
        self._pidfd = _open_process(self._pid, self.id)
        if self._pidfd >= 0:
            with contextlib.suppress(OSError):
                groups = _Groups.of(self._pid)
                if groups.complete:
                    self._groups = groups
                    self.local = os.access(groups.memory, os.W_OK) and self._set(limits)

    @property
    def counters(self) -> Callable[[], tuple[int, int]]:
        """The kernel's counts, of (out-of-memory kills, refused forks); zeros where they cannot be read."""
        return lambda: self._groups.counts()

    def pids(self) -> tuple[int, ...]:
        """All processes of the container, by their numbers on this machine."""
        return self._groups.pids()

    def fit(self, limits: Limits) -> bool:
        """Change memory, processes and scratch to those of the next job. False where that needs a new container."""
        if limits.files > max(MOST_FILES, self._fitted.files):
            return False
        changing = ("memory_mb", "scratch_mb", "inodes", "processes")
        if all(getattr(limits, name) == getattr(self._fitted, name) for name in changing):
            return True
        return self.local and self._set(limits)

    def _set(self, limits: Limits) -> bool:
        try:
            self._groups.limit((limits.memory_mb + limits.scratch_mb + NANNY_MB) << 20, limits.processes + 1)
            _resize_tmpfs(f"/proc/{self._pid}/root{SCRATCH}", limits.scratch_mb << 20, limits.inodes)
        except OSError:
            return False
        self._fitted = replace(limits, files=self._fitted.files)
        return True

    def kill(self) -> None:
        """End everything in it now; the container itself is taken away in the background."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        if hasattr(self, "stream"):
            self.stream.close()
        if not self._kill_here():
            with contextlib.suppress(WorkerLost), self._daemon.errors():
                self._daemon.client().kill(self.id)
        self._remover.remove(self.id)

    def _kill_here(self) -> bool:
        """Through a descriptor of the process, which cannot mean another that has got its number since."""
        if self._pidfd < 0:
            return False
        try:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            poller = select.poll()
            poller.register(self._pidfd, select.POLLIN)
            return bool(poller.poll(2000))
        except ProcessLookupError:
            return True
        except OSError:
            return False
        finally:
            os.close(self._pidfd)
            self._pidfd = -1


@dataclass(frozen=True, slots=True)
class _Groups:
    """The directories of a container's control groups on this machine. None, where it is not on this machine."""

    memory: Path = Path()
    tasks: Path = Path()
    two: bool = False

    @classmethod
    def of(cls, pid: int) -> _Groups:
        """Find them by the process's own list and the table of mounts."""
        own: dict[str, str] = {}
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            own.update(dict.fromkeys(names.split(","), path))
        mounts: dict[str, Path] = {}
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            before, _, after = line.partition(" - ")
            kind, _, options = after.split(" ", 2)
            if kind in ("cgroup", "cgroup2"):
                controllers = [""] if kind == "cgroup2" else {"memory", "pids"}.intersection(options.split(","))
                mounts.update(dict.fromkeys(controllers, Path(before.split()[4])))
        if "memory" in own and "pids" in own and "memory" in mounts and "pids" in mounts:
            memory, tasks = (mounts[name] / own[name].lstrip("/") for name in ("memory", "pids"))
            return cls(memory, tasks)
        if "" in own and "" in mounts:
            here = mounts[""] / own[""].lstrip("/")
            return cls(here, here, two=True)
        return cls()

    @property
    def complete(self) -> bool:
        """Whether the kernel's counts are there to be read."""
        return self.memory.is_absolute() and self.memory.is_dir() and (self.tasks / "pids.max").exists()

    def limit(self, memory: int, tasks: int) -> None:
        """Set both limits. Version 1 wants memory below memory and swap at every moment: the order depends."""
        if self.two:
            (self.memory / "memory.max").write_text(str(memory))
        else:
            files = [self.memory / "memory.limit_in_bytes", self.memory / "memory.memsw.limit_in_bytes"]
            files = [file for file in files if file.exists()]
            if int(files[0].read_text()) < memory:
                files.reverse()
            for file in files:
                file.write_text(str(memory))
        (self.tasks / "pids.max").write_text(str(tasks))

    def counts(self) -> tuple[int, int]:
        """(out-of-memory kills, forks refused) since the container began."""
        events = "memory.events" if self.two else "memory.oom_control"
        return self._count(self.memory / events, "oom_kill"), self._count(self.tasks / "pids.events", "max")

    def pids(self) -> tuple[int, ...]:
        """The processes in it."""
        try:
            return tuple(int(line) for line in (self.tasks / "cgroup.procs").read_text().split())
        except OSError:
            return ()

    def _count(self, file: Path, key: str) -> int:
        if self.memory.is_absolute():
            with contextlib.suppress(OSError):
                for line in file.read_text().splitlines():
                    if line.startswith(key + " "):
                        return int(line.split()[1])
        return 0


class Demultiplexer:
    """Takes Docker's headers out of an attached stream: 8 bytes, of which one names the stream and four the length.

    >>> d = Demultiplexer()
    >>> d.feed(b"\\x01\\0\\0\\0\\0\\0\\0\\x05he") + d.feed(b"llo\\x02\\0\\0\\0\\0\\0\\0\\x04oops")
    b'hello'
    >>> bytes(d.errors)
    b'oops'
    """

    def __init__(self) -> None:
        self.errors = bytearray()
        self._head = b""
        self._which = self._left = 0

    def feed(self, data: bytes) -> bytes:
        """What of `data` belongs to standard output. The end of standard error is kept in `errors`."""
        out = []
        at = 0
        while at < len(data):
            if self._left:
                part = data[at : at + self._left]
                at += len(part)
                self._left -= len(part)
                if self._which == 1:
                    out.append(part)
                else:
                    self.errors += part
                    del self.errors[:-2000]
                continue
            missing = 8 - len(self._head)
            self._head += data[at : at + missing]
            at += missing
            if len(self._head) == 8:
                self._which, self._left = struct.unpack(">BxxxI", self._head)
                self._head = b""
        return out[0] if len(out) == 1 else b"".join(out)


class _AttachStream:
    """The attach socket of a container as a `client.Stream`."""

    def __init__(self, attached: Any) -> None:
        self._attached = attached  # keeps the SDK's response alive, and with it the socket
        self._socket: Any = getattr(attached, "_sock", attached)
        self._frames = Demultiplexer()
        self._early = b""

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(60)
        self._socket.sendall(data)

    def recv(self, timeout_s: float) -> bytes:
        """Wait for some bytes of ours; empty at the end."""
        if self._early:
            early, self._early = self._early, b""
            return early
        until = time.monotonic() + timeout_s
        while True:
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                data = self._socket.recv(1 << 18)
            except (ConnectionResetError, BrokenPipeError):
                return b""
            if not data:
                return b""
            if found := self._frames.feed(data):
                return found
            if time.monotonic() >= until:
                raise TimeoutError

    def quiet(self) -> bool:
        """Whether the peer is there and has nothing to say, as a nanny without a job."""
        try:
            self._early += self.recv(0.001)
        except TimeoutError:
            return True
        except OSError:
            return False
        return False

    def complaint(self) -> str:
        """The last that was written to standard error."""
        with contextlib.suppress(OSError):
            while self.recv(0.3):
                pass
        return self._frames.errors.decode("utf-8", "replace").strip()[-500:]

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        response: Any = getattr(self._attached, "_response", self._socket)
        for part in (response, self._attached, self._socket):
            with contextlib.suppress(OSError, ValueError):
                part.close()


class _DaemonAway(WorkerLost):
    """Nobody answers at the daemon's address."""


class _Daemon:
    """The daemon's API, with a client for each thread and all its failures as one exception."""

    def __init__(self, base_url: str | None, timeout_s: float) -> None:
        self.docker = sdk()
        self._url = base_url or self.docker.utils.kwargs_from_env().get("base_url")
        self._timeout_s, self._version = timeout_s, "auto"
        self._clients: dict[threading.Thread, Any] = {}
        self._lock = threading.Lock()

    def client(self) -> Any:
        """This thread's client. Raises IsolationUnavailable when it finds no daemon."""
        me = threading.current_thread()
        with self._lock:
            if me in self._clients:
                return self._clients[me]
            for thread in [thread for thread in self._clients if not thread.is_alive()]:
                self._clients.pop(thread).close()
        try:  # the SDK keeps connections by path, and nearly every path here names a container: keep few
            client = connect(self._url, version=self._version, timeout=self._timeout_s, num_pools=2)
        except (self.docker.errors.DockerException, OSError) as error:
            raise IsolationUnavailable(_no_daemon(error)) from error
        with self._lock:
            self._version = client.api_version
            self._clients[me] = client
        return client

    def knock(self) -> None:
        """Raise OSError if nobody is there."""
        knock(self._url)

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what the SDK raises into WorkerLost, and an absent daemon into _DaemonAway."""
        requests = need("requests", "docker")
        try:
            self.knock()
        except OSError as error:
            raise _DaemonAway(str(error)) from error
        try:
            yield
        except requests.exceptions.ConnectionError as error:
            raise _DaemonAway(f"{type(error).__name__}: {error}") from error
        except (self.docker.errors.DockerException, OSError) as error:
            text = getattr(error, "explanation", None) or error
            raise WorkerLost(f"the Docker daemon failed: {text}") from error

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()


class _Remover(threading.Thread):
    """Takes containers away in the background: the daemon needs a tenth of a second for each."""

    def __init__(self, daemon: _Daemon) -> None:
        super().__init__(name="sandbox-remover", daemon=True)
        self._daemon = daemon
        self._queue: queue.Queue[str | None] = queue.Queue()
        self.start()

    def remove(self, container: str) -> None:
        """Take it away soon."""
        self._queue.put(container)

    def run(self) -> None:
        """Remove one after the other until told to stop."""
        while (container := self._queue.get()) is not None:
            self._try(container)

    def _try(self, container: str) -> None:
        docker = self._daemon.docker
        try:
            self._daemon.knock()
            self._daemon.client().remove_container(container, force=True, v=True)
        except docker.errors.NotFound:
            pass
        except docker.errors.APIError as error:
            if "already in progress" not in str(error):
                return
        except (docker.errors.DockerException, OSError, IsolationUnavailable):
            return  # the daemon is away; whoever closes tries again, and the next owner does

    def close(self, maker: str, patience_s: float = 10.0) -> None:
        """Remove all that are left, and wait until the daemon knows of none."""
        self._queue.put(None)
        self.join()
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            try:
                self._daemon.knock()
                left = self._daemon.client().containers(all=True, quiet=True, filters={"label": f"{MAKER}={maker}"})
            except (self._daemon.docker.errors.DockerException, OSError, IsolationUnavailable):
                return
            if not left:
                return
            for found in left:
                self._try(found["Id"])
            time.sleep(0.05)


class _Ahead:
    """Makes workers before they are asked for, in a thread that starts with the first order."""

    def __init__(self, make: Callable[[Limits], DockerWorker], most: int) -> None:
        self._make, self._most = make, most
        self._ready: collections.deque[DockerWorker] = collections.deque()
        self._orders: collections.deque[Limits] = collections.deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = self._closed = False

    def order(self, limits: Limits) -> None:
        """Ask for one more, unless enough are ready or on order."""
        with self._changed:
            if self._closed or len(self._ready) + len(self._orders) + self._busy >= self._most:
                return
            self._orders.append(limits)
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="sandbox-ahead", daemon=True)
                self._thread.start()
            self._changed.notify()

    def give(self, worker: DockerWorker) -> None:
        """One that was made for another purpose and is still good."""
        with self._changed:
            self._ready.append(worker)

    def take(self, limits: Limits) -> DockerWorker | None:
        """One that is ready and can be used within `limits`, if there is any; the others are thrown away."""
        while True:
            with self._changed:
                if not self._ready:
                    return None
                worker = self._ready.popleft()
            if worker.usable(limits):
                return worker
            worker.close()

    def close(self) -> None:
        """Stop making, and end what nobody took."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        while self._ready:
            self._ready.popleft().close()

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._orders or self._closed)
                if self._closed:
                    return
                limits, self._busy = self._orders.popleft(), True
            worker = None
            with contextlib.suppress(WorkerLost, IsolationUnavailable):  # whoever asks next makes one, and hears why
                worker = self._make(limits)
            with self._changed:
                self._busy = False
                if worker is not None:
                    self._ready.append(worker)


def _whereabouts() -> str:
    """This boot of this machine, and this namespace of process numbers: where a pid means something."""
    try:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot_id}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:  # not Linux; the daemon is then in a virtual machine
        return f"{platform.node()}/{uuid.getnode():x}"


def _process(pid: int) -> str:
    """A process by its number and, where /proc tells it, the moment it started, since numbers come again."""
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        started = ""
    return f"{pid}:{started}"


def _alive(process: str) -> bool:
    """Whether the process that wrote itself down like this still runs. In doubt it does."""
    pid, _, then = process.partition(":")
    if not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    now = _process(int(pid)).partition(":")[2]
    return not now or not then or now == then


def _open_process(pid: int, container: str) -> int:
    """A descriptor of a process on this machine that is surely of this container, by its control group; else -1.

    The daemon may be on another machine, and its number mean some innocent process here.
    """
    try:
        pidfd = os.pidfd_open(pid)
    except (OSError, AttributeError):  # other systems have no such call
        return -1
    with contextlib.suppress(OSError):
        if container in Path(f"/proc/{pid}/cgroup").read_text():
            return pidfd
    os.close(pidfd)
    return -1


def _resize_tmpfs(path: str, size: int, inodes: int) -> None:
    """Change a mounted tmpfs, also one of another mount namespace (fspick, fsconfig). Takes CAP_SYS_ADMIN."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(number: int, *args: object) -> int:
        result = int(libc.syscall(ctypes.c_long(number), *args))
        if result < 0:
            raise OSError(ctypes.get_errno(), f"{path}: {os.strerror(ctypes.get_errno())}")
        return result

    fspick, fsconfig, set_string, reconfigure = 433, 431, 1, 7
    fd = call(fspick, -100, path.encode(), ctypes.c_uint(1))
    try:
        for key, value in (("size", size), ("nr_inodes", inodes)):
            call(fsconfig, fd, ctypes.c_uint(set_string), key.encode(), str(value).encode(), 0)
        call(fsconfig, fd, ctypes.c_uint(reconfigure), None, None, 0)
    finally:
        os.close(fd)


def _no_daemon(error: BaseException) -> str:
    return (
        f"no Docker daemon answers ({error}); start one (`systemctl start docker`, or `dockerd` as root), "
        "point DOCKER_HOST at one, or use the embedded backend"
    )
