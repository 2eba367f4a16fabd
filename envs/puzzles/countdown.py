"""Countdown: reach a target from given numbers."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math.expression import Expression, combine, number
from proofgym.verifiers.puzzles.countdown import CountdownVerifier, solve

__all__ = ["Countdown"]

_LOWEST_TARGET, _HIGHEST_TARGET = 10, 999


class Countdown(Puzzle):
    """Reach a target from given numbers; any expression that does is right.

    Each number is used at most once, not all have to be used. Every generated task is solvable: it is built forward
    from a solution that uses all its numbers. The target is never one of the numbers, their sum or their product.
    """

    family = "countdown"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "numbers": Knob(3, 6, "how many numbers there are"),
        "large": Knob(0.0, 0.5, "share of the numbers that are 25, 50, 75 or 100; the others go up to 20", 0.0, 1.0),
    }
    hardness_of = "expressions over all the numbers, as the power of ten"
    floor: ClassVar[float] = 0.002

    @classmethod
    def settings(cls, level: float, overrides: Knobs | None = None) -> dict[str, Any]:
        """As for every family; but half a number counts as one more here."""
        values = super().settings(level, overrides)
        if "numbers" not in (overrides or {}):
            values["numbers"] = 3 + round(level * 3)
        return values

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size = knobs["numbers"]
        large = round(knobs["large"] * size)
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            numbers = [
                *rng.integers(1, 21, size=size - large).tolist(),
                *(25 * rng.integers(1, 5, size=large)).tolist(),
            ]
            chances = rng.random((size - 1, 3)).tolist()
            target = _value(chances, numbers)
            if not _LOWEST_TARGET <= target <= _HIGHEST_TARGET:
                continue
            if target not in (*numbers, sum(numbers), math.prod(numbers)):
                solution = str(_join_all(chances, numbers))
                rng.shuffle(numbers)
                return cls({"numbers": numbers, "target": target, "solution": solution})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "numbers", "target", optional=("solution",))
        self.numbers, self.target, self._solution = _read(data)
        self._judge_of = CountdownVerifier(self.numbers, self.target)

    def canonical(self) -> Any:
        """The numbers in order and the target; how it can be solved does not matter."""
        return [sorted(self.numbers), self.target]

    def question(self) -> str:
        return (
            f"Reach {self.target} from the numbers {', '.join(map(str, self.numbers))}.\n"
            "Use each number at most once, with + - * / and parentheses; not all numbers have to be used. "
            "End with a line 'Answer: ' and one expression, for example 'Answer: (1 + 2) * 3'."
        )

    def grade(self, text: str) -> tuple[Verdict, list[Credit]]:
        """As `CountdownVerifier`, which finds the answer by rules of its own, then by everybody's."""
        verdict, credits_ = self._judge_of.grade(text)
        return (verdict, credits_) if credits_ else super().grade(text)

    def judge(self, answer: str) -> Verdict:
        verdict = self._judge_of.verify(answer)
        if verdict.status.value == "malformed":
            raise Unreadable(verdict.reason)
        return verdict

    def solution(self) -> str:
        """A solution; searched for where an instance from outside brought none.

        Raises:
            BadInput: If there is none.
        """
        if not self._solution:
            found = solve(self.numbers, self.target)
            if found is None:
                raise BadInput(f"{self.target} cannot be reached from {list(self.numbers)}")
            self._solution = str(found)
        return self._solution

    def hardness(self) -> float:
        n = len(self.numbers)
        trees = math.comb(2 * n - 2, n - 1) // n
        return math.log10(trees * math.factorial(n) * 4 ** (n - 1))

    def cheats(self) -> Sequence[str]:
        target = self.target
        return (
            str(target), f"Answer: {target}", f"Answer: {target} = {target}", f"#### {target}",
            f"Answer: {' + '.join('1' * target)}", f"Answer: (lambda: {target})()", f"Answer: 0 = {target}",
            " + ".join(map(str, self.numbers)), "Answer: 9**9**9", "Answer: 1/0", "Answer: nan", "Answer: True + 1",
            "Answer: ٤",
        )  # fmt: skip


def _value(chances: list[list[float]], numbers: list[int]) -> int:
    """What `_join_all` comes to; most draws are dropped for their value, so this comes first."""
    values = numbers.copy()
    for first, second, kind in chances:
        high = values.pop(int(first * len(values)))
        low = values.pop(int(second * len(values)))
        if high < low:
            high, low = low, high
        sign = ("+-*/" if low > 1 and not high % low else "++-*")[int(kind * 4)]
        values.append(
            high + low if sign == "+" else high - low if sign == "-" else high * low if sign == "*" else high // low
        )
    return values[0]


def _join_all(chances: list[list[float]], numbers: list[int]) -> Expression:
    """Join two parts again and again until one is left; each row of chances decides which two, and by which sign."""
    parts = [number(n) for n in numbers]
    for first, second, kind in chances:
        one = parts.pop(int(first * len(parts)))
        two = parts.pop(int(second * len(parts)))
        high, low = (one, two) if one.value >= two.value else (two, one)
        signs = "+-*/" if low.value > 1 and not high.value % low.value else "++-*"
        parts.append(combine(signs[int(kind * 4)], high, low))
    return parts[0]


def _read(instance: Any) -> tuple[tuple[int, ...], int, str]:
    data = instance if isinstance(instance, Mapping) else {}
    numbers, target, solution = data.get("numbers"), data.get("target"), data.get("solution", "")
    if not (isinstance(numbers, (list, tuple)) and 1 <= len(numbers) <= 8 and all(map(_small, numbers))):
        raise BadInput(f"'numbers' are 1 to 8 whole numbers from 0 to 9999, found {numbers!r:.80}")
    if not (isinstance(target, int) and not isinstance(target, bool) and abs(target) < 10**9):
        raise BadInput(f"'target' is a whole number below 10**9, found {target!r:.80}")
    if not isinstance(solution, str):
        raise BadInput(f"'solution' is an expression or left out, found {solution!r:.80}")
    if solution and not _reaches(tuple(numbers), target, solution):
        raise BadInput(f"the solution {solution!r:.80} does not reach {target} from {list(numbers)}")
    return tuple(numbers), target, solution


@functools.lru_cache(maxsize=1024)
def _reaches(numbers: tuple[int, ...], target: int, solution: str) -> bool:
    return CountdownVerifier(numbers, target).verify(solution).correct


def _small(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9999
