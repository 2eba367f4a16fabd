"""Latin squares to complete, and what all puzzles on a Latin square share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.domains import Domains, latin_units
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.fill import FillPuzzle
from proofgym.errors import BadInput

__all__ = ["LatinBoard", "LatinSquare", "latin_square"]


class LatinBoard(FillPuzzle):
    """A square of the numbers 1 to n, each once in every row and column, with further clues."""

    hardness_of = "cells set by an exact search, dead ends included"

    @abstractmethod
    def search(self) -> Domains:
        """The exact search for this instance's clues (not for its given cells)."""

    def clue_broken(self, square: Sequence[int]) -> str | None:
        """The first clue that a Latin square breaks, in words; values count from 1."""
        return None

    def read_board(self, data: Mapping[str, Any], low: int, high: int) -> None:
        """Take up `board`: n rows of n digits or dots."""
        board = fields.rows(data, "board", "123456789.", most=9)
        size = len(board)
        if len(board[0]) != size or not low <= size <= high:
            raise BadInput(f"'board' is a square of {low} to {high} rows, found {size} x {len(board[0])}")
        self.rows = self.columns = size
        self.symbols = "123456789"[:size]
        self.givens = tuple("".join(board))
        large = next((cell for cell in self.givens if cell not in (*self.symbols, ".")), None)
        if large is not None:
            raise BadInput(f"'board' is made of {self.symbols!r} and dots, found {large!r}")

    def broken(self, cells: Sequence[str]) -> str | None:
        size = self.rows
        square = [int(cell) for cell in cells]
        for number, unit in enumerate(latin_units(size)):
            if len({square[at] for at in unit}) < size:
                return f"{'row' if number < size else 'column'} {number % size + 1} holds a number twice"
        return self.clue_broken(square)

    def solve(self, most: int) -> list[tuple[str, ...]]:
        search = self.search()
        domains = [search.full if cell == "." else 1 << int(cell) - 1 for cell in self.givens]
        return [tuple(str(value + 1) for value in found) for found in search.solve(domains, most)]

    def hardness(self) -> float:
        search = self.search()
        before = search.effort
        self.solve(2)
        return float(search.effort - before)

    def proved(self, square: Sequence[int]) -> Self:
        """With its only solution, as values from 0."""
        self.known([tuple(str(value + 1) for value in square)])
        return self

    def picture(self, *, top: float = 0, left: float = 0, bottom: float = 0, right: float = 0) -> Board:
        """The given cells, with room around them, in cells."""
        size = self.rows
        picture = Board(size, size, top=top, left=left, bottom=bottom, right=right)
        return picture.cells([self.givens[at : at + size] for at in range(0, size * size, size)])

    def svg(self) -> str:
        return self.picture().svg()


class LatinSquare(LatinBoard):
    """Complete a Latin square; exactly one completion, proved by an exhaustive search.

    Numbers renamed make no new task.
    """

    family = "latin_square"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 9, "rows and columns", 3, 9),
        "clues": Knob(0.5, 0.3, "share of cells given, where one solution allows it", 0.0, 0.9),
    }

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        search = _plain(size)
        square = latin_square(size, chance)
        clues = search.dig(search.open(), square, chance, round(knobs["clues"] * size * size), range(size * size))
        return cls({"board": board(square, clues, size)}).proved(square)

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        self.read_board(data, 2, 9)

    def canonical(self) -> Any:
        names: dict[str, str] = {".": "."}
        return "".join(names.setdefault(cell, str(len(names))) for cell in self.givens)

    def law(self) -> str:
        return (
            f"A Latin square of order {self.rows}: fill every '.' so that each row and each column holds every number "
            f"from 1 to {self.rows} once."
        )

    def search(self) -> Domains:
        return _plain(self.rows)


@lru_cache(maxsize=16)
def _plain(size: int) -> Domains:
    return Domains(size * size, size, latin_units(size))


def latin_square(size: int, chance: Chance) -> tuple[int, ...]:
    """A random Latin square with values from 0, not exactly uniform."""
    search = _plain(size)
    return search.solve(search.open(), 1, chance)[0]


def board(square: Sequence[int], clues: Sequence[int], size: int) -> list[str]:
    """The rows of a board that shows some cells of a square."""
    cells = ["."] * (size * size)
    for at in clues:
        cells[at] = str(square[at] + 1)
    return ["".join(cells[at : at + size]) for at in range(0, size * size, size)]
