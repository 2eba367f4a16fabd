"""The value model of PPO: what a state is worth, read from the policy's own last layer or from a model of its own."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["ValueModel", "explained_variance", "value_head"]


def value_head(model: Any) -> nn.Linear:
    """A linear head that says 0 at first: the critic starts without opinions.

    Args:
        model: A transformers model; its width and device are taken over. The head computes in float32.
    """
    with torch.random.fork_rng(devices=[]):  # its first weights are drawn, and thrown away below
        head = nn.Linear(int(model.config.hidden_size), 1)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head.to(next(model.parameters()).device)


class ValueModel(nn.Module):
    """A copy of the policy's body with a value head: twice the memory, and no gradient that pulls at the policy."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.body = copy.deepcopy(model.base_model)
        self.body.requires_grad_(True)
        self.head = value_head(model)

    def forward(
        self, ids_BL: Tensor, keep_BL: Tensor, *, positions_BL: Tensor | None = None, ends_R: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The value before each kept token, (N,), and after each sequence, (R,); see `Scorer.forward`."""
        placed = {} if positions_BL is None else {"position_ids": positions_BL}
        hidden = self.body(input_ids=ids_BL, use_cache=False, **placed).last_hidden_state.float()
        predicts = torch.zeros_like(keep_BL)
        predicts[:, :-1] = keep_BL[:, 1:]
        values = self.head(hidden[predicts]).squeeze(-1)
        return values, None if ends_R is None else self.head(hidden.flatten(0, 1)[ends_R]).squeeze(-1)


def explained_variance(values: Tensor, returns: Tensor) -> float:
    """The share of the returns' variance that the values account for: 1 is perfect, 0 no better than a constant.

    >>> explained_variance(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]))
    1.0
    """
    variance = float(returns.var(unbiased=False)) if returns.numel() else 0.0
    return 1.0 - float((returns - values).var(unbiased=False)) / variance if variance > 0.0 else 0.0
