"""Our answer verifier and Math-Verify on the same rows in the same run.

    python benchmarks/math_verify.py [ROWS.jsonl] [--repeats N]

ROWS holds labelled pairs, one a line: gold, pred, pred_kind (`answer` or `response`), should_match, tier, ambiguous;
by default the development set in `../shared/data`. It is a development set: our rules were written with its failures
in view, so the accuracy here is an upper bound of what to expect elsewhere; a third of it are test cases of other
graders, Math-Verify's parser among them. The clean core is tier `core` without the ambiguous rows.

Accuracy, recall and false-positive rate come with 95 % Wilson intervals. A row that we cannot judge counts as wrong
where it should match and against accuracy everywhere. Math-Verify gets golds and bare answers wrapped in dollar
signs, which it needs, and its default time-outs. Processor time is that of this process plus what our workers report;
start-up is separate. Throughput is rows per second of wall time, one at a time, in alternating passes; our caches are
emptied before each. The hostile cases have to end within 3 s each.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from proofgym.bench.statistics import wilson
from proofgym.errors import Unjudged
from proofgym.verifiers.math import answer as ours
from proofgym.verifiers.math.workers import POOL

ROWS = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "math_equivalence_dev.jsonl"
GOALS = {"accuracy": 0.97, "recall": 0.96, "false positives": 0.01}
HOSTILE = [
    r"9^{9^{9^9}}", r"(10^9)!", r"((100!)!)!", r"\binom{10^9}{5\cdot 10^8}", r"\sum_{k=1}^{10^9} k^{k}",
    r"\prod_{k=1}^{10^9} k",
    r"(x+y+z+w)^{3000}", r"e^{e^{e^{e^{e^{e}}}}}", r"10^{-10^{10}}", "1e999999999", "1+" * 20_000 + "1", "$" * 100_000,
    "{" * 5_000, "(" * 5_000, r"\sqrt{" * 500 + "2" + "}" * 500, r"\frac{1}{" * 500 + "2" + "}" * 500, "9" * 19_000,
    "0." + "3" * 19_000, r"\begin{pmatrix}" + r"\\".join(["&".join(["1"] * 60)] * 60) + r"\end{pmatrix}",
    r"\cup".join(f"({2 * k},{2 * k + 1})" for k in range(300)), r"\int_0^1 x^{x^x} dx",
    r"\sum_{k=1}^{\infty}\frac{\sin k}{k^k}",
    "x^{" * 300 + "2" + "}" * 300, r"\sin(" * 100 + "1" + ")" * 100, ",".join(str(k) for k in range(2_000)),
    "".join(f"(x+{k})" for k in range(60)) + "=0", r"x^{50}-x^{49}+x^3-17x+1<0",
    "__import__('os').system('touch /tmp/pwned')",
    r"\lim_{x\to\infty}\frac{x^{x}}{x!^{2}}", "tan(" * 30 + "x" + ")" * 30, "5!" + "!" * 3_000,
]  # fmt: skip


def judge_ours(row: dict[str, Any]) -> bool | None:
    """Our verdict on a row; `None` if unjudged."""
    function = ours.verify_answer if row["pred_kind"] == "answer" else ours.verify
    try:
        return function(row["gold"], row["pred"]).correct
    except Unjudged:
        return None


def judge_theirs() -> Callable[[dict[str, Any]], bool | None] | None:
    """Math-Verify as a function of a row; `None` if it is not installed."""
    here = str(Path(__file__).resolve().parent)
    sys.path[:] = [path for path in sys.path if str(Path(path).resolve()) != here]  # this file bears the same name
    try:
        from math_verify import parse, verify
    except ImportError:
        return None
    logging.disable(logging.CRITICAL)

    def judge(row: dict[str, Any]) -> bool | None:
        gold = row["gold"] if "$" in row["gold"] else f"${row['gold']}$"
        bare = row["pred_kind"] == "answer" and "$" not in row["pred"]
        return bool(verify(parse(gold), parse(f"${row['pred']}$" if bare else row["pred"])))

    return judge


def scores(rows: Sequence[dict[str, Any]], said: Sequence[bool | None]) -> dict[str, tuple[int, int]]:
    """Counts and totals of right verdicts, matches found, and false matches."""
    pairs = list(zip(rows, said, strict=True))
    positive = [(row, match) for row, match in pairs if row["should_match"]]
    negative = [(row, match) for row, match in pairs if not row["should_match"]]
    return {
        "accuracy": (sum(match is row["should_match"] for row, match in pairs), len(pairs)),
        "recall": (sum(match is True for _, match in positive), len(positive)),
        "false positives": (sum(match is True for _, match in negative), len(negative)),
        "unjudged": (sum(match is None for _, match in pairs), len(pairs)),
    }


def measure(
    judge: Callable[[dict[str, Any]], bool | None], rows: Sequence[dict[str, Any]]
) -> tuple[list[Any], list[float], list[float]]:
    """Verdicts, processor seconds and wall seconds of each row."""
    said, cpu, wall = [], [], []
    for row in rows:
        began, used, asked = time.perf_counter(), time.process_time(), POOL.cpu_s
        said.append(judge(row))
        cpu.append(time.process_time() - used + POOL.cpu_s - asked)
        wall.append(time.perf_counter() - began)
    return said, cpu, wall


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def report(name: str, rows: Sequence[dict[str, Any]], said: Sequence[bool | None]) -> bool:
    """Print the scores of the clean core; whether they reach the goals."""
    core = [k for k, row in enumerate(rows) if row["tier"] == "core" and not row["ambiguous"]]
    found = scores([rows[k] for k in core], [said[k] for k in core])
    reached = True
    for what, (count, total) in found.items():
        interval = wilson(count, total)
        goal = GOALS.get(what)
        share = count / max(1, total)
        if goal is not None:
            reached &= share <= goal if what == "false positives" else share >= goal
        wanted = "" if goal is None else f"  goal {'<=' if what == 'false positives' else '>='} {goal}"
        print(
            f"{name:<12} {what:<16} {share:.4f}  [{interval.low:.4f}, {interval.high:.4f}]  {count} of {total}{wanted}"
        )
    everything = scores(rows, said)
    print(f"{name:<12} all {len(rows)} rows     accuracy {everything['accuracy'][0] / len(rows):.4f}")
    return reached


def start_up() -> None:
    """Print what the numbers-only import and the first symbolic case cost."""
    code = (
        "import time, proofgym; t = time.process_time(); from proofgym.verifiers import math;"
        "math.verify('42', 'It is 42');"
        "print(time.process_time() - t); import sys; print('sympy' in sys.modules or 'mpmath' in sys.modules)"
    )
    found = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(5)
    ]
    seconds = [float(value[0]) for value in found]
    print(
        "numbers-only import and first case, beyond `import proofgym`: "
        f"{statistics.median(seconds) * 1e3:.0f} ms CPU median of 5"
    )
    print(f"  {min(seconds) * 1e3:.0f} to {max(seconds) * 1e3:.0f} ms, goal 100; sympy loaded: {found[0][1]}")
    POOL.close()
    began = time.perf_counter()
    POOL.start()
    print(f"starting the symbolic workers: {time.perf_counter() - began:.2f} s wall, once")


def main(argv: Sequence[str] | None = None) -> int:
    """Print everything; 1 if a goal is missed."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("rows", nargs="?", type=Path, default=ROWS)
    options.add_argument("--repeats", type=int, default=3)
    chosen = options.parse_args(argv)
    rows = [json.loads(line) for line in chosen.rows.read_text(encoding="utf-8").splitlines() if line.strip()]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    print(f"{len(rows)} rows of {chosen.rows.name}: a development set, see the head of this file\n")
    start_up()
    theirs = judge_theirs()
    judges = {"proofgym": judge_ours} | ({"math-verify": theirs} if theirs else {})
    ordinary = [row for row in rows if row["tier"] == "core"]
    passes: dict[str, list[float]] = {name: [] for name in judges}
    goals = True
    for k in range(chosen.repeats):
        for name, judge in judges.items():
            ours._cached.cache_clear()
            if not k:
                judge(rows[0])  # warms up, uncounted
            said, cpu, wall = measure(judge, rows if not k else ordinary)
            core = [j for j, row in enumerate(rows if not k else ordinary) if row["tier"] == "core"]
            passes[name].append(sum(wall[j] for j in core))
            if k:
                continue
            print()
            good = report(name, rows, said)
            times = [cpu[j] for j in core]
            print(
                f"{name:<12} CPU per ordinary case: median {statistics.median(times) * 1e3:.2f} ms, "
                f"p95 {quantile(times, 0.95) * 1e3:.1f}, p99 {quantile(times, 0.99) * 1e3:.1f}, "
                f"max {max(times) * 1e3:.1f}; wall max {max(wall) * 1e3:.0f} ms, n = {len(core)}"
            )
            if name == "proofgym":
                goals &= (
                    good and statistics.median(times) <= 0.005 and quantile(times, 0.99) <= 0.150 and max(wall) <= 3.0
                )
    print()
    for name, seconds in passes.items():
        rates = [len(ordinary) / s for s in seconds]
        print(
            f"{name:<12} {statistics.median(rates):8.1f} rows a second, "
            f"{min(rates):.1f} to {max(rates):.1f}, {len(rates)} passes"
        )
    if theirs:
        ratios = [b / a for a, b in zip(passes["proofgym"], passes["math-verify"], strict=True)]
        print(
            f"throughput ratio {statistics.median(ratios):.1f}, {min(ratios):.1f} to {max(ratios):.1f} by pass; "
            "goal >= 5"
        )
        goals &= statistics.median(ratios) >= 5
    hostile = []
    for text in HOSTILE:
        for gold, answer in (("5", text), (r"\sqrt{2}+x", text)):
            began = time.perf_counter()
            judge_ours({"gold": gold, "pred": answer, "pred_kind": "answer"})
            hostile.append((time.perf_counter() - began, answer[:40]))
    print(
        f"hostile: {len(hostile)} cases, slowest {max(hostile)[0]:.2f} s ({max(hostile)[1]!r}), goal <= 3; "
        f"workers killed {POOL.killed}"
    )
    goals &= max(hostile)[0] <= 3.0
    print(f"symbolic requests {POOL.asked}; all goals reached: {goals}")
    return 0 if goals else 1


if __name__ == "__main__":
    raise SystemExit(main())
