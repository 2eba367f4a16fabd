"""When the sampler is not quite the trainer: weights for tokens whose two log-probabilities differ.

An inference engine computes in another precision and another order than the trainer, and its weights may be some
updates old. `sampled` are the log-probabilities it reported, `old` those of the trainer's policy before the gradient
steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from proofgym.agents.losses.kl import kl_k3
from proofgym.agents.losses.policy import row_means, sequence_ratio

__all__ = ["Level", "Mismatch", "Mode", "importance_weights", "mismatch", "off_policy_rows"]

Level = Literal["token", "sequence", "geometric"]
Mode = Literal["truncate", "mask"]


def importance_weights(
    old: Tensor,
    sampled: Tensor,
    row_N: Tensor,
    *,
    level: Level = "token",
    mode: Mode = "truncate",
    low: float = 0.0,
    high: float = 2.0,
) -> tuple[Tensor, Tensor]:
    """How much each token's policy loss counts, given how likely the trainer finds what the sampler sampled.

    w = exp(old − sampled), a token's own, or its whole sequence's as a product or a geometric mean. Weights apply to
    the policy's part of the loss only, not to penalties.

    Args:
        level: `token`, `sequence` (product) or `geometric` (mean).
        mode: `truncate` bounds w to [low, high]; `mask` keeps it inside and makes it 0 outside.
        low, high: The bounds, as ratios.
    Returns:
        (N,) weights without gradient, and where they lay outside the bounds.
    Source:
        Truncated: Yao et al. 2025 (TIS); masked: IcePop / MIS (arXiv:2510.18855); TRL's default is `sequence` with
        `mask` and high 3.

    >>> old, sampled = torch.log(torch.tensor([0.5, 0.5])), torch.log(torch.tensor([0.1, 0.5]))
    >>> rows = torch.tensor([0, 0])
    >>> importance_weights(old, sampled, rows)[0].tolist()
    [2.0, 1.0]
    >>> importance_weights(old, sampled, rows, mode="mask")[0].tolist()
    [0.0, 1.0]
    """
    gap = (old - sampled).detach()
    weights = torch.exp(gap) if level == "token" else sequence_ratio(gap, row_N, geometric=level == "geometric")
    outside = (weights < low) | (weights > high)
    if mode == "mask":
        return torch.where(outside, torch.zeros_like(weights), weights), outside
    return weights.clamp(low, high), outside


def off_policy_rows(logprobs: Tensor, sampled: Tensor, advantages: Tensor, row_N: Tensor, delta: float) -> Tensor:
    """Which tokens belong to a bad sequence that the policy has already left behind, and so are not worth unlearning.

    True where A < 0 and the mean over the sequence of sampled − logprobs exceeds delta.

    Source:
        DeepSeek-V3.2 (arXiv:2512.02556), off-policy sequence masking.

    >>> one = torch.tensor([-1.0])
    >>> off_policy_rows(3 * one, one, one, torch.tensor([0]), 1.0).tolist()
    [True]
    """
    return (advantages < 0) & (row_means((sampled - logprobs).detach(), row_N) > delta)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """How far sampler and trainer are apart.

    Args:
        kl: Mean k3 of the trainer against the sampler, nats a token.
        largest: The largest difference of log-probabilities.
        effective: The effective share of the samples, (Σw)² / (N Σw²); 1 where they agree.
    """

    kl: float
    largest: float
    effective: float


def mismatch(old: Tensor, sampled: Tensor) -> Mismatch:
    """Compare what the trainer finds likely with what the sampler reported.

    >>> mismatch(torch.tensor([-1.0, -2.0]), torch.tensor([-1.0, -2.0]))
    Mismatch(kl=0.0, largest=0.0, effective=1.0)
    """
    if not old.numel():
        return Mismatch(0.0, 0.0, 1.0)
    gap = (old - sampled).detach().double().clamp(-20.0, 20.0)
    weights = torch.exp(gap)
    effective = weights.sum().square() / (len(weights) * weights.square().sum())
    return Mismatch(
        float(kl_k3(sampled.double(), old.double()).mean()), float(gap.abs().max()), float(effective)
    )  # fmt: skip
