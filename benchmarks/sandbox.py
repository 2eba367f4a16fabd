"""How fast the sandboxes are, beside their peers, in one run: `python benchmarks/sandbox.py [--quick] [--no-docker]`.

The job is a 12-line function called on five inputs; the host compares the five answers. Peers without an answer channel
run the same program as a script and the host compares what it prints. All peers take turns in short rounds, in an order
drawn anew each time, so that what else happens on the machine hits all alike; ratios are taken within a round, and
given as median [lowest, highest] over the rounds. CPU is that of the host's process, the worker and the job together,
from a control group where one can be made (root, `cpuacct` or version 2), else from the processes' own clocks in ticks
of 10 ms; for Docker, that of the daemon, its shims and what runs under them, in such ticks too.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from proofgym.sandboxes import Isolation, Job, Limits, Pool, languages, probe
from proofgym.sandboxes.embedded import EmbeddedBackend, _interpreter
from proofgym.sandboxes.types import Backend, Worker

SOURCE = """
def merge(pairs):
    pairs = sorted(pairs)
    out = []
    for low, high in pairs:
        if out and low <= out[-1][1]:
            out[-1][1] = max(out[-1][1], high)
        else:
            out.append([low, high])
    total = 0
    for low, high in out:
        total += high - low
    return total
