"""Loss functions: pure, on tensors, hand-checked in `tests/agents/test_losses.py`.

They see log-probabilities, advantages and masks, and nothing of the trainer. Each returns one number a token;
`token_mean` adds them up. Axes: B sequences, T tokens; or N tokens in any order.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["clipped_policy_loss", "kl_k3", "token_mean"]


def clipped_policy_loss(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, *, clip_low: float = 0.2, clip_high: float = 0.28
) -> tuple[Tensor, Tensor]:
    """PPO's clipped objective with separate bounds below and above, negated to be minimised.

    l = −min(ρA, clip(ρ, 1 − clip_low, 1 + clip_high) A), with ρ = exp(logprobs − old_logprobs).

    Args:
        logprobs: Under the policy being trained, nats; the one argument with a gradient.
        old_logprobs: Under the policy that sampled, same shape.
        advantages: Same shape.
    Returns:
        The loss a token, and a boolean tensor of the tokens whose gradient the clip removed.
    Source:
        Schulman et al. 2017 (arXiv:1707.06347); the upper bound of its own is DAPO's clip-higher (arXiv:2503.14476).
    """
    ratio = torch.exp(logprobs - old_logprobs.detach())
    bounded = torch.clamp(ratio, 1.0 - clip_low, 1.0 + clip_high)
    advantages = advantages.detach()
    loss = -torch.minimum(ratio * advantages, bounded * advantages)
    clipped = ((ratio > 1.0 + clip_high) & (advantages > 0)) | ((ratio < 1.0 - clip_low) & (advantages < 0))
    return loss, clipped


def kl_k3(logprobs: Tensor, reference: Tensor) -> Tensor:
    """Schulman's low-variance estimate of KL(policy ‖ reference) a token: e^d − d − 1 with d = reference − logprobs.

    Never negative, zero where the two agree, unbiased for samples of the policy.
    """
    difference = reference.detach() - logprobs
    return torch.exp(difference) - difference - 1.0


def token_mean(per_token: Tensor, mask: Tensor, denominator: Tensor | float) -> Tensor:
    """The sum over valid tokens divided by the token count of the *whole* batch.

    With micro-batches, pass the global count each time and add the results: a mean of micro-batch means would weigh
    tokens by which micro-batch they fell into.

    >>> token_mean(torch.tensor([1.0, 5.0]), torch.tensor([True, False]), 4.0).item()
    0.25
    """
    return torch.where(mask, per_token, torch.zeros_like(per_token)).sum() / denominator
