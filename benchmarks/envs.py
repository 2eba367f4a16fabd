"""How fast environments ask and judge: `python benchmarks/envs.py [--data gsm8k.jsonl] [--repeats 7]`.

`ask` is a whole `reset`, drawing and checking the task included. `judge` is a whole `step` on the oracle's answer, with
credits, verdict and `info`; in an environment of many turns it is one move. Both run in one thread of one process and
are given per CPU second, so that other work on the machine disturbs them less.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable

import proofgym
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.registry import ENTRIES

_FROM_FILE: dict[str, dict[str, str]] = {"proofgym/GSM8K-v0": {}, "proofgym/MathDataset-v0": {"preset": "gsm8k"}}

Pass = Callable[[], int]
"""Does some work and returns how many calls it was."""


def rates(work: Pass, repeats: int) -> list[float]:
    """Calls per CPU second of each repeat, sorted; the first pass warms up, uncounted."""
    work()
    found = []
    for _ in range(repeats):
        started = time.process_time()
        calls = work()
        found.append(calls / (time.process_time() - started))
    return sorted(found)


def ask(env: VerifiableEnv, items: int) -> int:
    """Ask `items` items that no pass before has asked."""
    env.reset()
    for _ in range(items - 1):
        env.reset()
    return items


def judge(env: VerifiableEnv, states: list[tuple[dict[str, object], list[str]]]) -> tuple[int, float]:
    """Play every stored episode; returns the steps and the CPU seconds of the steps alone."""
    steps, spent = 0, 0.0
    for state, actions in states:
        env.restore(state)
        started = time.process_time()
        for action in actions:
            env.step(action)
        spent += time.process_time() - started
        steps += len(actions)
    return steps, spent


def episodes(env: VerifiableEnv, count: int) -> list[tuple[dict[str, object], list[str]]]:
    """States at the start of episodes, and the oracle's actions from there."""
    found = []
    for index in range(count):
        env.reset(seed=1, options={"index": index})
        state, actions, over = env.state(), [], False
        while not over:
            actions.append(env.oracle())
            _, _, terminated, truncated, _ = env.step(actions[-1])
            over = terminated or truncated
        found.append((state, actions))
    return found


def row(name: str, kind: str, found: list[float], calls: int) -> str:
    """One line of the table."""
    return (
        f"{name:24} {kind:6} {statistics.median(found):10,.0f}/s {found[0]:10,.0f} - {found[-1]:,.0f}  ({calls} calls)"
    )


def main() -> None:
    """Print the table and its caveats."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", help="GSM8K rows as JSON Lines; without it GSM8K and MathDataset are left out")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--items", type=int, default=400)
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {' '.join(sys.argv)}")
    print(f"median of {arguments.repeats} repeats of {arguments.items} items, per CPU second; then lowest - highest")
    for entry in ENTRIES:
        from_file = entry.id in _FROM_FILE
        if entry.needs or (from_file and not arguments.data):
            print(f"{entry.id:24} left out: it needs {', '.join(entry.needs) or '--data'}")
            continue
        kwargs = {"path": arguments.data, **_FROM_FILE[entry.id]} if from_file else {}
        env = proofgym.make(entry.id, **kwargs).unwrapped
        assert isinstance(env, VerifiableEnv)
        env.reset(seed=0)
        found = rates(lambda env=env: ask(env, arguments.items), arguments.repeats)  # type: ignore[misc]
        print(row(entry.id, "ask", found, arguments.items))
        stored = episodes(env, min(arguments.items, 200))
        judge(env, stored)
        timed = [judge(env, stored) for _ in range(arguments.repeats)]
        print(row(entry.id, "judge", sorted(steps / spent for steps, spent in timed), timed[0][0]))
    print(
        "Only the default level. Another machine, Python or level gives other numbers; compare ratios from one sitting."
    )


if __name__ == "__main__":
    main()
