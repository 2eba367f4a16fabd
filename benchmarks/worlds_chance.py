"""What policies that do not think earn in our text worlds, and what the household expert does: the figures of the docs.

python benchmarks/worlds_chance.py --episodes 200
python benchmarks/worlds_chance.py --episodes 0 --scenes alfworld_train_scenes.jsonl --count 500

The first prints, for each world at levels 0, 0.5 and 1, the mean reward and the share solved of admissible commands
drawn evenly, and the best of some constant commands. The second plays the household expert, which reads nothing but the
text, on scenes of a JSON Lines file (see `docs/envs/worlds.md`) or on generated houses.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import proofgym
from proofgym.envs.registry import ENTRIES
from proofgym.envs.worlds.household.expert import Expert

CONSTANTS = ("look", "go forward", "wait", "impossible", "click[Buy]", "search[shirt]", "go north", "inventory")


def play(env: Any, index: int, act: Callable[[Any], str]) -> tuple[float, bool, int]:
    """One episode: the reward, whether it was solved, and the commands."""
    env.reset(seed=11, options={"index": index})
    earned, commands = 0.0, 0
    while True:
        _, reward, terminated, truncated, info = env.step(act(env))
        earned, commands = earned + reward, commands + 1
        if terminated or truncated:
            return earned, info["verdict"].correct, commands


def chance(episodes: int, only: str) -> Iterator[str]:
    """Random and constant policies in every world of ours, a line of the docs' table each."""
    yield "| world | level | random: reward | solved | best constant | floor |\n|---|--:|--:|--:|---|--:|"
    for entry in ENTRIES:
        if entry.domain != "worlds" or entry.needs or only not in entry.id:
            continue
        for level in (0.0, 0.5, 1.0):
            env = proofgym.make(entry.id, level=level).unwrapped
            rng = np.random.default_rng(3)

            def legal(env: Any, rng: np.random.Generator = rng) -> str:
                menu = env.admissible()
                return str(menu[int(rng.integers(len(menu)))])

            found = [play(env, index, legal) for index in range(episodes)]
            means = {
                text: statistics.fmean(play(env, index, lambda _, text=text: text)[0] for index in range(episodes // 4))
                for text in CONSTANTS
            }
            best = max(means, key=lambda text: means[text])
            rewards = [reward for reward, *_ in found]
            spread = statistics.stdev(rewards) / len(rewards) ** 0.5
            solved = statistics.fmean(won for _, won, _ in found)
            yield (
                f"| {entry.id.removeprefix('proofgym/').removesuffix('-v0')} | {level:g} | "
                f"{statistics.fmean(rewards):.3f} ± {spread:.3f} | {solved:.3f} | "
                f"{means[best]:.3f} (`{best}`) | {env.floor:g} |"
            )


def expert(scenes: str | None, count: int) -> str:
    """How often the expert that reads does the task, and in how many commands."""
    env = proofgym.make("Household", grammar="strict", scenes=scenes, level=1.0).unwrapped
    lengths, won = [], 0
    for index in range(count):
        observation, _ = env.reset(seed=0, options={"index": index})
        agent, commands = Expert(), 0
        while True:
            observation, _, terminated, truncated, _ = env.step(agent.act(observation))
            commands += 1
            if terminated or truncated:
                break
        won += terminated
        lengths.append(commands)
    return (
        f"expert: {won} of {count} won, {statistics.median(lengths):g} commands in the middle, {max(lengths)} at most"
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--only", default="", help="worlds whose id has this in it")
    parser.add_argument("--scenes", help="a JSON Lines file of scenes, or a folder with ALFWorld's games")
    parser.add_argument("--count", type=int, default=500)
    options = parser.parse_args()
    if options.episodes:
        for line in chance(options.episodes, options.only):
            print(line, flush=True)
    if options.count:
        print(expert(options.scenes, options.count))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
