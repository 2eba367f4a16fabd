"""Queens: complete a placement of n queens that do not attack one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.fill import MarkPuzzle
from proofgym.errors import BadInput

__all__ = ["Queens"]


_LARGEST_TABLE = 10  # 724 placements; on larger boards it is quicker to search for each instance anew


class Queens(MarkPuzzle):
    """Place the missing queens so that no two stand in one row, column or diagonal.

    There may be several completions (at most 32, all found by an exhaustive search), and any is right.
    """

    family = "queens"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(7, 12, "rows and columns, and queens", 6, 14),
        "completions": Knob(2, 8, "completions, at most", 1, 32),
    }
    hardness_of = "queens tried by a search row by row for every completion"
    floor: ClassVar[float] = 0.08  # there are only 40 placements on 7 x 7
    marked = "Q"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        table = _every(size) if size <= _LARGEST_TABLE else None
        full = chance.pick(table) if table else _complete(size, [-1] * size, 1, chance)[0][0]
        placed = [-1] * size
        found = table or ()
        for number, row in enumerate(chance.shuffled(range(size)), 1):
            placed[row] = full[row]
            if table:
                found = [columns for columns in found if columns[row] == full[row]]
            elif number >= size // 4:
                found = _complete(size, placed, knobs["completions"] + 1)[0]
            if number >= size // 4 and len(found) <= knobs["completions"]:
                break
        puzzle = cls({"board": [_row(size, column) for column in placed]})
        puzzle.known([puzzle.cells(columns) for columns in found])
        return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        board = fields.rows(data, "board", ".Q", most=14)
        if len(board) != len(board[0]) or len(board) < 4:
            raise BadInput(f"'board' is a square of 4 to 14 rows, found {len(board)} x {len(board[0])}")
        self.rows = self.columns = len(board)
        self.givens = tuple("".join(board))
        if any(row.count("Q") > 1 for row in board):
            raise BadInput("'board' has two queens in one row")
        self.effort: int | None = None

    def law(self) -> str:
        return (
            f"A board of {self.rows}x{self.rows} squares; the queens on it are marked 'Q'. Place more until there are "
            f"{self.rows} and no two of them stand in the same row, column or diagonal; those on the board stay."
        )

    def broken(self, cells: Sequence[str]) -> str | None:
        size = self.rows
        taken: dict[tuple[str, int], int] = {}
        for at, cell in enumerate(cells):
            if cell == ".":
                if self.givens[at] == "Q":
                    return f"the queen at {self.name(at)} is missing"
                continue
            r, c = divmod(at, size)
            for line in (("row", r), ("column", c), ("diagonal", r - c), ("other diagonal", r + c)):
                if line in taken:
                    return f"the queens at {self.name(taken[line])} and {self.name(at)} attack each other"
                taken[line] = at
        queens = sum(cell != "." for cell in cells)
        return None if queens == size else f"there are {queens} queens, not {size}"

    def cells(self, columns: Sequence[int]) -> tuple[str, ...]:
        """A placement, given by each row's column, as cells."""
        return tuple("".join(_row(self.rows, column) for column in columns))

    def solve(self, most: int) -> list[tuple[str, ...]]:
        placed = ["".join(self.givens[at : at + self.rows]).find("Q") for at in range(0, self.rows**2, self.rows)]
        found, self.effort = _complete(self.rows, placed, most)
        return [self.cells(columns) for columns in found]

    def hardness(self) -> float:
        if self.effort is None:
            self.solve(33)
        return float(self.effort or 0)

    def svg(self) -> str:
        size = self.rows
        board = Board(size, size)
        for at, cell in enumerate(self.givens):
            if (at // size + at % size) % 2:
                board.fill(at // size, at % size, "#e8eef7")
            if cell == "Q":
                board.text(at // size, at % size, "♛", size=0.8)
        return board.svg()


@lru_cache(maxsize=8)
def _every(size: int) -> list[tuple[int, ...]]:
    """Every placement on an empty board."""
    return _complete(size, [-1] * size, 1 << 30)[0]


def _row(size: int, column: int) -> str:
    return "." * size if column < 0 else "." * column + "Q" + "." * (size - column - 1)


def _complete(
    size: int, placed: Sequence[int], most: int, chance: Chance | None = None
) -> tuple[list[tuple[int, ...]], int]:
    """Up to `most` completions, as each row's column, and the queens that the search tried."""
    found: list[tuple[int, ...]] = []
    rows = [row for row in range(size) if placed[row] < 0]
    columns = rising = falling = 0  # bits of columns and diagonals that are attacked
    for r, c in enumerate(placed):
        if c >= 0:
            if columns >> c & 1 or rising >> r + c & 1 or falling >> r - c + size & 1:
                return [], 0
            columns, rising, falling = columns | 1 << c, rising | 1 << r + c, falling | 1 << r - c + size
    tried = 0
    chosen = list(placed)

    def place(depth: int, columns: int, rising: int, falling: int) -> None:
        nonlocal tried
        if depth == len(rows):
            found.append(tuple(chosen))
            return
        r = rows[depth]
        options = range(size) if chance is None else chance.shuffled(range(size))
        for c in options:
            if not (columns >> c & 1 or rising >> r + c & 1 or falling >> r - c + size & 1):
                tried += 1
                chosen[r] = c
                place(depth + 1, columns | 1 << c, rising | 1 << r + c, falling | 1 << r - c + size)
                if len(found) >= most:
                    return

    place(0, columns, rising, falling)
    return found, tried
