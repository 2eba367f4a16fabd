"""Where the episodes of an update come from: one protocol behind which all of sampling lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from proofgym.agents.config import GRPO
from proofgym.agents.player import PolicyPlayer
from proofgym.agents.policy import Policy
from proofgym.agents.rollout import Item, TextEnv, rollout
from proofgym.agents.sampling import Sampling
from proofgym.envs.trajectory import Trajectory

__all__ = ["Collected", "Collector", "make_collector"]

Envs = Callable[[str, int], Sequence[TextEnv]]
"""`envs(split, count)`: so many environments of a split, made once and handed out again."""

GRPO_STREAM = 1  # the first number of every sampling key of this stage


@dataclass(slots=True)
class Collected:
    """Episodes to learn from now, groups whole and together, and numbers for the log."""

    episodes: list[Trajectory]
    numbers: dict[str, float] = field(default_factory=dict)


class Collector(Protocol):
    """Gathers the episodes of one update after another."""

    def collect(self, step: int) -> Collected:
        """The episodes of update `step`."""
        ...

    def updated(self, episodes: Sequence[Trajectory], numbers: Mapping[str, float]) -> None:
        """The policy has learned from these episodes: its weights are new."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What resuming needs: plain data and tensors."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave, before anything is collected."""
        ...

    def close(self) -> None:
        """Give back processes, threads and memory."""
        ...


@dataclass
class GroupCollector:
    """`group` attempts at each of the next `prompts` items, one update after another.

    Everything is a function of the weights, the seed and the update number, so an update can be repeated exactly.
    """

    policy: Policy
    envs: Envs
    config: GRPO
    seed: int
    rank: int = 0
    world: int = 1

    def collect(self, step: int) -> Collected:
        """This rank's share of the update's prompts, each with its whole group."""
        config = self.config
        items = [
            Item(self.seed, step * config.prompts + prompt, sample)
            for prompt in range(self.rank, config.prompts, self.world)
            for sample in range(config.group)
        ]
        player = PolicyPlayer(
            self.policy, Sampling(config.temperature, config.max_tokens), (GRPO_STREAM, self.seed, step)
        )
        return Collected(list(rollout(player, self.envs("train", len(items)), items)) if items else [])

    def updated(self, episodes: Sequence[Trajectory], numbers: Mapping[str, float]) -> None:
        """Nothing to do: the policy itself is sampled from."""

    def state_dict(self) -> dict[str, Any]:
        """Empty: the update's number says everything."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to take up."""

    def close(self) -> None:
        """Nothing is held."""


def make_collector(policy: Policy, envs: Envs, config: GRPO, *, seed: int, rank: int = 0, world: int = 1) -> Collector:
    """The collector that a configuration asks for.

    Args:
        policy: Who is sampled from; its weights change between `collect` and the next.
        envs: See `Envs`.
        config: Of the stage.
        seed: Of its items and samples.
        rank, world: With several processes each collects the prompts whose number leaves `rank` modulo `world`.
    """
    return GroupCollector(policy, envs, config, seed, rank, world)
