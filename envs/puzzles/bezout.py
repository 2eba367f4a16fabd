"""Bezout's identity: the greatest common divisor as a sum of multiples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Bezout"]


class Bezout(Puzzle):
    """Write the greatest common divisor of some numbers as a sum of their multiples; any such sum is right."""

    family = "bezout"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "count": Knob(2, 4, "numbers", 2, 8),
        "digits": Knob(2, 6, "digits of each number", 2, 9),
    }
    hardness_of = "divisions of Euclid's algorithm"
    floor: ClassVar[float] = 0.02

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        low, high = 10 ** (knobs["digits"] - 1), 10 ** knobs["digits"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            common = int(rng.integers(1, 10))
            numbers = (common * rng.integers(-(-low // common), high // common, size=knobs["count"])).tolist()
            d = math.gcd(*numbers)
            pairs = ((a, b) for i, a in enumerate(numbers) for b in numbers[:i])
            if d not in numbers and all(d not in (abs(a - b), a + b) and a % b and b % a for a, b in pairs):
                return cls({"numbers": numbers})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "numbers")
        self.numbers = fields.wholes(data, "numbers", 1, 10**12, least=2, most=12)
        self.divisor = math.gcd(*self.numbers)
        if self.divisor in self.numbers:
            raise BadInput(f"the divisor asked for, {self.divisor}, is one of the numbers: there is nothing to ask")

    def canonical(self) -> Any:
        return sorted(self.numbers)

    def question(self) -> str:
        return (
            f"The numbers are {', '.join(map(str, self.numbers))}. Find whole numbers, negative ones and 0 allowed, so "
            "that the first given number times your first, plus the second times your second, and so on, is the "
            f"greatest common divisor of all {len(self.numbers)}.\n"
            f"End with a line 'Answer: ' and your {len(self.numbers)} numbers in order, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        factors = answers.wholes(answer, count=len(self.numbers))
        total = sum(a * b for a, b in zip(self.numbers, factors, strict=True))
        return Verdict.right() if total == self.divisor else Verdict.wrong(f"the sum is {total}, not {self.divisor}")

    def solution(self) -> str:
        return " ".join(map(str, _combined(self.numbers)[0]))

    def hardness(self) -> float:
        return float(_combined(self.numbers)[1])

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.divisor}", "Answer: " + "0 " * len(self.numbers))


def _combined(numbers: Sequence[int]) -> tuple[list[int], int]:
    """The factors, and the number of divisions."""
    factors, d, steps = [1], numbers[0], 0
    for n in numbers[1:]:
        (a, x, y), (b, u, v) = (d, 1, 0), (n, 0, 1)
        while b:
            q = a // b
            (a, x, y), (b, u, v) = (b, u, v), (a - q * b, x - q * u, y - q * v)
            steps += 1
        x, y = x % (n // a), (a - d * (x % (n // a))) // n  # small factors
        factors = [f * x for f in factors] + [y]
        d = a
    return factors, steps
