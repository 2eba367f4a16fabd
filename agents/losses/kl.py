"""How far the policy is from a reference, estimated from the sampled tokens alone.

With d = logprobs − reference for a token sampled from the policy:

| name | value | its mean | the mean of its gradient |
| --- | --- | --- | --- |
| `k1` | d | KL | 0: as a loss term it is noise; right as a reward |
| `k2` | d² / 2 | not KL | that of KL |
| `k3` | e^−d + d − 1 | KL, little variance, never negative | that of the *forward* KL, so other than KL's |
| `k1+`, `k3+` | of k1, k3 | KL | that of KL, taken from k2 |
| `k3_ratio` | ρ · k3, ρ with its gradient | KL, also off-policy | that of KL |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

__all__ = ["AdaptiveKL", "Estimator", "kl", "kl_k3"]

Estimator = Literal["k1", "k2", "k3", "k1+", "k3+", "k3_ratio"]


def kl(
    logprobs: Tensor, reference: Tensor, estimator: Estimator = "k3", *, old: Tensor | None = None, bound: float = 20.0
) -> Tensor:
    """Estimate KL(policy ‖ reference) a token; see the module for what each estimator is good for.

    Args:
        logprobs: Under the policy, with its gradient.
        reference: Under the reference, same shape.
        estimator: One of `Estimator`.
        old: Log-probabilities under the policy that sampled, for `k3_ratio`.
        bound: The difference is clamped to ±bound nats inside an exponential, so that no single token overflows.
    Source:
        Schulman 2020, "Approximating KL divergence"; `k3_ratio`: DeepSeek-V3.2 (arXiv:2512.02556), equation 7; the
        straight-through forms: verl's `kl_penalty` with a plus sign.

    >>> p, q = torch.tensor([-1.0]), torch.tensor([-2.0])
    >>> [round(kl(p, q, name).item(), 4) for name in ("k1", "k2", "k3", "k3+")]
    [1.0, 0.5, 0.3679, 0.3679]
    """
    d = logprobs - reference.detach()
    if estimator == "k1":
        return d
    if estimator == "k2":
        return 0.5 * d.square()
    if estimator == "k1+":
        return _value_of(d, 0.5 * d.square())
    inner = (-d).clamp(-bound, bound)
    k3 = torch.exp(inner) - inner - 1.0
    if estimator == "k3":
        return k3
    if estimator == "k3+":
        return _value_of(k3, 0.5 * d.square())
    if old is None:
        raise ValueError(
            "k3_ratio weighs by the probability ratio, so it needs the sampling policy's log-probabilities"
        )
    return torch.exp((logprobs - old.detach()).clamp(-bound, bound)) * k3


def _value_of(value: Tensor, gradient: Tensor) -> Tensor:
    """The value of one tensor with the gradient of another."""
    return gradient - gradient.detach() + value.detach()


def kl_k3(logprobs: Tensor, reference: Tensor) -> Tensor:
    """Schulman's low-variance estimate of KL(policy ‖ reference) a token: e^d − d − 1 with d = reference − logprobs.

    Never negative, zero where the two agree, unbiased for samples of the policy.
    """
    return kl(logprobs, reference, "k3")


@dataclass(slots=True)
class AdaptiveKL:
    """A weight that steers the measured KL towards a target, by at most 20 % of the step's share of the horizon.

    Args:
        weight: Now.
        target: Nats a token; 0 leaves the weight alone.
        horizon: In sequences: how slowly it follows.
    Source:
        Ziegler et al. 2019 (arXiv:1909.08593), section 2.2.

    >>> steer = AdaptiveKL(0.1, target=1.0, horizon=100.0)
    >>> round(steer.update(5.0, 50), 4)
    0.11
    """

    weight: float
    target: float = 0.0
    horizon: float = 10000.0

    def update(self, measured: float, sequences: int) -> float:
        """Follow what was measured over so many sequences; returns the new weight."""
        if self.target > 0.0 and measured == measured:  # it may be nan
            error = min(max(measured / self.target - 1.0, -0.2), 0.2)
            self.weight *= 1.0 + error * min(sequences / self.horizon, 1.0)
        return self.weight
