"""What is worth meeting again: hard tasks, to be tried afresh, and old episodes, to be learned from off policy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from proofgym.agents.curriculum import Outcome, Pick
from proofgym.envs.trajectory import Trajectory

__all__ = ["EpisodeReplay", "HardTasks"]


class HardTasks:
    """Tasks that were rarely solved, the hardest first; a task leaves when it has become easy.

    The priority of a task is 1 − its success rate, a running mean over the times it was asked. A task that nobody ever
    solved keeps its place but is not asked more often for it: what is impossible would crowd out what is only hard.

    Args:
        size: How many are remembered; the easiest goes first.
        easy: A success rate above this is easy.
        rate: How fast the running mean follows.
    """

    def __init__(self, size: int, *, easy: float = 0.7, rate: float = 0.5) -> None:
        self._size, self._easy, self._rate = size, easy, rate
        self.success: dict[tuple[int, int], float] = {}

    def __len__(self) -> int:
        return len(self.success)

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Remember what was hard, forget what has become easy."""
        for o in outcomes:
            if not o.attempts:
                continue
            at = o.level, o.index
            seen = o.successes / o.attempts
            mean = seen if at not in self.success else self.success[at] + self._rate * (seen - self.success[at])
            if mean > self._easy:
                self.success.pop(at, None)
            else:
                self.success[at] = mean
        while len(self.success) > self._size:
            del self.success[max(self.success, key=lambda at: self.success[at])]

    def choose(self, count: int, rng: np.random.Generator) -> list[Pick]:
        """Up to so many different tasks, drawn in proportion to their priority."""
        known = list(self.success)
        if not known or not count:
            return []
        priority = np.array([1.0 - self.success[at] if self.success[at] > 0.0 else 0.5 for at in known])
        count = min(count, len(known))
        drawn = rng.choice(len(known), size=count, replace=False, p=priority / priority.sum())
        return [Pick(*known[int(n)]) for n in drawn]

    def state_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"tasks": [[level, index, success] for (level, index), success in self.success.items()]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.success = {(int(level), int(index)): float(success) for level, index, success in state["tasks"]}


class EpisodeReplay:
    """A bounded store of episodes, each with the policy version that sampled it.

    Args:
        size: How many; the oldest go first.
        max_staleness: Those sampled more updates ago than this are forgotten, and never handed out.
        keep: Only solved ones, or all that were judged.
    Source:
        RLEP (arXiv:2507.07451) and ExGRPO (arXiv:2510.02245) replay successes.
    """

    def __init__(self, size: int, *, max_staleness: int, keep: Literal["solved", "all"] = "solved") -> None:
        self._size, self._max_staleness, self._keep = size, max_staleness, keep
        self.episodes: list[Trajectory] = []

    def __len__(self) -> int:
        return len(self.episodes)

    def add(self, episodes: Sequence[Trajectory]) -> None:
        """Keep what is worth keeping. Replayed episodes are not kept twice."""
        for episode in episodes:
            solved = episode.verdict is not None and episode.verdict.correct
            known = bool(episode.turns) and all(len(t.logprobs) == len(t.action_ids) > 0 for t in episode.turns)
            if not episode.unjudged and known and episode.source == "policy" and (solved or self._keep == "all"):
                self.episodes.append(episode)
        del self.episodes[: max(0, len(self.episodes) - self._size)]

    def draw(
        self, count: int, version: int, rng: np.random.Generator, *, without: Sequence[Trajectory] = ()
    ) -> list[Trajectory]:
        """Up to so many different episodes, marked as replayed.

        Args:
            count: How many.
            version: Of the policy that will learn from them.
            rng: Chooses.
            without: Fresh episodes: a task that is among them is left out, so that its group stays on policy.
        """
        self.episodes = [e for e in self.episodes if version - oldest(e) <= self._max_staleness]
        fresh = {(e.env, e.seed, e.index) for e in without}
        able = [e for e in self.episodes if (e.env, e.seed, e.index) not in fresh]
        chosen = rng.permutation(len(able))[:count].tolist()
        found = []
        for n in chosen:
            copy = Trajectory.from_json(able[n].to_json())
            copy.source = "replay"
            found.append(copy)
        return found

    def state_dict(self) -> dict[str, Any]:
        """Plain data: a line of JSON an episode."""
        return {"episodes": [episode.line() for episode in self.episodes]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.episodes = [Trajectory.from_json(json.loads(line)) for line in state["episodes"]]


def oldest(episode: Trajectory) -> int:
    """The oldest policy version that sampled one of the episode's turns."""
    return min((turn.policy_version for turn in episode.turns), default=0)
