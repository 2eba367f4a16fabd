"""A control group per worker: the kernel counts the memory and the processes of everything in it.

Both layouts are tried for real: version 1 (separate `memory` and `pids` trees) and version 2. Joining costs 10 to 20
ms, so a worker joins once and the limits are rewritten when a job brings others. Groups are named after their owner;
those of dead owners are removed when the next one starts.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from proofgym.sandboxes.types import Limits

__all__ = ["Group", "sweep"]

WORKER_MB = 48
_PREFIX = "proofgym-"
_NUMBERS = itertools.count(1)


class Group:
    """One worker's group. Raises OSError, with the reason, where this process may not make one."""

    def __init__(self, limits: Limits, root: Path = Path("/"), owner: int | None = None) -> None:
        name = f"{_PREFIX}{owner or os.getpid()}-{next(_NUMBERS)}"
        self._limits: Limits | None = None
        self._events: tuple[int, ...] = ()
        self._memory, self._pids, self._two = _make(name, root)
        self.set_limits(limits)

    def join(self, pid: int) -> None:
        """Move a process in; its future children are born there."""
        for folder in {self._memory, self._pids}:
            (folder / "cgroup.procs").write_text(str(pid))

    def set_limits(self, limits: Limits) -> None:
        """Make room for one job within `limits`, its scratch, and the two processes of the worker itself."""
        if limits == self._limits:
            return
        size = str((limits.memory_mb + limits.scratch_mb + WORKER_MB) << 20)
        if self._two:
            (self._memory / "memory.max").write_text(size)
            for name, value in (("memory.swap.max", "0"), ("memory.oom.group", "0")):
                with contextlib.suppress(OSError):
                    (self._memory / name).write_text(value)
        else:
            _grow(self._memory, size)
        (self._pids / "pids.max").write_text(str(limits.processes + 2))
        self._limits = limits

    def counters(self) -> tuple[int, int]:
        """(out-of-memory kills, forks refused) since the group began."""
        if not self._events:
            memory = self._memory / ("memory.events" if self._two else "memory.oom_control")
            self._events = tuple(
                os.open(file, os.O_RDONLY | os.O_CLOEXEC) for file in (memory, self._pids / "pids.events")
            )
        memory_fd, pids_fd = self._events
        return _number(os.pread(memory_fd, 4096, 0), b"oom_kill"), _number(os.pread(pids_fd, 4096, 0), b"max")

    def remove(self) -> None:
        """Take the group away, waiting a little for the last process to be gone from it."""
        events, self._events = self._events, ()
        for fd in events:
            os.close(fd)
        for folder in {self._memory, self._pids}:
            _remove(folder)


def sweep(root: Path = Path("/")) -> None:
    """Remove the groups that a crashed owner left behind."""
    for parents in _candidates(root):
        for parent in {parents[0], parents[1]}:
            with contextlib.suppress(OSError):
                for folder in parent.glob(f"{_PREFIX}*-*"):
                    owner = folder.name[len(_PREFIX) :].partition("-")[0]
                    if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                        with contextlib.suppress(OSError):
                            folder.rmdir()


def _make(name: str, root: Path) -> tuple[Path, Path, bool]:
    reasons = []
    for memory, pids, two in _candidates(root):
        made: list[Path] = []
        try:
            for parent in dict.fromkeys((memory, pids)):
                (parent / name).mkdir()
                made.append(parent / name)
            missing = [
                file
                for folder, file in ((memory, "memory.max" if two else "memory.limit_in_bytes"), (pids, "pids.max"))
                if not (folder / name / file).exists()
            ]
            if missing:
                raise OSError(f"{memory} has no {' and no '.join(missing)} (the controller is not delegated to us)")
            return memory / name, pids / name, two
        except OSError as error:
            reasons.append(str(error))
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
    raise OSError("; ".join(reasons) or "no memory and pids controllers are mounted")


def _candidates(root: Path) -> list[tuple[Path, Path, bool]]:
    """(parent for memory, parent for pids, version 2?) to try, best first: our own group, then the top."""
    own: dict[str, str] = {}
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            own[name] = path
    mounts: dict[str, Path] = {}
    for line in (root / "proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        place = root / _unescape(before.split()[4]).lstrip("/")
        if kind == "cgroup2":
            mounts[""] = place
        elif kind == "cgroup":
            for name in ("memory", "pids"):
                if name in re.split("[ ,]", options):
                    mounts[name] = place
    found = []
    if "memory" in mounts and "pids" in mounts:
        for relative in (True, False):
            memory, pids = (
                mounts[name] / own.get(name, "/").lstrip("/") if relative else mounts[name]
                for name in ("memory", "pids")
            )
            found.append((memory, pids, False))
    if "" in mounts:
        here = mounts[""] / own.get("", "/").lstrip("/")
        found += [(place, place, True) for place in dict.fromkeys((here, here.parent, mounts[""])) if place.is_dir()]
    return found


def _unescape(text: str) -> str:
    return re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), text)


def _grow(folder: Path, size: str) -> None:
    """Version 1 wants memory below memory-and-swap at every moment, so the order depends on the direction."""
    both = [folder / "memory.limit_in_bytes", folder / "memory.memsw.limit_in_bytes"]
    both = [file for file in both if file.exists()]
    for order in (both, both[::-1]):
        try:
            for file in order:
                file.write_text(size)
            return
        except OSError as error:
            last = error
    raise last


def _number(text: bytes, key: bytes) -> int:
    for line in text.splitlines():
        name, _, count = line.partition(b" ")
        if name == key:
            return int(count)
    return 0


def _remove(folder: Path, wait: Callable[[float], None] = time.sleep) -> None:
    for delay in (0, 0.001, 0.005, 0.02, 0.1, 0.3, 0.6, 1.0):
        wait(delay)
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            continue
