"""Where generated mathematics gets its chance from: quick draws for numbers, and a number that decides the wording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

__all__ = ["WORDINGS", "Draw", "Words"]

T = TypeVar("T")

WORDINGS = 2**48
"""How many numbers can decide a wording; all fit a JSON number everywhere."""


class Draw:
    """Draws from a NumPy generator, many uniforms at a time, which is ten times as fast as one by one."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._buffer: list[float] = []

    def unit(self) -> float:
        """A number in [0, 1)."""
        if not self._buffer:
            self._buffer = self._rng.random(32).tolist()
        return self._buffer.pop()

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.unit() * (high - low + 1))

    def nonzero(self, largest: int) -> int:
        """A whole number other than 0 from `-largest` to `largest`."""
        value = self.between(1, largest)
        return value if self.unit() < 0.5 else -value

    def chance(self, share: float) -> bool:
        """True in this share of the calls."""
        return self.unit() < share

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.unit() * len(options))]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Several different ones of the options, in random order."""
        left = list(options)
        return [left.pop(int(self.unit() * len(left))) for _ in range(count)]


class Words:
    """Choices that a task's `wording` number decides: phrases, names, the numbers of distractors.

    They are no part of the task's fingerprint, so a task in other words stays in its split.

    >>> Words(5).pick("abc") == Words(5).pick("abc")
    True
    """

    def __init__(self, wording: int) -> None:
        self._state = wording * 2 + 1

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return low + (self._state >> 33) % (high - low + 1)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.between(0, len(options) - 1)]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Several different ones of the options, in an order of their own."""
        left = list(options)
        return [left.pop(self.between(0, len(left) - 1)) for _ in range(count)]
