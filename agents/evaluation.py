"""How good a policy is on held-out items, with intervals, and with unjudged episodes counted apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from proofgym.agents.player import PolicyPlayer
from proofgym.agents.policy import Policy
from proofgym.agents.rollout import Item, TextEnv, rollout
from proofgym.agents.sampling import Sampling
from proofgym.bench import statistics
from proofgym.envs.trajectory import Trajectory

__all__ = ["Score", "play", "score"]


@dataclass(frozen=True, slots=True)
class Score:
    """The mean reward of judged episodes and the share that was fully correct, with 95 % intervals.

    Args:
        n: Judged episodes.
        unjudged: Episodes that nobody could judge; they are in no other number here.
    """

    mean: float
    low: float
    high: float
    solved: float
    solved_low: float
    solved_high: float
    n: int
    unjudged: int

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary; JSON has no infinity and no nan, so an unknown number is null."""
        return {key: value if math.isfinite(value) else None for key, value in asdict(self).items()}


def score(episodes: Sequence[Trajectory]) -> Score:
    """Summarise episodes; intervals are clustered by task."""
    judged = [episode for episode in episodes if not episode.unjudged]
    unjudged = len(episodes) - len(judged)
    if not judged:
        nan = float("nan")
        return Score(nan, nan, nan, nan, nan, nan, 0, unjudged)
    clusters = [episode.task.get("fingerprint", f"{episode.seed}/{episode.index}") for episode in judged]
    reward = statistics.mean_interval([episode.reward for episode in judged], clusters)
    solved = statistics.share([e.verdict is not None and e.verdict.correct for e in judged], clusters)
    return Score(
        reward.mean, reward.low, reward.high, solved.mean, solved.low, solved.high, len(judged), unjudged
    )  # fmt: skip


def play(
    policy: Policy, envs: Sequence[TextEnv], items: int, *, seed: int, sampling: Sampling, key: Sequence[int] = ()
) -> list[Trajectory]:
    """One episode on each of items 0 to `items` − 1 of `seed`."""
    player = PolicyPlayer(policy, sampling, tuple(key))
    return list(rollout(player, envs, [Item(seed, index) for index in range(items)]))
