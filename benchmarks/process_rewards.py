"""How good are process rewards from forks, and what do they cost? Against exact values, on small worlds and one text.

    nice python benchmarks/process_rewards.py --out runs/process-rewards

Every world is small enough to list: its states, a policy's probabilities in each, and so the exact value of every state
with any number of turns left. Episodes of that policy are measured step by step in several ways, and each step's
advantage is compared with the exact one. Prints Markdown tables; writes `process_rewards.json`, and with `--plot FILE`
the figure of the documentation.

| way | finishes from a place |
| --- | --- |
| fixed n | n, each place of an episode for itself |
| fixed n, cached | n, equal places of all episodes together |
| fixed n, common | n, the same random numbers at the same turn from every place |
| width | 8, 16, 32, 64, until the interval of the step's advantage is no wider than 0.15 to each side |
| sign | the same, and also until it does not hold 0 |
| hard | as fixed n, but a place counts as 1 if any finish is right (Math-Shepherd's hard label) |

Cost is the policy's turns; chance is seeded, so a second run gives the same numbers. Errors are over steps of random
episodes, drawn anew for each repetition.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

import proofgym
from proofgym.bench.statistics import mean_interval
from proofgym.envs.base import fork
from proofgym.envs.rewards import Adaptive, Ask, Branching, Fixed, each, exact
from proofgym.envs.rewards.branching import StepValue
from proofgym.envs.rewards.places import Path as Places
from proofgym.envs.rewards.places import place_key, text_path, turn_path
from proofgym.envs.task import canonical_json

WORLDS = {
    "IceSliding": ("IceSlidingSteps", 8, 0.35), "RiverCrossing": ("RiverCrossingSteps", 12, 0.5),
    "Maze": ("MazeSteps", 36, 0.5), "KeyMaze": ("KeyMazeSteps", 30, 0.6),
}  # fmt: skip
"""Name: environment, turns, and how often the policy follows the expert; otherwise it takes any listed move."""

MISTAKE, DIGITS = 0.08, 12


@dataclass(frozen=True)
class Episode:
    """One episode's places, and the exact advantage of each step."""

    path: Places
    apart: Places
    advantages: list[float]


@dataclass(frozen=True)
class Subject:
    """What is measured: episodes on demand, and the policy that finishes."""

    name: str
    states: int
    episodes: Callable[[np.random.Generator, int], list[Episode]]
    policy: Callable[[Sequence[Ask]], Sequence[str]]


@dataclass(frozen=True)
class Row:
    """One way on one subject, over all repetitions."""

    world: str
    way: str
    n: int
    bias: float
    bias_low: float
    bias_high: float
    rmse: float
    sign: float
    turns_per_step: float
    steps: int


def key(env: gymnasium.Env[Any, Any]) -> str:
    return canonical_json(env.unwrapped.state()["inner"]["position"])


def listed(info: dict[str, Any]) -> list[str]:
    return [action for action in info["admissible"] if action != "undo"]


def small_world(name: str) -> Subject:
    """A world, all its states, and a policy that is right now and then."""
    env_id, turns, skill = WORLDS[name]
    endless = proofgym.make(env_id, level=0.0, max_turns=10**6)
    _, info = endless.reset(seed=1)
    best: dict[str, str] = {}

    def expert(env: gymnasium.Env[Any, Any]) -> str:
        return best.setdefault(key(env), str(env.unwrapped.oracle()))

    def named(env: gymnasium.Env[Any, Any]) -> str:
        expert(env)
        return key(env)

    world = exact.explore(endless, info, named, actions=listed)
    policy_SA = np.zeros(world.mask_SA.shape)
    for s, name_ in enumerate(world.keys):
        count = len(world.actions[s])
        policy_SA[s, :count] = (1.0 - skill) / count
        if best[name_] in world.actions[s]:
            policy_SA[s, world.actions[s].index(best[name_])] += skill
        policy_SA[s] /= policy_SA[s].sum()
    values = exact.values_by_turns_left(world, policy_SA, turns, world.solved_SA.astype(np.float64))
    numbers = {name_: s for s, name_ in enumerate(world.keys)}

    def act(state: int, rng: np.random.Generator) -> str:
        return world.actions[state][int(rng.choice(policy_SA.shape[1], p=policy_SA[state]))]

    class Told(gymnasium.Wrapper[Any, Any, Any, Any]):
        """Puts the state's number into `info`, which is what the scripted policy reads."""

        def reset(self, **kwargs: Any) -> Any:
            observation, told = self.env.reset(**kwargs)
            return observation, {**told, "state": numbers[key(self.env)]}

        def step(self, action: Any) -> Any:
            observation, reward, terminated, truncated, told = self.env.step(action)
            return observation, reward, terminated, truncated, {**told, "state": numbers.get(key(self.env), -1)}

    asked = Told(proofgym.make(env_id, level=0.0, max_turns=turns))
    observation, info = asked.reset(seed=1)

    def place(env: gymnasium.Env[Any, Any], _: str, prefix: str, __: Any) -> str:
        """State and turns left: what is read besides does not matter to this policy."""
        state = env.unwrapped.state()  # type: ignore[attr-defined]
        return f"{numbers[key(env)]:08x}{state['turns']:08x}{prefix}"

    def episodes(rng: np.random.Generator, count: int) -> list[Episode]:
        found = []
        for _ in range(count):
            env, state, actions, advantages = fork(asked), 0, [], []
            for turn in range(turns):
                actions.append(act(state, rng))
                _, _, terminated, truncated, told = env.step(actions[-1])
                before = values[turns - turn, state]
                a = world.actions[state].index(actions[-1])
                after = float(world.solved_SA[state, a]) if terminated else values[turns - turn - 1, told["state"]]
                advantages.append(float(after - before))
                if terminated or truncated:
                    break
                state = told["state"]
            paths = [turn_path(asked, observation, info, actions, measure="solved", key=k) for k in (place, None)]
            found.append(Episode(*paths, advantages))
        return found

    policy = each(lambda _, told, rng: act(int(told["state"]), rng))
    return Subject(name, len(world.keys), episodes, policy)


