"""Lights out: switch off a board on which each press turns a lamp and its neighbours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.errors import BadInput

__all__ = ["LightsOut"]

_PRESS = re.compile(r"(?:press\s*)?(?:row|r)?\s*([0-9])\s*,?\s*(?:column|col|c)?\s*([0-9])", re.ASCII)


class LightsOut(MovePuzzle[int]):
    """Switch off all lamps of a board; pressing one turns it and its neighbours.

    Presses commute and a second one undoes the first, so a solution is a set of presses: linear algebra over GF(2). The
    distance is the least number of presses, found by trying every element of the board's kernel (at most 16 for up to
    6 x 6).
    """

    family = "lights_out"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(3, 5, "rows and columns", 2, 6),
        "presses": Knob(3, 10, "lamps pressed to make the start", 1, 20),
    }
    hardness_of = "least number of presses"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size = knobs["size"]
        cells = size * size
        while True:
            pressed = rng.choice(cells, size=min(knobs["presses"], cells), replace=False).tolist()
            board = 0
            for cell in pressed:
                board ^= _turned(size)[cell]
            if board:
                return cls({"board": _rows(board, size)})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        rows = fields.rows(data, "board", "#.", most=6)
        if len(rows) != len(rows[0]) or len(rows) < 2:
            raise BadInput(f"'board' is a square of 2 to 6 rows, found {len(rows)} x {len(rows[0])}")
        self.size = len(rows)
        self._board = sum(1 << i for i, cell in enumerate("".join(rows)) if cell == "#")

    def rules(self) -> str:
        return (
            f"Lights out, {self.size}x{self.size}: '#' is a lamp that is on. Pressing a lamp turns it and the lamps "
            "directly above, below, left and right of it, on to off and off to on. Switch all lamps off. "
            "A move is 'r1c2' to press row 1, column 2."
        )

    def start(self) -> int:
        return self._board

    def pack(self, state: int) -> Any:
        return state

    def unpack(self, data: Any) -> int:
        return fields.whole({"board": data}, "board", 0, (1 << self.size**2) - 1)

    def view(self, state: int) -> str:
        return "\n".join(_rows(state, self.size))

    def moves(self, state: int) -> list[str]:
        return [f"r{i // self.size + 1}c{i % self.size + 1}" for i in range(self.size**2)]

    def apply(self, state: int, move: str) -> int:
        found = _PRESS.fullmatch(move)
        if not found:
            raise Illegal("A move is 'r1c2' to press row 1, column 2.")
        row, column = int(found[1]), int(found[2])
        if not (1 <= row <= self.size and 1 <= column <= self.size):
            raise Illegal(f"Rows and columns go from 1 to {self.size}.")
        return state ^ _turned(self.size)[(row - 1) * self.size + column - 1]

    def distance(self, state: int) -> int | None:
        fewest = self._fewest(state)
        return None if fewest is None else fewest.bit_count()

    def best(self, state: int) -> str:
        fewest = self._fewest(state) or 1
        cell = (fewest & -fewest).bit_length() - 1
        return f"r{cell // self.size + 1}c{cell % self.size + 1}"

    def svg(self) -> str:
        board = Board(self.size, self.size)
        for i in range(self.size**2):
            board.fill(i // self.size, i % self.size, "#f5c542" if self._board >> i & 1 else "#2f3b4c")
        return board.svg()

    def _fewest(self, state: int) -> int | None:
        solver, kernel = _algebra(self.size)
        presses = 0
        for pivot, combination in solver:
            if state >> pivot & 1:
                state ^= combination[0]
                presses ^= combination[1]
        if state:
            return None
        return min((presses ^ element for element in kernel), key=lambda p: (p.bit_count(), p))


def _rows(board: int, size: int) -> list[str]:
    return ["".join("#" if board >> (r * size + c) & 1 else "." for c in range(size)) for r in range(size)]


_TURNED: dict[int, list[int]] = {}
_ALGEBRA: dict[int, tuple[list[tuple[int, tuple[int, int]]], list[int]]] = {}


def _turned(size: int) -> list[int]:
    """For each lamp, the lamps that its press turns, as bits."""
    if size not in _TURNED:
        _TURNED[size] = [
            sum(
                1 << (y * size + x)
                for y, x in ((r, c), (r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1))
                if 0 <= y < size and 0 <= x < size
            )
            for r in range(size)
            for c in range(size)
        ]
    return _TURNED[size]


def _algebra(size: int) -> tuple[list[tuple[int, tuple[int, int]]], list[int]]:
    """Gauss-Jordan over GF(2): for each pivot lamp the row with its presses, and every element of the kernel."""
    if size not in _ALGEBRA:
        rows: list[tuple[int, tuple[int, int]]] = []
        kernel = [0]
        for cell, turned in enumerate(_turned(size)):
            board, presses = turned, 1 << cell
            for pivot, (row, by) in rows:
                if board >> pivot & 1:
                    board, presses = board ^ row, presses ^ by
            if not board:
                kernel += [presses ^ element for element in kernel]
                continue
            new = board.bit_length() - 1
            rows = [(pivot, (row ^ board, by ^ presses) if row >> new & 1 else (row, by)) for pivot, (row, by) in rows]
            rows.append((new, (board, presses)))
        _ALGEBRA[size] = (rows, kernel)
    return _ALGEBRA[size]
