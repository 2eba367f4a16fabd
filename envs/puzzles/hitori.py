"""Hitori: shade numbers until none occurs twice in a line, without parting the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.counts import Counts, at_least, at_most, bits, reach
from proofgym.envs.puzzles.domains import latin_units
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.latin import latin_square
from proofgym.envs.puzzles.marks import CountedBoard, beside
from proofgym.errors import BadInput

__all__ = ["Hitori"]


class Hitori(CountedBoard):
    """Shade cells so that no number is left twice in a row or column.

    Shaded cells never touch, and the others stay connected. Exactly one solution, proved by an exhaustive search.
    `board` holds the numbers, row by row.
    """

    family = "hitori"
    floor: ClassVar[float] = 0.03  # few ways to shade a 4 x 4 board suit many sets of numbers
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 8, "rows and columns", 3, 9),
    }

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        cells = size * size
        near = _near(size)
        draws = Draws(cls.family, 1000)
        while True:
            draws.count()
            shaded = 0  # as many as fit: where one more could be shaded, nothing would forbid it
            for at in chance.shuffled(range(cells)):
                more = shaded | 1 << at
                if not shaded & near[at] and _whole(((1 << cells) - 1) & ~more, near):
                    shaded = more
            square = [value + 1 for value in latin_square(size, chance)]
            numbers = square.copy()
            for at in bits(shaded):  # a number that is left in the row or the column already
                r, c = divmod(at, size)
                line = [r * size + x for x in range(size)] if chance.share() < 0.5 else list(range(c, cells, size))
                numbers[at] = square[chance.pick([other for other in line if not shaded >> other & 1])]
            for _ in range(20):
                found = Counts(cells, _limits(numbers, size), _check(size)).solve(2)
                if found == [shaded]:
                    puzzle = cls({"board": [numbers[at : at + size] for at in range(0, cells, size)]})
                    puzzle.known([puzzle.cells(shaded)])
                    return puzzle
                # a shaded cell that the other solution does without gets another number
                other = next(solution for solution in found if solution != shaded)
                doubtful = bits(shaded & ~other)
                if not doubtful:
                    break
                at = chance.pick(doubtful)
                r, c = divmod(at, size)
                line = [*(r * size + x for x in range(size)), *range(c, cells, size)]
                numbers[at] = square[chance.pick([other for other in line if not shaded >> other & 1])]

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        board = fields.matrix(data, "board", 1, 9, most=9)
        self.rows = self.columns = len(board)
        if len(board) != len(board[0]) or len(board) < 2:
            raise BadInput(f"'board' is a square of 2 to 9 rows, found {len(board)} x {len(board[0])}")
        self._numbers = [number for row in board for number in row]
        self.givens = (".",) * len(self._numbers)

    def law(self) -> str:
        return (
            f"Hitori, {self.rows}x{self.rows}. Mark cells (shade them) so that no number stands twice among the "
            "unmarked "
            "cells of a row or column, no two marked cells are directly above, below, left or right of each "
            "other, and "
            "all unmarked cells are connected, directly above, below, left or right.\n"
            f"The numbers:\n{self.drawn([str(number) for number in self._numbers])}"
        )

    def drawn(self, cells: Sequence[str]) -> str:
        return "\n".join(" ".join(cells[at : at + self.columns]) for at in range(0, len(cells), self.columns))

    def broken(self, cells: Sequence[str]) -> str | None:
        size, on = self.rows, self.marks(cells)
        for number, unit in enumerate(latin_units(size)):
            left = [self._numbers[at] for at in unit if not on >> at & 1]
            if len(set(left)) < len(left):
                return f"{'row' if number < size else 'column'} {number % size + 1} still holds a number twice"
        near = _near(size)
        touching = next((at for at in bits(on) if near[at] & on), None)
        if touching is not None:
            return f"the marked cell at {self.name(touching)} touches another"
        return None if _whole(((1 << size * size) - 1) & ~on, near) else "the unmarked cells are not all connected"

    def search(self) -> Counts:
        return Counts(len(self._numbers), _limits(self._numbers, self.rows), _check(self.rows))

    def svg(self) -> str:
        board = Board(self.rows, self.columns)
        for at, number in enumerate(self._numbers):
            board.text(at // self.columns, at % self.columns, str(number))
        return board.svg()


def _near(size: int) -> list[int]:
    return [sum(1 << n for n in beside(at, size, size)) for at in range(size * size)]


def _whole(cells: int, near: Sequence[int]) -> bool:
    """Whether cells are connected; none at all are not."""
    return cells != 0 and reach(cells & -cells, cells, near) == cells


def _limits(numbers: Sequence[int], size: int) -> list[tuple[int, int]]:
    limits = []
    for at in range(size * size):
        limits += [(1 << at | 1 << n, at_most(1)) for n in beside(at, size, size) if n > at]
    for unit in latin_units(size):
        for value in sorted({numbers[at] for at in unit}):
            same = [at for at in unit if numbers[at] == value]
            if len(same) > 1:  # all but one at least are shaded
                limits.append((sum(1 << at for at in same), at_least(len(same) - 1, len(same))))
    return limits


def _check(size: int) -> Any:
    near = _near(size)
    every = (1 << size * size) - 1

    def connected(on: int, off: int) -> tuple[int, int] | None:
        """What stays unshaded has to be connected through cells that are not shaded."""
        if not off:
            return (on, off) if on != every else None
        found = reach(off & -off, every & ~on, near)
        if off & ~found:
            return None
        return on, off

    return connected