def running_total() -> Subject:
    """Twelve dependent digits in one answer, each wrong with a fixed probability; cut at its characters."""
    env = proofgym.make("RunningTotal", style="bare", steps=DIGITS)
    observation, info = env.reset(seed=1)
    start, *adds = map(int, observation)

    def write(prefix: str, rng: np.random.Generator) -> str:
        total, text = (int(prefix[-1]) if prefix else start), ""
        for add in adds[len(prefix) :]:
            total = (total + add + (int(rng.integers(1, 10)) if rng.random() < MISTAKE else 0)) % 10
            text += str(total)
        return text

    right = str(env.unwrapped.oracle())  # type: ignore[attr-defined]

    def value(prefix: str) -> float:
        return (1.0 - MISTAKE) ** (DIGITS - len(prefix)) if right.startswith(prefix) else 0.0

    def episodes(rng: np.random.Generator, count: int) -> list[Episode]:
        found = []
        for _ in range(count):
            text = write("", rng)
            paths = [
                text_path(env, observation, info, text, by="character", measure="solved", key=k)
                for k in (place_key, None)
            ]
            found.append(Episode(*paths, [value(text[: k + 1]) - value(text[:k]) for k in range(len(text))]))
        return found

    return Subject("RunningTotal", DIGITS + 1, episodes, lambda asks: [write(ask.prefix, ask.rng) for ask in asks])


def hard(step: StepValue) -> float:
    """The difference of hard labels."""

    def label(estimate: Any) -> float:
        return estimate.mean if estimate.exact else estimate.hard

    return label(step.after) - label(step.before)


WAYS: dict[str, tuple[Any, bool, bool, bool]] = {
    # plan, cached, common random numbers, hard labels
    **{f"fixed {n}": (Fixed(n), False, False, False) for n in (4, 16, 64)},
    **{f"fixed {n}, cached": (Fixed(n), True, False, False) for n in (4, 16, 64)},
    "fixed 16, common": (Fixed(16), False, True, False),
    "fixed 16, cached, common": (Fixed(16), True, True, False),
    "width": (Adaptive(least=8, most=64, width=0.15), False, False, False),
    "width, cached": (Adaptive(least=8, most=64, width=0.15), True, False, False),
    "sign": (Adaptive(least=8, most=64, width=0.15, sign=True), False, False, False),
    "sign, cached": (Adaptive(least=8, most=64, width=0.15, sign=True), True, False, False),
    "hard 4": (Fixed(4), False, False, True),
    "hard 16": (Fixed(16), False, False, True),
}


