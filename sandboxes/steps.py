"""Single steps on the way behind the walls: become another user, take limits, reach hidden trees, empty a directory."""

from __future__ import annotations

import os
import resource
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

if TYPE_CHECKING or __name__ == "proofgym.sandboxes.steps":
    from proofgym.sandboxes import _sys
else:
    _sys = sys.modules["proofgym_nanny__sys"]


_MOST: dict[int, int] = {}
"""The hard limits that this worker started with: what may still be asked for."""


def become(uid: int) -> None:
    """Give up root for `uid`, groups included, and stay traceable by our own namespace."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _sys.prctl(_sys.PR_SET_DUMPABLE, 1)


def limit_for_good() -> None:
    """Set, once in the worker, the limits that are the same for every job."""
    for name in ("CORE", "MEMLOCK", "CPU", "FSIZE", "NOFILE", "STACK", "AS", "NPROC"):
        kind = getattr(resource, f"RLIMIT_{name}")
        _MOST[kind] = resource.getrlimit(kind)[1]
    _set(resource.RLIMIT_CORE, 1)  # 1 and not 0: with 0, a host's core handler behind a pipe would still be called
    _set(resource.RLIMIT_MEMLOCK, 0)


def limit(meta: dict[str, Any], base: int, mode: str, *, exact: bool) -> None:
    """Set the resource limits of this process and those it will start."""
    program = meta["kind"] == "command"
    _set(resource.RLIMIT_CPU, int(meta["cpu"]) + 2)
    _set(resource.RLIMIT_FSIZE, meta["scratch"])
    _set(resource.RLIMIT_NOFILE, meta["files"])
    _set(resource.RLIMIT_STACK, meta["stack"])
    if not (program and exact):
        _set(resource.RLIMIT_AS, meta["memory"] + (meta["reserve"] if program else base))
    if mode == "namespaced":
        # Guard and nanny count too. Where a control group counts, which tells us of it, that comes first.
        _set(resource.RLIMIT_NPROC, meta["processes"] + (16 if exact else 2))
    elif mode != "container":
        _set(resource.RLIMIT_NPROC, meta["nproc"])


def _set(kind: int, value: int) -> None:
    most = _MOST.get(kind, resource.RLIM_INFINITY)
    if most != resource.RLIM_INFINITY:
        value = min(value, most)
    resource.setrlimit(kind, (value, value))


def reach(sources: list[str]) -> None:
    """Show trees that lie in directories only root may enter, and nothing else there, in a mount namespace."""
    closed: dict[str, list[str]] = {}
    for source in sources:
        parts = source.split("/")[1:-1]
        for depth in range(len(parts)):
            above = "/" + "/".join(parts[: depth + 1])
            if not os.stat(above).st_mode & 1:
                closed.setdefault(above, []).append(source)
                break
    if not closed:
        return
    _sys.unshare(_sys.CLONE_NEWNS)
    _sys.mount("none", "/", "", _sys.MS_REC | _sys.MS_PRIVATE)
    for above, inner in closed.items():
        trees = [(_sys.open_tree(source), source) for source in inner]
        cover = _sys.new_mount("tmpfs", {"size": "64k", "mode": "0755"}, _sys.ATTR_NOSUID | _sys.ATTR_NODEV)
        _sys.move_mount(cover, above)
        for tree, source in trees:
            make_place(source, os.path.isdir(source) or not os.path.exists(source))
            _sys.move_mount(tree, source)
            os.close(tree)
        os.close(cover)


def make_place(path: str, is_dir: bool) -> None:
    if is_dir:
        os.makedirs(path, 0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def empty(path: str) -> None:
    """Empty a directory without recursion: directories further down are moved up before their parent goes."""
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    count = 0
    try:
        while True:
            names = os.listdir(top)
            if not names:
                return
            for name in names:
                try:
                    os.unlink(name, dir_fd=top)
                    continue
                except (IsADirectoryError, PermissionError):
                    pass
                os.chmod(name, 0o700, dir_fd=top)
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
                try:
                    for below in os.listdir(inner):
                        try:
                            os.unlink(below, dir_fd=inner)
                        except (IsADirectoryError, PermissionError):
                            count += 1
                            os.chmod(below, 0o700, dir_fd=inner)
                            os.rename(below, f"moved {count} {os.getpid()}", src_dir_fd=inner, dst_dir_fd=top)
                finally:
                    os.close(inner)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