"""
INPUTS = [([[1, 3], [2, 5]],), ([[0, 1]],), ([],), ([[4, 9], [1, 2], [8, 12]],), ([[1, 100], [2, 3]],)]
EXPECTED = [4, 1, 0, 9, 99]
CALLS = Job.calls(SOURCE, "merge", INPUTS)
SCRIPT = SOURCE + f"\nprint([merge(*x) for x in {INPUTS!r}])\n"
CPP = Job.compiled("cpp", '#include <cstdio>\nint main() { int n; scanf("%d", &n); printf("%d\\n", 2 * n); }', ["21"])
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Peer:
    """One way to run the job: `once` runs it and checks the answer; `spent` tells the processor time so far."""

    name: str
    once: Callable[[], object]
    spent: Callable[[], float]
    batch: int = 40
    waits: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def round(self) -> None:
        before = self.spent()
        for _ in range(self.batch):
            begun = time.perf_counter()
            self.once()
            self.waits.append(time.perf_counter() - begun)
        self.cpu.append((self.spent() - before) / self.batch)


class Clock:
    """Processor time of this process and all it starts, dead or alive."""

    def __init__(self, undo: contextlib.ExitStack) -> None:
        self._file: Path | None = None
        for top, name in (("/sys/fs/cgroup/cpuacct", "cpuacct.usage"), ("/sys/fs/cgroup", "cpu.stat")):
            folder = Path(top, f"proofgym-bench-{os.getpid()}")
            with contextlib.suppress(OSError):
                folder.mkdir()
                if (folder / name).exists():
                    (folder / "cgroup.procs").write_text(str(os.getpid()))
                    undo.callback(self._leave, folder)
                    self._file = folder / name
                    return
                folder.rmdir()

    def spent(self) -> float:
        """Seconds so far."""
        if self._file is None:
            return sum(os.times()[:4]) + sum(map(_ticks, _family()))
        text = self._file.read_text()
        return int(text.split()[1]) / 1e6 if "usage_usec" in text else int(text) / 1e9

    def _leave(self, folder: Path) -> None:
        (folder.parent / "cgroup.procs").write_text(str(os.getpid()))
        for pause in (0.0, 0.1, 0.5, 1.0):
            time.sleep(pause)
            with contextlib.suppress(OSError):
                folder.rmdir()
                return


def _family() -> list[int]:
    found, todo = [], [os.getpid()]
    while todo:
        for task in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                children = [int(child) for child in task.read_text().split()]
                found += children
                todo += children
    return found


def _ticks(pid: int) -> float:
    with contextlib.suppress(OSError, ValueError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(fields[place]) for place in (11, 12, 13, 14)) / TICK
    return 0.0


def _check(answer: object) -> None:
    if answer != EXPECTED:
        raise SystemExit(f"a wrong answer: {answer!r}")


def _check_text(printed: bytes) -> None:
    _check(ast.literal_eval(printed.decode()))


def _worker_peer(name: str, backend: Backend, undo: contextlib.ExitStack, clock: Clock) -> Peer:
    held: list[Worker] = [backend.start(0, Limits())]
    undo.callback(lambda: held[0].close())

    def once() -> None:
        if held[0].worn:
            held[0].close()
            held[0] = backend.start(0, Limits())
        _check(held[0].run(CALLS, Limits()).values)

    return Peer(name, once, clock.spent)


def _command_peers(pool: Pool, clock: Clock) -> Iterator[Peer]:
    python = Job.command([_interpreter(), "-I", "-S", "-c", SCRIPT])
    yield Peer("embedded, exec: cold python", lambda: _check_text(pool.run(python).stdout), clock.spent, 12)
    if languages.available()["cpp"]:

        def once() -> None:
            if pool.run(CPP).runs[0].stdout != b"42\n":
                raise SystemExit("a wrong answer from C++")

        once()
        yield Peer("embedded, exec: cached C++", once, clock.spent, 30)


def _plain(name: str, command: list[str], clock: Clock, batch: int = 12, check: bool = True) -> Peer:
    def once() -> None:
        done = subprocess.run(command, capture_output=True, check=True, env={"PATH": os.defpath})
        if check:
            _check_text(done.stdout)

    return Peer(name, once, clock.spent, batch)


def _bwrap(python: str) -> list[str]:
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--clearenv", "--cap-drop", "ALL", "--new-session"]
    for place in ("/usr", "/lib", "/lib64", "/bin", str(Path(sys.base_prefix).resolve())):
        if Path(place).exists():
            words += ["--ro-bind", place, place]
    return [*words, "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", python, "-I", "-S", "-c", SCRIPT]


def _docker(rounds: int) -> None:
    """Docker's ways, in rounds of their own: containers made ahead for one would be paid for by the next."""
    from docker_peers import bench_peers

    found = bench_peers(rounds)
    print(f"\n{'Docker, in rounds of its own':<32}{'wall ms/job, by round':>28}{'CPU ms/job, by round':>28}")
    for name, pairs in found.items():
        wall, cpu = ([1e3 * pair[place] for pair in pairs] for place in (0, 1))
        print(f"{name:<32}{_spread(wall, 1):>28}{_spread(cpu, 1):>28}")
    warm = next(iter(found))
    for name in list(found)[2:]:
        ratios = [over[1] / under[1] for over, under in zip(found[name], found[warm], strict=True) if under[1] > 0]
        print(f"  {name} / {warm}: {_spread(ratios, 1)}   (target at least {10 if 'exec' in name else 25})")


def peers(undo: contextlib.ExitStack, clock: Clock) -> list[Peer]:
    """All peers that this machine has."""
    tiers = [tier.isolation for tier in probe.probe().tiers if tier.works]
    found = [
        _worker_peer(f"embedded, {isolation.label}", EmbeddedBackend(isolation), undo, clock)
        for isolation in [Isolation.NONE, *reversed(tiers)]
    ]
    pool = undo.enter_context(Pool(EmbeddedBackend(tiers[0], binds=languages.binds()), 1, min_isolation="reduced"))
    found += _command_peers(pool, clock)
    python = _interpreter()
    found.append(_plain("cold python -I -S", [python, "-I", "-S", "-c", SCRIPT], clock))
    found.append(_plain("plain subprocess (true)", ["true"], clock, 20, check=False))
    if shutil.which("bwrap"):
        found.append(_plain("bwrap, cold python", _bwrap(python), clock, 6))
    return found


# What is printed -----------------------------------------------------------------------------------------------------


