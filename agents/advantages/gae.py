"""Advantages from a value model, over tokens, over turns and in two levels; and REINFORCE++, which has none.

Values and rewards stand at the sampled tokens (or steps) of a grid; the mask says where those are. What lies between,
observations above all, is skipped: it takes no discount, and what follows an action's value is the next action's.
"""

from __future__ import annotations

import numpy as np

from proofgym.agents.advantages.groups import dr_grpo
from proofgym.agents.advantages.scaling import whiten
from proofgym.agents.advantages.steps import rewards_to_go
from proofgym.agents.advantages.types import Bools, Floats, Ints, judged_rows

__all__ = ["bilevel_gae", "gae", "length_adaptive_lambda", "reinforce_plus_plus", "reinforce_plus_plus_baseline"]


def length_adaptive_lambda(lengths_B: Floats, alpha: float = 0.05) -> Floats:
    """The lambda that lets a reward at the end reach the beginning: max(0, 1 − 1 / (alpha · length)).

    Source:
        Yue et al. 2025, VAPO (arXiv:2504.05118), equation 8.

    >>> length_adaptive_lambda(np.array([10.0, 200.0])).tolist()
    [0.0, 0.9]
    """
    return np.maximum(0.0, 1.0 - 1.0 / (alpha * np.maximum(lengths_B, 1.0)))


