"""Many small random choices from one NumPy generator, drawn in batches: one at a time, they would cost the most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

__all__ = ["Chance"]

T = TypeVar("T")

_BATCH = 128


class Chance:
    """Random choices, all from the generator that it is given.

    >>> chance = Chance(np.random.default_rng(0))
    >>> chance.below(10), sorted(chance.shuffled([3, 1, 2]))
    (6, [1, 2, 3])
    """

    __slots__ = ("_left", "_rng")

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._left: list[float] = []

    def share(self) -> float:
        """A number in [0, 1)."""
        if not self._left:
            self._left = self._rng.random(_BATCH).tolist()
            self._left.reverse()
        return self._left.pop()

    def below(self, most: int) -> int:
        """A whole number from 0 to `most` - 1 (far below 2**53)."""
        return int(self.share() * most)

    def pick(self, items: Sequence[T]) -> T:
        """One of some items."""
        return items[int(self.share() * len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in random order."""
        mixed = list(items)
        for last in range(len(mixed) - 1, 0, -1):
            other = int(self.share() * (last + 1))
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Some different items, in random order."""
        return self.shuffled(items)[:count]
