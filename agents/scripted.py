"""Players without a model: the oracle, and a random one that sets the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from proofgym.agents.rollout import Action, Item, Seats, TextEnv
from proofgym.errors import BadInput

__all__ = ["OraclePlayer", "RandomPlayer"]


@dataclass
class OraclePlayer:
    """Plays what the environment's own expert would."""

    version: int = 0

    def seat(self, envs: Sequence[TextEnv], items: Sequence[Item]) -> Seats:
        """Sit down beside the environments' experts.

        Raises:
            BadInput: If an environment has none.
        """
        for env in envs:
            if not hasattr(env.unwrapped, "oracle"):
                raise BadInput(f"{type(env.unwrapped).__name__} has no oracle to play for it")
        return _OracleSeats(envs)


@dataclass
class RandomPlayer:
    """Plays a random admissible action, or a random short text where none are listed.

    Args:
        seed: With the item and the turn it seeds every choice.
    """

    seed: int = 0
    version: int = 0

    def seat(self, envs: Sequence[TextEnv], items: Sequence[Item]) -> Seats:
        """Sit down with a generator for every episode."""
        return _RandomSeats(envs, [np.random.default_rng([self.seed, i.seed, i.index, i.sample]) for i in items])


class _OracleSeats:
    def __init__(self, envs: Sequence[TextEnv]) -> None:
        self.envs: Sequence[Any] = [env.unwrapped for env in envs]

    def act(self, rows: Sequence[int], observations: Sequence[str]) -> list[Action | None]:
        return [Action(self.envs[row].oracle()) for row in rows]


class _RandomSeats:
    def __init__(self, envs: Sequence[TextEnv], rngs: Sequence[np.random.Generator]) -> None:
        self.envs: Sequence[Any] = [env.unwrapped for env in envs]
        self.rngs = rngs

    def act(self, rows: Sequence[int], observations: Sequence[str]) -> list[Action | None]:
        actions: list[Action | None] = []
        for row in rows:
            rng = self.rngs[row]
            listed = self.envs[row].admissible() if hasattr(self.envs[row], "admissible") else None
            if listed:
                actions.append(Action(listed[int(rng.integers(len(listed)))]))
            else:
                length = int(rng.integers(1, 12))
                actions.append(Action("".join(chr(c) for c in rng.integers(32, 127, size=length))))
        return actions
