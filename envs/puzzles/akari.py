"""Akari (light up): place lamps so that every open cell is lit and no lamp shines on another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.counts import Counts, at_least, at_most, exactly
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.marks import CountedBoard, beside

__all__ = ["Akari"]

_WALLS = "#01234"


class Akari(CountedBoard):
    """Place lamps so that every open cell is lit, no lamp shines on another, and walls have their numbers of lamps.

    Light goes straight in four directions until a wall. Exactly one placement, proved by an exhaustive search.
    """

    family = "akari"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 8, "rows and columns", 3, 9),
        "walls": Knob(0.3, 0.22, "share of walls", 0.18, 0.5),
        "numbers": Knob(0.9, 0.3, "share of walls with a number, where one solution allows it", 0.0, 1.0),
    }
    marked = "L"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        count = max(1, round(knobs["walls"] * size * size))
        draws = Draws(cls.family, 500)
        while True:
            draws.count()
            walls = set(chance.sample(range(size * size), count))
            board = ["#" if at in walls else "." for at in range(size * size)]
            blind = _limits(board, size, size)
            lit = Counts(size * size, blind).solve(1, chance=chance)
            if not lit:
                continue
            for at in walls:
                board[at] = str(sum(lit[0] >> n & 1 for n in beside(at, size, size)))
            search = Counts(size * size, _limits(board, size, size))
            if search.solve(2) != lit:
                continue
            every = list(range(len(search.limits)))
            numbered = sorted(walls)  # their limits come last, in this order
            first = len(every) - len(numbered)
            kept = search.thin(every, every[first:], chance, round(knobs["numbers"] * count), lit[0])
            for number, at in enumerate(numbered, first):
                if number not in kept:
                    board[at] = "#"
            puzzle = cls({"board": ["".join(board[at : at + size]) for at in range(0, size * size, size)]})
            puzzle.known([puzzle.cells(lit[0])])
            return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        board = fields.rows(data, "board", "." + _WALLS, most=14)
        self.rows, self.columns = len(board), len(board[0])
        self.givens = tuple("".join(board))

    @property
    def symbols(self) -> Sequence[str]:  # type: ignore[override]
        """Open cells, lamps and walls."""
        return (".", "L", *_WALLS)

    def law(self) -> str:
        return (
            f"Akari with {self.rows} rows and {self.columns} columns. '.' is an open cell, '#' and numbers are walls. "
            "Place lamps on open cells: a lamp lights its cell and all open cells in a straight line up, down, "
            "left and "
            "right of it, as far as the next wall. Every open cell has to be lit, no lamp may be lit by another, "
            "and a "
            "number says how many of the up to four cells beside the wall hold a lamp. Marks are lamps, 'L'."
        )

    def question(self) -> str:
        return (
            f"{self.statement()}\nEnd with 'Answer:' and the full grid below it, one row a line, 'L' for a lamp and "
            "everything else as it is."
        )

    def broken(self, cells: Sequence[str]) -> str | None:
        changed = self.changed(cells) or next(
            (f"{self.name(at)} is open" for at, c in enumerate(cells) if self.givens[at] == "." and c not in ".L"), None
        )
        if changed:
            return changed
        on = self.marks(cells)
        for at, given in enumerate(self.givens):
            if given == ".":
                lamps = (on & _seen(at, self.givens, self.rows, self.columns)).bit_count()
                if not lamps:
                    return f"{self.name(at)} is dark"
                if lamps > 1 and on >> at & 1:
                    return f"the lamp at {self.name(at)} is lit by another"
            elif given != "#":
                lamps = sum(on >> n & 1 for n in beside(at, self.rows, self.columns))
                if lamps != int(given):
                    return f"the wall at {self.name(at)} has {lamps} lamps, not {given}"
        return None

    def search(self) -> Counts:
        return Counts(len(self.givens), _limits(self.givens, self.rows, self.columns))

    def svg(self) -> str:
        board = Board(self.rows, self.columns)
        for at, cell in enumerate(self.givens):
            if cell != ".":
                board.fill(at // self.columns, at % self.columns, "#2f3b4c")
            if cell not in ".#":
                board.text(at // self.columns, at % self.columns, cell, colour="#ffffff")
        return board.svg()


def _seen(at: int, board: Sequence[str], rows: int, columns: int) -> int:
    """The open cells in a straight line from a cell, itself included, as bits."""
    r, c = divmod(at, columns)
    seen = 1 << at
    for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        y, x = r + dy, c + dx
        while 0 <= y < rows and 0 <= x < columns and board[y * columns + x] == ".":
            seen |= 1 << y * columns + x
            y, x = y + dy, x + dx
    return seen


def _limits(board: Sequence[str], rows: int, columns: int) -> list[tuple[int, int]]:
    """No lamp on walls, every open cell lit, at most one lamp a corridor; the numbers come last, in order."""
    walls = sum(1 << at for at, cell in enumerate(board) if cell != ".")
    limits = [(walls, exactly(0))]
    for at, cell in enumerate(board):
        if cell == ".":
            seen = _seen(at, board, rows, columns)
            limits.append((seen, at_least(1, seen.bit_count())))
            line = seen & sum(1 << (at // columns * columns + x) for x in range(columns))
            post = seen & sum(1 << (y * columns + at % columns) for y in range(rows))
            corridors = [corridor for corridor in (line, post) if corridor & -corridor == 1 << at]  # each once
            limits += [(corridor, at_most(1)) for corridor in corridors]
    for at, cell in enumerate(board):
        if cell not in ".#":
            limits.append((sum(1 << n for n in beside(at, rows, columns)), exactly(int(cell))))
    return limits
