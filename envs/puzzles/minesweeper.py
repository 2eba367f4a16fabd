"""Minesweeper without guessing: every board can be cleared by reasoning alone, and that is proved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.mine_logic import certain
from proofgym.errors import BadInput

__all__ = ["Minesweeper"]

_OPEN = re.compile(r"(?:open |reveal |dig )?(?:row |r)?([0-9]{1,2}),? ?(?:column |col |c)?([0-9]{1,2})", re.ASCII)


class Minesweeper(MovePuzzle[int]):
    """Open all cells without a mine; each opened cell tells how many of its neighbours are mines.

    From the first opened cell on, there is always a closed cell that the numbers and the count of mines prove to be
    free: the generator plays the board through with an exact closure, and throws it away if it ever had to guess. The
    distance is the least number of cells to open, a field of zeros counting once (known as 3BV).
    """

    family = "minesweeper"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 9, "rows and columns", 4, 12),
        "density": Knob(0.12, 0.18, "share of the cells that are mines", 0.05, 0.3),
    }
    hardness_of = "least number of cells to open"
    single = False

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size = knobs["size"]
        count = max(2, round(knobs["density"] * size * size))
        draws = Draws(cls.family)
        while True:
            draws.count()
            start = int(rng.integers(size * size))
            near = {start, *_neighbours(size, size)[start]}
            mines = [at for at in rng.permutation(size * size).tolist() if at not in near][:count]
            puzzle = cls({"rows": size, "columns": size, "mines": sorted(mines), "start": start})
            if puzzle._from_start() > size // 2 and puzzle.needs_no_guess():
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "rows", "columns", "mines", "start")
        self.rows = fields.whole(data, "rows", 2, 12)
        self.columns = fields.whole(data, "columns", 2, 12)
        cells = self.rows * self.columns
        mines = fields.wholes(data, "mines", 0, cells - 1, most=cells)
        start = fields.whole(data, "start", 0, cells - 1)
        if len(set(mines)) < len(mines) or start in mines:
            raise BadInput("'mines' are different cells, and 'start' is none of them")
        self._near = _neighbours(self.rows, self.columns)
        self._around = [sum(1 << n for n in near) for near in self._near]
        self._mines = sum(1 << mine for mine in mines)
        self._count = len(mines)
        self._numbers = [(around & self._mines).bit_count() for around in self._around]
        self._free = ((1 << cells) - 1) & ~self._mines
        self._fields = self._find_fields()
        self._begin = self._opened(0, start)

    def canonical(self) -> Any:
        """Mines in order."""
        return {**self.data, "mines": sorted(self.data["mines"])}

    def prove(self) -> None:
        super().prove()
        if not self.needs_no_guess():
            raise BadInput("this board cannot be cleared without guessing")

    def needs_no_guess(self) -> bool:
        """Whether reasoning alone clears the board, from the first opened cell."""
        opened = self._begin
        while opened != self._free:
            hidden = ((1 << len(self._near)) - 1) & ~opened
            told = []
            for at, number in enumerate(self._numbers):
                if opened >> at & 1 and self._around[at] & hidden:
                    told.append((self._around[at] & hidden, number))
            safe, _ = certain(told, hidden, self._count)
            if not safe:
                return False
            for at in range(len(self._near)):
                if safe >> at & 1 and not opened >> at & 1:
                    opened = self._opened(opened, at)
        return True

    def rules(self) -> str:
        return (
            f"Minesweeper, {self.rows} rows and {self.columns} columns with {self._count} mines: '#' is a closed cell, "
            "a digit an opened one with that many mines among its up to eight neighbours; '.' stands for 0, and "
            "opening "
            "such a cell opens its neighbours too. Open every cell that is no mine; opening a mine loses. You never "
            "need to guess. A move is 'r1c2' to open row 1, column 2."
        )

    def start(self) -> int:
        return self._begin

    def pack(self, state: int) -> Any:
        return [at for at in range(len(self._near)) if state >> at & 1]

    def unpack(self, data: Any) -> int:
        opened = fields.wholes({"opened": data}, "opened", 0, len(self._near) - 1, most=len(self._near))
        return sum(1 << at for at in set(opened))

    def view(self, state: int) -> str:
        cells = []
        for at, number in enumerate(self._numbers):
            mine = self._mines >> at & 1
            cells.append("#" if not state >> at & 1 else "*" if mine else "." if not number else str(number))
        return "\n".join("".join(cells[at : at + self.columns]) for at in range(0, len(cells), self.columns))

    def moves(self, state: int) -> list[str]:
        if state & self._mines:
            return []
        width = self.columns
        return [f"r{at // width + 1}c{at % width + 1}" for at in range(len(self._near)) if not state >> at & 1]

    def apply(self, state: int, move: str) -> int:
        found = _OPEN.fullmatch(move)
        if not found:
            raise Illegal("A move is 'r1c2' to open row 1, column 2.")
        row, column = int(found[1]) - 1, int(found[2]) - 1
        if not (0 <= row < self.rows and 0 <= column < self.columns):
            raise Illegal(f"There are {self.rows} rows and {self.columns} columns, counted from 1.")
        at = row * self.columns + column
        if state >> at & 1:
            raise Illegal("That cell is open already.")
        return self._opened(state, at)

    def lost(self, state: int) -> str | None:
        return "That was a mine." if state & self._mines else None

    def solved(self, state: int) -> bool:
        return state == self._free

    def distance(self, state: int) -> int | None:
        if state & self._mines:
            return None
        closed = self._free & ~state
        left = 0
        for zeros, whole in self._fields:
            if zeros & closed:
                left += 1
                closed &= ~whole
        return left + closed.bit_count()

    def best(self, state: int) -> str:
        left = self.distance(state)
        moves = self.moves(state)
        return next((m for m in moves if left and self.distance(self.apply(state, m)) == left - 1), moves[0])

    def svg(self) -> str:
        board = Board(self.rows, self.columns)
        for r, row in enumerate(self.view(self._begin).split("\n")):
            for c, cell in enumerate(row):
                if cell == "#":
                    board.fill(r, c, "#b9c4d0")
                elif cell != ".":
                    board.text(r, c, cell)
        return board.svg()

    def _opened(self, state: int, at: int) -> int:
        state |= 1 << at
        if not self._numbers[at] and self._free >> at & 1:
            for zeros, whole in self._fields:
                if zeros >> at & 1:
                    state |= whole
        return state

    def _find_fields(self) -> list[tuple[int, int]]:
        """Each field of zeros, and all that opens with it."""
        zeros = {at for at, number in enumerate(self._numbers) if not number and self._free >> at & 1}
        found = []
        while zeros:
            part = [min(zeros)]
            zeros.discard(part[0])
            for at in part:
                grown = [n for n in self._near[at] if n in zeros]
                zeros.difference_update(grown)
                part += grown
            bits = sum(1 << at for at in part)
            whole = bits
            for at in part:
                whole |= self._around[at]
            found.append((bits, whole))
        return found


_NEAR: dict[tuple[int, int], list[list[int]]] = {}


def _neighbours(rows: int, columns: int) -> list[list[int]]:
    """For each cell, the up to eight cells around it."""
    if (rows, columns) not in _NEAR:
        _NEAR[rows, columns] = [
            [
                y * columns + x
                for y in range(max(0, r - 1), min(rows, r + 2))
                for x in range(max(0, c - 1), min(columns, c + 2))
                if (y, x) != (r, c)
            ]
            for r in range(rows)
            for c in range(columns)
        ]
    return _NEAR[rows, columns]
