"""Policy losses, one number a token, to be minimised.

`logprobs` (the one argument with a gradient), `old` and advantages are of the same shape; log-probabilities are in nats
and contain the sampling temperature. Functions that can remove a token's gradient also return where they did.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = [
    "cispo",
    "clipped_policy_loss",
    "dppo",
    "gmpo",
    "gspo",
    "luffy",
    "reinforce",
    "row_means",
    "sapo",
    "sequence_ratio",
    "topr",
]


def clipped_policy_loss(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    *,
    clip_low: float = 0.2,
    clip_high: float = 0.28,
    dual: float | None = None,
) -> tuple[Tensor, Tensor]:
    """PPO's clipped objective with separate bounds below and above, negated to be minimised.

    l = −min(ρA, clip(ρ, 1 − clip_low, 1 + clip_high) A), with ρ = exp(logprobs − old_logprobs).

    Args:
        logprobs: Under the policy being trained, nats; the one argument with a gradient.
        old_logprobs: Under the policy that sampled, same shape.
        advantages: Same shape.
        dual: Where A < 0, lets no ratio above this count: l ≤ −dual · A. More than 1; None leaves it out.
    Returns:
        The loss a token, and a boolean tensor of the tokens whose gradient the clip removed.
    Source:
        Schulman et al. 2017 (arXiv:1707.06347); the upper bound of its own is DAPO's clip-higher (arXiv:2503.14476);
        the dual clip is Ye et al. 2020 (arXiv:1912.09729), equation 5, TRL's `delta`.

    >>> one = torch.log(torch.tensor([1.5, 0.5, 9.0]))
    >>> loss, clipped = clipped_policy_loss(one, torch.zeros(3), torch.tensor([1.0, 1.0, -1.0]), dual=3.0)
    >>> [round(x, 2) for x in loss.tolist()], clipped.tolist()
    ([-1.28, -0.5, 3.0], [True, False, True])
    """
    ratio = torch.exp(logprobs - old_logprobs.detach())
    bounded = torch.clamp(ratio, 1.0 - clip_low, 1.0 + clip_high)
    advantages = advantages.detach()
    loss = -torch.minimum(ratio * advantages, bounded * advantages)
    clipped = ((ratio > 1.0 + clip_high) & (advantages > 0)) | ((ratio < 1.0 - clip_low) & (advantages < 0))
    if dual is not None:
        if dual <= 1.0:
            raise ValueError(
                f"the dual clip lets ratios above 1 pass up to its bound, so it is more than 1, found {dual}"
            )
        beyond = (advantages < 0) & (ratio > dual)
        loss, clipped = torch.where(beyond, -dual * advantages, loss), clipped | beyond
    return loss, clipped


def gspo(
    logprobs: Tensor,
    old: Tensor,
    advantages: Tensor,
    row_N: Tensor,
    *,
    clip_low: float = 3e-4,
    clip_high: float = 4e-4,
) -> tuple[Tensor, Tensor]:
    """One ratio a sequence, the geometric mean of its tokens', clipped as PPO clips a token's.

    Written so that tokens may have advantages of their own (GSPO-token); where a sequence has one, value and gradient
    are those of the sequence form. Use it with `sequence_mean`.

    Args:
        row_N: (N,) the sequence of each token.
    Returns:
        The loss a token, and where the clip removed the gradient.
    Source:
        Zheng et al. 2025, GSPO (arXiv:2507.18071), equations 5, 7 and 14.

    >>> lp = torch.tensor([0.2, -0.2, 0.5]); zero = torch.zeros(3)
    >>> loss, clipped = gspo(lp, zero, torch.ones(3), torch.tensor([0, 0, 1]), clip_low=0.1, clip_high=0.1)
    >>> [round(x, 2) for x in loss.tolist()], clipped.tolist()
    ([-1.0, -1.0, -1.1], [False, False, True])
    """
    log_ratio = row_means((logprobs - old).detach(), row_N) + logprobs - logprobs.detach()
    zero = torch.zeros_like(log_ratio)
    return clipped_policy_loss(log_ratio, zero, advantages, clip_low=clip_low, clip_high=clip_high)


def cispo(
    logprobs: Tensor, old: Tensor, advantages: Tensor, *, ratio_low: float = 0.0, ratio_high: float = 5.0
) -> tuple[Tensor, Tensor]:
    """REINFORCE weighted by a clipped ratio: the clip bounds a token's weight and never removes its gradient.

    l = −stop(clip(ρ, ratio_low, ratio_high)) · A · logprobs. The bounds are ratios, as in TRL, not distances from 1.

    Returns:
        The loss a token, and where the weight was clipped.
    Source:
        MiniMax 2025, CISPO (arXiv:2506.13585), equation 4; the bounds are those of ScaleRL (arXiv:2510.13786).

    >>> loss, _ = cispo(torch.tensor([-1.0]), torch.tensor([-4.0]), torch.tensor([2.0]))
    >>> loss.tolist()
    [10.0]
    """
    ratio = torch.exp(logprobs - old).detach()
    weight = torch.clamp(ratio, ratio_low, ratio_high)
    return -weight * advantages.detach() * logprobs, (ratio > ratio_high) | (ratio < ratio_low)


def gmpo(
    logprobs: Tensor, old: Tensor, advantages: Tensor, row_N: Tensor, *, clip_low: float = 0.4, clip_high: float = 0.4
) -> tuple[Tensor, Tensor]:
    """The geometric mean of a sequence's clipped ratios, times its mean advantage; use it with `sequence_mean`.

    A token's log-ratio is bounded above by clip_high where A > 0 and below by −clip_low where A ≤ 0.

    Returns:
        The sequence's loss at each of its tokens, and where the clip removed the gradient.
    Source:
        Zhao et al. 2025, GMPO (arXiv:2507.20673), equation 6 and its pseudo-code.

    >>> lp = torch.tensor([1.0, 0.0])
    >>> loss, clipped = gmpo(lp, torch.zeros(2), torch.ones(2), torch.tensor([0, 0]))
    >>> [round(x, 4) for x in loss.tolist()], clipped.tolist()
    ([-1.2214, -1.2214], [True, False])
    """
    advantages = advantages.detach()
    log_ratio = logprobs - old.detach()
    up = advantages > 0
    clipped = (up & (log_ratio > clip_high)) | (~up & (log_ratio < -clip_low))
    bounded = torch.where(up, log_ratio.clamp(max=clip_high), log_ratio.clamp(min=-clip_low))
    return -row_means(advantages, row_N) * torch.exp(row_means(bounded, row_N)), clipped


def sapo(logprobs: Tensor, old: Tensor, advantages: Tensor, *, tau_up: float = 1.0, tau_down: float = 1.05) -> Tensor:
    """A soft gate in place of the clip: l = −A · sigmoid(tau (ρ − 1)) · 4 / tau, with a tau for each sign of A.

    At ρ = 1 its gradient is that of −ρA, and it fades smoothly on both sides.

    Source:
        SAPO 2025 (arXiv:2511.20347), equations 6 and 7.

    >>> sapo(torch.tensor([0.0]), torch.tensor([0.0]), torch.tensor([1.0])).tolist()
    [-2.0]
    """
    advantages = advantages.detach()
    tau = torch.where(advantages > 0, torch.full_like(advantages, tau_up), torch.full_like(advantages, tau_down))
    return -advantages * torch.sigmoid(tau * (torch.exp(logprobs - old.detach()) - 1.0)) * 4.0 / tau


def dppo(
    logprobs: Tensor, old: Tensor, advantages: Tensor, *, delta: float = 0.15, cap: float = 20.0
) -> tuple[Tensor, Tensor]:
    """Drop a token whose *probability* has already moved by more than delta the way its advantage pushes.

    A rare token may change its ratio a lot without changing the distribution, and the other way round; this bounds the
    sampled token's share of the total variation. l = −A · stop(min(ρ, cap)) · keep · logprobs.

    Returns:
        The loss a token, and which tokens were dropped.
    Source:
        DPPO 2026 (arXiv:2602.04879), its binary total-variation form.

    >>> _, dropped = dppo(torch.tensor([0.9, 0.9]).log(), torch.tensor([0.5, 0.8]).log(), torch.ones(2))
    >>> dropped.tolist()
    [True, False]
    """
    advantages, before = advantages.detach(), old.detach()
    moved = torch.exp(logprobs.detach()) - torch.exp(before)
    dropped = ((advantages > 0) & (moved > delta)) | ((advantages < 0) & (moved < -delta))
    weight = torch.exp(logprobs.detach() - before).clamp(max=cap)
    return torch.where(dropped, torch.zeros_like(weight), -advantages * weight) * logprobs, dropped


def topr(logprobs: Tensor, old: Tensor, advantages: Tensor, row_N: Tensor) -> Tensor:
    """REINFORCE off-policy: imitate what was good, and unlearn what was bad only as far as it is still likely.

    l = −w · A · logprobs, with w = 1 where A ≥ 0 and min(1, product of the sequence's ratios) where A < 0.

    Source:
        Le Roux et al. 2025, TOPR (arXiv:2503.14286), equation 8.

    >>> lp, old, rows = torch.tensor([-2.0, -1.0]), torch.tensor([-1.0, -1.0]), torch.tensor([0, 1])
    >>> [round(x, 4) for x in topr(lp, old, torch.tensor([-1.0, 1.0]), rows).tolist()]
    [-0.7358, 1.0]
    """
    whole = sequence_ratio((logprobs - old).detach(), row_N, geometric=False).clamp(max=1.0)
    weight = torch.where(advantages < 0, whole, torch.ones_like(whole))
    return -weight * advantages.detach() * logprobs


def reinforce(logprobs: Tensor, advantages: Tensor, old: Tensor | None = None) -> Tensor:
    """Plain REINFORCE, l = −A · logprobs; or with `old` importance-weighted, l = −A · ρ, unclipped.

    Source:
        Williams 1992; with `old`, the surrogate that PPO clips.

    >>> reinforce(torch.tensor([-2.0]), torch.tensor([0.5])).tolist()
    [1.0]
    """
    return -advantages.detach() * (logprobs if old is None else torch.exp(logprobs - old.detach()))


def luffy(logprobs: Tensor, advantages: Tensor, *, gamma: float = 0.1) -> Tensor:
    """The loss of an expert's tokens: l = −A · p / (p + gamma), no ratio and no clip.

    The gradient is largest where the policy finds the expert's token unlikely but not impossible.

    Args:
        logprobs: Of the expert's tokens under the policy being trained.
    Source:
        Yan et al. 2025, LUFFY (arXiv:2504.14945), equation 6.

    >>> luffy(torch.log(torch.tensor([0.1])), torch.tensor([1.0])).tolist()
    [-0.5]
    """
    probability = torch.exp(logprobs)
    return -advantages.detach() * probability / (probability + gamma)


def row_means(values: Tensor, row_N: Tensor) -> Tensor:
    """The mean over each token's sequence, at each token; gradients flow.

    >>> row_means(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0, 0, 1])).tolist()
    [2.0, 2.0, 5.0]
    """
    rows = int(row_N.max()) + 1 if row_N.numel() else 0
    sums = values.new_zeros(rows).index_add(0, row_N, values)
    counts = values.new_zeros(rows).index_add(0, row_N, torch.ones_like(values))
    return (sums / counts.clamp(min=1.0))[row_N]


def sequence_ratio(log_ratio: Tensor, row_N: Tensor, *, geometric: bool) -> Tensor:
    """The ratio of each token's whole sequence, at each token: the product of the tokens', or their geometric mean.

    >>> sequence_ratio(torch.log(torch.tensor([2.0, 8.0])), torch.tensor([0, 0]), geometric=True).round().tolist()
    [4.0, 4.0]
    """
    mean = row_means(log_ratio, row_N)
    return torch.exp(mean if geometric else mean * row_counts(row_N, log_ratio))


def row_counts(row_N: Tensor, like: Tensor) -> Tensor:
    """How many tokens the sequence of each token has, at each token, in the type of `like`."""
    if not row_N.numel():
        return torch.zeros_like(like)
    return torch.bincount(row_N)[row_N].to(like)
