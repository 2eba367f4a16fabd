"""From one number a token to one number: how much each token counts.

The weights are made once for the whole gradient step, over all micro-batches and processes, and micro-batch sums are
added. A mean of micro-batch means would weigh tokens by which micro-batch they fell into.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Aggregate", "row_weights", "token_mean"]

Aggregate = Literal["token_mean", "sequence_mean", "sequence_sum", "constant", "prompt_mean"]
"""`token_mean`: every token alike (DAPO); `sequence_mean`: the mean over sequences of their token means (GRPO);
`sequence_sum`: the mean over sequences of their token sums; `constant`: the sum over all tokens divided by sequences
times a fixed length (Dr. GRPO); `prompt_mean`: the mean over prompts of the token mean over all their sequences."""


def row_weights(
    tokens_R: NDArray[np.int64],
    mode: Aggregate = "token_mean",
    *,
    length: int | None = None,
    prompt_R: NDArray[np.int64] | None = None,
    count_empty: bool = False,
) -> NDArray[np.float64]:
    """How much one token of each sequence counts in the loss.

    Args:
        tokens_R: (R,) tokens trained on in each sequence of the whole gradient step; 0 of masked ones.
        mode: See `Aggregate`.
        length: The fixed length of `constant`.
        prompt_R: (R,) the prompt of each sequence, for `prompt_mean`.
        count_empty: Whether sequences without a token count in the denominators, as in TRL; verl leaves them out.
    Returns:
        (R,); the loss is the sum over tokens of weight times loss. 0 where a sequence has no token.
    Source:
        token mean: Yu et al. 2025, DAPO (arXiv:2503.14476); sequence mean: Shao et al. 2024 (arXiv:2402.03300);
        constant: Liu et al. 2025, Dr. GRPO (arXiv:2503.20783).

    >>> row_weights(np.array([3, 1])).tolist()
    [0.25, 0.25]
    >>> row_weights(np.array([4, 1]), "sequence_mean").tolist()
    [0.125, 0.5]
    >>> row_weights(np.array([4, 1]), "constant", length=8).tolist()
    [0.0625, 0.0625]
    """
    there = tokens_R > 0
    rows = float(len(tokens_R) if count_empty else there.sum())
    counts = np.maximum(tokens_R, 1).astype(np.float64)
    if rows == 0.0 or not there.any():
        return np.zeros(len(tokens_R))
    if mode == "token_mean":
        weights = np.full(len(tokens_R), 1.0 / float(tokens_R.sum()))
    elif mode == "sequence_mean":
        weights = 1.0 / (counts * rows)
    elif mode == "sequence_sum":
        weights = np.full(len(tokens_R), 1.0 / rows)
    elif mode == "constant":
        if not length:
            raise ValueError("a constant denominator needs its length")
        weights = np.full(len(tokens_R), 1.0 / (rows * length))
    else:
        if prompt_R is None:
            raise ValueError("prompt_mean needs the prompt of each sequence")
        _, number_R = np.unique(prompt_R, return_inverse=True)
        tokens_P = np.bincount(number_R, weights=tokens_R)
        prompts = float(len(tokens_P) if count_empty else (tokens_P > 0).sum())
        weights = 1.0 / (np.maximum(tokens_P, 1.0)[number_R] * prompts)
    return np.where(there, weights, 0.0)


def token_mean(per_token: Tensor, mask: Tensor, denominator: Tensor | float) -> Tensor:
    """The sum over valid tokens divided by the token count of the *whole* batch.

    With micro-batches, pass the global count each time and add the results.

    >>> token_mean(torch.tensor([1.0, 5.0]), torch.tensor([True, False]), 4.0).item()
    0.25
    """
    return torch.where(mask, per_token, torch.zeros_like(per_token)).sum() / denominator
