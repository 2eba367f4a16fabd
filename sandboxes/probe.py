"""Find out what this machine can really wall in, by doing it: each tier is started, used and attacked once.

Nothing is guessed from versions. A tier works when a worker starts in it, an honest job is answered, and a job that
tries to read and write files of ours, reach the network and signal us is refused.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from proofgym.sandboxes.embedded import GAPS, EmbeddedBackend
from proofgym.sandboxes.errors import IsolationUnavailable, MissingProgram, WorkerLost
from proofgym.sandboxes.types import Isolation, Job, Limits, Worker

__all__ = ["Probe", "Tier", "attack", "choose", "probe"]

TIERS = (Isolation.NAMESPACED_CGROUP, Isolation.NAMESPACED, Isolation.REDUCED)

_ATTACK = """
import os, signal, socket
def attack(name, *args):
    try:
        return "not stopped: " + str(globals()[name](*args))
    except (OSError, ProcessLookupError) as error:
        return "stopped: " + type(error).__name__
def read(path):
    return open(path).read()
def connect(port):
    return socket.create_connection(("127.0.0.1", port), 1)
def send(pid):
    return os.kill(pid, 0)
def write(path):
    return open(path, "w")
"""

CURES = {
    "control group": "run as root, or delegate the memory and pids controllers to this user (systemd: Delegate=yes)",
    "mount namespace": "the process lacks CAP_SYS_ADMIN: run unprivileged with user namespaces, or as real root",
    "user, mount": "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces>0, "
    "kernel.apparmor_restrict_unprivileged_userns=0; in Docker, they are not allowed: use the Docker backend beside it",
    "a /proc of its own": "a mount covers part of /proc, as in a container: run outside it, or use the Docker backend",
    "read-only copies": "the kernel is older than 5.12, or mounts are refused here (AppArmor, a container)",
    "pivot_root": "mounts are refused here (AppArmor, a container)",
    "landlock": "boot a kernel of 5.13 or later with `landlock` in its lsm= list",
}


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier on this machine: whether it works, and if not, why and what to do."""

    isolation: Isolation
    works: bool
    reason: str = ""
    cure: str = ""
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found, best tier first."""

    tiers: tuple[Tier, ...]

    @property
    def best(self) -> Isolation:
        """The best tier that works."""
        return next((tier.isolation for tier in self.tiers if tier.works), Isolation.NONE)


def probe() -> Probe:
    """Try every tier for real; about a third of a second, once per process."""
    return Probe(tuple(_try(isolation) for isolation in TIERS))


def choose(least: Isolation | str = Isolation.NAMESPACED, *, insecure: bool = False) -> Isolation:
    """The best tier that works here, if it is at least `least`. Stops at the first tier that works.

    Raises:
        IsolationUnavailable: Says what failed in each better tier, and the cure.
    """
    least = Isolation.parse(least)
    if least is Isolation.NONE and not insecure:
        raise IsolationUnavailable(
            "isolation 'none' runs untrusted code as yourself; if that is meant, say insecure=True"
        )
    failed = []
    for isolation in TIERS:
        if isolation < least:
            break
        tier = _try(isolation)
        if tier.works:
            return isolation
        failed.append(f"{isolation.label}: {tier.reason}" + (f" [{tier.cure}]" if tier.cure else ""))
    if least is Isolation.NONE:
        return Isolation.NONE
    lower = "" if least <= Isolation.REDUCED else "; or accept less with min_isolation='reduced'"
    raise IsolationUnavailable(f"this machine cannot give isolation {least.label!r}: {'; '.join(failed)}{lower}")


@functools.lru_cache(maxsize=16)
def _tried(isolation: Isolation, pid: int, uid: int) -> Tier:
    del pid, uid
    if not sys.platform.startswith("linux"):
        return Tier(isolation, False, f"{sys.platform} is not Linux", "use the Docker backend")
    try:
        worker = EmbeddedBackend(isolation, preload=(), site=False).start(0, Limits())
    except WorkerLost as error:
        reason = str(error)
        return Tier(isolation, False, reason, next((CURES[key] for key in CURES if reason.startswith(key)), ""))
    try:
        unstopped = attack(worker)
    except (WorkerLost, MissingProgram) as error:
        return Tier(isolation, False, f"an honest job failed: {error}")
    finally:
        worker.close()
    if unstopped:
        return Tier(isolation, False, f"it did not contain {', '.join(unstopped)}")
    return Tier(isolation, True, gaps=worker.gaps or GAPS[isolation])


def _try(isolation: Isolation) -> Tier:
    return _tried(isolation, os.getpid(), os.geteuid())


def attack(worker: Worker) -> list[str]:
    """Attack a worker in five ways; returns what was not stopped."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as server:
        secret = Path(folder, "secret")
        secret.write_text("canary")
        secret.chmod(0o644)
        Path(folder).chmod(0o755)
        server.bind(("127.0.0.1", 0))
        server.listen()
        attacks = {
            "reading a file of the host": ("read", str(secret)),
            "writing a file of the host": ("write", str(Path(folder, "planted"))),
            "connecting to a local port": ("connect", server.getsockname()[1]),
            "signalling a process of the host": ("send", os.getpid()),
            "an honest write": ("write", "own.txt"),
        }
        job = Job.calls(_ATTACK, "attack", list(attacks.values()))
        result = worker.run(job, Limits())
        if not result.ok:
            raise WorkerLost(f"{result.outcome}: {result.detail}")
        texts = dict(zip(attacks, result.values, strict=True))
        honest = texts.pop("an honest write")
        unstopped = [name for name, text in texts.items() if not str(text).startswith("stopped")]
        if not str(honest).startswith("not stopped"):
            unstopped.append("(it refused an honest write to its own scratch)")
        return unstopped
