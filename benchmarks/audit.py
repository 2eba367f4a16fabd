"""Audit other suites as they are: `python benchmarks/audit.py reasoning-gym | textarena [NAME ...] [--json FILE]`.

Prints one line for each data set or game, and how many of them each check fails. It needs `reasoning-gym` or
`textarena` to be installed. Every audit runs in a process of its own, since scorers may hang.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from proofgym.bench.audit.child import Child, ChildFailed, ChildLost
from proofgym.bench.audit.finding import AuditReport, Outcome

MODULE = "proofgym.bench.audit.strangers"
SOLO = (
    "2048", "Bandit", "Blackjack", "Countdown", "Cryptarithm", "FifteenPuzzle", "FrozenLake", "GuessTheNumber",
    "LightsOut", "LogicPuzzle", "Mastermind", "Minesweeper", "PegJump", "RushHour", "Secretary", "Set", "Slitherlink",
    "Sokoban", "Sudoku", "ThreeCardMonte", "TowerOfHanoi", "WordLadder", "Wordle",
)  # fmt: skip


def names(suite: str) -> list[str]:
    """Everything the suite offers that one player can be asked."""
    if suite == "textarena":
        return [f"{name}-v0" for name in SOLO]
    from reasoning_gym.factory import DATASETS

    return sorted(name for name in DATASETS if name != "composite")


def audited(suite: str, name: str, depth: str, only: list[str] | None, timeout_s: float) -> AuditReport | str:
    """The report on one data set or game, or why there is none."""
    key, stranger = ("game", "TextArena") if suite == "textarena" else ("dataset", "ReasoningGym")
    child = Child()
    request = {"op": "audit", "target": f"{MODULE}:stranger/{stranger}-v0", "kwargs": {key: name}, "seed": 0}
    try:
        return AuditReport.from_json(child.ask({**request, "depth": depth, "only": only}, timeout_s))
    except (ChildFailed, ChildLost) as error:
        return str(error)
    finally:
        child.close()


def main() -> None:
    """Audit, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=["reasoning-gym", "textarena"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--depth", default="quick")
    parser.add_argument("--only", nargs="*", help="make these checks only")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=240.0, help="seconds for one data set")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    started = time.monotonic()
    chosen = arguments.names or names(arguments.suite)
    failures: Counter[str] = Counter()
    kept: dict[str, Any] = {}
    with ThreadPoolExecutor(arguments.jobs) as threads:
        how = arguments.depth, arguments.only, arguments.timeout
        calls = threads.map(lambda name: audited(arguments.suite, name, *how), chosen)
        for name, report in zip(chosen, calls, strict=True):
            if isinstance(report, str):
                failures["no report"] += 1
                print(f"{name}: no report: {report}", flush=True)
                continue
            kept[name] = report.to_json()
            failures.update(finding.check for finding in report.of(Outcome.FAIL))
            print(f"{name}: {report.summary()}", flush=True)
            for finding in report.findings:
                paid = finding.check in ("floor", "forged") and finding.recipe is not None
                if finding.outcome is Outcome.FAIL or paid:
                    print(f"    {finding.outcome.value:5} {finding.check}: {finding.figure}"[:220], flush=True)
    floors = [finding for report in kept.values() for finding in report["findings"] if finding["check"] == "floor"]
    means = [max(finding["details"]["means"].values()) for finding in floors if finding.get("details")]
    print(f"\n{len(kept)} of {len(chosen)} audited at depth {arguments.depth}, {time.monotonic() - started:.0f} s")
    print("failed:", ", ".join(f"{check} {count}" for check, count in failures.most_common()) or "nothing")
    print("an answer-blind policy earns", ", ".join(f">= {x}: {sum(m >= x for m in means)}" for x in (0.1, 0.5, 0.9)))
    if arguments.json:
        arguments.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
