"""One number a trajectory, compared with the others of its group.

All functions take `returns_B` in reward units with `nan` for the unjudged, and `group_B` with one integer a task; all
give 0 to the unjudged and, unless they say otherwise, to a group of fewer than two judged trajectories.
"""

from __future__ import annotations

import numpy as np

from proofgym.agents.advantages.types import Floats, Ints, groups, leave_one_out

__all__ = [
    "best_of_group",
    "dr_grpo",
    "gpg",
    "max_rl",
    "opo",
    "remax",
    "trajectory_grpo",
    "trajectory_leave_one_out",
]


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
    for rows in groups(group_B, judged_B):
        advantages[rows] = leave_one_out(returns_B[rows])
    return advantages


def trajectory_grpo(
    returns_B: Floats, group_B: Ints, *, ddof: int = 1, eps: float = 1e-4, batch_std: bool = False
) -> Floats:
    """Compare each trajectory's return with its group: subtract the mean, divide by the spread.

    Args:
        returns_B: (B,) reward units, `nan` for unjudged.
        group_B: (B,) one integer a task.
        ddof, eps: TRL's defaults; verl uses eps=1e-6, OpenRLHF 1e-9. See `docs/conventions.md`.
        batch_std: Divide by the spread of all judged returns instead of the group's (arXiv:2508.08221).
    Returns:
        (B,), dimensionless. A flat group gets exactly 0: it teaches nothing.
    Source:
        Shao et al. 2024, DeepSeekMath, section 4.1.2 (arXiv:2402.03300).

    >>> trajectory_grpo(np.array([1.0, 0.0, 3.0, 3.0]), np.array([0, 0, 1, 1]), eps=0.0).round(4).tolist()
    [0.7071, -0.7071, 0.0, 0.0]
    """
    judged_B = np.isfinite(returns_B)
    advantages = np.zeros(len(returns_B))
    everyone = returns_B[judged_B]
    for rows in groups(group_B, judged_B):
        values = returns_B[rows]
        if np.ptp(values) > 0.0:
            spread = everyone.std(ddof=ddof) if batch_std else values.std(ddof=ddof)
            advantages[rows] = (values - values.mean()) / (spread + eps)
    return advantages


def dr_grpo(returns_B: Floats, group_B: Ints) -> Floats:
    """Subtract the group's mean and leave the spread alone, so that hard and easy tasks keep their weight.

    Returns:
        (B,), reward units: (G − 1) / G times the leave-one-out advantage.
    Source:
        Liu et al. 2025, Dr. GRPO (arXiv:2503.20783), equation 3; its loss divides by a constant length.

    >>> dr_grpo(np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(4, int)).tolist()
    [0.75, -0.25, -0.25, -0.25]
    """
    judged_B = np.isfinite(returns_B)
    advantages = np.zeros(len(returns_B))
    for rows in groups(group_B, judged_B):
        advantages[rows] = leave_one_out(returns_B[rows]) * (len(rows) - 1) / len(rows)
    return advantages


def opo(returns_B: Floats, lengths_B: Floats, group_B: Ints) -> Floats:
    """Subtract the group's mean weighted by length, the baseline of least variance if gradients grow with length.

    Args:
        lengths_B: (B,) tokens sampled.
    Source:
        Hao et al. 2025, OPO (arXiv:2505.23585), equation 8.

    >>> opo(np.array([1.0, 0.0]), np.array([3.0, 1.0]), np.zeros(2, int)).tolist()
    [0.25, -0.75]
    """
    judged_B = np.isfinite(returns_B)
    advantages = np.zeros(len(returns_B))
    for rows in groups(group_B, judged_B):
        above = returns_B[rows] - returns_B[rows[0]]
        weight = lengths_B[rows].sum()
        advantages[rows] = above - (float(above @ lengths_B[rows]) / weight if weight > 0 else 0.0)
    return advantages


def gpg(returns_B: Floats, group_B: Ints) -> Floats:
    """Centre on the group's mean, and make up for flat groups by weighing the others more.

    The factor is the number of judged trajectories over the number of those whose advantage is not zero.

    Source:
        Chu et al. 2025, GPG (arXiv:2504.02546), section 3.

    >>> gpg(np.array([1.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1])).tolist()
    [1.0, -1.0, 0.0, 0.0]
    """
    advantages = dr_grpo(returns_B, group_B)
    counted, teaching = int(np.isfinite(returns_B).sum()), int(np.count_nonzero(advantages))
    return advantages * counted / teaching if teaching else advantages


def max_rl(returns_B: Floats, group_B: Ints) -> Floats:
    """Divide the centred return by the group's mean, which follows the likelihood of success, not its probability.

    Returns:
        (B,), dimensionless; 0 where the group's mean is not positive.
    Source:
        MaxRL 2026 (arXiv:2602.02710).

    >>> max_rl(np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(4, int)).tolist()
    [3.0, -1.0, -1.0, -1.0]
    """
    judged_B = np.isfinite(returns_B)
    advantages = dr_grpo(returns_B, group_B)
    for rows in groups(group_B, judged_B):
        mean = float(returns_B[rows].mean())
        advantages[rows] = advantages[rows] / mean if mean > 0.0 else 0.0
    return advantages


def best_of_group(returns_B: Floats, group_B: Ints) -> Floats:
    """Reward only the best of a group, by what it is better than the second: training for pass@k, k the group's size.

    The first of several best ones gets the difference, which then is 0.

    Source:
        Tang et al. 2025 (arXiv:2503.19595), the leave-one-out form.

    >>> best_of_group(np.array([0.5, 2.0, 1.0]), np.zeros(3, int)).tolist()
    [0.0, 1.0, 0.0]
    """
    judged_B = np.isfinite(returns_B)
    advantages = np.zeros(len(returns_B))
    for rows in groups(group_B, judged_B):
        second, first = np.sort(returns_B[rows])[-2:]
        advantages[rows[int(np.argmax(returns_B[rows]))]] = first - second
    return advantages


def remax(returns_B: Floats, greedy_B: Floats) -> Floats:
    """Subtract what the policy's greedy answer to the same task earned.

    Args:
        greedy_B: (B,) the return of the greedy answer; `nan` where nobody could judge it, which gives 0.
    Source:
        Li et al. 2024, ReMax (arXiv:2310.10505), algorithm 1.

    >>> remax(np.array([1.0, 0.0]), np.array([0.25, np.nan])).tolist()
    [0.75, 0.0]
    """
    known = np.isfinite(returns_B) & np.isfinite(greedy_B)
    return np.where(known, np.where(known, returns_B, 0.0) - np.where(known, greedy_B, 0.0), 0.0)
