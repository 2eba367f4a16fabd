"""One update: sample groups, give every token its advantage, take gradient steps."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import closing

import numpy as np
import torch

from proofgym.agents.advantages import Floats
from proofgym.agents.collect import Collected, make_collector
from proofgym.agents.config import GRPO
from proofgym.agents.learner import Learner
from proofgym.agents.policy import Policy
from proofgym.agents.rollout import TextEnv
from proofgym.envs.trajectory import Trajectory

__all__ = ["collect", "episode_numbers", "greedy_returns", "learn", "update"]


def collect(policy: Policy, envs: Sequence[TextEnv], config: GRPO, *, seed: int, step: int) -> list[Trajectory]:
    """Sample `group` attempts at each of the next `prompts` items.

    Everything is a function of the weights, the seed and the update number, so an update can be repeated exactly.
    """
    return _collected(policy, envs, config, seed, step).episodes


def _collected(policy: Policy, envs: Sequence[TextEnv], config: GRPO, seed: int, step: int) -> Collected:
    with closing(make_collector(policy, lambda _, count: envs[:count], config, seed=seed)) as collector:
        return collector.collect(step)


def learn(
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    episodes: Sequence[Trajectory],
    config: GRPO,
    reference: Policy | None = None,
    greedy: Floats | None = None,
) -> dict[str, float]:
    """Take gradient steps on these episodes; see `Learner.learn`, of which this is the short form.

    A run keeps one `Learner`, which also holds a value model and weights that adapt; here each call makes its own.
    """
    return Learner(policy, config, optimizer=optimizer, reference=reference).learn(episodes, greedy)


def update(
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    envs: Sequence[TextEnv],
    config: GRPO,
    *,
    seed: int,
    step: int,
    reference: Policy | None = None,
) -> tuple[list[Trajectory], dict[str, float]]:
    """Collect and learn once.

    Returns:
        The episodes, and numbers for the log: those of `learn`, and of the episodes the mean reward, its spread, the
        share solved, how many could not be judged, and how many groups were flat and so taught nothing.
    """
    started = time.perf_counter()
    collected = _collected(policy, envs, config, seed, step)
    episodes, sampled = collected.episodes, time.perf_counter()
    numbers = learn(policy, optimizer, episodes, config, reference, greedy_returns(episodes, collected.greedy))
    return episodes, {
        **episode_numbers(episodes),
        **numbers,
        "seconds": time.perf_counter() - started,
        "sampling_seconds": sampled - started,
    }


def episode_numbers(episodes: Sequence[Trajectory]) -> dict[str, float]:
    """What a batch of episodes looks like: reward, spread, share solved, unjudged, flat groups."""
    judged = [episode for episode in episodes if not episode.unjudged]
    rewards = np.array([episode.reward for episode in judged])
    groups: dict[tuple[str, int, int], set[float]] = {}
    for episode in judged:
        groups.setdefault((episode.env, episode.seed, episode.index), set()).add(episode.reward)
    return {
        "reward": float(rewards.mean()) if rewards.size else math.nan,
        "reward_std": float(rewards.std()) if rewards.size else math.nan,
        "solved": float(np.mean([e.verdict is not None and e.verdict.correct for e in judged])) if judged else math.nan,
        "unjudged": float(len(episodes) - len(judged)),
        "flat_groups": float(sum(len(values) == 1 for values in groups.values())),
    }


def greedy_returns(episodes: Sequence[Trajectory], greedy: Sequence[Trajectory]) -> Floats | None:
    """What the likeliest answer to each episode's task earned, `nan` where unknown; None if none was played."""
    earned = {(e.env, e.seed, e.index): e.reward for e in greedy}
    return np.array([earned.get((e.env, e.seed, e.index), math.nan) for e in episodes]) if greedy else None
