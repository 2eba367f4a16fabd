"""Intervals for a mean of bounded outcomes."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from statistics import NormalDist

__all__ = ["empirical_bernstein", "wilson"]


@functools.lru_cache(maxsize=1024)
def _z(miss: float) -> float:
    return NormalDist().inv_cdf(1.0 - miss / 2.0)


def wilson(successes: float, n: int, miss: float) -> tuple[float, float]:
    """Where a probability lies, seen `n` times: the score interval, which misses it with probability about `miss`.

    Source:
        Wilson 1927; Brown, Cai and DasGupta 2001, section 3.1.1, on how close its coverage comes.

    >>> [round(end, 3) for end in wilson(8, 10, 0.05)]
    [0.49, 0.943]
    """
    if n < 1:
        return 0.0, 1.0
    z = _z(miss)
    share, square = successes / n, z * z / n
    centre = (share + square / 2.0) / (1.0 + square)
    half = z / (1.0 + square) * math.sqrt(share * (1.0 - share) / n + square / (4.0 * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def empirical_bernstein(values: Sequence[float], miss: float, low: float, high: float) -> tuple[float, float]:
    """Where the mean of outcomes in [low, high] lies; it misses it with probability at most `miss`, whatever their law.

    Source:
        Maurer and Pontil 2009, theorem 4, once for each side (arXiv:0907.3740).

    >>> [round(end, 3) for end in empirical_bernstein([0.5] * 100, 0.05, 0.0, 1.0)]
    [0.397, 0.603]
    """
    n = len(values)
    if n < 2:
        return low, high
    mean = math.fsum(values) / n
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    log = math.log(4.0 / miss)
    half = math.sqrt(2.0 * variance * log / n) + 7.0 * (high - low) * log / (3.0 * (n - 1))
    return max(low, mean - half), min(high, mean + half)
