"""Many jobs of every kind, honest and hostile, and then nothing is left of them."""

from __future__ import annotations

import gc
import os
import resource
import threading
from pathlib import Path

import pytest

from proofgym.sandboxes import Job, Limits, Outcome, Pool, probe
from proofgym.sandboxes.embedded import EmbeddedBackend

SHORT = Limits(wall_s=0.3, cpu_s=0.3, memory_mb=64, processes=16, output_kb=64, scratch_mb=4, inodes=64)


def _job(number: int) -> tuple[Job, tuple[Outcome, ...]]:
    """Nineteen of twenty jobs are honest; the others take turns in misbehaving."""
    if number % 20:
        return Job.calls("def f(x): return [x, x * x]", "f", [(number + n,) for n in range(5)]), (Outcome.OK,)
    hostile = [
        (
            "import os\nwhile True:\n    try: os.fork()\n    except OSError: break",
            (Outcome.OK, Outcome.PROCESSES, Outcome.TIMEOUT, Outcome.CPU, Outcome.MEMORY),
        ),
        ("x = bytearray(10 ** 9)", (Outcome.MEMORY,)),
        ("while True: print('x' * 999)", (Outcome.OUTPUT,)),
        ("import ctypes\nctypes.string_at(0)", (Outcome.CRASH,)),
        (
            "import os\nfor n in range(40): open(f'f{n}', 'w').write('x' * 9999)\n"
            "if os.fork() == 0:\n    while True: pass",
            (Outcome.OK,),
        ),
        ("while True: pass", (Outcome.TIMEOUT, Outcome.CPU)),
        ("import os\nos.closerange(0, 99)", (Outcome.OK, Outcome.ERROR)),
    ]
    source, outcomes = hostile[number // 20 % len(hostile)]
    return Job.script(source, limits=SHORT), outcomes


def _children() -> set[str]:
    found, todo = set(), [str(os.getpid())]
    while todo:
        pid = todo.pop()
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                children = task.read_text().split()
            except OSError:
                continue
            found.update(children)
            todo += children
    return found


def _traces() -> dict[str, object]:
    return {
        "processes": _children(),
        "descriptors": sorted(path.name for path in Path("/proc/self/fd").iterdir()),
        "mounts": [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if "docker" not in line],
        "groups": sorted(str(path) for path in Path("/sys/fs/cgroup").rglob(f"proofgym-{os.getpid()}-*")),
        "threads": {thread.name for thread in threading.enumerate()},
        "scratch": sorted(str(path) for path in Path("/tmp").glob("proofgym-scratch-*")),
    }


def _soak(count: int) -> None:
    before = _traces()
    with Pool(EmbeddedBackend(probe.choose("reduced")), 2, min_isolation="reduced") as pool:
        wanted = [_job(number)[1] for number in range(count)]
        memory: list[int] = []
        for number, result in enumerate(pool.map(_job(number)[0] for number in range(count))):
            assert result.outcome in wanted[number], (number, result)
            if number % 20:
                assert result.values == [[number + n, (number + n) ** 2] for n in range(5)]
            if number in (count // 4, count - 1):
                gc.collect()
                memory.append(_resident(os.getpid()))
        report = pool.report()
    assert report.jobs == count
    assert report.infra_errors == 0
    assert memory[1] - memory[0] < 8 << 10, f"this process grew from {memory[0]} to {memory[1]} KiB"
    assert _traces() == before


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_two_thousand_jobs_leave_nothing_behind() -> None:
    _soak(2_000)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_jobs_leave_nothing_behind() -> None:
    _soak(100_000)