def _spread(values: list[float], digits: int = 2) -> str:
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def _table(found: list[Peer]) -> None:
    print(f"\n{'peer':<32}{'jobs':>6}{'min':>8}{'p50':>8}{'p95':>8} ms{'CPU ms/job, by round':>26}{'2 cores give':>14}")
    for peer in found:
        waits = sorted(1e3 * wait for wait in peer.waits)
        cpu = [1e3 * one for one in peer.cpu]
        cap = 2e3 / statistics.median(cpu) if statistics.median(cpu) else 0
        p95 = waits[min(len(waits) - 1, len(waits) * 95 // 100)]
        print(
            f"{peer.name:<32}{len(waits):>6}{waits[0]:>8.2f}{statistics.median(waits):>8.2f}{p95:>8.2f}   "
            f"{_spread(cpu):>26}{cap:>10.0f}/s"
        )


def _ratio(found: dict[str, Peer], over: str, under: str, target: str) -> None:
    if over in found and under in found:
        pairs = [a / b for a, b in zip(found[over].cpu, found[under].cpu, strict=True) if b]
        print(f"  {over} / {under}: {_spread(pairs)}   (target {target})")


def _ratios(found: list[Peer]) -> None:
    named = {peer.name: peer for peer in found}
    best = next(
        (
            name
            for name in ("embedded, namespaced+cgroup", "embedded, namespaced", "embedded, reduced")
            if name in named
        ),
        "",
    )
    print("\nCPU ratios, within each round:")
    _ratio(named, best, "embedded, none", "at most 1.4")
    _ratio(named, best, "cold python -I -S", "at most 0.45")
    _ratio(named, "embedded, reduced", "embedded, none", "at most 1.3")
    _ratio(named, "embedded, exec: cold python", "cold python -I -S", "at most 1.2")
    _ratio(named, "bwrap, cold python", best, "for comparison")


def _throughput(jobs: int, clock: Clock) -> None:
    best = probe.choose("reduced")
    with Pool(EmbeddedBackend(best), 2, min_isolation="reduced") as pool:
        list(pool.map([CALLS] * 200))
        rates, cpu = [], []
        for _ in range(5):
            begun, before = time.perf_counter(), clock.spent()
            for result in pool.map([CALLS] * (jobs // 5)):
                _check(result.values)
            rates.append(jobs // 5 / (time.perf_counter() - begun))
            cpu.append((clock.spent() - before) * 5e3 / jobs)
        private = [_private_mb(pid) for pid in pool.pids()]
        count = len(pool.pids()) // 2
    print(f"\nPool of 2, {best.label}, {jobs} jobs: {_spread(rates, 0)} jobs/s, {_spread(cpu)} ms CPU/job")
    print(f"so two idle cores give {2e3 / statistics.median(cpu):.0f} jobs/s (target 500)")
    print(f"Private memory per worker (guard and nanny): {sum(private) / count:.1f} MB (target at most 15)")


def _private_mb(pid: int) -> float:
    total = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_"):
            total += int(line.split()[1])
    return total / 1024


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of the rounds")
    parser.add_argument("--no-docker", action="store_true", help="leave the Docker peers out")
    args = parser.parse_args()
    rounds = 5 if args.quick else 20
    busy = os.getloadavg()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}", end=", ")
    print(f"Python {platform.python_version()}; load {busy[0]:.1f}")
    with contextlib.ExitStack() as undo:
        os.environ.setdefault("PROOFGYM_CACHE", undo.enter_context(tempfile.TemporaryDirectory()))
        clock = Clock(undo)
        found = peers(undo, clock)
        for peer in found:
            peer.once()
        for _ in range(rounds):
            for peer in random.sample(found, len(found)):
                peer.round()
        _table(found)
        _ratios(found)
        _throughput(1_000 if args.quick else 5_000, clock)
    if not args.no_docker:
        _docker(max(3, rounds // 4))
    print(f"Load average at the end {os.getloadavg()[0]:.1f}: above 1 or so, compare ratios and CPU, not milliseconds.")


if __name__ == "__main__":
    main()
