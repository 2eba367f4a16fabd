"""Which levers of sampling and credit pay? Tiny models, three environments, equal sampled tokens, several seeds.

    nice python benchmarks/learning.py --seeds 3 --tokens 60000 --out runs/learning

Arms of one environment and seed start from the same warm-started weights and stop at the same number of *sampled*
tokens; what else they cost is not counted. Prints one table an environment and paired differences; writes
`learning.json`. Finished runs are kept: a second call does the rest, and `--report` prints what there is.

| arm | group | credit |
| --- | --- | --- |
| outcome | 8 independent episodes | one advantage from solved or not |
| step | the same | each step its reward to go minus leave-one-out |
| outcome, dynamic | the same, flat groups replaced | as outcome |
| trajectory | 8 independent episodes | one advantage from the whole return |
| tree | 8 leaves of a tree | every node its value minus its parent's |
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from proofgym.agents import evaluation
from proofgym.agents.collect import make_collector
from proofgym.agents.config import GRPO
from proofgym.agents.grpo import episode_numbers
from proofgym.agents.learner import Learner
from proofgym.agents.plans import Sampler, Tree
from proofgym.agents.policy import Policy, tiny
from proofgym.agents.rollout import Item
from proofgym.agents.sampling import Sampling
from proofgym.agents.warm_start import demonstrations, supervised_step
from proofgym.bench.statistics import mean_interval, paired
from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.math.running_total import RunningTotal
from proofgym.envs.puzzles.sudoku import Sudoku4Steps
from proofgym.verifiers import Credit

GROUP, PROMPTS = 8, 16


class BareSudoku(Sudoku4Steps):
    """The sixteen cells and nothing else; a move is three digits, `123` for row 1 column 2 = 3. Four moves."""

    def begin(self, instance: Any) -> str:
        super().begin(instance)
        return self._cells

    def turn(self, action: str) -> TurnResult:
        move = " ".join(action) if len(action) == 3 else "none"
        found = super().turn(move)
        credits_ = [Credit(0, len(action), credit.value, credit.label) for credit in found.credits]
        return TurnResult(self._cells, credits_, found.verdict, found.terminated)

    def oracle(self) -> str:
        return "".join(filter(str.isdigit, super().oracle()))


Make = Callable[[str], VerifiableEnv]


@dataclass(frozen=True, slots=True)
class Study:
    """One environment, with the setting that all its arms share.

    Args:
        make: The environment of a split.
        alphabet: The policy's characters.
        context: The policy's context, in tokens.
        limit: Tokens an action.
        warm: The reward at which imitation of the oracle stops.
        rate: The learning rate.
        gamma: The discount of step credit.
        place: Where trees branch.
    """

    make: Make
    alphabet: str
    context: int
    limit: int
    warm: float
    rate: float
    gamma: float
    place: Any


TASKS: dict[str, Study] = {
    "RunningTotal": Study(
        lambda split: RunningTotal(style="bare", largest=4, split=split),
        "0123456789", 64, 12, 0.45, 1e-3, 0.0, "token",
    ),
    "ShortTotal": Study(
        lambda split: RunningTotal(style="bare", largest=4, steps=4, split=split), "0123456789", 64, 6, 0.45, 1e-3, 0.0,
        "token",
    ),
    "Sudoku4Steps": Study(
        lambda split: BareSudoku(level=0.0, max_turns=4, split=split), "01234.", 128, 4, 0.12, 4e-4, 1.0, "turn",
    ),
}  # fmt: skip

ARMS: dict[str, dict[str, Any]] = {
    "outcome": {"advantage": "outcome"},
    "step": {"advantage": "step"},
    "outcome, dynamic": {"advantage": "outcome", "sampler": Sampler(dynamic=True, oversample=2.0, max_factor=4.0)},
    "trajectory": {"advantage": "trajectory"},
    "tree": {"advantage": "spo", "tree": Tree(roots=2, rounds=2, points=3)},
}
PAIRS = [("step", "outcome"), ("outcome, dynamic", "outcome"), ("tree", "trajectory"), ("step", "trajectory")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed; others are for choosing settings")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--rate", type=float, help="another learning rate than the study's, to choose it by")
    parser.add_argument("--tokens", type=int, default=60_000)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--out", type=Path, default=Path("runs/learning"))
    parser.add_argument("--report", action="store_true", help="print what is finished and run nothing")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    if not args.report:
        for seed in range(args.first, args.first + args.seeds):  # seed by seed: what is finished is comparable
            for task in args.tasks:
                for arm in args.arms:
                    _run(args.out, task, arm, seed, args.tokens, args.rate)
    _report(args)


def _file(out: Path, task: str, arm: str, seed: int, tokens: int) -> Path:
    return out / f"{task}-{arm.replace(', ', '-')}-{seed}-{tokens}.json"


def _run(out: Path, task: str, arm: str, seed: int, tokens: int, rate: float | None) -> None:
    file = _file(out, task, arm, seed, tokens)
    if file.is_file():
        return
    study = TASKS[task]
    limit = study.limit
    policy = _warm(out, task, seed)
    started = time.process_time()
    plan = dict(ARMS[arm])
    if plan["advantage"] == "step":
        plan["gamma"] = study.gamma
    if "tree" in plan:
        plan["tree"] = Tree(roots=2, rounds=2, points=3, at=study.place)
    rate = study.rate if rate is None else rate
    config = GRPO(prompts=PROMPTS, group=GROUP, max_tokens=limit, learning_rate=rate, validate_every=0, **plan)
    made: list[Any] = []

    def envs(split: str, count: int) -> list[Any]:
        while len(made) < count:
            made.append(study.make(split))
        return made[:count]

    learner, collector = Learner(policy, config), make_collector(policy, envs, config, seed=1000 + seed)
    before = _score(policy, task, limit)
    curve, spent, step = [], 0.0, 0
    while spent < tokens:
        collected = collector.collect(step)
        learned = learner.learn(collected.episodes)
        collector.updated(collected.episodes, learned)
        spent += collected.numbers["sampled_tokens"]
        step += 1
        numbers = episode_numbers(collected.episodes)
        curve.append([spent, numbers["reward"], numbers["solved"]])
    collector.close()
    after = _score(policy, task, limit)
    found = {
        "before": before, "after": after, "curve": curve, "updates": step, "tokens": spent,
        "cpu_s": time.process_time() - started,
    }  # fmt: skip
    file.write_text(json.dumps(found), encoding="utf-8")
    print(f"{task}, {arm}, seed {seed}: {before['mean']:.3f} -> {after['mean']:.3f} in {step} updates", flush=True)


def _warm(out: Path, task: str, seed: int) -> Policy:
    """Imitate the oracle until the target is reached; the same weights for every arm."""
    study = TASKS[task]
    policy = tiny(study.alphabet, width=96, layers=2, heads=4, context=study.context, seed=seed)
    file = out / f"warm-{task}-{seed}.pt"
    if file.is_file():
        policy.model.load_state_dict(torch.load(file, weights_only=True))
        return policy
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=2e-3, weight_decay=0.1, betas=(0.9, 0.98))
    envs: list[Any] = [study.make("train") for _ in range(64)]
    for step in range(2000):
        items = [Item(50 + seed, step * 64 + n) for n in range(64)]
        supervised_step(policy, optimizer, demonstrations(policy, envs, items))
        if (
            step % 10 == 9
            and _score(policy, task, study.limit, split="validation", items=64, heat=0.0)["mean"] >= study.warm
        ):
            break
    print(f"{task}, seed {seed}: warm start {step + 1} steps", flush=True)
    policy.version = 0
    torch.save(policy.model.state_dict(), file)
    return policy


def _score(
    policy: Policy, task: str, limit: int, *, split: str = "test", items: int = 500, heat: float = 1.0
) -> dict[str, Any]:
    """On held-out tasks, sampled as in training: that is what is optimised."""
    envs: list[Any] = [TASKS[task].make(split) for _ in range(min(items, 128))]
    played = evaluation.play(policy, envs, items, seed=7, sampling=Sampling(heat, limit))
    return evaluation.score(played).to_json()


def _report(args: Any) -> None:
    print(f"\n{platform.machine()}, torch {torch.__version__}, 1 thread, {args.tokens} sampled tokens a run\n")
    table: dict[str, dict[str, dict[int, Any]]] = {}
    for task in args.tasks:
        for arm in ARMS:
            for seed in range(args.first, args.first + args.seeds):
                file = _file(args.out, task, arm, seed, args.tokens)
                if file.is_file():
                    table.setdefault(task, {}).setdefault(arm, {})[seed] = json.loads(file.read_text(encoding="utf-8"))
    for task, arms in table.items():
        print(f"**{task}**\n\n| arm | seeds | updates | before | reward after, by seed | mean | solved after | cpu-s |")
        print("|---" * 8 + "|")
        for arm, runs in arms.items():
            ends = [run["after"]["mean"] for run in runs.values()]
            spread = str(mean_interval(ends)) if len(ends) > 1 else f"{ends[0]:.3f}"
            print(
                f"| {arm} | {len(ends)} | {np.mean([run['updates'] for run in runs.values()]):.0f} "
                f"| {np.mean([run['before']['mean'] for run in runs.values()]):.3f} "
                f"| {' '.join(f'{end:.3f}' for end in ends)} | {spread} "
                f"| {np.mean([run['after']['solved'] for run in runs.values()]):.3f} "
                f"| {np.mean([run['cpu_s'] for run in runs.values()]):.0f} |"
            )
        print()
        for one, other in PAIRS:
            both = sorted(set(arms.get(one, {})) & set(arms.get(other, {})))
            if len(both) > 1:
                gain = paired(
                    [arms[other][s]["after"]["mean"] for s in both], [arms[one][s]["after"]["mean"] for s in both]
                )
                print(
                    f"- {one} minus {other}: {gain.difference:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}], "
                    f"p = {gain.p:.3g}, {gain.n} seeds paired"
                )
        print()
    (args.out / "learning.json").write_text(json.dumps(table, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
