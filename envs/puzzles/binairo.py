"""Binairo (takuzu): fill a board with 0 and 1, never three alike in line, as many of both in every line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.counts import Counts, exactly
from proofgym.envs.puzzles.domains import latin_units
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.fill import FillPuzzle
from proofgym.errors import BadInput

__all__ = ["Binairo"]


class Binairo(FillPuzzle):
    """Fill a board with 0 and 1, half of each in every line, never three alike side by side.

    No two rows are the same, and no two columns. Exactly one solution, proved by an exhaustive search.
    """

    family = "binairo"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 8, "rows and columns (an odd number goes down to the next even one)", 4, 12),
        "clues": Knob(0.5, 0.25, "share of cells given, where one solution allows it", 0.0, 0.9),
    }
    floor: ClassVar[float] = 0.03  # there are only 72 boards of 4 x 4
    steps_floor: ClassVar[float] = 0.02
    hardness_of = "cells that an exact search decides, dead ends included"
    symbols = "01"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"] // 2 * 2, Chance(rng)
        cells = size * size
        search = _search(size)
        full = search.solve(1, chance=chance)[0]
        clues = (1 << cells) - 1
        for at in chance.shuffled(range(cells)):
            if clues.bit_count() <= round(knobs["clues"] * cells):
                break
            rest = clues & ~(1 << at)
            on, off = full & rest, ~full & rest
            if full >> at & 1:  # with the other value, there has to be no solution
                off |= 1 << at
            else:
                on |= 1 << at
            if not search.solve(1, on, off):
                clues = rest
        shown = "".join("." if not clues >> at & 1 else str(full >> at & 1) for at in range(cells))
        puzzle = cls({"board": [shown[at : at + size] for at in range(0, cells, size)]})
        puzzle.known([tuple(str(full >> at & 1) for at in range(cells))])
        return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        board = fields.rows(data, "board", "01.", most=14)
        self.rows = self.columns = len(board)
        if len(board) != len(board[0]) or len(board) % 2:
            raise BadInput(f"'board' is a square with an even number of rows, found {len(board)} x {len(board[0])}")
        self.givens = tuple("".join(board))
        self._effort: int | None = None

    def law(self) -> str:
        return (
            f"Binairo, {self.rows}x{self.rows}. Fill every '.' with 0 or 1 so that each row and each column holds "
            f"{self.rows // 2} of each, no three cells in a line next to one another are alike, no two rows are "
            "the same "
            "and no two columns are the same."
        )

    def broken(self, cells: Sequence[str]) -> str | None:
        size = self.rows
        lines = ["".join(cells[at] for at in unit) for unit in latin_units(size)]
        for number, line in enumerate(lines):
            name = f"{'row' if number < size else 'column'} {number % size + 1}"
            if line.count("1") != size // 2:
                return f"{name} holds {line.count('1')} ones, not {size // 2}"
            if "000" in line or "111" in line:
                return f"{name} has three alike side by side"
            same = lines[:number].index(line) if line in lines[number // size * size : number] else None
            if same is not None:
                return f"{name} is the same as another"
        return None

    def solve(self, most: int) -> list[tuple[str, ...]]:
        search = _search(self.rows)
        before = search.effort
        on, off = (sum(1 << at for at, cell in enumerate(self.givens) if cell == digit) for digit in "10")
        found = search.solve(most, on, off)
        self._effort = search.effort - before
        return [tuple(str(full >> at & 1) for at in range(len(self.givens))) for full in found]

    def hardness(self) -> float:
        if self._effort is None:
            self.solve(2)
        return float(self._effort or 0)

    def svg(self) -> str:
        size = self.rows
        return Board(size, size).cells([self.givens[at : at + size] for at in range(0, size * size, size)]).svg()


@lru_cache(maxsize=8)
def _search(size: int) -> Counts:
    units = latin_units(size)
    lines = [[1 << at for at in unit] for unit in units]
    limits = [(sum(line), exactly(size // 2)) for line in lines]
    limits += [(sum(line[n : n + 3]), exactly(1, 2)) for line in lines for n in range(size - 2)]
    masks = [sum(line) for line in lines]

    def check(on: int, off: int) -> tuple[int, int] | None:
        """No two full rows alike, and no two columns."""
        for first in (0, size):
            seen = set()
            for number in range(first, first + size):
                if masks[number] & ~(on | off) == 0:
                    line = tuple(on >> at & 1 for at in units[number])
                    if line in seen:
                        return None
                    seen.add(line)
        return on, off

    return Counts(size * size, limits, check)
