"""The game of 24, with other targets too, and with hands that cannot reach it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import tidy
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.verifiers import Verdict
from proofgym.verifiers.math.expression import Expression, Unreadable, combine, evaluate, number

__all__ = ["Game24", "search"]

_PRIME = 2**61 - 1
_NONE = "impossible"

Tree = int | tuple[str, Any, Any]


class Game24(Puzzle):
    """Reach the target with all four numbers, each once, and exact division; or say that it is impossible.

    A tenth of the hands cannot reach it. That is proved: the search goes through every value modulo the prime
    2**61 - 1. Equal fractions are equal there, and those of three numbers below 1000 are too small for others to be, so
    nothing found there is nothing at all; what is found is checked exactly.
    """

    family = "game24"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "highest": Knob(10, 20, "largest number of a hand", 4, 99),
        "target": Knob(24, 99, "largest target; the smallest is 24", 24, 999),
        "impossible": Knob(0.1, 0.1, "share of hands that cannot reach the target", 0.0, 0.5),
    }
    hardness_of = "values of three of the numbers that a search tries for each way there is, and one more"
    floor: ClassVar[float] = 0.1

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        possible = rng.random() >= knobs["impossible"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            numbers = rng.integers(1, knobs["highest"] + 1, size=4).tolist()
            puzzle = cls({"numbers": numbers, "target": int(rng.integers(24, knobs["target"] + 1))})
            if (puzzle.found[0] is not None) == possible and puzzle.target != sum(numbers):
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "numbers", "target")
        self.numbers = fields.wholes(data, "numbers", 1, 999, least=4, most=4)
        self.target = fields.whole(data, "target", 1, 99_999)

    @property
    def found(self) -> tuple[Expression | None, int, int]:
        """See `search`."""
        return search(tuple(sorted(self.numbers)), self.target)

    def canonical(self) -> Any:
        return [sorted(self.numbers), self.target]

    def question(self) -> str:
        return (
            f"Reach {self.target} with the numbers {', '.join(map(str, self.numbers))}: use every number exactly once, "
            "with + - * / and parentheses; division is exact, fractions on the way are allowed.\n"
            f"End with a line 'Answer: ' and one expression, or '{_NONE}' if there is none."
        )

    def judge(self, answer: str) -> Verdict:
        expression = self.found[0]
        if tidy(answer) == _NONE:
            return Verdict.wrong("there is a way") if expression else Verdict.right("no expression reaches it")
        text, equals, claimed = answer.partition("=")
        try:
            value, literals = evaluate(text.strip(" \t`$*_."))
            if equals and evaluate(claimed.strip(" \t`$*_."))[0] != self.target:
                return Verdict.wrong("what follows '=' is not the target")
        except Unreadable as error:
            return Verdict.malformed(f"{text.strip()[:40]!r} cannot be read: {error}")
        if sorted(literals) != sorted(self.numbers):
            return Verdict.wrong("it does not use every number exactly once")
        if value != self.target:
            return Verdict.wrong(f"its value is {str(value)[:40]}, the target is {self.target}")
        return Verdict.right()

    def solution(self) -> str:
        expression = self.found[0]
        return _NONE if expression is None else str(expression)

    def hardness(self) -> float:
        _, ways, tried = self.found
        return tried / (1 + ways)

    def cheats(self) -> Sequence[str]:
        target = self.target
        return (f"Answer: {target}", f"Answer: {' + '.join('1' * target)}", " + ".join(map(str, self.numbers)))


@functools.lru_cache(maxsize=20_000)
def search(numbers: tuple[int, ...], target: int) -> tuple[Expression | None, int, int]:
    """The first expression over all four numbers, how many ways end in the target, and how many values were tried.

    Source:
        Every expression of four numbers splits into three and one, or two and two.
    """
    singles: list[dict[int, Tree]] = [{n: n} for n in numbers]
    pairs = {(i, j): _joined(singles[i], singles[j]) for i in range(4) for j in range(i + 1, 4)}
    first: Expression | None = None
    ways = tried = 0

    def final(left: dict[int, Tree], right: dict[int, Tree]) -> None:
        nonlocal first, ways
        for a, x in left.items():
            for b in right.keys() & _before(a, target):
                tree = _joined({a: x}, {b: right[b]}).get(target % _PRIME)  # none where 0 would divide
                expression = None if tree is None else _exact(tree)
                if expression is not None and expression.value == target:
                    ways += 1
                    first = first or expression

    for i in range(4):
        a, b, c = (j for j in range(4) if j != i)
        three = {
            **_joined(singles[a], pairs[b, c]),
            **_joined(singles[b], pairs[a, c]),
            **_joined(singles[c], pairs[a, b]),
        }
        tried += len(three)
        final(singles[i], three)
    for two, other in (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))):
        final(pairs[two], pairs[other])
    return first, ways, tried


def _joined(left: Mapping[int, Tree], right: Mapping[int, Tree]) -> dict[int, Tree]:
    """Everything that one value of the left and one of the right make, each with how it is made."""
    made: dict[int, Tree] = {}
    for a, x in left.items():
        inverse = _inverse(a)
        for b, y in right.items():
            made[(a + b) % _PRIME] = ("+", x, y)
            made[a * b % _PRIME] = ("*", x, y)
            made[(a - b) % _PRIME] = ("-", x, y)
            made[(b - a) % _PRIME] = ("-", y, x)
            if b:
                made[a * _inverse(b) % _PRIME] = ("/", x, y)
            if a:
                made[b * inverse % _PRIME] = ("/", y, x)
    return made


def _before(one: int, target: int) -> set[int]:
    """The values that make the target together with one more number."""
    inverse = _inverse(one)
    return {
        v % _PRIME
        for v in (target - one, target + one, one - target, target * inverse, target * one, one * _inverse(target))
    }


@functools.lru_cache(maxsize=50_000)
def _inverse(value: int) -> int:
    return pow(value, -1, _PRIME) if value % _PRIME else 0


def _exact(tree: Tree) -> Expression | None:
    """The expression of a tree, or `None` if it divides by zero."""
    if isinstance(tree, int):
        return number(tree)
    sign, left, right = tree
    one, two = _exact(left), _exact(right)
    if one is None or two is None or (sign == "/" and not two.value):
        return None
    return combine(sign, one, two)
