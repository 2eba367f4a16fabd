"""From trajectories to arrays: which step each token belongs to, what each step is paid, what each token is taught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from proofgym.agents import advantages
from proofgym.agents.advantages import Bools, Floats, Ints
from proofgym.envs.trajectory import Trajectory, Turn

__all__ = ["AdvantageKind", "Batch", "collate", "steps_of_turn", "token_advantages"]

AdvantageKind = Literal["step", "trajectory", "outcome", "grpo"]
"""`step`: reward to go minus leave-one-out, a step; `trajectory`: leave-one-out of the whole return; `outcome`: the
same of "all correct or nothing"; `grpo`: the whole return, centred and divided by the group's spread."""


def steps_of_turn(turn: Turn) -> tuple[list[float], list[int]]:
    """Cut a turn at the ends of its credits.

    A token belongs to the first step whose credit ends beyond the token's first character: it can still change what
    that credit says. Tokens behind the last credit, an end-of-turn token for instance, form a last step that is paid
    nothing; credits that end at the same place are one step.

    Returns:
        The reward of each step, and for each sampled token the number of its step.

    >>> from proofgym.verifiers import Credit
    >>> turn = Turn("", "12 34", 1.0, [Credit(0, 2, 0.25, "a"), Credit(3, 5, 0.75, "b")])
    >>> turn.action_ids, turn.token_ends = [7, 7, 7, 7], [2, 3, 5, 5]
    >>> steps_of_turn(turn)
    ([0.25, 0.75, 0.0], [0, 1, 1, 2])
    """
    ends = sorted({credit.end for credit in turn.credits})
    rewards = [sum(credit.value for credit in turn.credits if credit.end == end) for end in ends]
    starts = [0, *turn.token_ends[:-1]]
    steps = np.searchsorted(np.asarray(ends, dtype=np.int64), starts, side="right").tolist()
    if not ends or (steps and steps[-1] == len(ends)):
        rewards.append(0.0)
    return rewards, steps


@dataclass(frozen=True, slots=True)
class _Grid:
    """Steps of a batch, aligned so that step j of turn t stands in column t * width + j."""

    rewards_BK: Floats
    mask_BK: Bools
    columns: list[list[NDArray[np.int64]]]  # [trajectory][turn] -> column of each token


def _grid(episodes: Sequence[Trajectory]) -> _Grid:
    cut = [[steps_of_turn(turn) for turn in episode.turns] for episode in episodes]
    width = max((len(rewards) for turns in cut for rewards, _ in turns), default=1)
    length = max((len(turns) for turns in cut), default=1)
    rewards_BK = np.zeros((len(episodes), length * width))
    mask_BK = np.zeros((len(episodes), length * width), dtype=np.bool_)
    columns = []
    for b, turns in enumerate(cut):
        columns.append([np.asarray(steps, dtype=np.int64) + t * width for t, (_, steps) in enumerate(turns)])
        for t, (rewards, _) in enumerate(turns):
            rewards_BK[b, t * width : t * width + len(rewards)] = rewards
            mask_BK[b, t * width : t * width + len(rewards)] = True
        if episodes[b].unjudged:
            rewards_BK[b] = np.nan
            mask_BK[b, 0] = True  # so that the fault is seen even if no action was taken
    return _Grid(rewards_BK, mask_BK, columns)


def token_advantages(
    episodes: Sequence[Trajectory], kind: AdvantageKind = "step", *, gamma: float = 1.0, scale: bool = True
) -> list[list[NDArray[np.float64]]]:
    """The advantage of every sampled token.

    Args:
        episodes: Trajectories of one task (same seed and index) form a group. Unjudged ones take no part.
        kind: See `AdvantageKind`.
        gamma: Discount a step, for `step` only.
        scale: Divide by one standard deviation over the batch's steps (`grpo` brings its own).
    Returns:
        `[trajectory][turn]` -> one number a sampled token. Zeros for unjudged trajectories.
    """
    grid = _grid(episodes)
    _, group_B = np.unique(np.array([(e.seed, e.index) for e in episodes], dtype=np.int64), axis=0, return_inverse=True)
    group_B = group_B.reshape(-1)
    if kind == "step":
        table = advantages.step_leave_one_out(grid.rewards_BK, grid.mask_BK, group_B, gamma)
    else:
        table = np.where(grid.mask_BK, _whole(episodes, kind, group_B)[:, None], 0.0)
    if scale and kind != "grpo":
        judged = np.array([not episode.unjudged for episode in episodes])
        table = advantages.scale_by_batch_std(table, grid.mask_BK & judged[:, None])
    return [[table[b, columns] for columns in turns] for b, turns in enumerate(grid.columns)]


def _whole(episodes: Sequence[Trajectory], kind: AdvantageKind, group_B: Ints) -> Floats:
    returns_B = np.array([episode.reward for episode in episodes])
    if kind == "outcome":
        solved = np.array([float(e.verdict is not None and e.verdict.correct) for e in episodes])
        returns_B = np.where(np.isfinite(returns_B), solved, np.nan)
    if kind == "grpo":
        return advantages.trajectory_grpo(returns_B, group_B)
    return advantages.trajectory_leave_one_out(returns_B, group_B)


@dataclass(frozen=True, slots=True)
class Batch:
    """Trajectories as padded tensors. B rows, L positions; N sampled tokens in row order.

    Args:
        ids_BL: Token ids, padded on the right.
        keep_BL: True at sampled tokens.
        old_N: Their log-probabilities when sampled, nats.
        advantages_N: What each is taught.
    """

    ids_BL: Tensor
    keep_BL: Tensor
    old_N: Tensor
    advantages_N: Tensor


def collate(
    episodes: Sequence[Trajectory],
    advantages_: Sequence[Sequence[NDArray[np.float64]]],
    pad_id: int,
    *,
    tokens_per_batch: int,
    device: torch.device,
) -> list[Batch]:
    """Pack judged trajectories into micro-batches of similar length.

    Args:
        episodes, advantages_: As from `token_advantages`. Unjudged trajectories and empty ones are left out.
        tokens_per_batch: The most positions (rows times length) of a micro-batch; a longer trajectory gets its own.
    """
    rows = []
    for episode, taught in zip(episodes, advantages_, strict=True):
        if episode.unjudged or not any(turn.action_ids for turn in episode.turns):
            continue
        ids: list[int] = []
        keep: list[bool] = []
        for turn in episode.turns:
            ids += turn.prompt_ids + turn.action_ids
            keep += [False] * len(turn.prompt_ids) + [True] * len(turn.action_ids)
        old = [value for turn in episode.turns for value in turn.logprobs]
        rows.append((ids, keep, old, np.concatenate(list(taught))))
    rows.sort(key=lambda row: len(row[0]))
    batches: list[Batch] = []
    while rows:
        longest, count = len(rows[-1][0]), max(1, tokens_per_batch // len(rows[-1][0]))
        chosen, rows = rows[-count:], rows[:-count]
        ids_BL = torch.tensor([ids + [pad_id] * (longest - len(ids)) for ids, _, _, _ in chosen], device=device)
        keep_BL = torch.tensor([keep + [False] * (longest - len(keep)) for _, keep, _, _ in chosen], device=device)
        old_N = torch.tensor([value for _, _, old, _ in chosen for value in old], device=device)
        taught_N = torch.tensor(np.concatenate([a for _, _, _, a in chosen]), dtype=torch.float32, device=device)
        batches.append(Batch(ids_BL, keep_BL, old_N, taught_N))
    return batches
