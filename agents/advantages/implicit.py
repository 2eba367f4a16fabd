"""Process rewards that nobody labelled: how much likelier a reward model finds each token than a reference does."""

from __future__ import annotations

import numpy as np

from proofgym.agents.advantages.groups import trajectory_leave_one_out
from proofgym.agents.advantages.steps import rewards_to_go
from proofgym.agents.advantages.types import Bools, Floats, Ints, groups, leave_one_out

__all__ = ["implicit_rewards", "prime"]


def implicit_rewards(model: Floats, reference: Floats, beta: float = 0.05) -> Floats:
    """The reward of each token: beta times how much likelier the reward model finds it than the reference.

    Args:
        model, reference: Log-probabilities of the sampled tokens, nats, any shape.
    Source:
        Cui et al. 2025, PRIME (arXiv:2502.01456), equation 3; beta 0.05 as there.

    >>> implicit_rewards(np.array([-1.0]), np.array([-3.0])).tolist()
    [0.1]
    """
    return beta * (model - reference)


def prime(implicit_BT: Floats, mask_BT: Bools, outcome_B: Floats, group_B: Ints, gamma: float = 1.0) -> Floats:
    """Implicit rewards to go, plus the outcome, each minus its own leave-one-out baseline.

    The baseline of the implicit part is the other trajectories' *mean* reward a token, subtracted at every token.

    Args:
        implicit_BT: (B, T) from `implicit_rewards`.
        mask_BT: True at sampled tokens.
        outcome_B: (B,) what the verifier paid; `nan` for the unjudged.
        gamma: Discount a token.
    Returns:
        (B, T); 0 outside the mask.
    Source:
        Cui et al. 2025, PRIME (arXiv:2502.01456), equation 5. The baseline depends on how many tokens trajectory i
        still writes, so the estimate is biased as `step_index_centred` is.

    >>> m = np.ones((2, 2), bool)
    >>> prime(np.array([[0.2, 0.4], [0.0, 0.2]]), m, np.array([1.0, 0.0]), np.zeros(2, int)).round(3).tolist()
    [[1.4, 1.3], [-1.4, -1.1]]
    """
    judged_B = np.isfinite(outcome_B)
    centred = np.zeros_like(implicit_BT)
    means_B = np.where(mask_BT, implicit_BT, 0.0).sum(1) / np.maximum(mask_BT.sum(1), 1)
    for rows in groups(group_B, judged_B):
        baseline = means_B[rows] - leave_one_out(means_B[rows])
        centred[rows] = implicit_BT[rows] - baseline[:, None]
    table = rewards_to_go(centred, mask_BT, gamma) + trajectory_leave_one_out(outcome_B, group_B)[:, None]
    return np.where(mask_BT & judged_B[:, None], table, 0.0)
