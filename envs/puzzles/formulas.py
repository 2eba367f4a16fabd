"""Propositional formulas as JSON, their truth in every assignment at once, and their words.

A formula is a variable's letter or a list: `["not", f]`, `["and" | "or" | "if" | "iff" | "xor", f, g]`. Bit w of a
truth table (an `int`) belongs to the assignment whose binary digits are the variables, the first variable the lowest
digit.
"""

from __future__ import annotations

import reprlib
from typing import Any

from proofgym.envs.puzzles.chance import Chance
from proofgym.errors import BadInput

__all__ = ["LETTERS", "column", "draw", "parts", "table", "words"]

LETTERS = "ABCDEFGH"
_TWO = {"and": "and", "or": "or", "if": "implies", "iff": "if and only if", "xor": "or else"}
_DEEPEST = 8


def parts(formula: Any, variables: int, depth: int = 0) -> int:
    """The number of connectives and variables of a formula from outside.

    Raises:
        BadInput: If it is none over so many variables, or deeper than 8.
    """
    if isinstance(formula, str) and len(formula) == 1 and formula in LETTERS[:variables]:
        return 1
    if isinstance(formula, (list, tuple)) and formula and depth < _DEEPEST and isinstance(formula[0], str):
        arity = 1 if formula[0] == "not" else 2 if formula[0] in _TWO else 0
        if arity and len(formula) == arity + 1:
            return 1 + sum(parts(part, variables, depth + 1) for part in formula[1:])
    letters = ", ".join(LETTERS[:variables])
    raise BadInput(
        f"a formula is one of {letters} or a list such as ['and', 'A', ['not', 'B']], at most {_DEEPEST} deep, "
        f"found {reprlib.repr(formula)}"
    )


def column(variable: int, variables: int) -> int:
    """The truth table of a variable.

    >>> bin(column(0, 2)), bin(column(1, 2))
    ('0b1010', '0b1100')
    """
    return sum(1 << world for world in range(1 << variables) if world >> variable & 1)


def table(formula: Any, columns: list[int]) -> int:
    """The truth table of a formula, from those of its variables."""
    full = (1 << (1 << len(columns))) - 1
    if isinstance(formula, str):
        return columns[LETTERS.index(formula)]
    kind = formula[0]
    one = table(formula[1], columns)
    if kind == "not":
        return full ^ one
    other = table(formula[2], columns)
    if kind == "and":
        return one & other
    if kind == "or":
        return one | other
    if kind == "if":
        return (full ^ one) | other
    return one ^ other if kind == "xor" else full ^ one ^ other


def draw(chance: Chance, variables: int, depth: int) -> Any:
    """A random formula."""
    if depth == 0 or (depth == 1 and chance.below(4) == 0):
        letter = LETTERS[chance.below(variables)]
        return letter if chance.below(3) else ["not", letter]
    kind = chance.pick(("and", "or", "or", "if", "if", "iff", "xor"))
    one = draw(chance, variables, depth - 1)
    while True:
        other = draw(chance, variables, depth - 1)
        if other not in (one, ["not", one]) and one != ["not", other]:
            return [kind, one, other]


def words(formula: Any) -> str:
    """A formula in words, with parentheses around what is inside.

    >>> words(["if", "A", ["not", ["or", "A", "B"]]])
    'A implies not (A or B)'
    """
    if isinstance(formula, str):
        return formula
    inner = [
        f"({words(part)})" if not isinstance(part, str) and part[0] != "not" else words(part) for part in formula[1:]
    ]
    return f"not {inner[0]}" if formula[0] == "not" else f"{inner[0]} {_TWO[formula[0]]} {inner[1]}"
