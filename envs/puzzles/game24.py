"""The game of 24, with other targets too, and with hands that cannot reach it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
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

_PRIME = 2**31 - 1
_NONE = "impossible"

Tree = int | tuple[str, Any, Any]


class Game24(Puzzle):
    """Reach the target with all four numbers, each once, and exact division; or say that it is impossible.

    A tenth of the hands cannot reach it. That is proved: the search goes through every value modulo the prime
    2**31 - 1, where equal fractions stay equal, so nothing found there is nothing at all; what is found is checked
    exactly.
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
    values = [_number(n) for n in numbers]
    pairs = {(i, j): list(_joined([values[i]], [values[j]])) for i in range(4) for j in range(i + 1, 4)}
    first: Expression | None = None
    ways = tried = 0

    def final(left: list[tuple[int, Tree]], right: list[tuple[int, Tree]]) -> None:
        nonlocal first, ways
        for value, tree in _joined(left, right):
            if value == target % _PRIME:
                expression = _exact(tree)
                if expression is not None and expression.value == target:
                    ways += 1
                    first = first or expression

    for i in range(4):
        a, b, c = (j for j in range(4) if j != i)
        three = dict(
            pair for one, two in ((a, (b, c)), (b, (a, c)), (c, (a, b))) for pair in _joined([values[one]], pairs[two])
        )
        tried += len(three)
        wanted = _before(values[i][0], target)
        final([values[i]], [(value, tree) for value, tree in three.items() if value in wanted])
    for two, other in (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))):
        final(pairs[two], pairs[other])
    return first, ways, tried


def _number(n: int) -> tuple[int, Tree]:
    return n, n


def _joined(left: list[tuple[int, Tree]], right: list[tuple[int, Tree]]) -> Iterator[tuple[int, Tree]]:
    """Everything that one value of the left and one of the right make."""
    for a, x in left:
        inverse = _inverse(a)
        for b, y in right:
            yield (a + b) % _PRIME, ("+", x, y)
            yield a * b % _PRIME, ("*", x, y)
            yield (a - b) % _PRIME, ("-", x, y)
            yield (b - a) % _PRIME, ("-", y, x)
            if b:
                yield a * _inverse(b) % _PRIME, ("/", x, y)
            if a:
                yield b * inverse % _PRIME, ("/", y, x)


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
