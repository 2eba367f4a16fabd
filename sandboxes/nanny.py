"""The worker: a small, trusted process that forks one confined child per job and never reads what the child wrote.

It is sent to a bare interpreter (see `boot`) and imports the standard library and the siblings listed there, nothing
else. It speaks the frames of `wire` on two file descriptors that its caller names: 0 to read and 1 to write.

The first frame is CONFIG, one dict of:

    mode      "namespaced"  everything: a new root, user, pid, mount, network, ipc, uts and cgroup namespaces
              "reduced"     Landlock, seccomp and resource limits in the host's own namespaces
              "container"   inside a container that somebody else walled in; started as its root and process 1
              "none"        resource limits only
    uid       the host user id to become (namespaced, when started as root), or the one a child becomes (container);
              None to stay who we are
    binds     [(path on the host, path inside), ...] read-only (namespaced), and the paths a child may read (all modes)
    links     [(path inside, target), ...] symbolic links to make (namespaced)
    devices   [path, ...] device nodes a child may use
    scratch   the path of the child's scratch space, an empty directory of ours that is emptied after each job
              (namespaced: ignored, a file system is mounted afresh for each job)
    syspath   [path, ...] appended to sys.path
    hide      [path, ...] directories that a child may not read, inside those it may
    preload   [module, ...] imported once, before the first fork
    env       {name: value} of every child
    exact_memory   whether a control group counts the job's memory, so that nobody needs to watch it

It answers READY {"pid", "python", "gaps", "landlock", "rss_kb"} or FAILED "step: reason".

A JOB frame is two u32 lengths, the job's numbers (JSON, from the host, trusted), its standard input, and the body,
which goes unread to the child (marshal: this way it carries only what the host wrote). For each job: fork, wall in
(`walls`), run (`runner`), wait for the child's death or a limit, kill all that is left, send DATA frames for streams 1
(stdout), 2 (stderr) and 3 (answers), ARTIFACT frames, and DONE, in JSON:

    why       "exit", or what ended it: "timeout" "cpu" "memory" "output" "processes" "killed" (the host asked),
              "missing" (no such program), "setup" (the sandbox could not be built: the host raises, it is no result)
    code, signal, wall, cpu, rss_kb, setup_s, teardown_s, truncated, crowded (at the limit on processes), detail,
    oom and refused (in a container, what its control group counted)

While a job runs, KILL ends it; when the stream closes, the nanny kills the job and exits. With `live` (sessions), DATA
frames are sent as they come and FEED bytes go to the child's file descriptor 4.
"""

from __future__ import annotations

import gc
import json
import mmap
import os
import resource
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

if TYPE_CHECKING or __name__ == "proofgym.sandboxes.nanny":
    from proofgym.sandboxes import runner, running, walls, wire
else:
    wire, walls, runner, running = (
        sys.modules["proofgym_nanny_" + name] for name in ("wire", "walls", "runner", "running")
    )

CHUNK = 1 << 16
RESERVED = 10


COUNTERS = (
    (("memory.events", "oom_kill"), ("memory/memory.oom_control", "oom_kill")),
    (("pids.events", "max"), ("pids/pids.events", "max")),
)
"""Where a container's control group counts, in version 2 and in version 1, below /sys/fs/cgroup."""


def _counter(*places: tuple[str, str]) -> int:
    for name, key in places:
        try:
            with open("/sys/fs/cgroup/" + name) as file:
                for line in file:
                    if line.split()[0] == key:
                        return int(line.split()[1])
        except OSError:
            continue
    return 0


class Host:
    """The two descriptors that lead to the host, moved out of the way of 0, 1 and 2."""

    def __init__(self, fd_in: int, fd_out: int) -> None:
        import fcntl

        self.fd_in = fcntl.fcntl(fd_in, fcntl.F_DUPFD_CLOEXEC, RESERVED)
        self.fd_out = fcntl.fcntl(fd_out, fcntl.F_DUPFD_CLOEXEC, RESERVED)
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        for number in (0, 1, *range(3, RESERVED)):  # so that nothing we keep lies where a child's descriptors go
            if number != null:
                os.dup2(null, number, inheritable=number < 3)
        self.frames = wire.Frames()
        self.waiting: list[tuple[int, int, bytes]] = []

    def send(self, kind: int, body: bytes = b"", index: int = 0) -> None:
        self.write(wire.frame(kind, body, index))

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.fd_out, view) :]

    def read(self) -> None:
        """Take in what has arrived; leave when the host has hung up."""
        data = os.read(self.fd_in, CHUNK)
        if not data:
            os._exit(0)
        self.frames.feed(data)
        self.waiting += self.frames

    def next(self) -> tuple[int, int, bytes]:
        while not self.waiting:
            self.read()
        return self.waiting.pop(0)


