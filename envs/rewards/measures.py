"""What measuring is asked for, what it may cost, and what it finds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from proofgym.errors import BadInput

__all__ = ["Adaptive", "Budget", "Estimate", "FirstError", "Fixed", "Spent", "StepValue"]


@dataclass(frozen=True, slots=True)
class Fixed:
    """So many finishes from every place.

    Raises:
        BadInput: If `n` is below 1.
    """

    n: int = 8

    def __post_init__(self) -> None:
        """Refuse to measure nothing."""
        if self.n < 1:
            raise BadInput(f"a value needs at least one finish, found n={self.n}")


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Finishes from a place until the steps beside it are settled.

    All unsettled places are given the same number, doubled from look to look. A step is settled when the interval of
    its advantage is narrow enough, or, with `sign`, when it does not hold 0. For the measure `solved` it is made of two
    Wilson intervals by Newcombe's square-and-add rule (1998, method 10), for the others of two empirical Bernstein
    bounds. Each look may miss by an equal share of what all may miss, so stopping early costs no coverage.

    Args:
        least, most: Finishes from a place at the first look and at the last.
        width: Half the width of an advantage's interval that is narrow enough, in outcome units.
        confidence: Of the intervals of one step, over all looks.
        sign: Whether a settled sign is enough. It saves most of the finishes and leaves sizes that are too large:
            what stops early stops because it happens to look extreme. For telling good steps from bad, not for sizes.
    Raises:
        BadInput: For numbers that make no sense.
    """

    least: int = 8
    most: int = 128
    width: float = 0.1
    confidence: float = 0.9
    sign: bool = False

    def __post_init__(self) -> None:
        """Refuse what would never stop, or never start."""
        if not 1 <= self.least <= self.most:
            raise BadInput(f"finishes need 1 <= least <= most, found {self.least} and {self.most}")
        if not (self.width > 0.0 and 0.0 < self.confidence < 1.0):
            raise BadInput(f"width is above 0 and confidence inside (0, 1), found {self.width} and {self.confidence}")

    @property
    def looks(self) -> int:
        """How often intervals are looked at, at most.

        >>> Adaptive(least=4, most=128).looks, Adaptive(least=4, most=5).looks
        (6, 2)
        """
        return 1 + math.ceil(math.log2(self.most / self.least))


@dataclass(frozen=True, slots=True)
class Budget:
    """What measuring may cost, all paths together.

    No finish begins that would, with those that run and at what finishes have cost so far, go beyond it; those that run
    are finished. So it is overspent by no more than the finishes at hand turn out longer than the others were.

    Args:
        turns: Actions of the policy.
        cost: What the actions cost, by `count`.
        count: The cost of a text; its characters, unless you have a tokenizer.
    """

    turns: float = math.inf
    cost: float = math.inf
    count: Callable[[str], float] = len


@dataclass(slots=True)
class Spent:
    """What measuring has cost so far.

    Args:
        finishes: That were judged.
        unjudged: That were not, and are in no value.
        shared: Places that had the finishes of an equal one.
        turns, cost: See `Budget`.
    """

    finishes: int = 0
    unjudged: int = 0
    shared: int = 0
    turns: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The value of a place.

    Args:
        mean: Of the finishes; `nan` if none was judged. The soft estimate.
        low, high: The interval, all looks counted.
        n: Judged finishes; 0 where the value is known exactly.
        best: The best finish. The hard estimate is whether it is a success.
        unjudged: Finishes that were dropped.
        exact: Whether the value is known, since the episode is over.
        binary: Whether outcomes are 0 or 1, and the interval Wilson's.
    """

    mean: float
    low: float
    high: float
    n: int
    best: float
    unjudged: int = 0
    exact: bool = False
    binary: bool = False

    @property
    def hard(self) -> float:
        """1 if any finish was a full success, else 0; for outcomes in [0, 1]."""
        return float(self.best >= 1.0)


@dataclass(frozen=True, slots=True)
class StepValue:
    """What a step is worth.

    Args:
        turn, start, end: Where it is written.
        reward: What it was paid itself.
        before, after: The values around it.
        advantage: reward + gamma x after - before; `nan` if one of them could not be judged.
        low, high: Its interval.
        settled: Whether its interval is as narrow as was asked, or its sign as sure.
    """

    turn: int
    start: int
    end: int
    reward: float
    before: Estimate
    after: Estimate
    advantage: float
    low: float
    high: float
    settled: bool

    @property
    def judged(self) -> bool:
        """Whether there is a value on both sides."""
        return math.isfinite(self.advantage)


@dataclass(frozen=True, slots=True)
class FirstError:
    """Where a path goes wrong for good.

    Args:
        step: The first step behind which nobody finishes well; `None` if there is none or nothing can be said.
        reason: Why there is none.
        looked: The places that were valued, by number.
    """

    step: int | None
    reason: str
    looked: dict[int, Estimate]