def gae(
    rewards_BT: Floats,
    values_BT: Floats,
    mask_BT: Bools,
    *,
    gamma: float = 1.0,
    lam: float | Floats = 0.95,
    bootstrap_B: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Generalised advantage estimation over what the mask keeps; over turns, if the grid holds turns.

    delta_t = r_t + gamma · V_next − V_t;  A_t = delta_t + gamma · lambda · A_next, where `next` is the next kept place.

    Args:
        rewards_BT, values_BT, mask_BT: (B, T). A value is read before the action at its place.
        gamma: Discount a kept place.
        lam: One number, or (B, 1) or (B, T) numbers. For VAPO's decoupled lambdas call this twice: 1 for the critic's
            returns, less for the policy's advantages.
        bootstrap_B: (B,) the value after the end: 0 of a terminated episode, an estimate of one that was cut off.
    Returns:
        Advantages and returns (advantage + value), (B, T), 0 outside the mask and for the unjudged.
    Source:
        Schulman et al. 2016 (arXiv:1506.02438), equation 16.

    >>> m = np.array([[True, False, True]])
    >>> gae(np.array([[0.0, 9.0, 1.0]]), np.array([[0.5, 9.0, 0.5]]), m, gamma=1.0, lam=0.5)[0].tolist()
    [[0.25, 0.0, 0.5]]
    """
    judged_B = judged_rows(rewards_BT, mask_BT)
    live = mask_BT & judged_B[:, None]
    rewards, values = np.where(live, rewards_BT, 0.0), np.where(live, values_BT, 0.0)
    factor = np.broadcast_to(np.asarray(lam, dtype=np.float64), rewards.shape)
    advantages = np.zeros_like(rewards)
    after = np.zeros(len(rewards)) if bootstrap_B is None else np.where(judged_B, bootstrap_B, 0.0)
    running = np.zeros(len(rewards))
    for t in range(rewards.shape[1] - 1, -1, -1):
        here = live[:, t]
        delta = rewards[:, t] + gamma * after - values[:, t]
        running = np.where(here, delta + gamma * factor[:, t] * running, running)
        after = np.where(here, values[:, t], after)
        advantages[:, t] = np.where(here, running, 0.0)
    return advantages, np.where(live, advantages + values, 0.0)


def bilevel_gae(
    rewards_BT: Floats,
    values_BT: Floats,
    mask_BT: Bools,
    turn_BT: Ints,
    *,
    gamma: float = 1.0,
    lam: float = 0.95,
    turn_gamma: float = 1.0,
    turn_lam: float | None = None,
    bootstrap_B: Floats | None = None,
) -> tuple[Floats, Floats]:
    """First turns against each other, then the tokens of each turn against what the turn turned out to be worth.

    A turn's reward and value are those of its last token. Its GAE over turns becomes the advantage of that token, from
    which GAE goes back through the turn's tokens, and never into the turn before.

    Args:
        rewards_BT: (B, T) where a token is paid; a turn's reward is the sum over its tokens.
        values_BT, mask_BT: As in `gae`.
        turn_BT: (B, T) which turn a token belongs to, never decreasing where the mask is True.
        gamma, lam: Of tokens inside a turn.
        turn_gamma, turn_lam: Of turns; `turn_lam` is `lam` by default.
        bootstrap_B: As in `gae`.
    Returns:
        Advantages and returns, (B, T).
    Source:
        Wang et al. 2025, VAGEN (arXiv:2510.16907), section 3.3.

    >>> m, turns = np.ones((1, 3), bool), np.array([[0, 0, 1]])
    >>> a, _ = bilevel_gae(np.array([[0.0, 0.0, 1.0]]), np.zeros((1, 3)), m, turns, lam=0.5, turn_gamma=0.5)
    >>> a.tolist()
    [[0.125, 0.25, 1.0]]
    """
    judged_B = judged_rows(rewards_BT, mask_BT)
    live = mask_BT & judged_B[:, None]
    turn_lam = lam if turn_lam is None else turn_lam
    advantages = np.zeros(rewards_BT.shape)
    for b in np.flatnonzero(judged_B):
        places = np.flatnonzero(live[b])
        if not len(places):
            continue
        turns = turn_BT[b, places]
        last = np.flatnonzero(np.append(turns[1:] != turns[:-1], True))
        paid = np.add.reduceat(rewards_BT[b, places], np.append(0, last[:-1] + 1))
        ends = places[last]
        after = 0.0 if bootstrap_B is None else float(bootstrap_B[b])
        running = 0.0
        for k in range(len(ends) - 1, -1, -1):
            value = float(values_BT[b, ends[k]])
            running = float(paid[k]) + turn_gamma * after - value + turn_gamma * turn_lam * running
            advantages[b, ends[k]] = running
            after = value
        for j in range(len(places) - 2, -1, -1):
            here, following = places[j], places[j + 1]
            if turns[j] == turns[j + 1]:
                delta = gamma * values_BT[b, following] - values_BT[b, here]
                # The turn's last token stands for its return, so its own value cancels against the one it is seen from.
                advantages[b, here] = delta + gamma * lam * advantages[b, following]
    return advantages, np.where(live, advantages + np.where(live, values_BT, 0.0), 0.0)


def reinforce_plus_plus(
    rewards_BT: Floats, mask_BT: Bools, *, gamma: float = 1.0, ddof: int = 1, eps: float = 1e-8
) -> Floats:
    """Rewards to go, whitened over every sampled token of the batch: no groups, no value model.

    A penalty towards a reference belongs into the rewards (`kl.place: reward`), as in the paper.

    Args:
        rewards_BT, mask_BT: (B, T) at tokens; observations between them neither discount nor reset the return.
        gamma: Discount a token.
        ddof, eps: Of the variance, `eps` inside the root.
    Source:
        Hu 2025, REINFORCE++ (arXiv:2501.03262), equations 4 and 7.

    >>> m = np.ones((2, 1), bool)
    >>> reinforce_plus_plus(np.array([[1.0], [-1.0]]), m, ddof=0, eps=0.0).tolist()
    [[1.0], [-1.0]]
    """
    judged_B = judged_rows(rewards_BT, mask_BT)
    live = mask_BT & judged_B[:, None]
    return whiten(rewards_to_go(np.where(live, rewards_BT, 0.0), mask_BT, gamma), live, ddof=ddof, eps=eps)


def reinforce_plus_plus_baseline(
    returns_B: Floats, tokens_B: Ints, group_B: Ints, *, ddof: int = 1, eps: float = 1e-8
) -> Floats:
    """The return minus the group's mean, whitened over every sampled token of the batch.

    Args:
        returns_B, group_B: As in `dr_grpo`.
        tokens_B: (B,) how many tokens carry each number, which is its weight in the whitening.
    Returns:
        (B,), dimensionless.
    Source:
        Hu 2025, REINFORCE++ (arXiv:2501.03262), section 3.3. The KL belongs into the loss, as k2.

    >>> found = reinforce_plus_plus_baseline(np.array([1.0, 0.0]), np.array([2, 2]), np.zeros(2, int), ddof=0, eps=0.0)
    >>> found.tolist()
    [1.0, -1.0]
    """
    judged_B = np.isfinite(returns_B)
    counts = np.where(judged_B, tokens_B, 0)
    spread = np.repeat(dr_grpo(returns_B, group_B), counts)
    white = whiten(spread, np.ones(len(spread), dtype=np.bool_), ddof=ddof, eps=eps)
    first = np.cumsum(counts) - counts
    return np.where(counts > 0, white[np.minimum(first, max(len(white) - 1, 0))] if len(white) else 0.0, 0.0)
