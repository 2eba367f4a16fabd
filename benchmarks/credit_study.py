"""Does step credit pay? The demo's recipe with the credit as the only difference, several seeds, equal compute.

    python benchmarks/credit_study.py --seeds 4 --updates 120 --out runs/credit-study

Each arm starts from the same warm-started weights (a function of the seed alone) and samples the same number
of episodes. Prints one table, writes `study.json` and a figure. Finished arms are kept: a second call runs the rest.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from proofgym.agents.recipe import train
from proofgym.bench.statistics import mean_interval, paired

ARMS = {
    "step credit, gamma 0": ["grpo.advantage=step", "grpo.gamma=0.0"],
    "step credit, gamma 1": ["grpo.advantage=step", "grpo.gamma=1.0"],
    "one advantage per trajectory": ["grpo.advantage=trajectory"],
    "all-or-nothing reward": ["grpo.advantage=outcome"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--updates", type=int, default=120)
    parser.add_argument("--out", type=Path, default=Path("runs/credit-study"))
    parser.add_argument("--figure", type=Path, help="also write the figure here")
    args = parser.parse_args()
    runs = {arm: [_run(args.out, arm, seed, args.updates) for seed in range(args.seeds)] for arm in ARMS}
    marks = [1, *range(20, args.updates + 1, 20)]
    print(f"sampled reward (share of steps that follow), {args.seeds} seeds, {platform.machine()}, 1 thread\n")
    print("| update | " + " | ".join(str(mark) for mark in marks) + " | held-out after | solved after | cpu-s |")
    print("|---" * (len(marks) + 4) + "|")
    for arm, found in runs.items():
        for seed, run in enumerate(found):
            cells = [f"{_smooth(run['reward'], mark):.2f}" for mark in marks]
            after = run["after"]
            print(f"| {arm}, seed {seed} | {' | '.join(cells)} | {after['mean']:.3f} | {after['solved']:.3f} |"
                  f" {run['seconds']:.0f} |")  # fmt: skip
        ends = [run["after"]["mean"] for run in found]
        print(f"| **{arm}** | | " + " | " * (len(marks) - 1) + f"**{mean_interval(ends)}** | | |")
    best = [run["after"]["mean"] for run in runs["step credit, gamma 0"]]
    for arm in list(ARMS)[1:]:
        print(f"\nstep credit, gamma 0, against {arm}: {paired([r['after']['mean'] for r in runs[arm]], best)}")
    (args.out / "study.json").write_text(json.dumps(runs, indent=1), encoding="utf-8")
    figure = args.out / "study.svg"
    _draw(runs, figure)
    if args.figure:
        args.figure.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(figure, args.figure)


def _run(out: Path, arm: str, seed: int, updates: int) -> dict[str, Any]:
    folder = out / f"{arm.replace(' ', '-').replace(',', '')}-{seed}"
    overrides = [*ARMS[arm], f"seed={seed}", f"grpo.updates={updates}", "grpo.validate_every=0"]
    if not (folder / "summary.json").is_file():
        if folder.exists():
            shutil.rmtree(folder)
        train("demo", overrides=overrides, run_dir=folder)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    updates_ = [line for line in lines if line["stage"] == "grpo"]
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return {
        "reward": [line["reward"] for line in updates_],
        "before": summary["before"],
        "after": summary["after"],
        "seconds": sum(line["seconds"] for line in updates_),
    }


def _smooth(rewards: list[float], step: int) -> float:
    """The mean of five updates up to this one; the first is shown as it is."""
    return float(np.mean(rewards[max(0, step - 5) : step])) if step > 1 else rewards[0]


def _draw(runs: dict[str, list[dict[str, Any]]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"svg.hashsalt": "proofgym", "font.size": 10})
    figure, axes = pyplot.subplots(figsize=(7.5, 4))
    for (arm, found), colour in zip(runs.items(), ("#0b7285", "#74b816", "#e8590c", "#868e96"), strict=True):
        curves = np.array([[_smooth(run["reward"], s + 1) for s in range(len(run["reward"]))] for run in found])
        steps = np.arange(1, curves.shape[1] + 1)
        for curve in curves:
            axes.plot(steps, curve, color=colour, alpha=0.25, linewidth=0.8)
        axes.plot(steps, curves.mean(axis=0), color=colour, linewidth=2, label=arm)
    axes.set(xlabel="update (256 episodes each)", ylabel="share of steps that follow", ylim=(0, 1))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.2)
    axes.legend(frameon=False, loc="lower right")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
