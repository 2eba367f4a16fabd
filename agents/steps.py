"""Which step each sampled token belongs to, and what each step is paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proofgym.agents import advantages
from proofgym.agents.advantages import Bools, Floats, Ints
from proofgym.agents.config import GRPO
from proofgym.envs.trajectory import Trajectory, Turn

__all__ = ["Grid", "grid_of", "overlong", "steps_of_turn"]


def steps_of_turn(turn: Turn) -> tuple[list[float], NDArray[np.int64], NDArray[np.int64]]:
    """Cut a turn at the ends of its credits.

    A token belongs to the first step whose credit ends beyond the token's first character: it can still change what
    that credit says. Tokens behind the last credit, an end-of-turn token for instance, form a last step that is paid
    nothing; credits that end at the same place are one step.

    A token that lies in no credit also *closes* the step before it, if it is the first one there or nothing is credited
    after it: by not going on, it decided that the credit ends where it does ("4" and stop instead of "42"). Without
    this, stopping would never be blamed for a wrong answer or praised for a right one.

    Returns:
        The reward of each step; for each sampled token the number of its step; and that of the step it closes, or −1.

    >>> from proofgym.verifiers import Credit
    >>> turn = Turn("", "12 34", 1.0, [Credit(0, 2, 0.25, "a"), Credit(3, 5, 0.75, "b")])
    >>> turn.action_ids, turn.token_ends = [7, 7, 7, 7], [2, 3, 5, 5]
    >>> rewards, steps, closes = steps_of_turn(turn)
    >>> rewards, steps.tolist(), closes.tolist()
    ([0.25, 0.75, 0.0], [0, 1, 1, 2], [-1, 0, -1, 1])
    """
    paid: dict[int, float] = {}
    begins: dict[int, int] = {}
    for credit in turn.credits:
        paid[credit.end] = paid.get(credit.end, 0.0) + credit.value
        begins[credit.end] = min(begins.get(credit.end, credit.start), credit.start)
    ends = sorted(paid)
    rewards = [paid[end] for end in ends]
    count = len(ends)
    starts = np.array([0, *turn.token_ends[:-1]][: len(turn.token_ends)], dtype=np.int64)
    if not count:
        return [0.0], np.zeros(len(starts), dtype=np.int64), np.full(len(starts), -1, dtype=np.int64)
    ends_S = np.array(ends, dtype=np.int64)
    steps = np.searchsorted(ends_S, starts, side="right").astype(np.int64)
    # The first character of all the credits that end in step s or later: a token there or beyond is inside one of them.
    inside_S = np.minimum.accumulate(np.array([begins[end] for end in reversed(ends)], dtype=np.int64))[::-1]
    inside = np.append(inside_S, np.iinfo(np.int64).max)[steps] <= starts
    first = starts == np.append(ends_S, -1)[steps - 1]
    closes = np.where(~inside & (steps > 0) & (first | (steps == count)), steps - 1, -1)
    if len(steps) and steps[-1] == count:
        rewards.append(0.0)
    return rewards, steps, closes


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps of a batch, aligned so that step j of turn t stands in column t * width + j."""

    rewards_BK: Floats
    mask_BK: Bools
    paid_BK: Bools  # the steps that a credit is on; text behind the last credit is a step without one
    columns: list[list[Ints]]  # [trajectory][turn] -> column of each token
    closes: list[list[Ints]]  # the same, of the step that it closes; -1 if none

    def at_tokens(self, table_BK: Floats) -> list[list[Floats]]:
        """A number a step, at each token of the step."""
        return [[table_BK[b, steps] for steps in turns] for b, turns in enumerate(self.columns)]


def grid_of(episodes: Sequence[Trajectory], config: GRPO) -> Grid:
    """Cut a batch into steps. An unjudged trajectory's rewards are `nan`."""
    cut = [[steps_of_turn(turn) for turn in episode.turns] for episode in episodes]
    width = max((len(rewards) for turns in cut for rewards, _, _ in turns), default=1)
    length = max((len(turns) for turns in cut), default=1)
    rewards_BK = np.zeros((len(episodes), max(1, length * width)))
    mask_BK, paid_BK = np.zeros(rewards_BK.shape, dtype=np.bool_), np.zeros(rewards_BK.shape, dtype=np.bool_)
    columns, closes = [], []
    for b, turns in enumerate(cut):
        columns.append([steps + t * width for t, (_, steps, _) in enumerate(turns)])
        closes.append([np.where(closed < 0, -1, closed + t * width) for t, (_, _, closed) in enumerate(turns)])
        for t, (rewards, _, _) in enumerate(turns):
            rewards_BK[b, t * width : t * width + len(rewards)] = rewards
            mask_BK[b, t * width : t * width + len(rewards)] = True
            credited = len({credit.end for credit in episodes[b].turns[t].credits})
            paid_BK[b, t * width : t * width + credited] = True
            rewards_BK[b, t * width + len(rewards) - 1] += overlong(episodes[b].turns[t], config)
        if episodes[b].unjudged:
            rewards_BK[b] = np.nan
            mask_BK[b, 0] = True  # so that the fault is seen even if no action was taken
    return Grid(rewards_BK, mask_BK, paid_BK, columns, closes)


def overlong(turn: Turn, config: GRPO) -> float:
    """What a turn loses by coming near the token limit."""
    if not config.overlong_buffer:
        return 0.0
    lengths = np.array([float(len(turn.action_ids))])
    return float(advantages.overlong_penalty(lengths, config.max_tokens, config.overlong_buffer)[0])
