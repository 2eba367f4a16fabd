"""A language model as a player: its episodes stream through an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from proofgym.agents.engines.base import Engine
from proofgym.agents.engines.transformers import TransformersEngine
from proofgym.agents.policy import Policy
from proofgym.agents.rollout import Item, TextEnv
from proofgym.agents.sampling import Sampling
from proofgym.agents.streaming import stream
from proofgym.envs.trajectory import Trajectory

__all__ = ["PolicyPlayer"]


@dataclass
class PolicyPlayer:
    """A language model as a player.

    Args:
        policy: Sampled from as it is when asked.
        sampling: Temperature and token limit.
        key: Integers that name this use of the model, such as run seed and update number. Together with the item and
            the turn they seed each request.
        engine: Who generates; one of its own, in this process, by default. It must hold the policy's weights.
        workers: Threads that environments step in; 0 steps them between two tokens.
    """

    policy: Policy
    sampling: Sampling
    key: tuple[int, ...] = ()
    engine: Engine | None = None
    workers: int = 0

    @property
    def version(self) -> int:
        """How many updates the policy has seen."""
        return self.policy.version

    def stream(
        self,
        envs: Sequence[TextEnv],
        items: Iterable[Item],
        on_episode: Callable[[Trajectory], None] | None = None,
    ) -> Iterator[Trajectory]:
        """Play every item once and yield the trajectories in the order of the items."""
        engine = self.engine or TransformersEngine(self.policy, slots=max(1, len(envs)))
        try:
            yield from stream(
                engine, self.sampling, envs, items, key=self.key, workers=self.workers, on_episode=on_episode
            )
        finally:
            if self.engine is None:
                engine.close()
