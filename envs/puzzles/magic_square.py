"""Magic squares to complete: every row, column and long diagonal has the same sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.domains import Domains, Narrow, latin_units
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.fill import FillPuzzle
from proofgym.errors import BadInput

__all__ = ["MagicSquare"]

_LO_SHU = (1, 6, 5, 8, 4, 0, 3, 2, 7)
_DIAGONAL_4 = ((0, 1, 2, 3), (2, 3, 0, 1), (3, 2, 1, 0), (1, 0, 3, 2))  # Latin, also along both diagonals


class MagicSquare(FillPuzzle):
    """Complete a square of the numbers 1 to n² so that all rows, columns and both long diagonals have the same sum.

    Exactly one completion, proved by an exhaustive search over all magic squares. `board` holds numbers, 0 where open.
    """

    family = "magic_square"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 5, "rows and columns", 3, 5),
        "clues": Knob(0.6, 0.38, "share of cells given, where one solution allows it", 0.3, 0.9),
    }
    hardness_of = "open cells set by an exact search, dead ends included"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        square = _square(size, chance)
        search = _search(size)
        clues = set(search.dig(search.open(), square, chance, round(knobs["clues"] * size * size), range(size * size)))
        shown = [square[at] + 1 if at in clues else 0 for at in range(size * size)]
        puzzle = cls({"board": [shown[at : at + size] for at in range(0, size * size, size)]})
        puzzle.known([tuple(str(value + 1) for value in square)])
        return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        board = fields.matrix(data, "board", 0, 25, most=5)
        size = self.rows = self.columns = len(board)
        if len(board[0]) != size or size < 3:
            raise BadInput(f"'board' is a square of 3 to 5 rows, found {size} x {len(board[0])}")
        self.symbols = [str(number) for number in range(1, size * size + 1)]
        self.givens = tuple(str(number or ".") for row in board for number in row)
        if any(number > size * size for row in board for number in row):
            raise BadInput(f"'board' holds numbers from 1 to {size * size}, and 0 for an open cell")
        self._effort: int | None = None

    def law(self) -> str:
        size = self.rows
        return (
            f"A magic square of order {size}: fill every '.' so that the numbers from 1 to {size * size} stand "
            "once each and "
            f"every row, every column and both long diagonals have the sum {_sum(size)}."
        )

    def question(self) -> str:
        return (
            f"{self.statement()}\nEnd with 'Answer:' and the full square below it, one row a line, separated by blanks."
        )

    def broken(self, cells: Sequence[str]) -> str | None:
        numbers = [int(cell) for cell in cells]
        if len(set(numbers)) < len(numbers):
            return "a number stands twice"
        for name, line in _lines(self.rows):
            total = sum(numbers[at] for at in line)
            if total != _sum(self.rows):
                return f"{name} has the sum {total}, not {_sum(self.rows)}"
        return None

    def solve(self, most: int) -> list[tuple[str, ...]]:
        search = _search(self.rows)
        before = search.effort
        domains = [search.full if cell == "." else 1 << int(cell) - 1 for cell in self.givens]
        found = search.solve(domains, most)
        self._effort = search.effort - before
        return [tuple(str(value + 1) for value in square) for square in found]

    def hardness(self) -> float:
        if self._effort is None:
            self.solve(2)
        return float((self._effort or 0) - sum(cell != "." for cell in self.givens))

    def svg(self) -> str:
        size = self.rows
        return Board(size, size).cells([self.givens[at : at + size] for at in range(0, size * size, size)]).svg()


def _sum(size: int) -> int:
    return size * (size * size + 1) // 2


@lru_cache(maxsize=4)
def _lines(size: int) -> list[tuple[str, tuple[int, ...]]]:
    units = latin_units(size)
    lines = [(f"{'row' if n < size else 'column'} {n % size + 1}", unit) for n, unit in enumerate(units)]
    lines.append(("the diagonal from the top left", tuple(n * size + n for n in range(size))))
    lines.append(("the diagonal from the top right", tuple(n * size + size - 1 - n for n in range(size))))
    return lines


@lru_cache(maxsize=4)
def _search(size: int) -> Domains:
    rules = [_adds_up(line, _sum(size) - size) for _, line in _lines(size)]  # values count from 0
    return Domains(size * size, size * size, [range(size * size)], rules)


def _adds_up(line: tuple[int, ...], total: int) -> tuple[tuple[int, ...], Narrow]:
    def narrow(state: list[int]) -> bool:
        low = high = 0
        for at in line:
            domain = state[at]
            low += (domain & -domain).bit_length() - 1
            high += domain.bit_length() - 1
        if not low <= total <= high:
            return False
        for at in line:
            domain = state[at]
            if domain & (domain - 1):
                least, most = (domain & -domain).bit_length() - 1, domain.bit_length() - 1
                start = max(least, total - (high - most))  # the others add up to at most this much less
                end = min(most, total - (low - least))
                if end < start:
                    return False
                left = domain & ((2 << end) - (1 << start))
                if not left:
                    return False
                state[at] = left
        return True

    return line, narrow


def _square(size: int, chance: Chance) -> tuple[int, ...]:
    """A magic square with values from 0: a turned one, or one from two Latin squares whose pairs all differ."""
    if size == 3:
        rows = [list(_LO_SHU[at : at + 3]) for at in (0, 3, 6)]
        for _ in range(chance.below(4)):
            rows = [list(row) for row in zip(*rows[::-1], strict=True)]
        rows = [row[::-1] for row in rows] if chance.below(2) else rows
        return tuple(value for row in rows for value in row)
    high, low = chance.shuffled(range(size)), chance.shuffled(range(size))
    if size == 4:
        pairs = [(_DIAGONAL_4[r][c], _DIAGONAL_4[c][r]) for r in range(4) for c in range(4)]
    else:
        pairs = [((r + 2 * c) % size, (2 * r + c) % size) for r in range(size) for c in range(size)]
    if chance.below(2):
        pairs = [(b, a) for a, b in pairs]
    return tuple(size * high[a] + low[b] for a, b in pairs)
