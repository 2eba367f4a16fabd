"""Keeping a policy from becoming sure too soon: a bonus that adapts, and clips on the tokens that cost the entropy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["AdaptiveEntropy", "clip_cov", "covariance", "kl_cov", "most_uncertain"]


@dataclass(slots=True)
class AdaptiveEntropy:
    """The weight of the entropy bonus: a constant, or one that rises while entropy is below a target.

    Args:
        weight: Now; constant if there is no target.
        target: Nats a token; 0 for none.
        step: By how much the weight moves an update.
        highest: It never exceeds this.
    Source:
        He et al. 2025, Skywork-OR1 (arXiv:2505.22312), section 3.2.

    >>> bonus = AdaptiveEntropy(0.0, target=0.5, step=0.01)
    >>> [round(bonus.update(e), 2) for e in (0.4, 0.3, 0.6, 0.4)]
    [0.01, 0.02, 0.0, 0.02]
    """

    weight: float = 0.0
    target: float = 0.0
    step: float = 0.005
    highest: float = 1.0

    def update(self, measured: float) -> float:
        """Follow the entropy of the last update; returns the weight to use now: 0 while entropy is above the target."""
        if self.target <= 0.0:
            return self.weight
        low = measured <= self.target
        self.weight = min(max(self.weight + (self.step if low else -self.step), 0.0), self.highest)
        return self.weight if low else 0.0


def most_uncertain(entropy: Tensor, share: float) -> Tensor:
    """Which tokens are among the most uncertain `share`: those that decide where a chain of thought goes.

    Args:
        entropy: (N,) nats.
        share: In (0, 1]. At least one token is kept.
    Source:
        Wang et al. 2025 (arXiv:2506.01939), which trains on the top fifth.

    >>> most_uncertain(torch.tensor([0.1, 2.0, 0.3, 0.2]), 0.5).tolist()
    [False, True, True, False]
    """
    kept = torch.zeros_like(entropy, dtype=torch.bool)
    if entropy.numel():
        kept[torch.topk(entropy, max(1, round(share * entropy.numel()))).indices] = True
    return kept


def covariance(logprobs: Tensor, advantages: Tensor) -> Tensor:
    """Each token's share of the covariance of log-probability and advantage, which is what lowers entropy.

    Source:
        Cui et al. 2025 (arXiv:2505.22617), equation 10.

    >>> covariance(torch.tensor([-1.0, -3.0]), torch.tensor([1.0, -1.0])).tolist()
    [1.0, 1.0]
    """
    logprobs, advantages = logprobs.detach(), advantages.detach()
    return (advantages - advantages.mean()) * (logprobs - logprobs.mean())


def clip_cov(
    logprobs: Tensor,
    advantages: Tensor,
    clipped: Tensor,
    *,
    share: float = 2e-4,
    low: float = 1.0,
    high: float = 5.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Which tokens to leave out: a random few of those whose covariance is high and that no clip took already.

    Args:
        logprobs, advantages: (N,) of the micro-batch.
        clipped: (N,) True where the policy loss has no gradient anyway.
        share: How many, of all tokens; at least one if any is in the band.
        low, high: The band.
        generator: Of the choice.
    Returns:
        (N,) True where the token's loss is to be dropped.
    Source:
        Cui et al. 2025, Clip-Cov (arXiv:2505.22617), section 4.1.

    >>> lp, a = torch.tensor([-1.0, -3.0, -2.0]), torch.tensor([2.0, -2.0, 0.0])
    >>> clip_cov(lp, a, torch.tensor([False, True, False])).tolist()
    [True, False, False]
    """
    cov = covariance(logprobs, advantages)
    eligible = torch.nonzero((cov > low) & (cov < high) & ~clipped).flatten()
    dropped = torch.zeros_like(clipped)
    if len(eligible):
        count = min(len(eligible), max(1, int(share * len(logprobs))))
        order = torch.randperm(len(eligible), generator=generator)[:count].to(eligible.device)
        dropped[eligible[order]] = True
    return dropped


def kl_cov(logprobs: Tensor, old: Tensor, advantages: Tensor, *, share: float = 2e-4, weight: float = 1.0) -> Tensor:
    """What the tokens of highest covariance pay for moving: weight · |logprobs − old|, and the others nothing.

    Args:
        share: How many, of all tokens; at least one.
        weight: Of the penalty.
    Returns:
        (N,) to be added to an *unclipped* policy loss.
    Source:
        Cui et al. 2025, KL-Cov (arXiv:2505.22617), section 4.2.

    >>> lp, old = torch.tensor([-1.0, -3.0]), torch.tensor([-1.5, -3.0])
    >>> kl_cov(lp, old, torch.tensor([2.0, 0.5]), share=0.5).tolist()
    [0.5, 0.0]
    """
    cov = covariance(logprobs, advantages)
    chosen = torch.zeros_like(cov)
    if cov.numel():
        chosen[torch.topk(cov, max(1, int(share * cov.numel()))).indices] = 1.0
    return chosen * weight * (logprobs - old.detach()).abs()
