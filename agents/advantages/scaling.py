"""What is done to advantages once they stand: one scale for all, whitening; and a penalty on answers that run on."""

from __future__ import annotations

import numpy as np

from proofgym.agents.advantages.types import Bools, Floats

__all__ = ["batch_scale", "overlong_penalty", "scale_by_batch_std", "whiten"]


def scale_by_batch_std(advantages: Floats, mask: Bools, eps: float = 1e-8) -> Floats:
    """Divide by one standard deviation of the whole batch, so that the learning rate means the same on every task.

    The mean is left alone: subtracting it would couple unrelated tasks. A batch of zeros stays zero.

    >>> scale_by_batch_std(np.array([2.0, -2.0, 7.0]), np.array([True, True, False])).tolist()
    [1.0, -1.0, 0.0]
    """
    return np.where(mask, advantages * batch_scale(advantages, mask, eps), 0.0)


def batch_scale(advantages: Floats, mask: Bools, eps: float = 1e-8) -> float:
    """One over the root mean square of the valid advantages; 0 if they are all as good as zero."""
    valid = advantages[mask]
    std = float(np.sqrt(np.mean(valid**2))) if valid.size else 0.0
    return 1.0 / std if std > eps else 0.0


def whiten(values: Floats, mask: Bools, *, ddof: int = 1, eps: float = 1e-8, shift_mean: bool = True) -> Floats:
    """Subtract the mean of the valid entries and divide by the root of their variance plus `eps`.

    Args:
        values, mask: Of the same shape. What is masked out becomes 0.
        ddof: 1 (unbiased) in TRL, verl and OpenRLHF.
        eps: Inside the root, as in all three.
        shift_mean: False adds the mean back.
    Returns:
        The same shape; zeros where fewer than two entries are valid.

    >>> whiten(np.array([1.0, 3.0, 9.0]), np.array([True, True, False]), ddof=0, eps=0.0).tolist()
    [-1.0, 1.0, 0.0]
    """
    valid = values[mask]
    if valid.size < 2:
        return np.zeros_like(values)
    mean, variance = float(valid.mean()), float(valid.var(ddof=ddof))
    centred = np.where(mask, values, mean) - mean
    spread = float(np.sqrt(variance + eps))
    white = centred / spread if spread > 0.0 else np.zeros_like(centred)
    return np.where(mask, white if shift_mean else white + mean, 0.0)


def overlong_penalty(lengths: Floats, longest: int, buffer: int) -> Floats:
    """What an answer loses by coming near the token limit: nothing, then ever more, then 1 beyond it.

    0 if L ≤ longest − buffer; (longest − buffer − L) / buffer up to the limit; −1 beyond.

    Source:
        Yu et al. 2025, DAPO (arXiv:2503.14476), equation 13.

    >>> overlong_penalty(np.array([10.0, 15.0, 20.0, 21.0]), 20, 10).tolist()
    [0.0, -0.5, -1.0, -1.0]
    """
    if not 0 < buffer <= longest:
        raise ValueError(f"the buffer lies between 1 and the limit of {longest} tokens, found {buffer}")
    return np.asarray(np.clip((longest - buffer - lengths) / buffer, -1.0, 0.0) + 0.0, dtype=np.float64)
