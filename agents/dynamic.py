"""Which groups teach, and how many attempts a task is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from proofgym.envs.trajectory import Trajectory

__all__ = ["allocate", "is_flat"]


def is_flat(group: Sequence[Trajectory], *, steps: bool = False) -> bool:
    """Whether the attempts at a task teach nothing: all judged ones earned the same, or fewer than two were judged.

    Args:
        group: Attempts at one task.
        steps: Compare what each step earned, not only the sum: with step credit, two halves right in different places
            do teach.
    Source:
        Yu et al. 2025, DAPO (arXiv:2503.14476), dynamic sampling.
    """
    judged = [episode for episode in group if not episode.unjudged]
    if len(judged) < 2:
        return True
    if not steps:
        return len({episode.reward for episode in judged}) == 1
    profiles = {
        tuple(tuple(credit.value for credit in turn.credits) or (turn.reward,) for turn in episode.turns)
        for episode in judged
    }
    return len(profiles) == 1


def allocate(total: int, rates: Sequence[float], least: int, most: int) -> list[int]:
    """Share attempts out among tasks, in proportion to how much their outcome varies.

    The variance of a group's mean falls with its size; with success rates p the sum over tasks is smallest when sizes
    go as √(p(1 − p)) (Neyman allocation). Bounds keep every task alive.

    Args:
        total: Attempts to share out; raised to `least` a task, lowered to `most` a task.
        rates: Expected success rates, in [0, 1].
        least, most: Attempts at any one task.
    Returns:
        One size a task; they add up to `total` within the bounds.

    >>> allocate(12, [0.5, 0.5, 1.0], 2, 8)
    [5, 5, 2]
    """
    if not 1 <= least <= most:
        raise ValueError(f"sizes need 1 <= least <= most, found {least} and {most}")
    count = len(rates)
    total = min(max(total, least * count), most * count)
    worth = np.sqrt(np.clip(np.asarray(rates, dtype=np.float64), 0.0, 1.0) * (1.0 - np.clip(rates, 0.0, 1.0)))
    sizes = np.full(count, least, dtype=np.int64)
    for _ in range(total - least * count):  # one at a time to whom it helps most; totals are hundreds
        gain = np.where(sizes < most, (worth + 1e-9) / sizes, -1.0)
        sizes[int(gain.argmax())] += 1
    found: list[int] = sizes.tolist()
    return found
