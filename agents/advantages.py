"""Who deserves what: from rewards to advantages. Pure functions on arrays, in float64, without torch.

Axes: B trajectories, K steps of a trajectory (a step ends where a credit ends, or at the end of a turn that has none).
`group_B` holds one integer a trajectory; trajectories of one task share it. A trajectory that could not be judged has
`nan` among its rewards: it takes no part in any statistic and gets advantage 0.

| name | advantage of step k of trajectory i | biased? |
| --- | --- | --- |
| `step_leave_one_out` | G_ik − mean over the other j of G_jk; an ended trajectory counts 0 | no |
| `trajectory_leave_one_out` | R_i − mean over the other j of R_j | no |
| `trajectory_grpo` | (R_i − mean) / (std + eps) | by the std |
| `step_index_centred` | the sum to go of r_ik − mean over living j of r_jk | yes: do not train with it |

The last subtracts a number of terms that the policy itself chooses by stopping; `tests/agents/test_advantages.py`
enumerates a decision process where its gradient has the wrong sign.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AdvantageKind",
    "batch_scale",
    "rewards_to_go",
    "scale_by_batch_std",
    "step_index_centred",
    "step_leave_one_out",
    "trajectory_grpo",
    "trajectory_leave_one_out",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

AdvantageKind = Literal["step", "trajectory", "outcome", "grpo"]
"""`step`: reward to go minus leave-one-out, a step; `trajectory`: leave-one-out of the whole return; `outcome`: the
same of "all correct or nothing"; `grpo`: the whole return, centred and divided by the group's spread."""


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
    judged_B = _judged(rewards_BK, mask_BK)
    to_go = rewards_to_go(np.where(judged_B[:, None], rewards_BK, 0.0), mask_BK, gamma)
    advantages = np.zeros_like(to_go)
    for rows in _groups(group_B, judged_B):
        advantages[rows] = _leave_one_out(to_go[rows])
    return np.where(mask_BK, advantages, 0.0)


def trajectory_leave_one_out(returns_B: Floats, group_B: Ints) -> Floats:
    """Compare each trajectory's return with the mean of its siblings'.

    Returns:
        (B,), reward units; 0 for unjudged trajectories and groups of fewer than two judged ones.
    Source:
        Ahmadian et al. 2024, RLOO (arXiv:2402.14740).

    >>> trajectory_leave_one_out(np.array([1.0, 0.0, np.nan, 0.0]), np.array([0, 0, 0, 1])).tolist()
    [1.0, -1.0, 0.0, 0.0]
    """
    judged_B = np.isfinite(returns_B)
    advantages = np.zeros(len(returns_B))
    for rows in _groups(group_B, judged_B):
        advantages[rows] = _leave_one_out(returns_B[rows])
    return advantages


def trajectory_grpo(returns_B: Floats, group_B: Ints, *, ddof: int = 1, eps: float = 1e-4) -> Floats:
    """Compare each trajectory's return with its group: subtract the mean, divide by the spread.

    Args:
        returns_B: (B,) reward units, `nan` for unjudged.
        group_B: (B,) one integer a task.
        ddof, eps: TRL's defaults; verl uses eps=1e-6. See `docs/training.md`.
    Returns:
        (B,), dimensionless. A flat group gets exactly 0: it teaches nothing.
    Source:
        Shao et al. 2024, DeepSeekMath, section 4.1.2 (arXiv:2402.03300).

    >>> trajectory_grpo(np.array([1.0, 0.0, 3.0, 3.0]), np.array([0, 0, 1, 1]), eps=0.0).round(4).tolist()
    [0.7071, -0.7071, 0.0, 0.0]
    """
    judged_B = np.isfinite(returns_B)
    advantages = np.zeros(len(returns_B))
    for rows in _groups(group_B, judged_B):
        values = returns_B[rows]
        if np.ptp(values) > 0.0:
            advantages[rows] = (values - values.mean()) / (values.std(ddof=ddof) + eps)
    return advantages


def step_index_centred(rewards_BK: Floats, mask_BK: Bools, group_B: Ints) -> Floats:
    """The tempting estimator: centre each step's reward among living siblings, then sum to go.

    Biased, with the wrong sign where stopping early is a choice. It is here to be measured against, not to train with.
    """
    judged_B = _judged(rewards_BK, mask_BK)
    centred = np.zeros_like(rewards_BK)
    for rows in _groups(group_B, judged_B):
        alive = mask_BK[rows]
        count = np.maximum(alive.sum(axis=0), 1)
        mean = np.where(alive, rewards_BK[rows], 0.0).sum(axis=0) / count
        centred[rows] = np.where(alive, rewards_BK[rows] - mean, 0.0)
    return rewards_to_go(centred, mask_BK)


def scale_by_batch_std(advantages: Floats, mask: Bools, eps: float = 1e-8) -> Floats:
    """Divide by one standard deviation of the whole batch, so that the learning rate means the same on every task.

    The mean is left alone: subtracting it would couple unrelated tasks. A batch of zeros stays zero.

    >>> scale_by_batch_std(np.array([2.0, -2.0, 7.0]), np.array([True, True, False])).tolist()
    [1.0, -1.0, 0.0]
    """
    return np.where(mask, advantages * batch_scale(advantages, mask, eps), 0.0)


def batch_scale(advantages: Floats, mask: Bools, eps: float = 1e-8) -> float:
    """One over the root mean square of the valid advantages; 0 if they are all as good as zero."""
    valid = advantages[mask]
    std = float(np.sqrt(np.mean(valid**2))) if valid.size else 0.0
    return 1.0 / std if std > eps else 0.0


def _leave_one_out(values: Floats) -> Floats:
    """Each row minus the mean of the others. Counted from the first row, so that equal rows give exactly 0."""
    above: Floats = values - values[0]
    others: Floats = (above.sum(axis=0) - above) / (len(values) - 1)
    return above - others


def _judged(rewards_BK: Floats, mask_BK: Bools) -> Bools:
    return np.asarray(np.isfinite(np.where(mask_BK, rewards_BK, 0.0)).all(axis=1), dtype=np.bool_)


def _groups(group_B: Ints, judged_B: Bools) -> list[NDArray[np.intp]]:
    """The rows of each group that has at least two judged trajectories."""
    groups = [np.flatnonzero((group_B == g) & judged_B) for g in np.unique(group_B)]
    return [rows for rows in groups if len(rows) >= 2]
