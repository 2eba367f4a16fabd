"""Countdown: reach a target from given numbers."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.errors import BadInput
from proofgym.verifiers.math.expression import Expression, combine, number
from proofgym.verifiers.puzzles.countdown import CountdownVerifier, solve

__all__ = ["Countdown"]

_FEWEST, _MOST = 3, 6
_LOWEST_TARGET, _HIGHEST_TARGET = 10, 999


class Countdown(VerifiableEnv):
    """Asks for an expression that reaches a target from given numbers; pays 1.0 for any that does.

    Observation: the numbers, the target and the format, at most 400 characters.
    Action: anything, and then one expression, after `Answer:` or alone on the last line.
    Episode: one turn, always terminated, never truncated.

    Each number is used at most once, not all have to be used. Every generated task is solvable: it is built forward
    from a solution that uses all its numbers. The target is never one of the numbers, their sum or their product.

    Args:
        level: 3 numbers up to 20 at 0; 6 numbers, half of them from 25, 50, 75, 100, at 1.
    """

    family: ClassVar[str] = "countdown"
    floor: float = 0.002

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._numbers: tuple[int, ...] = ()
        self._target = 0
        self._solution = ""

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        size = _FEWEST + round(self.level * (_MOST - _FEWEST))
        large = round(self.level * size / 2)
        while True:
            numbers = [
                *rng.integers(1, 21, size=size - large).tolist(),
                *(25 * rng.integers(1, 5, size=large)).tolist(),
            ]
            solution = _join_all(rng.random((size - 1, 3)).tolist(), numbers)
            easy = {*numbers, sum(numbers), math.prod(numbers)}
            if _LOWEST_TARGET <= solution.value <= _HIGHEST_TARGET and solution.value not in easy:
                rng.shuffle(numbers)
                return {"numbers": numbers, "target": solution.value, "solution": str(solution)}

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The numbers in order and the target; how it can be solved does not matter."""
        numbers, target, _ = _read(instance)
        return [sorted(numbers), target]

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By how many numbers there are."""
        return min(1.0, max(0.0, (len(_read(instance)[0]) - _FEWEST) / (_MOST - _FEWEST)))

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._numbers, self._target, self._solution = _read(instance)
        return (
            f"Reach {self._target} from the numbers {', '.join(map(str, self._numbers))}.\n"
            "Use each number at most once, with + - * / and parentheses; not all numbers have to be used. "
            "End with a line 'Answer: ' and one expression, for example 'Answer: (1 + 2) * 3'."
        )

    def turn(self, action: str) -> TurnResult:
        verdict, credits_ = CountdownVerifier(self._numbers, self._target).grade(action)
        return TurnResult("", credits_, verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        """A solution; searched for where an instance from outside brought none.

        Raises:
            BadInput: If there is none.
        """
        if not self._solution:
            found = solve(self._numbers, self._target)
            if found is None:
                raise BadInput(f"{self._target} cannot be reached from {list(self._numbers)}")
            self._solution = str(found)
        return f"Answer: {self._solution}"

    def cheats(self) -> Sequence[str]:
        target = self._target
        return (
            *super().cheats(), str(target), f"Answer: {target}", f"Answer: {target} = {target}", f"#### {target}",
            f"Answer: {' + '.join('1' * target)}", f"Answer: (lambda: {target})()", f"Answer: 0 = {target}",
            " + ".join(map(str, self._numbers)), "Answer: 9**9**9", "Answer: 1/0", "Answer: nan", "Answer: True + 1",
            "Answer: ٤", "Answer:",
        )  # fmt: skip


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
