"""The value model's loss."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["clipped_value_loss"]


def clipped_value_loss(
    values: Tensor, old_values: Tensor, returns: Tensor, *, clip: float | None = 0.2
) -> tuple[Tensor, Tensor]:
    """Half the squared error, at least that of the prediction held within `clip` of the old one.

    l = max((V − R)², (clip(V, V_old ± clip) − R)²) / 2.

    Args:
        values: Now, with their gradient.
        old_values: When the returns were made.
        returns: To be predicted; same shape, reward units.
        clip: Reward units; None for the plain error.
    Returns:
        The loss a place, and where the clip removed the gradient.
    Source:
        Schulman et al. 2017 as released (baselines, ppo2); the same in TRL, verl and OpenRLHF.

    >>> one = torch.tensor([1.0])
    >>> round(clipped_value_loss(one, 0 * one, one)[0].item(), 4)
    0.32
    """
    error = (values - returns.detach()).square()
    if clip is None:
        return 0.5 * error, torch.zeros_like(error, dtype=torch.bool)
    old = old_values.detach()
    held = (torch.clamp(values, old - clip, old + clip) - returns.detach()).square()
    return 0.5 * torch.maximum(error, held), held > error
