"""Factoring a polynomial over the rational numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.formula import read_formula
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["PolynomialFactors", "irreducible"]

Poly = tuple[int, ...]
"""Coefficients from the constant up, the last one not 0; `(0,)` for nothing."""

_MOST_DEGREE = 24


class PolynomialFactors(Puzzle):
    """Write a polynomial as a product of factors that cannot be factored further over the rational numbers.

    Every irreducible factor has degree 1, 2 or 3, where having no rational root decides irreducibility. So any right
    product is told from a wrong one exactly.
    """

    family = "polynomial_factors"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "factors": Knob(2, 5, "irreducible factors", 1, 6),
        "degree": Knob(1, 3, "largest degree of a factor", 1, 3),
        "coefficient": Knob(7, 9, "largest coefficient of a factor", 1, 20),
    }
    hardness_of = "digits of the expanded polynomial's coefficients"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        most = knobs["coefficient"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            factors: list[Poly] = []
            while len(factors) < knobs["factors"]:
                degree = int(rng.integers(1, knobs["degree"] + 1))
                lead = int(rng.integers(1, 4)) if rng.random() < 0.4 else 1
                poly = (*rng.integers(-most, most + 1, size=degree).tolist(), lead)
                if poly[0] and math.gcd(*poly) == 1 and irreducible(poly):
                    factors.append(poly)
            product: Poly = (1,)
            for poly in factors:
                product = _times(product, poly)
            if len(factors) == 1 or len(set(factors)) > 1:
                return cls({"coefficients": list(product), "solution": "".join(f"({_written(f)})" for f in factors)})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "coefficients", "solution")
        self.poly = fields.wholes(data, "coefficients", -(10**15), 10**15, least=2, most=_MOST_DEGREE + 1)
        if not self.poly[-1]:
            raise BadInput("'coefficients' go from the constant up, and the last one is not 0")
        self._stored = fields.text(data, "solution")
        try:
            verdict = self.judge(self._stored)
        except Unreadable as error:
            raise BadInput(f"'solution' cannot be read: {error}") from None
        if not verdict.correct:
            raise BadInput(f"'solution' is wrong: {verdict.reason}")

    def question(self) -> str:
        return (
            f"Factor this polynomial completely over the rational numbers:\n{_written(self.poly)}\n"
            "End with a line 'Answer: ' and the product; write factors in parentheses, for example in the style of "
            "2(x + 1)^2(x^2 - 5)."
        )

    def judge(self, answer: str) -> Verdict:
        (product, factors), _ = read_formula(answer, _Factored())
        if product != self.poly:
            return Verdict.wrong("the product is another polynomial")
        for factor in factors:
            if len(factor) > 4 or not irreducible(factor):
                return Verdict.wrong(f"the factor {_written(factor)[:60]} can be factored further")
        return Verdict.right()

    def solution(self) -> str:
        return self._stored

    def hardness(self) -> float:
        return float(sum(len(str(abs(c))) for c in self.poly if c))

    def cheats(self) -> Sequence[str]:
        text = _written(self.poly)
        return (f"Answer: {text}", f"Answer: ({text})", f"Answer: 1({text})", f"Answer: ({text})^1", "Answer: (x - x)")


class _Factored:
    """Polynomials that remember how they were written: coefficients, and the factors that are not constant."""

    def number(self, n: int) -> tuple[Poly, tuple[Poly, ...]]:
        return (n,), ()

    def name(self, letter: str) -> tuple[Poly, tuple[Poly, ...]]:
        if letter != "x":
            raise Unreadable(f"the variable is x, found {letter!r}")
        return (0, 1), ((0, 1),)

    def add(self, a: tuple[Poly, Any], b: tuple[Poly, Any]) -> tuple[Poly, tuple[Poly, ...]]:
        size = max(len(a[0]), len(b[0]))
        left, right = ((*poly, *[0] * (size - len(poly))) for poly in (a[0], b[0]))
        total = _trimmed([x + y for x, y in zip(left, right, strict=True)])
        return total, ((total,) if len(total) > 1 else ())

    def negate(self, a: tuple[Poly, Any]) -> tuple[Poly, tuple[Poly, ...]]:
        return tuple(-c for c in a[0]), a[1]

    def multiply(self, a: tuple[Poly, Any], b: tuple[Poly, Any]) -> tuple[Poly, tuple[Poly, ...]]:
        return _times(a[0], b[0]), (*a[1], *b[1])

    def power(self, a: tuple[Poly, Any], n: int) -> tuple[Poly, tuple[Poly, ...]]:
        result: tuple[Poly, tuple[Poly, ...]] = ((1,), ())
        for _ in range(n):
            result = self.multiply(result, a)
        return result


def irreducible(poly: Poly) -> bool:
    """Whether a polynomial of degree 1 to 3 has no factor of lower degree: no rational root.

    >>> irreducible((-2, 0, 1)), irreducible((-4, 0, 1))
    (True, False)
    """
    if len(poly) == 2:
        return True
    if not poly[0]:
        return False
    if len(poly) == 3:
        c, b, a = poly
        square = b * b - 4 * a * c
        return square < 0 or math.isqrt(square) ** 2 != square
    return not any(_value(poly, Fraction(sign * p, q)) == 0 for p in _divisors(poly[0]) for q in _divisors(poly[-1])
                   for sign in (1, -1))  # fmt: skip


def _value(poly: Poly, x: Fraction) -> Fraction:
    total = Fraction(0)
    for c in reversed(poly):
        total = total * x + c
    return total


def _divisors(n: int) -> list[int]:
    """Of a number that is small; what a factor of a product with small end coefficients has, is."""
    n = abs(n)
    if n > 10**4:
        raise Unreadable(f"a factor's coefficient {n} is too large to be one of this polynomial")
    return [d for d in range(1, n + 1) if n % d == 0]


def _times(a: Poly, b: Poly) -> Poly:
    if len(a) + len(b) - 2 > _MOST_DEGREE:
        raise Unreadable(f"its degree is above {_MOST_DEGREE}")
    total = [0] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            total[i + j] += x * y
    if max(map(abs, total)) > 10**40:
        raise Unreadable("its coefficients are too large")
    return _trimmed(total)


def _trimmed(coefficients: list[int]) -> Poly:
    while len(coefficients) > 1 and not coefficients[-1]:
        coefficients.pop()
    return tuple(coefficients)


def _written(poly: Poly) -> str:
    text = ""
    for power in range(len(poly) - 1, -1, -1):
        c = poly[power]
        if c:
            name = "" if power == 0 else "x" if power == 1 else f"x^{power}"
            size = "" if abs(c) == 1 and power else str(abs(c))
            text += f" {'-' if c < 0 else '+'} {size}{name}"
    if not text:
        return "0"
    return text[3:] if text[1] == "+" else f"-{text[3:]}"
