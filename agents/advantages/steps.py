"""One number a step, from what that step and the ones after it earned."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from proofgym.agents.advantages.groups import dr_grpo, trajectory_grpo
from proofgym.agents.advantages.types import Bools, Floats, Ints, groups, judged_rows, leave_one_out

__all__ = ["gigpo", "min_form_rewards", "rewards_to_go", "step_index_centred", "step_leave_one_out"]


def rewards_to_go(rewards_BK: Floats, mask_BK: Bools, gamma: float = 1.0) -> Floats:
    """What is still to come from each step on: G_k = r_k + gamma * G_{k+1}.

    Args:
        rewards_BK: (B, K) reward units; what stands where there is no step is not read.
        mask_BK: (B, K) True where a trajectory has a step. Gaps are allowed and are passed through undiscounted, so
            the steps of different turns can be aligned.
        gamma: Discount a step, in [0, 1].
    Returns:
        (B, K). In a gap, what is still to come; 0 after the end.

    >>> rewards_to_go(np.array([[1.0, 9.0, 2.0, 9.0]]), np.array([[True, False, True, False]]), 0.5).tolist()
    [[2.0, 2.0, 2.0, 0.0]]
    """
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"gamma lies in [0, 1], found {gamma}")
    paid = np.where(mask_BK, rewards_BK, 0.0)
    to_go = np.zeros_like(paid)
    running = np.zeros(paid.shape[0])
    for k in range(paid.shape[1] - 1, -1, -1):
        running = paid[:, k] + np.where(mask_BK[:, k], gamma, 1.0) * running
        to_go[:, k] = running
    return to_go


def step_leave_one_out(rewards_BK: Floats, mask_BK: Bools, group_B: Ints, gamma: float = 1.0) -> Floats:
    """Compare what is still to come with what the siblings still got from the same step on.

    The baseline of step k does not depend on anything trajectory i did from step k on, so the gradient is unbiased.
    Siblings that ended before step k count 0: leaving them out would make the baseline depend on who is alive.

    Returns:
        (B, K), reward units. Zero where there is no step, in a group of fewer than two judged trajectories, and for
        a trajectory that was not judged.
    Source:
        Leave-one-out: Kool et al. 2019; Ahmadian et al. 2024 (RLOO, arXiv:2402.14740), here per step.

    >>> rewards = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    >>> step_leave_one_out(rewards, np.array([[True, True], [True, False], [True, True]]), np.zeros(3, int)).tolist()
    [[0.5, -0.5], [-1.0, 0.0], [0.5, 1.0]]
    """
    judged_B = judged_rows(rewards_BK, mask_BK)
    to_go = rewards_to_go(np.where(judged_B[:, None], rewards_BK, 0.0), mask_BK, gamma)
    advantages = np.zeros_like(to_go)
    for rows in groups(group_B, judged_B):
        advantages[rows] = leave_one_out(to_go[rows])
    return np.where(mask_BK, advantages, 0.0)


def step_index_centred(rewards_BK: Floats, mask_BK: Bools, group_B: Ints) -> Floats:
    """The tempting estimator: centre each step's reward among living siblings, then sum to go.

    Biased, with the wrong sign where stopping early is a choice. It is here to be measured against, not to train with.
    """
    judged_B = judged_rows(rewards_BK, mask_BK)
    centred = np.zeros_like(rewards_BK)
    for rows in groups(group_B, judged_B):
        alive = mask_BK[rows]
        count = np.maximum(alive.sum(axis=0), 1)
        mean = np.where(alive, rewards_BK[rows], 0.0).sum(axis=0) / count
        centred[rows] = np.where(alive, rewards_BK[rows] - mean, 0.0)
    return rewards_to_go(centred, mask_BK)


def gigpo(
    rewards_BK: Floats,
    mask_BK: Bools,
    group_B: Ints,
    anchors: Sequence[Sequence[Hashable]],
    *,
    gamma: float = 0.95,
    weight: float = 1.0,
    std: bool = True,
    ddof: int = 1,
    eps: float = 1e-6,
) -> Floats:
    """The whole trajectory against its group, plus each step against all steps of the group taken from the same state.

    Args:
        rewards_BK, mask_BK, group_B: As in `step_leave_one_out`.
        anchors: `[trajectory][column]`, a key of the state before each step; read where the mask is True. Two steps of
            one trajectory that visit the same state are both in its set.
        gamma: Discount a step, of the rewards to go that states are compared by.
        weight: Of the step part; the paper's omega.
        std: Divide each part by its set's spread, or only centre it.
        ddof, eps: Of the spreads.
    Returns:
        (B, K), dimensionless with `std`, else reward units. The step part of a state that occurs once is 0.
    Source:
        Feng et al. 2025, GiGPO (arXiv:2505.10978), equations 6 to 8. The trajectory part averages over trajectories,
        as the paper says; a released implementation averages over steps, which weighs long episodes more.

    >>> r, m = np.array([[0.0, 1.0], [0.0, 0.0]]), np.ones((2, 2), bool)
    >>> gigpo(r, m, np.zeros(2, int), [["a", "b"], ["a", "c"]], gamma=0.5, std=False).tolist()
    [[0.75, 0.5], [-0.75, -0.5]]
    """
    judged_B = judged_rows(rewards_BK, mask_BK)
    clean = np.where(judged_B[:, None] & mask_BK, rewards_BK, 0.0)
    returns_B = np.where(judged_B, clean.sum(1), np.nan)
    whole = trajectory_grpo(returns_B, group_B, ddof=ddof, eps=eps) if std else dr_grpo(returns_B, group_B)
    to_go = rewards_to_go(clean, mask_BK, gamma)
    parts = np.zeros_like(clean)
    for rows in groups(group_B, judged_B):
        sets: dict[Hashable, list[tuple[int, int]]] = {}
        for b in rows.tolist():
            for k in np.flatnonzero(mask_BK[b]).tolist():
                sets.setdefault(anchors[b][k], []).append((b, k))
        for cells in sets.values():
            index = tuple(np.array(cells).T)
            values = to_go[index]
            if len(values) > 1 and np.ptp(values) > 0.0:
                parts[index] = (values - values.mean()) / (values.std(ddof=ddof) + eps if std else 1.0)
    return np.where(mask_BK & judged_B[:, None], whole[:, None] + weight * parts, 0.0)


def min_form_rewards(rewards_BK: Floats, mask_BK: Bools, temperature: float = 0.1) -> Floats:
    """Weigh each step's reward by how bad it is, so that the sum is near the worst step's reward.

    r*_k = softmax(−r / temperature)_k · r_k. The weights are constants. A chain is worth what its weakest step is;
    the plain sum would let a policy earn by adding easy steps.

    Args:
        rewards_BK, mask_BK: (B, K) process rewards; `nan` in a trajectory leaves the whole row `nan`.
        temperature: Towards 0 only the worst step counts.
    Source:
        Cheng et al. 2025, PURE (arXiv:2504.15275), equation 5.

    >>> r, m = np.array([[1.0, 0.0, 1.0, -1.0]]), np.ones((1, 4), bool)
    >>> min_form_rewards(r, m, 0.1).round(3).tolist()
    [[0.0, 0.0, 0.0, -1.0]]
    """
    if temperature <= 0.0:
        raise ValueError(f"a temperature is positive, found {temperature}")
    judged_B = judged_rows(rewards_BK, mask_BK)
    clean = np.where(mask_BK & judged_B[:, None], rewards_BK, 0.0)
    exponent = np.where(mask_BK, -clean / temperature, -np.inf)
    peak = np.where(mask_BK.any(1), exponent.max(axis=1, initial=-np.inf), 0.0)
    weights = np.where(mask_BK, np.exp(exponent - peak[:, None]), 0.0)
    total = np.maximum(weights.sum(1, keepdims=True), 1e-300)
    return np.where(judged_B[:, None], weights / total * clean + 0.0, np.nan)
