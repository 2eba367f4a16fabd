"""From trajectories to arrays: which step each token belongs to, what each step is paid, what each token is taught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from proofgym.agents import advantages
from proofgym.agents.advantages import AdvantageKind, Bools, Floats, Ints
from proofgym.envs.trajectory import Trajectory, Turn

__all__ = ["Batch", "collate", "steps_of_turn", "token_advantages"]


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
class _Grid:
    """Steps of a batch, aligned so that step j of turn t stands in column t * width + j."""

    rewards_BK: Floats
    mask_BK: Bools
    columns: list[list[Ints]]  # [trajectory][turn] -> column of each token
    closes: list[list[Ints]]  # the same, of the step that it closes; -1 if none


def _grid(episodes: Sequence[Trajectory]) -> _Grid:
    cut = [[steps_of_turn(turn) for turn in episode.turns] for episode in episodes]
    width = max((len(rewards) for turns in cut for rewards, _, _ in turns), default=1)
    length = max((len(turns) for turns in cut), default=1)
    rewards_BK = np.zeros((len(episodes), max(1, length * width)))
    mask_BK = np.zeros(rewards_BK.shape, dtype=np.bool_)
    columns, closes = [], []
    for b, turns in enumerate(cut):
        columns.append([steps + t * width for t, (_, steps, _) in enumerate(turns)])
        closes.append([np.where(closed < 0, -1, closed + t * width) for t, (_, _, closed) in enumerate(turns)])
        for t, (rewards, _, _) in enumerate(turns):
            rewards_BK[b, t * width : t * width + len(rewards)] = rewards
            mask_BK[b, t * width : t * width + len(rewards)] = True
        if episodes[b].unjudged:
            rewards_BK[b] = np.nan
            mask_BK[b, 0] = True  # so that the fault is seen even if no action was taken
    return _Grid(rewards_BK, mask_BK, columns, closes)


def token_advantages(
    episodes: Sequence[Trajectory], kind: AdvantageKind = "step", *, gamma: float = 1.0, scale: bool = True
) -> list[list[Floats]]:
    """The advantage of every sampled token.

    Args:
        episodes: Trajectories of one task (same environment, seed and index) form a group. Unjudged ones take no part.
        kind: See `AdvantageKind`. For `step`, a token that closes a step (see `steps_of_turn`) is also taught what that
            step was paid above its siblings' mean.
        gamma: Discount a step, for `step` only.
        scale: Divide by one standard deviation over the batch's steps (`grpo` brings its own).
    Returns:
        `[trajectory][turn]` -> one number a sampled token. Zeros for unjudged trajectories.
    """
    grid = _grid(episodes)
    numbers: dict[tuple[str, int, int], int] = {}
    group_B = np.array([numbers.setdefault((e.env, e.seed, e.index), len(numbers)) for e in episodes], dtype=np.int64)
    paid_BK = np.zeros_like(grid.rewards_BK)
    if kind == "step":
        table = advantages.step_leave_one_out(grid.rewards_BK, grid.mask_BK, group_B, gamma)
        paid_BK = advantages.step_leave_one_out(grid.rewards_BK, grid.mask_BK, group_B, 0.0)
    else:
        table = np.where(grid.mask_BK, _whole(episodes, kind, group_B)[:, None], 0.0)
    if scale and kind != "grpo":
        judged = np.array([not episode.unjudged for episode in episodes], dtype=np.bool_)
        factor = advantages.batch_scale(table, grid.mask_BK & judged[:, None])
        table, paid_BK = table * factor, paid_BK * factor
    paid_BK = np.pad(paid_BK, ((0, 0), (0, 1)))  # column -1: a token that closes nothing
    return [
        [table[b, steps] + paid_BK[b, closed] for steps, closed in zip(grid.columns[b], grid.closes[b], strict=True)]
        for b in range(len(episodes))
    ]


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
    advantages_: Sequence[Sequence[Floats]],
    pad_id: int,
    *,
    tokens_per_batch: int,
    device: torch.device,
) -> list[Batch]:
    """Pack judged trajectories into micro-batches of similar length.

    Args:
        episodes, advantages_: As from `token_advantages`. Unjudged trajectories and empty ones are left out.
        tokens_per_batch: The most positions (rows times length) of a micro-batch; a longer trajectory gets its own.
    Raises:
        ValueError: If a token has no log-probability.
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
        if len(old) != sum(keep):
            raise ValueError(
                f"item {episode.index}, attempt {episode.sample}: {sum(keep)} sampled tokens but {len(old)} "
                "log-probabilities; only what this policy sampled can be learned from"
            )
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
