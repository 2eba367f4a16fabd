"""How long `import proofgym` and `proofgym --help` take, each in fresh interpreters.

    python benchmarks/import_time.py [RUNS]

Three figures: the total of `-X importtime` (which costs time itself), the wall clock of `python -c "import proofgym"`,
and the wall clock of `python -m proofgym --help`. The goal for each is 0.3 s. The first run warms the disk cache and
is not counted. Other work on the machine lengthens all of them: the load is printed.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

GOAL_S = 0.3


def importtime() -> float:
    """Seconds that `-X importtime` counts for `proofgym` and everything below it."""
    command = [sys.executable, "-X", "importtime", "-c", "import proofgym"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    found = re.findall(r"\|\s*(\d+) \| proofgym$", said, re.MULTILINE)
    return int(found[-1]) / 1e6


def wall(*arguments: str) -> Callable[[], float]:
    """Seconds on the clock for a fresh interpreter, its own start included."""

    def measure() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        return time.perf_counter() - start

    return measure


def main(runs: int) -> int:
    """Print one line a figure; 1 if a median misses the goal."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {runs} runs each")
    missed = False
    for name, measure in (
        ("-X importtime total", importtime),
        ("import, wall clock", wall("-c", "import proofgym")),
        ("--help, wall clock", wall("-m", "proofgym", "--help")),
        ("bare python, wall clock", wall("-c", "pass")),
    ):
        measure()
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        seconds = sorted(measure() for _ in range(runs))
        median = statistics.median(seconds)
        missed |= median > GOAL_S
        spread = f"{seconds[0] * 1e3:.0f} to {seconds[-1] * 1e3:.0f}"
        print(f"{name:<24} {median * 1e3:6.0f} ms median, {spread} ms, load {load:.1f} at the start")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