def measured(subject: Subject, repeats: int, group: int) -> list[Row]:
    """Every way on one subject."""
    rows = []
    drawn = [subject.episodes(np.random.default_rng([7, repeat]), group) for repeat in range(repeats)]
    for way, (plan, cached, common, as_hard) in WAYS.items():
        errors: list[list[float]] = []
        signs, turns = [], 0
        for repeat, episodes in enumerate(drawn):
            branching = Branching(subject.policy, measure="solved", plan=plan, seed=repeat, common=common)
            found = branching.measure([e.path if cached else e.apart for e in episodes])
            turns += branching.spent.turns
            row = []
            for episode, steps in zip(episodes, found, strict=True):
                for step, true in zip(steps, episode.advantages, strict=True):
                    estimate = hard(step) if as_hard else step.advantage
                    row.append(estimate - true)
                    if abs(true) >= 0.05:
                        signs.append(estimate * true > 0.0)
            errors.append(row)
        bias = mean_interval(np.array([np.mean(row) for row in errors]))
        flat = np.concatenate([np.array(row) for row in errors])
        rows.append(
            Row(
                subject.name, way, getattr(plan, "n", 0), bias.mean, bias.low, bias.high,
                math.sqrt(float(np.mean(flat**2))), float(np.mean(signs)) if signs else math.nan, turns / len(flat),
                len(flat),
            )
        )  # fmt: skip
    return rows


def report(rows: Sequence[Row]) -> None:
    """Markdown."""
    for world in dict.fromkeys(row.world for row in rows):
        mine = [row for row in rows if row.world == world]
        print(f"\n**{world}**, {mine[0].steps} steps\n")
        print("| way | turns a step | bias | error (RMSE) | right sign where the advantage is 0.05 or more |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for row in mine:
            bias = f"{row.bias:+.3f} [{row.bias_low:+.3f}, {row.bias_high:+.3f}]"
            print(f"| {row.way} | {row.turns_per_step:.1f} | {bias} | {row.rmse:.3f} | {row.sign:.3f} |")


def plot(rows: Sequence[Row], path: Path) -> None:
    """Error against cost, one panel a world."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter

    mpl.rcParams["svg.hashsalt"] = "process_rewards"  # the same numbers give the same file
    worlds = list(dict.fromkeys(row.world for row in rows))
    figure, axes = plt.subplots(1, len(worlds), figsize=(9.6, 3.1), sharey=True, layout="constrained", squeeze=False)
    marks = {
        "width": ("^", "#c44e52"), "width, cached": ("v", "#c44e52"), "sign": ("<", "#8172b2"),
        "sign, cached": (">", "#8172b2"), "fixed 16, common": ("P", "#dd8452"),
        "fixed 16, cached, common": ("*", "#dd8452"), "hard 4": ("x", "#333333"), "hard 16": ("X", "#333333"),
    }  # fmt: skip
    for axis, world in zip(axes[0], worlds, strict=True):
        mine = [row for row in rows if row.world == world]
        for label, style, colour in (("fixed n", "o-", "#4c72b0"), ("fixed n, cached", "s-", "#55a868")):
            line = [row for row in mine if row.way == label.replace(" n", f" {row.n}")]
            axis.plot([r.turns_per_step for r in line], [r.rmse for r in line], style, color=colour, label=label, ms=4)
        for row in mine:
            if row.way in marks:
                marker, colour = marks[row.way]
                axis.plot(row.turns_per_step, row.rmse, marker, color=colour, label=row.way, ms=7, ls="none")
        axis.set(title=world, xscale="log", yscale="log", xlabel="turns of the policy a step")
        for along, ticks in ((axis.xaxis, (3, 10, 30, 100, 300)), (axis.yaxis, (0.03, 0.05, 0.1, 0.2, 0.5))):
            along.set_major_locator(FixedLocator(ticks))
            along.set_major_formatter(ScalarFormatter())
            along.set_minor_formatter(NullFormatter())
        axis.grid(alpha=0.3, which="major", lw=0.5)
    axes[0][0].set_ylabel("error of the advantage (RMSE)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize=8, frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=8, help="groups of episodes")
    parser.add_argument("--group", type=int, default=4, help="episodes of a group, which share a cache")
    parser.add_argument("--worlds", nargs="*", default=["IceSliding", "RiverCrossing", "RunningTotal"])
    parser.add_argument("--out", type=Path, default=Path("runs/process-rewards"))
    parser.add_argument("--plot", type=Path, help="write the figure here (SVG or PNG)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    for name in arguments.worlds:
        started = time.process_time()
        subject = running_total() if name == "RunningTotal" else small_world(name)
        rows += measured(subject, arguments.repeats, arguments.group)
        print(f"{name}: {subject.states} states, {time.process_time() - started:.0f} CPU s", flush=True)
        (arguments.out / "process_rewards.json").write_text(json.dumps([asdict(row) for row in rows], indent=1))
    report(rows)
    if arguments.plot:
        plot(rows, arguments.plot)


if __name__ == "__main__":
    main()
