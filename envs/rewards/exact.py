"""Small worlds solved exactly: every state by its fingerprint, and values by dynamic programming.

For studies and tests: what an estimate should have been, and which actions are best before and after shaping.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from proofgym.envs.base import Info, fork
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["World", "best_actions", "explore", "optimal_values", "policy_values", "values_by_turns_left"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class World:
    """A finite deterministic decision process; state 0 is the first one.

    Args:
        keys: The fingerprint of each of S states.
        actions: The admissible actions of each state, at most A.
        mask_SA: Which actions there are.
        reward_SA: What each pays.
        following_SA: Where it leads; -1 where the episode ends.
        solved_SA: Whether the episode ends with it and its verdict is `correct`.
        potential_S: `info["potential"]`; `nan` where there is none.
    """

    keys: list[str]
    actions: list[list[str]]
    mask_SA: NDArray[np.bool_]
    reward_SA: Floats
    following_SA: NDArray[np.int64]
    solved_SA: NDArray[np.bool_]
    potential_S: Floats

    def index(self, key: str) -> int:
        """The number of a state."""
        return self.keys.index(key)


def explore(
    env: gymnasium.Env[Any, Any],
    info: Info,
    key: Callable[[gymnasium.Env[Any, Any]], str],
    *,
    actions: Callable[[Info], list[str]] | None = None,
    limit: int = 20_000,
) -> World:
    """Every state that can be reached from here by listed actions.

    Args:
        env: In the middle of an episode, with many turns left; it is forked and not touched.
        info: What it told last.
        key: Names a state; two states of one name have the same future.
        actions: Those that are tried; `info["admissible"]` otherwise.
        limit: States at most.
    Raises:
        BadInput: If there are more states, an episode is truncated, or no actions are listed.
    """
    numbers = {key(env): 0}
    states: list[list[tuple[str, float, int, bool]]] = []
    potentials: list[float] = []
    waiting: deque[tuple[gymnasium.Env[Any, Any], Info]] = deque([(fork(env), info)])
    while waiting:
        here, told = waiting.popleft()
        listed = actions(told) if actions is not None else told.get("admissible")
        if not listed:
            raise BadInput("this state lists no actions in info['admissible']; pass actions=")
        potentials.append(float(told.get("potential", np.nan)))
        moves: list[tuple[str, float, int, bool]] = []
        for action in listed:
            there = fork(here)
            _, reward, terminated, truncated, then = there.step(action)
            if truncated:
                raise BadInput("an episode was truncated: make the environment with more max_turns")
            if terminated:
                verdict = then.get("verdict")
                moves.append((action, float(reward), -1, isinstance(verdict, Verdict) and verdict.correct))
                continue
            name = key(there)
            if name not in numbers:
                if len(numbers) >= limit:
                    raise BadInput(f"there are more than {limit} states")
                numbers[name] = len(numbers)
                waiting.append((there, then))
            moves.append((action, float(reward), numbers[name], False))
        states.append(moves)
    width = max(map(len, states))
    shape = (len(states), width)
    mask, reward_SA = np.zeros(shape, dtype=np.bool_), np.zeros(shape)
    following, solved = np.full(shape, -1, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
    for s, moves in enumerate(states):
        for a, (_, reward, then_s, right) in enumerate(moves):
            mask[s, a], reward_SA[s, a], following[s, a], solved[s, a] = True, reward, then_s, right
    named = [[move[0] for move in moves] for moves in states]
    return World(list(numbers), named, mask, reward_SA, following, solved, np.array(potentials))


def _after(values_S: Floats, world: World) -> Floats:
    """The value of where each action leads; 0 where the episode ends."""
    return np.where(world.following_SA >= 0, values_S[world.following_SA], 0.0)


def optimal_values(world: World, gamma: float, reward_SA: Floats | None = None, *, tolerance: float = 1e-12) -> Floats:
    """Q of the best policy, (S, A), by value iteration; -inf for actions that there are not.

    Args:
        world: The process.
        gamma: Below 1, so that it converges.
        reward_SA: Other rewards than the world's.
        tolerance: The greatest change of a value at which it stops.
    """
    rewards = world.reward_SA if reward_SA is None else reward_SA
    values_S = np.zeros(len(world.keys))
    while True:
        q_SA = np.where(world.mask_SA, rewards + gamma * _after(values_S, world), -np.inf)
        better_S = q_SA.max(axis=1)
        if float(np.abs(better_S - values_S).max()) < tolerance:
            return q_SA
        values_S = better_S


def best_actions(q_SA: Floats, *, tie: float = 1e-8) -> list[set[int]]:
    """The best actions of each state, ties included."""
    return [set(np.flatnonzero(row >= row.max() - tie).tolist()) for row in q_SA]


def policy_values(world: World, policy_SA: Floats, gamma: float, reward_SA: Floats | None = None) -> Floats:
    """V of a stochastic policy, (S,), by solving the linear equations.

    Args:
        policy_SA: Probabilities, rows of sum 1.
    """
    rewards = world.reward_SA if reward_SA is None else reward_SA
    size = len(world.keys)
    move_SS = np.zeros((size, size))
    states, acts = np.nonzero(world.mask_SA & (world.following_SA >= 0))
    np.add.at(move_SS, (states, world.following_SA[states, acts]), policy_SA[states, acts])
    found: Floats = np.linalg.solve(np.eye(size) - gamma * move_SS, (policy_SA * rewards).sum(axis=1))
    return found


def values_by_turns_left(world: World, policy_SA: Floats, turns: int, reward_SA: Floats | None = None) -> Floats:
    """V of a stochastic policy with a limit on turns, (turns + 1, S): row h is the value with h turns left."""
    rewards = world.reward_SA if reward_SA is None else reward_SA
    values = np.zeros((turns + 1, len(world.keys)))
    for h in range(1, turns + 1):
        values[h] = (policy_SA * np.where(world.mask_SA, rewards + _after(values[h - 1], world), 0.0)).sum(axis=1)
    return values
