"""Expressions to evaluate, with pay for every line of working that follows."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.errors import BadInput
from proofgym.verifiers.math.arithmetic import ArithmeticVerifier
from proofgym.verifiers.math.expression import Expression, Unreadable, combine, number, parse

__all__ = ["Arithmetic", "read_expression"]

_FEWEST, _MOST = 2, 10  # operations that the generator writes
_LARGEST = 9999  # of a product, so that the working stays work that can be done in the head
_MOST_GIVEN = 40  # operations that an instance from outside may have


class Arithmetic(VerifiableEnv):
    """Asks for the value of an integer expression; pays half for the working and half for the answer.

    Observation: the expression and the format, at most 400 characters for generated tasks.
    Action: lines of working, each the whole expression rewritten, then `#### n`. The working may be left out.
    Episode: one turn, always terminated, never truncated.

    What each line earns is told by `ArithmeticVerifier`. Divisions come out even.

    Args:
        level: 2 operations between numbers up to 20 at 0; 10 operations between numbers up to 99 at 1.
    """

    family: ClassVar[str] = "arithmetic"
    floor: float = 0.03

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._expression = number(0)

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        operations = _FEWEST + round(self.level * (_MOST - _FEWEST))
        return {"expression": str(_grow(rng, operations, 20 + round(self.level * 79)))}

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The expression without needless blanks and brackets."""
        return str(read_expression(instance))

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the number of operations."""
        return min(1.0, max(0.0, (read_expression(instance).operations - _FEWEST) / (_MOST - _FEWEST)))

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._expression = read_expression(instance)
        return (
            f"Evaluate {self._expression}\n"
            "Show your working: on each line write the whole expression again with at least one operation carried out, "
            "so that every line has the same value. Use only numbers, + - * / and parentheses. "
            "End with a line '#### n', where n is the value."
        )

    def turn(self, action: str) -> TurnResult:
        verdict, credits_ = ArithmeticVerifier(self._expression).grade(action)
        return TurnResult("", credits_, verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        working = []
        line = self._expression
        while line.operations:
            line = line.step()
            working.append(str(line))
        return "\n".join([*working, f"#### {line.value}"])

    def cheats(self) -> Sequence[str]:
        asked = str(self._expression)
        guesses = range(-500, 500)
        return (
            *super().cheats(), asked, f"#### {asked}", f"{asked}\n" * 20, f"= {asked} + 0 - 0",
            "\n".join(f"#### {n}" for n in guesses), "\n".join(map(str, guesses)), " = ".join(map(str, guesses)),
            "#### ٤", "#### nan", "#### 1/0", "9**9**9", "#### 1 2 3 4 5", "####", "#### x", "####\n####",
        )  # fmt: skip


def _grow(rng: np.random.Generator, operations: int, largest: int) -> Expression:
    if operations == 0:
        return number(int(rng.integers(2, largest + 1)))
    if operations == 1 and rng.random() < 0.2:
        divisor, quotient = (int(rng.integers(2, high)) for high in (10, 13))
        return combine("/", number(divisor * quotient), number(divisor))
    left_operations = int(rng.integers(operations))
    left = _grow(rng, left_operations, largest)
    right = _grow(rng, operations - 1 - left_operations, largest)
    sign = "+-*"[int(rng.integers(3))]
    if sign == "*" and not -_LARGEST <= left.value * right.value <= _LARGEST:
        sign = "+-"[int(rng.integers(2))]
    return combine(sign, left, right)


def read_expression(instance: Any) -> Expression:
    """The expression of an instance.

    Raises:
        BadInput: If it has none, or one that is not asked here.
    """
    text = instance.get("expression") if isinstance(instance, Mapping) else None
    if not isinstance(text, str):
        raise BadInput(f"an instance is {{'expression': '2 * (3 + 4)'}}, found {instance!r:.80}")
    return _checked(text)


@functools.lru_cache(maxsize=1024)
def _checked(text: str) -> Expression:
    try:
        expression = parse(text)
    except Unreadable as error:
        raise BadInput(f"the expression {text!r:.80} cannot be read: {error}") from error
    if not 1 <= expression.operations <= _MOST_GIVEN:
        raise BadInput(f"an instance has 1 to {_MOST_GIVEN} operations, found {expression.operations} in {text!r:.80}")
    if not _even(expression):
        raise BadInput(f"every division has to come out even; one in {text!r:.80} does not")
    return expression


def _even(expression: Expression) -> bool:
    return isinstance(expression.value, int) and all(_even(part) for part in expression.parts)
