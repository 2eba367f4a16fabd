"""What the puzzles share whose marks are counted: solved by `counts`, drawn with clues that stay."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from proofgym.envs.puzzles.counts import Counts
from proofgym.envs.puzzles.fill import MarkPuzzle

__all__ = ["CountedBoard", "around", "beside", "windows"]


class CountedBoard(MarkPuzzle):
    """A board whose marks are found by a `Counts` search; cells given as anything but a dot stay as they are."""

    hardness_of = "cells that an exact search decides, dead ends included"
    _effort: int | None = None

    @abstractmethod
    def search(self) -> Counts:
        """The exact search for this instance."""

    def solve(self, most: int) -> list[tuple[str, ...]]:
        search = self.search()
        found = search.solve(most)
        self._effort = search.effort
        return [self.cells(on) for on in found]

    def cells(self, on: int) -> tuple[str, ...]:
        """The board with marks, given as bits."""
        return tuple(
            given if given != "." else self.marked if on >> at & 1 else "." for at, given in enumerate(self.givens)
        )

    def marks(self, cells: Sequence[str]) -> int:
        """The marks of a board, as bits."""
        return sum(1 << at for at, cell in enumerate(cells) if cell == self.marked)

    def changed(self, cells: Sequence[str]) -> str | None:
        """The first clue that is not as given."""
        for at, (given, cell) in enumerate(zip(self.givens, cells, strict=True)):
            if given != "." and cell != given:
                return f"{self.name(at)} is {given!r} on the board, found {cell!r}"
        return None

    def hardness(self) -> float:
        if self._effort is None:
            self.solve(2)
        return float(self._effort or 0)


def beside(at: int, rows: int, columns: int) -> list[int]:
    """The cells above, left, right and below.

    >>> beside(0, 2, 2), beside(4, 3, 3)
    ([1, 2], [1, 3, 5, 7])
    """
    r, c = divmod(at, columns)
    steps = ((r - 1, c), (r, c - 1), (r, c + 1), (r + 1, c))
    return [y * columns + x for y, x in steps if 0 <= y < rows and 0 <= x < columns]


def around(at: int, rows: int, columns: int) -> list[int]:
    """The up to eight cells around, diagonally too."""
    r, c = divmod(at, columns)
    return [
        y * columns + x
        for y in range(max(0, r - 1), min(rows, r + 2))
        for x in range(max(0, c - 1), min(columns, c + 2))
        if (y, x) != (r, c)
    ]


def windows(rows: int, columns: int) -> list[int]:
    """Every square of two by two cells, as bits: with at most one mark in each, no two marks touch."""
    return [
        sum(1 << (y * columns + x) for y in (r, r + 1) for x in (c, c + 1))
        for r in range(rows - 1)
        for c in range(columns - 1)
    ]
