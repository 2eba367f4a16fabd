"""Systems of linear equations with a rational solution."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["LinearSystem", "solve"]

_NAMES = "xyzuvwst"


class LinearSystem(Puzzle):
    """Solve a system of linear equations; where it has many solutions, any of them is right."""

    family = "linear_system"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "unknowns": Knob(2, 5, "unknowns", 1, 8),
        "coefficient": Knob(3, 9, "largest coefficient", 1, 99),
        "loose": Knob(0.0, 0.4, "share of systems with one equation less than unknowns", 0.0, 1.0),
        "fractions": Knob(0.0, 0.6, "share of systems with fractions in the solution", 0.0, 1.0),
    }
    hardness_of = "exact multiplications of Gauss-Jordan elimination, each counted by its digits"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        n, most = knobs["unknowns"], knobs["coefficient"]
        loose = n > 1 and rng.random() < knobs["loose"]
        below = int(rng.integers(2, 5)) if rng.random() < knobs["fractions"] else 1
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            hidden = rng.integers(-12, 13, size=n)
            rows = rng.integers(-most, most + 1, size=(n - loose, n))
            scaled = rows @ hidden
            if not (np.any(hidden) and np.all(np.any(rows, axis=1)) and np.all(scaled % below == 0)):
                continue
            right = scaled // below
            puzzle = cls({"rows": [[*row, value] for row, value in zip(rows.tolist(), right.tolist(), strict=True)]})
            if np.any(right) and puzzle.found[1] == n - loose:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "rows")
        self.rows = fields.matrix(data, "rows", -(10**6), 10**6, most=9)
        self.names = _NAMES[: len(self.rows[0]) - 1]
        if not self.names or len(self.names) > len(_NAMES):
            raise BadInput("'rows' are equations of 1 to 8 coefficients and a right side")

    def prove(self) -> None:
        if self.found[0] is None:
            raise BadInput("these equations contradict each other")

    @functools.cached_property
    def found(self) -> tuple[list[Fraction] | None, int, int]:
        """See `solve`."""
        return solve(self.rows)

    def canonical(self) -> Any:
        return sorted(map(list, self.rows))

    def question(self) -> str:
        lines = "\n".join(f"{_side(row[:-1], self.names)} = {row[-1]}" for row in self.rows)
        form = ", ".join(f"{name}=..." for name in self.names)
        return (
            f"Find a solution of this system of equations; if there are several, any will do:\n{lines}\n"
            f"End with a line 'Answer: ' and the exact values in the form {form}; fractions are written like 3/4."
        )

    def judge(self, answer: str) -> Verdict:
        said = answers.mapping(answer, list(self.names))
        values = [answers.rational(value) for value in said.values()]
        for number, row in enumerate(self.rows, 1):
            left = sum((a * v for a, v in zip(row, values, strict=False)), Fraction(0))
            if left != row[-1]:
                return Verdict.wrong(f"in equation {number} the left side is {str(left)[:40]}, not {row[-1]}")
        return Verdict.right()

    def solution(self) -> str:
        values = self.found[0]
        assert values is not None
        return ", ".join(f"{name}={value}" for name, value in zip(self.names, values, strict=True))

    def hardness(self) -> float:
        return float(self.found[2])

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {', '.join(f'{name}=0' for name in self.names)}", "Answer: x=1/0, y=1/0")


def solve(rows: Sequence[Sequence[int]]) -> tuple[list[Fraction] | None, int, int]:
    """A solution with the free unknowns at 0 (`None` without one), the rank, and the digits that were multiplied.

    >>> solve([[1, 1, 3], [1, -1, 1]])[:2]
    ([Fraction(2, 1), Fraction(1, 1)], 2)
    """
    table = [[Fraction(v) for v in row] for row in rows]
    n, rank, work = len(rows[0]) - 1, 0, 0
    pivots = []
    for column in range(n):
        pivot = next((r for r in range(rank, len(table)) if table[r][column]), None)
        if pivot is None:
            continue
        table[rank], table[pivot] = table[pivot], table[rank]
        lead = table[rank][column]
        table[rank] = [v / lead for v in table[rank]]
        for r, row in enumerate(table):
            factor = row[column]
            if r != rank and factor:
                work += sum(len(str(v)) for v in table[rank] if v)
                table[r] = [v - factor * p for v, p in zip(row, table[rank], strict=True)]
        pivots.append(column)
        rank += 1
    if any(row[n] for row in table[rank:]):
        return None, rank, work
    values = [Fraction(0)] * n
    for r, column in enumerate(pivots):
        values[column] = table[r][n]
    return values, rank, work


def _side(coefficients: Sequence[int], names: str) -> str:
    parts = []
    for a, name in zip(coefficients, names, strict=True):
        if a:
            sign = "-" if a < 0 else "+"
            parts.append(f"{sign} {abs(a) if abs(a) != 1 else ''}{name}")
    text = " ".join(parts) or "0"
    return f"-{text[2:]}" if text[0] == "-" else text.removeprefix("+ ")
