"""The walls around a job: what a worker builds once (`build`), and what each child puts on by itself (`enter`).

Contained, in the mode `namespaced`: files (a new root: /usr and the interpreter read-only, an empty scratch), processes
and signals (a pid namespace per job), the network (a network namespace, no sockets but local ones), System V and POSIX
objects (seccomp), devices, mounts, further namespaces, kernel entry points that programs do not need (seccomp).
Not contained: the kernel itself, timing, the CPU's caches, and names and sizes of files under the read-only trees.

Runs in the worker; imports the standard library and `_sys` only.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

if TYPE_CHECKING or __name__ == "proofgym.sandboxes.walls":
    from proofgym.sandboxes import _sys, steps
else:
    _sys, steps = sys.modules["proofgym_nanny__sys"], sys.modules["proofgym_nanny_steps"]

INNER_ID = 1000
BOX = "/box"
SCRATCH = BOX + "/tmp"
"""Scratch and /proc of each job are mounted below one directory that carries the Landlock rule: of the directory right
under a mount, Landlock knows nothing ("hidden mount points"), so a rule there, made ahead, would not count."""
SPACES = _sys.CLONE_NEWUSER | _sys.CLONE_NEWNS | _sys.CLONE_NEWPID | _sys.CLONE_NEWNET
SPACES |= _sys.CLONE_NEWIPC | _sys.CLONE_NEWUTS | _sys.CLONE_NEWCGROUP
STAGING = ("/tmp", "/mnt", "/srv", "/var/tmp")
PASSWD = f"sandbox:x:{INNER_ID}:{INNER_ID}::{SCRATCH}:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"

step = "start"
"""What is being built, for the message when it fails."""


def _at(name: str) -> None:
    global step
    step = name


class Walls:
    """What a worker holds ready for its children."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.mode: str = config["mode"]
        self.uid: int | None = config["uid"]
        self.scratch: str = SCRATCH if self.mode == "namespaced" else config["scratch"]
        self.gaps: list[str] = []
        self.abi = 0
        self.proc = self.proc_mount = -1
        self.pid_ns = self.oom = -1
        self.own_oom = b"0"
        self.ruleset = -1
        self.filter: Any = None

    # What a worker builds once ----------------------------------------------------------------------------------------

    def build(self) -> None:
        """Wall this process in, and fork: it returns in the worker proper; the parent stays behind as its guard."""
        if self.mode == "namespaced":
            self._namespaces()
        elif self.mode in ("reduced", "none"):
            self._reduce()
        _at("landlock and seccomp")
        if self.proc < 0 and os.path.isdir("/proc/self"):
            self.proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if self.proc >= 0:
            self.oom = os.open("self/oom_score_adj", os.O_RDWR | os.O_CLOEXEC, dir_fd=self.proc)
            self.own_oom = os.read(self.oom, 16).strip()
        steps.limit_for_good()
        if self.mode == "none":
            return
        if not _sys.drop_bounding_set() and self.mode != "reduced":
            self.gaps.append("the capability bounding set could not be dropped")
        _sys.prctl(_sys.PR_SET_NO_NEW_PRIVS, 1)
        self._prepare_filters()

    def _namespaces(self) -> None:
        as_root = self.uid is not None
        if as_root:
            _at("mount namespace")
            _sys.unshare(_sys.CLONE_NEWNS)
        else:
            _at("user, mount, pid, network, ipc, uts and cgroup namespaces")
            self._unshare_all()
        _sys.mount("none", "/", "", _sys.MS_REC | _sys.MS_PRIVATE)
        staging = self._new_root()
        if as_root:
            _at("giving up root")
            steps.become(self.uid or 0)
            _at("user, mount, pid, network, ipc, uts and cgroup namespaces")
            self._unshare_all()
        _at("process 1 of the pid namespace")
        self._fork()
        _at("a /proc of its own")
        quiet = _sys.ATTR_NOSUID | _sys.ATTR_NODEV | _sys.ATTR_NOEXEC
        self.proc_mount = _sys.new_mount("proc", {}, quiet)  # open for good: closing it would take the mount apart
        self.proc = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.proc_mount)
        _at("pivot_root")
        _sys.move_mount(_sys.open_tree(staging), staging)
        os.chdir(staging)
        _sys.pivot_root(".", ".")
        _sys.umount(".")
        os.chdir("/")
        _at("forbidding further user namespaces")
        fd = os.open("sys/user/max_user_namespaces", os.O_WRONLY, dir_fd=self.proc)
        os.write(fd, b"0")
        os.close(fd)
        self.pid_ns = os.open("self/ns/pid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.proc)

    def _unshare_all(self) -> None:
        uid, gid = os.geteuid(), os.getegid()
        _sys.unshare(SPACES)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{INNER_ID} {uid} 1"),
            ("gid_map", f"{INNER_ID} {gid} 1"),
        ):
            fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(fd, text.encode())
            os.close(fd)

    def _new_root(self) -> str:
        """Build the root under a mount point that always exists. Sources are opened first: they may lie beneath it."""
        _at("read-only copies of /usr and the interpreter")
        config, fixed = self.config, _sys.ATTR_NOSUID | _sys.ATTR_RDONLY
        trees = []
        for source, inside in config["binds"]:
            tree = _sys.open_tree(source)
            _sys.mount_setattr(tree, fixed | _sys.ATTR_NODEV)
            trees.append((tree, inside, os.path.isdir(source)))
        trees += [(_sys.open_tree(device, 0), device, False) for device in config["devices"]]
        _at("a new root")
        staging = next(path for path in STAGING if os.path.isdir(path))
        root = _sys.new_mount("tmpfs", {"size": "1m", "nr_inodes": "1024", "mode": "0755"}, _sys.ATTR_NOSUID)
        _sys.move_mount(root, staging)
        for inside in ("/dev", "/etc", SCRATCH, BOX + "/proc"):
            os.makedirs(staging + inside, 0o755, exist_ok=True)
        if not any(inside.startswith("/tmp/") for _, inside in config["binds"]):
            os.symlink(SCRATCH, staging + "/tmp")  # else it is a read-only directory, and TMPDIR leads to scratch
        os.symlink(BOX + "/proc", staging + "/proc")
        for name, text in (("passwd", PASSWD), ("group", f"sandbox:x:{INNER_ID}:\n"), ("hostname", "sandbox\n")):
            with open(f"{staging}/etc/{name}", "w") as file:
                file.write(text)
        os.symlink(self.scratch, staging + "/dev/shm")
        for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            os.symlink(target, f"{staging}/dev/{name}")
        for tree, inside, is_dir in trees:
            _at(f"the mount of {inside}")
            steps.make_place(staging + inside, is_dir)
            _sys.move_mount(tree, staging + inside)
            os.close(tree)
        for inside, target in config["links"]:
            os.symlink(target, staging + inside)
        for inside in config["hide"]:
            cover = _sys.new_mount("tmpfs", {"size": "4k", "nr_inodes": "1"}, fixed)
            _sys.move_mount(cover, staging + inside)
            os.close(cover)
        _sys.mount_setattr(root, fixed, recursive=False)
        os.close(root)
        return staging

    def _reduce(self) -> None:
        if self.uid is not None:
            _at("giving up root")
            os.chown(self.scratch, self.uid, self.uid)
            _at("a way to the trees that only root may enter")
            steps.reach([source for source, _ in self.config["binds"]])
            steps.become(self.uid)
        self.abi = _sys.landlock_abi() if self.mode == "reduced" else 0
        _sys.prctl(_sys.PR_SET_CHILD_SUBREAPER, 1)
        if self.abi >= 6:
            _at("a Landlock domain for signals")
            _sys.prctl(_sys.PR_SET_NO_NEW_PRIVS, 1)
            _sys.landlock_enter(_sys.landlock_ruleset(self.abi, files=False, network=False))
        self._fork()
        _sys.prctl(_sys.PR_SET_CHILD_SUBREAPER, 1)
        if self.abi >= 6:  # one domain further in than the guard, so that `kill(-1)` spares it
            _sys.landlock_enter(_sys.landlock_ruleset(self.abi, files=False, network=False))

    def _fork(self) -> None:
        pid = os.fork()
        if pid:
            try:
                os.close(0)
                os.close(1)
                os.waitpid(pid, 0)
                self.sweep()
            finally:
                os._exit(0)
        _sys.prctl(_sys.PR_SET_PDEATHSIG, 9)

    def _prepare_filters(self) -> None:
        self.abi = _sys.landlock_abi()
        if self.mode == "reduced" and not self.abi:
            raise OSError(95, "this kernel has no Landlock")
        if self.abi:
            self.ruleset = self._make_ruleset()
        else:
            self.gaps.append("this kernel has no Landlock; the new root alone keeps files away")
        scoped = self.mode in ("namespaced", "container") or self.abi >= 6
        if not scoped:
            self.gaps.append("Landlock here cannot scope signals; a job may send none")
        worker, job = _sys.bpf_filters(_sys.ARCH or "", sockets=self.mode != "reduced", signals=scoped)
        _sys.Filter(worker).load()
        self.filter = _sys.Filter(job)

    def _make_ruleset(self) -> int:
        ruleset = _sys.landlock_ruleset(self.abi)
        readable = [inside for _, inside in self.config["binds"]]
        if self.mode == "namespaced":
            readable.append("/etc")
        for path in readable:
            if os.path.exists(path):
                self._allow_reading(ruleset, path)
        for path in self.config["devices"]:
            if os.path.exists(path):
                _sys.landlock_allow(ruleset, path, _sys.FS_DEVICE, self.abi)
        for place in self.config["hide"]:
            _sys.landlock_allow(ruleset, os.path.dirname(place), _sys.FS_READ_DIR, self.abi)
        _sys.landlock_allow(ruleset, BOX if self.mode == "namespaced" else self.scratch, _sys.FS_SCRATCH, self.abi)
        return ruleset

    def _allow_reading(self, ruleset: int, path: str) -> None:
        """Allow a tree, but for what is hidden in it. Where there are mounts, that is covered as well."""
        hide = self.config["hide"]
        if path in hide:
            return
        if not any(place.startswith(path + "/") for place in hide):
            _sys.landlock_allow(ruleset, path, _sys.FS_READ, self.abi)
            return
        for name in os.listdir(path):
            if not os.path.islink(f"{path}/{name}"):  # a rule would follow the link, out of the tree
                self._allow_reading(ruleset, f"{path}/{name}")

    # What happens for each job ----------------------------------------------------------------------------------------

    def new_scratch(self, size: int, inodes: int) -> int:
        """A fresh scratch as a file descriptor: a new tmpfs where we may mount, else our emptied directory.

        It is mounted in the worker's own namespace: a mount namespace per job would cost another tenth of a job.
        """
        if self.mode == "namespaced":
            options = {"size": str(size), "nr_inodes": str(inodes), "mode": "0700"}
            fd = _sys.new_mount("tmpfs", options, _sys.ATTR_NOSUID | _sys.ATTR_NODEV)
            _sys.move_mount(fd, self.scratch)
            return fd
        return os.open(self.scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def fork(self) -> int:
        """Fork a child, as process 1 of a new pid namespace where there are namespaces."""
        if self.oom >= 0:
            os.write(self.oom, b"1000")  # inherited: when memory runs out, the job goes first, and not the worker
        if self.pid_ns >= 0:
            _sys.unshare(_sys.CLONE_NEWPID)
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid:
                if self.pid_ns >= 0:
                    _sys.setns(self.pid_ns, _sys.CLONE_NEWPID)
                if self.oom >= 0:
                    os.write(self.oom, self.own_oom)
        return pid

    def enter(self, meta: dict[str, Any], keep: tuple[int, ...], base: int) -> None:
        """Put the walls on, in the child: afterwards it is nobody, owns an empty directory, and may run anything.

        Args:
            meta: The job's limits.
            keep: The descriptors to become 0, 1, 2, 3 and so on; all others are closed.
            base: The address space this process has now, in bytes.
        """
        if self.mode == "namespaced" and meta["proc"]:
            _at("a /proc of the job")
            _sys.unshare(_sys.CLONE_NEWNS)
            self._mount_proc()
        _at("descriptors")
        os.setsid()
        for number, fd in enumerate(keep):
            os.dup2(fd, number)
        _sys.close_range(len(keep) if self.ruleset < 0 else self._spare_ruleset(len(keep)) + 1)
        os.chdir(self.scratch)
        _at("resource limits")
        steps.limit(meta, base, self.mode, exact=bool(self.config.get("exact_memory")))
        if self.mode == "none":
            return
        _at("giving up privileges")
        if self.mode == "container":
            steps.become(self.uid or 65534)
            os.chdir(self.scratch)
        _sys.drop_capabilities()
        if self.ruleset >= 0:
            _at("landlock")
            spare = len(keep)
            _sys.landlock_enter(spare)
            os.close(spare)
        _at("seccomp")
        self.filter.load()

    def _spare_ruleset(self, number: int) -> int:
        os.dup2(self.ruleset, number)
        return number

    def _mount_proc(self) -> None:
        quiet = _sys.ATTR_NOSUID | _sys.ATTR_NODEV | _sys.ATTR_NOEXEC
        _sys.move_mount(_sys.open_tree("", _sys.AT_EMPTY_PATH, self.proc_mount), BOX + "/proc")
        _sys.move_mount(_sys.new_mount("proc", {}, quiet), BOX + "/proc")

    def sweep(self) -> None:
        """Kill and reap whatever a job left alive; with a pid namespace of its own, the kernel has done so."""
        if self.mode == "namespaced":
            return
        everything = self.mode == "container" or self.abi >= 6
        while True:
            if everything:
                try:
                    os.kill(-1, 9)
                except OSError:
                    pass
            else:
                for pid in self.descendants():
                    try:
                        os.kill(pid, 9)
                    except OSError:
                        pass
            try:
                while os.waitpid(-1, 0 if everything else os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return

    def descendants(self) -> list[int]:
        """The live processes of the current job, by the kernel's own lists."""
        if self.mode in ("namespaced", "container"):
            return [int(name) for name in os.listdir(self.proc) if name.isdigit() and name != "1"]
        found: list[int] = []
        todo = [os.getpid()]
        while todo:
            pid = todo.pop()
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/children") as file:
                        children = [int(child) for child in file.read().split()]
                    found += children
                    todo += children
            except OSError:
                continue
        return found

    def others(self) -> int:
        """Where a job shares its user id with others on the host: how many tasks those have, with room for more."""
        if self.mode == "namespaced" or self.uid is not None:
            return 0
        tasks = 0
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and os.stat(f"/proc/{name}").st_uid == os.getuid():
                    tasks += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
        return tasks + 64

    def end_scratch(self, fd: int) -> None:
        """Take a dead job's scratch away, or empty it where it is a directory and not a mount."""
        os.close(fd)
        if self.mode == "namespaced":
            _sys.umount(self.scratch)
            return
        with self.as_child():
            steps.empty(self.scratch)

    @contextmanager
    def as_child(self) -> Iterator[None]:
        """Look at a dead job's files as their owner: a container's root has no power over files."""
        switch = self.mode == "container" and os.geteuid() == 0
        if switch:
            os.seteuid(self.uid or 65534)
        try:
            yield
        finally:
            if switch:
                os.seteuid(0)
