"""Whether a mean is larger than was stated: one exact answer for few and bounded values, and a third one, "too few".

Rewards of an episode are bounded, seldom normal, and often all zero, so t intervals say nothing here. For values in
[0, 1] the Chernoff-Hoeffding bound holds for every distribution; where all values are 0 or 1, the binomial tail is
exact and sharper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["ALPHA", "MARGIN", "RESOLUTION", "Claim", "at_most", "tail"]

ALPHA = 1e-3
"""How often an audit may call a true claim violated, over everything it tries for that claim."""
MARGIN = 0.02
"""How exactly a chance level is meant to be stated: an excess up to this is none."""
RESOLUTION = 0.25
"""A claim that could be exceeded by this much without being noticed (at 95 %) is not supported."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement on the claim that the true mean is at most `stated`.

    Args:
        stated: What was claimed.
        mean: What was seen.
        upper: The true mean is at most this, with 95 % confidence.
        p: The probability of a mean this large if the claim holds (an upper bound).
        n: Episodes.
        verdict: `violated`, `consistent`, or `too few` episodes to tell.
    """

    stated: float
    mean: float
    upper: float
    p: float
    n: int
    verdict: Literal["violated", "consistent", "too few"]

    def __str__(self) -> str:
        return f"{self.mean:.3f} (at most {self.upper:.3f} with 95 % confidence, n = {self.n})"


def at_most(stated: float, values: Sequence[float], *, low: float = 0.0, high: float = 1.0, tried: int = 1) -> Claim:
    """Judge the claim that the mean of independent values is at most `stated`.

    Args:
        stated: The claim; it is meant up to `MARGIN`.
        values: Each in [low, high]; the bounds widen to what is seen.
        tried: How many claims are judged together; the threshold is divided by it (Bonferroni).

    >>> at_most(0.1, [0.0] * 40).verdict, at_most(0.1, [1.0] * 9 + [0.0]).verdict, at_most(0.1, [0.0] * 3).verdict
    ('consistent', 'violated', 'too few')
    """
    low, high = min([low, *values]), max([high, *values])
    width = high - low
    x = [(value - low) / width for value in values]
    n, mean = len(x), math.fsum(x) / len(x)
    claimed = min(1.0, max(0.0, (stated + MARGIN - low) / width))
    p = tail(x, claimed)
    upper = low + width * _upper(x, mean, 0.05)
    if p < ALPHA / tried:
        verdict: Literal["violated", "consistent", "too few"] = "violated"
    else:
        verdict = "consistent" if upper <= stated + RESOLUTION * width else "too few"
    return Claim(stated, low + width * mean, upper, p, n, verdict)


def tail(x: Sequence[float], m: float) -> float:
    """At most how likely a mean as large as that of `x` is, for values in [0, 1] whose true mean is at most `m`.

    Source:
        Hoeffding 1963, theorem 1; the binomial tail where every value is 0 or 1.

    >>> round(tail([1, 1, 1, 0], 0.5), 4), tail([0, 0], 0.3)
    (0.3125, 1.0)
    """
    n, total = len(x), math.fsum(x)
    if total / n <= m + 1e-12:
        return 1.0 if total / n <= m - 1e-12 or total == 0 or not _binary(x) else _binomial(n, round(total), m)
    if m <= 0.0:
        return 0.0
    if _binary(x):
        return _binomial(n, round(total), m)
    return math.exp(-n * _divergence(total / n, m))


def _binary(x: Sequence[float]) -> bool:
    return all(value in (0.0, 1.0) for value in x)


def _binomial(n: int, k: int, m: float) -> float:
    if m >= 1.0:
        return 1.0
    return min(1.0, math.fsum(math.comb(n, i) * m**i * (1 - m) ** (n - i) for i in range(k, n + 1)))


def _divergence(a: float, b: float) -> float:
    """Kullback-Leibler between Bernoulli distributions."""
    first = a * math.log(a / b) if a > 0 else 0.0
    second = (1 - a) * math.log((1 - a) / (1 - b)) if a < 1 else 0.0
    return first + second


def _upper(x: Sequence[float], mean: float, level: float) -> float:
    """The largest true mean for which a sample mean this small has at least probability `level`."""
    n = len(x)
    low, high = mean, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if middle >= 1.0 - 1e-12:
            return 1.0
        if _binary(x):
            k = round(math.fsum(x))
            likely = 1.0 - (_binomial(n, k + 1, middle) if k < n else 0.0)
        else:
            likely = math.exp(-n * _divergence(mean, middle)) if middle > mean else 1.0
        low, high = (middle, high) if likely >= level else (low, middle)
    return high
