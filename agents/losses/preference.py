"""The loss of preference optimisation."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["dpo"]


def dpo(better: Tensor, worse: Tensor, beta: float = 0.1) -> Tensor:
    """How wrongly the policy orders pairs: −log sigmoid(beta (better − worse)).

    Args:
        better, worse: (P,) log-probability of the whole attempt minus the same under the reference, nats.
        beta: Of the implicit reward, beta times that difference.
    Source:
        Rafailov et al. 2023, DPO (arXiv:2305.18290), equation 7.

    >>> round(dpo(torch.tensor([1.0]), torch.tensor([1.0])).item(), 4)
    0.6931
    """
    return -torch.nn.functional.logsigmoid(beta * (better - worse))
