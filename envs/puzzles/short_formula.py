"""Writing an expanded polynomial as a short formula."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.formula import MAX_EXPONENT, read_formula
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["ShortFormula"]

_PRIME = 2**61 - 1
_NAMES = "xyz"
_POINTS = 3

Terms = dict[tuple[int, ...], int]


class ShortFormula(Puzzle):
    """Find a formula that equals a long sum and has few operations; any such formula is right.

    Formulas are compared by exact evaluation at points modulo the prime 2**61 - 1 that depend on the instance. Two
    different polynomials of degree d agree at all of them with a chance below (d / 2**61)**3 (Schwartz-Zippel lemma).
    """

    family = "short_formula"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "operations": Knob(3, 8, "operations that are allowed", 3, 9),
        "names": Knob(3, 3, "variables", 2, 3),
        "saved": Knob(2, 9, "operations that the long sum has more, at least", 2, 12),
        "number": Knob(8, 16, "largest number in the short formula", 1, 40),
    }
    hardness_of = "operations of the long sum"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        names, most = knobs["names"], knobs["operations"]
        ring = _Expanded()
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            parts: list[tuple[str, str]] = []  # text, outermost sign
            for _ in range(most + 1):
                leaf = (
                    _NAMES[int(rng.integers(names))]
                    if rng.random() < 0.65
                    else str(rng.integers(1, knobs["number"] + 1))
                )
                parts.append((leaf, ""))
            while len(parts) > 1:
                a, b = (parts.pop(int(rng.integers(len(parts)))) for _ in range(2))
                sign = "+-***"[int(rng.integers(5))]
                left = f"({a[0]})" if sign == "*" and a[1] in ("+", "-") else a[0]
                right = f"({b[0]})" if b[1] in ("+", "-") and sign in ("*", "-") else b[0]
                parts.append((f"{left} {sign} {right}", sign))
            try:
                terms, operations = read_formula(parts[0][0], ring)
            except Unreadable:
                continue  # beyond the bounds of the long sum
            text = _written(terms)
            if len(text) < 700 and read_formula(text, ring)[1] >= operations + knobs["saved"]:
                return cls({"sum": text, "operations": operations, "solution": parts[0][0]})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "sum", "operations", "solution")
        self.most = fields.whole(data, "operations", 1, 40)
        self.sum = fields.text(data, "sum", most=900)
        self._stored = fields.text(data, "solution", most=900)
        mark = hashlib.shake_128(self.sum.encode("utf-8", "surrogatepass")).digest(8 * len(_NAMES) * _POINTS)
        numbers = [int.from_bytes(mark[i : i + 8], "little") % _PRIME for i in range(0, len(mark), 8)]
        points = [dict(zip(_NAMES, numbers[i::_POINTS], strict=True)) for i in range(_POINTS)]
        self._ring = _Points(points)
        try:
            self._values, self._long = read_formula(self.sum, self._ring)
            verdict = self.judge(self._stored)
        except Unreadable as error:
            raise BadInput(f"'sum' or 'solution' cannot be read: {error}") from None
        if not verdict.correct:
            raise BadInput(f"'solution' is wrong: {verdict.reason}")

    def question(self) -> str:
        return (
            f"Find a short formula for this sum:\n{self.sum}\n"
            "It has to be equal for all values of the variables, with whole numbers, + - * ^ and parentheses, and at "
            f"most {self.most} operations. Each + - * ^ is one operation, also a product written without a sign, as in "
            "2x, and a minus at the head.\nEnd with a line 'Answer: ' and the formula."
        )

    def judge(self, answer: str) -> Verdict:
        values, operations = read_formula(answer, self._ring)
        if values != self._values:
            return Verdict.wrong("it is not equal to the sum")
        if operations > self.most:
            return Verdict.wrong(f"it has {operations} operations, and at most {self.most} are allowed")
        return Verdict.right(f"{operations} operations")

    def solution(self) -> str:
        return self._stored

    def hardness(self) -> float:
        return float(self._long)

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.sum}", f"Answer: ({self.sum})", f"Answer: ({self.sum})^1", "Answer: 0", "Answer: x")


class _Points:
    """Values at some points, modulo a prime."""

    def __init__(self, points: list[dict[str, int]]) -> None:
        self._points = points

    def number(self, n: int) -> tuple[int, ...]:
        return (n % _PRIME,) * len(self._points)

    def name(self, letter: str) -> tuple[int, ...]:
        if letter not in _NAMES:
            raise Unreadable(f"the variables are {', '.join(_NAMES)}, found {letter!r}")
        return tuple(point[letter] for point in self._points)

    def add(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        return tuple((x + y) % _PRIME for x, y in zip(a, b, strict=True))

    def negate(self, a: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(-x % _PRIME for x in a)

    def multiply(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(x * y % _PRIME for x, y in zip(a, b, strict=True))

    def power(self, a: tuple[int, ...], n: int) -> tuple[int, ...]:
        return tuple(pow(x, n, _PRIME) for x in a)


class _Expanded:
    """Polynomials as sums of terms."""

    def number(self, n: int) -> Terms:
        return {(0,) * len(_NAMES): n} if n else {}

    def name(self, letter: str) -> Terms:
        if letter not in _NAMES:
            raise Unreadable(f"the variables are {', '.join(_NAMES)}, found {letter!r}")
        return {tuple(int(letter == name) for name in _NAMES): 1}

    def add(self, a: Terms, b: Terms) -> Terms:
        total = {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}
        return {key: c for key, c in total.items() if c}

    def negate(self, a: Terms) -> Terms:
        return {key: -c for key, c in a.items()}

    def multiply(self, a: Terms, b: Terms) -> Terms:
        total: Terms = {}
        for one, c in a.items():
            for two, d in b.items():
                key = tuple(i + j for i, j in zip(one, two, strict=True))
                total[key] = total.get(key, 0) + c * d
                if max(key) > MAX_EXPONENT:
                    raise Unreadable("its degree is too high")
        return {key: c for key, c in total.items() if c}

    def power(self, a: Terms, n: int) -> Terms:
        total = self.number(1)
        for _ in range(n):
            total = self.multiply(total, a)
        return total


def _written(terms: Terms) -> str:
    text = ""
    for key in sorted(terms, key=lambda key: (-sum(key), [-k for k in key])):
        c = terms[key]
        names = [name if k == 1 else f"{name}^{k}" for name, k in zip(_NAMES, key, strict=True) if k]
        size = [] if abs(c) == 1 and names else [str(abs(c))]
        text += f" {'-' if c < 0 else '+'} {'*'.join(size + names)}"
    if not text:
        return "0"
    return text[3:] if text[1] == "+" else f"-{text[3:]}"
