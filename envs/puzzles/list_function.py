"""List functions from examples."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.induction import RulePuzzle
from proofgym.verifiers import Verdict

__all__ = ["ListFunction"]

Row = tuple[int, ...]


def _some(keep: Callable[[int], bool]) -> Callable[[Row], Row]:
    return lambda row: tuple(x for x in row if keep(x))


_OPERATIONS: dict[str, Callable[[Row], Row | None]] = {
    "reverse the list": lambda row: row[::-1],
    "sort it, smallest first": lambda row: tuple(sorted(row)),
    "sort it, largest first": lambda row: tuple(sorted(row, reverse=True)),
    "drop the first number": lambda row: row[1:],
    "drop the last number": lambda row: row[:-1],
    "keep the first three": lambda row: row[:3],
    "keep the last three": lambda row: row[-3:],
    "keep every other number, beginning with the first": lambda row: row[::2],
    "move the first number to the end": lambda row: row[1:] + row[:1],
    "move the last number to the front": lambda row: row[-1:] + row[:-1],
    "exchange the first number and the last": lambda row: (row[-1], *row[1:-1], row[0]) if len(row) > 1 else row,
    "keep the even numbers": _some(lambda x: x % 2 == 0),
    "keep the odd numbers": _some(lambda x: x % 2 == 1),
    "keep the numbers above 9": _some(lambda x: x > 9),
    "keep the numbers below 10": _some(lambda x: x < 10),
    "drop every number that came before": lambda row: tuple(dict.fromkeys(row)),
    "add 1 to every number": lambda row: tuple(x + 1 for x in row),
    "add 5 to every number": lambda row: tuple(x + 5 for x in row),
    "double every number": lambda row: tuple(2 * x for x in row),
    "square every number": lambda row: tuple(x * x for x in row) if max(row, default=0) < 1000 else None,
    "take every number modulo 7": lambda row: tuple(x % 7 for x in row),
    "replace every number by the sum of all up to it": lambda row: tuple(itertools.accumulate(row)),
    "replace every number by the largest up to it": lambda row: tuple(itertools.accumulate(row, max)),
    "append the sum": lambda row: (*row, sum(row)),
    "append how many numbers there are": lambda row: (*row, len(row)),
    "put the largest number in front": lambda row: (max(row), *row) if row else None,
    "put the smallest number in front": lambda row: (min(row), *row) if row else None,
    "write every number twice": lambda row: tuple(x for x in row for _ in range(2)) if len(row) <= 30 else None,
    "append the reversed list": lambda row: row + row[::-1] if len(row) <= 30 else None,
    "subtract the smallest number from every number": lambda row: tuple(x - min(row) for x in row),
}


class ListFunction(RulePuzzle[Row]):
    """Find out from examples what happens to a list of numbers, and do it to one more list.

    All rules of the grammar that fit the examples give the same list, so the answer is unique.
    """

    family = "list_function"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "depth": Knob(1, 2, "operations of the rule", 1, 2),
        "length": Knob(5, 9, "numbers of a list, at most", 3, 16),
        "examples": Knob(4, 4, "examples", 2, 8),
    }
    operations = _OPERATIONS
    floor: ClassVar[float] = 0.01

    @classmethod
    def draw(cls, rng: np.random.Generator, knobs: Knobs) -> Row:
        size = int(rng.integers(max(3, knobs["length"] - 3), knobs["length"] + 1))
        return tuple(rng.integers(1, 20, size=size).tolist())

    @classmethod
    def value(cls, data: Any, key: str) -> Row:
        return fields.wholes({key: data}, key, 0, 10**9, least=0, most=80)

    @classmethod
    def content(cls, value: Row) -> Any:
        return list(value)

    def written(self, value: Row) -> str:
        return f"[{', '.join(map(str, value))}]"

    def size(self, value: Row) -> int:
        return len(value) + 1

    def question(self) -> str:
        examples = "\n".join(f"{self.written(a)} -> {self.written(b)}" for a, b in self.pairs)
        return (
            f"{self.listed()}These are examples of a list and what becomes of it:\n{examples}\n"
            f"What becomes of {self.written(self.test)}?\n"
            "End with a line 'Answer: ' and the list, in the same form."
        )

    def judge(self, answer: str) -> Verdict:
        said = tuple(answers.wholes(answer, most=200))
        return Verdict.right() if said == self.outcome else Verdict.wrong(f"{self.written(said)[:80]} is another list")

    def solution(self) -> str:
        return self.written(self.outcome)

    def cheats(self) -> Sequence[str]:
        rows = [self.test, *(b for _, b in self.pairs)]
        return tuple(f"Answer: {self.written(row)}" for row in rows if row != self.outcome)
