"""What a small Python job costs in Docker: warm nanny, container per job, `docker exec`, `docker run`.

    python benchmarks/docker_peers.py [ROUNDS]

The job calls a function five times (the peers run an equal program, `python3 -I -S -c`). Each round measures every way
once, one after the other, so all see the same machine; medians and spreads are over the rounds. Processor time counts
this process, its children, the daemon, containerd, the shims and what runs under them, and what the shims' parent has
reaped: work of other containers on the machine would count too, so let there be none. It hardly depends on the load;
the wall clock does. `bench_peers` is for `benchmarks/sandbox.py`.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from proofgym.errors import need
from proofgym.sandboxes import Job, Limits, Pool
from proofgym.sandboxes.docker_backend import DockerBackend
from proofgym.sandboxes.image import IMAGE

SOURCE = "def f(n):\n    return n * n"
JOB = Job.calls(SOURCE, "f", [(n,) for n in range(5)], limits=Limits(wall_s=10))
RIGHT = [n * n for n in range(5)]
COMMAND = ["python3", "-I", "-S", "-c", f"{SOURCE}\nassert [f(n) for n in range(5)] == {RIGHT}"]
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s() -> float:
    """Seconds of processor time that Docker and this process have used so far, dead children included."""
    names: dict[int, str] = {}
    parents: dict[int, int] = {}
    used: dict[int, tuple[float, float]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                before, _, after = (entry / "stat").read_text().rpartition(")")
                fields, pid = after.split(), int(entry.name)
                names[pid] = before.partition("(")[2]
                parents[pid] = int(fields[1])
                own, children = (sum(map(int, fields[at : at + 2])) / TICKS for at in (11, 13))
                used[pid] = own, children
    docker = {pid for pid, name in names.items() if name == "dockerd" or name.startswith("containerd")}
    reapers = {parents[pid] for pid in docker if names[pid].startswith("containerd-shim")} | {1}
    changed = True
    while changed:
        more = {pid for pid, parent in parents.items() if parent in docker and pid not in docker}
        docker |= more
        changed = bool(more)
    times = os.times()
    total = times.user + times.system + times.children_user + times.children_system
    return total + sum(sum(used[pid]) for pid in docker) + sum(used[pid][1] for pid in reapers - docker if pid in used)


def run_by_cli() -> None:
    """`docker run --rm`."""
    docker = shutil.which("docker") or "docker"
    subprocess.run([docker, "run", "--rm", "--network", "none", IMAGE, *COMMAND], check=True, capture_output=True)


@contextlib.contextmanager
def _run_by_sdk() -> Iterator[Callable[[], object]]:
    """Create, start, wait and remove, by the low-level API."""
    client = need("docker", "docker").APIClient(timeout=60, version="auto")

    def once() -> None:
        made = client.create_container(IMAGE, COMMAND, host_config=client.create_host_config(network_mode="none"))["Id"]
        client.start(made)
        assert client.wait(made)["StatusCode"] == 0
        client.remove_container(made, force=True)

    try:
        yield once
    finally:
        client.close()


@contextlib.contextmanager
def _exec_by_sdk() -> Iterator[Callable[[], object]]:
    """`docker exec` in one warm container."""
    client = need("docker", "docker").APIClient(timeout=60, version="auto")
    host = client.create_host_config(network_mode="none", auto_remove=True)
    warm = client.create_container(IMAGE, ["sleep", "600"], host_config=host)["Id"]

    def once() -> None:
        made = client.exec_create(warm, COMMAND)["Id"]
        client.exec_start(made)
        assert client.exec_inspect(made)["ExitCode"] == 0

    try:
        client.start(warm)
        yield once
    finally:
        client.remove_container(warm, force=True)
        client.close()


@contextlib.contextmanager
def _backend(*, fresh: bool) -> Iterator[Callable[[], object]]:
    """Our own backend, one slot, one job after the other."""
    with Pool(DockerBackend(fresh=fresh), 1) as pool:

        def once() -> None:
            result = pool.run(JOB)
            assert result.values == RIGHT, result

        yield once


@contextlib.contextmanager
def _cli() -> Iterator[Callable[[], object]]:
    yield run_by_cli


WAYS: dict[str, tuple[Callable[[], contextlib.AbstractContextManager[Callable[[], object]]], int]] = {
    "warm container, nanny": (lambda: _backend(fresh=False), 300),
    "container per job, ahead": (lambda: _backend(fresh=True), 8),
    "docker exec (SDK)": (_exec_by_sdk, 15),
    "docker run (SDK)": (_run_by_sdk, 6),
    "docker run (CLI)": (_cli, 6),
}


def bench_peers(rounds: int = 5) -> dict[str, list[tuple[float, float]]]:
    """Way -> (seconds of wall clock, seconds of processor time) per job, one pair a round."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, (way, count) in WAYS.items():
            with way() as once:
                once()
                cpu, wall = cpu_s(), time.perf_counter()
                for _ in range(count):
                    once()
                wall, cpu = time.perf_counter() - wall, cpu_s() - cpu
            found[name].append((wall / count, cpu / count))
    return found


def throughput(jobs: int = 3000, workers: int = 2) -> tuple[float, float]:
    """(jobs per second, seconds of processor time per job) of busy warm containers, replacements included."""
    with Pool(DockerBackend(), workers) as pool:
        for result in pool.map([JOB] * 50):
            assert result.ok
        cpu, wall = cpu_s(), time.perf_counter()
        for result in pool.map([JOB] * jobs):
            assert result.values == RIGHT, result
        return jobs / (time.perf_counter() - wall), (cpu_s() - cpu) / jobs


def main(rounds: int) -> int:
    """Print a line a way, and the two ratios that are promised; 1 if one is missed."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, {rounds} rounds, load {os.getloadavg()[0]:.1f} at the start")
    found = bench_peers(rounds)
    warm = [cpu for _, cpu in found["warm container, nanny"]]
    ratios = {}
    for name, pairs in found.items():
        walls, cpus = ([pair[at] * 1e3 for pair in pairs] for at in (0, 1))
        ratios[name] = statistics.median(cpu / least / 1e3 for cpu, least in zip(cpus, warm, strict=True))
        wall = f"{statistics.median(walls):7.1f} ms wall ({min(walls):.1f} to {max(walls):.1f})"
        cpu = f"{statistics.median(cpus):6.1f} ms processor time ({min(cpus):.1f} to {max(cpus):.1f})"
        print(f"{name:<26} {wall:<40} {cpu:<46} {ratios[name]:5.1f} x warm")
    rate, used = throughput()
    load = os.getloadavg()[0]
    print(f"two warm containers, busy: {rate:.0f} jobs/s at load {load:.1f}; {used * 1e3:.2f} ms processor time a job,")
    print(f"so two idle cores would give {2 / used:.0f} jobs/s (goal 300)")
    by_exec, by_run = ratios["docker exec (SDK)"], ratios["docker run (SDK)"]
    print(f"exec / warm {by_exec:.1f} (goal 10), run / warm {by_run:.1f} (goal 25)")
    return int(2 / used < 300 or by_exec < 10 or by_run < 25)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