class Nanny:
    """One worker: walls built once, then one job after another."""

    def __init__(self, host: Host, config: dict[str, Any]) -> None:
        self.host, self.config = host, config
        self.walls = walls.Walls(config)
        self.page = mmap.mmap(-1, 4096)
        self.resident = 0
        self.others = 0
        self.counted: tuple[int, ...] = (0, 0)

    def prepare(self) -> None:
        """Build the walls, import what jobs will want, and say so."""
        self.walls.build()
        os.environ.clear()
        os.environ.update(self.config["env"])
        sys.path.extend(self.config["syspath"])
        self.warm(self.config["preload"])
        gc.disable()
        gc.collect()
        gc.freeze()
        _, self.resident = self.memory()
        self.others = self.walls.others()
        self.count()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        ready = {
            "pid": os.getpid(),
            "launcher": os.getppid(),
            "python": sys.version.split()[0],
            "gaps": self.walls.gaps,
            "landlock": self.walls.abi,
            "rss_kb": usage.ru_maxrss,
        }
        self.host.send(wire.READY, wire.encode(ready))

    def warm(self, names: list[str]) -> None:
        """Import trusted modules from the read-only trees, for all children. What is missing stays missing."""
        fresh = False
        for name in names:
            if name not in sys.modules:
                try:
                    __import__(name)
                    fresh = True
                    if name == "pytest":
                        self._warm_pytest()
                except ImportError:
                    continue
        if fresh:
            gc.freeze()
            _, self.resident = self.memory()

    def count(self) -> tuple[int, int]:
        """(out-of-memory kills, forks refused) since the last call: a container's own counters, as seen from inside."""
        if self.walls.mode != "container":
            return 0, 0
        before, self.counted = self.counted, tuple(_counter(*places) for places in COUNTERS)
        return self.counted[0] - before[0], self.counted[1] - before[1]

    def _warm_pytest(self) -> None:
        """Import the plugins too, or each test would."""
        config = __import__("_pytest.config", fromlist=["default_plugins"])
        for plugin in config.default_plugins:
            __import__(f"_pytest.{plugin}")

    def memory(self) -> tuple[int, int]:
        """This process's address space and what of it is resident, in bytes."""
        if self.walls.proc < 0:
            return 64 << 20, 0
        fd = os.open("self/statm", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.walls.proc)
        try:
            space, resident = os.read(fd, 200).split()[:2]
        finally:
            os.close(fd)
        return int(space) * mmap.PAGESIZE, int(resident) * mmap.PAGESIZE

    def serve(self) -> None:
        """Run jobs until the host hangs up."""
        while True:
            kind, _, body = self.host.next()
            if kind == wire.JOB:
                numbers, stdin = struct.unpack_from("<II", body)
                meta = json.loads(body[8 : 8 + numbers])
                self.run(meta, body[8 + numbers : 8 + numbers + stdin], body[8 + numbers + stdin :])

    def run(self, meta: dict[str, Any], stdin: bytes, body: bytes) -> None:
        """Run one job and tell the host how it ended."""
        if meta["program"] and not meta["ships"]:
            path = self.config["env"].get("PATH", "")
            if "/" in meta["program"] and meta["program"][0] != "/":
                return self._refuse("its path is relative, and no file of that name comes with the job")
            if runner.find_program(meta["program"], path) is None:
                return self._refuse(f"looked in {path}" if "/" not in meta["program"] else "no such executable file")
        if meta["warm"]:
            self.warm(meta["warm"])
            if meta["warm"][0] not in sys.modules:
                return self._refuse(f"{meta['warm'][0]} is not among the packages that jobs can import")
        meta["nproc"] = self.others + meta["processes"] + 2
        job = running.Running(self, meta, stdin, body)
        job.watch()
        job.finish()
        return None

    def _refuse(self, why: str) -> None:
        done = {"why": "missing", "code": None, "signal": None, "wall": 0.0, "cpu": 0.0, "rss_kb": 0, "setup_s": 0.0}
        done |= {
            "teardown_s": 0.0,
            "truncated": False,
            "crowded": False,
            "oom": 0,
            "refused": 0,
            "detail": why,
        }
        self.host.send(wire.DONE, json.dumps(done).encode())


def main(argv: list[str]) -> int:
    """Serve the host behind the two descriptors in `argv` until it hangs up."""
    host = Host(int(argv[0]), int(argv[1]))
    kind, _, body = host.next()
    if kind != wire.CONFIG:
        return 2
    try:
        nanny = Nanny(host, wire.decode(body))
        nanny.prepare()
    except BaseException as error:
        host.send(wire.FAILED, wire.encode(f"{walls.step}: {error}"))
        return 1
    try:
        nanny.serve()
    except Exception as error:
        import traceback

        where = "".join(traceback.format_exception(type(error), error, error.__traceback__)[-3:])
        host.send(wire.FAILED, wire.encode(f"the nanny failed: {where}"))
    return 1
