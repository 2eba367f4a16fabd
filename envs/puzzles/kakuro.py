"""Kakuro: fill runs of cells with different digits that add up to their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import permutations
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs
from proofgym.envs.puzzles.counts import reach
from proofgym.envs.puzzles.domains import Domains, among, packed
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.fill import FillPuzzle
from proofgym.envs.puzzles.marks import beside
from proofgym.errors import BadInput

__all__ = ["Kakuro"]

_DIGITS = "123456789"
_LONGEST = 6


class Kakuro(FillPuzzle):
    """Fill cells with digits so that each run between walls holds different ones that add up to its sum.

    Exactly one solution, proved by an exhaustive search; digits are given where the sums alone would allow several.
    `board` holds walls (`#`), open cells and digits, `across` and `down` the sums of the runs in reading order (runs
    down by column).
    """

    family = "kakuro"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 7, "rows and columns", 3, 9),
        "walls": Knob(0.2, 0.12, "share of walls, before runs are cut to five cells", 0.05, 0.5),
    }
    hardness_of = "cells set by an exact search, dead ends included"
    symbols = _DIGITS + "#"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        draws = Draws(cls.family, 2000)
        while True:
            draws.count()
            board = _board(size, knobs["walls"], chance)
            runs = [*_runs(board, size, size)[0], *_runs(board, size, size)[1]]
            if board.count(".") < size * size * 0.4 or not _in_one_piece(board, size):
                continue
            found = _search(len(board), runs, None).solve(_domains(board), 1, chance)
            if found:
                break
        full = found[0]
        sums = [sum(full[at] + 1 for at in run) for run in runs]
        search = _search(len(board), runs, sums)
        while True:
            found = search.solve(_domains(board), 2)
            if len(found) == 1:
                break
            at = chance.pick([at for at in range(len(board)) if found[0][at] != found[1][at]])
            board[at] = str(full[at] + 1)
        across = len(_runs(board, size, size)[0])
        rows = ["".join(board[at : at + size]) for at in range(0, size * size, size)]
        puzzle = cls({"board": rows, "across": sums[:across], "down": sums[across:]})
        puzzle.known([puzzle.filled(full)])
        return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", "across", "down")
        board = fields.rows(data, "board", "#." + _DIGITS, most=12)
        self.rows, self.columns = len(board), len(board[0])
        self.givens = tuple("".join(board))
        self._runs = _runs(self.givens, self.rows, self.columns)
        self._sums = []
        for key, runs in zip(("across", "down"), self._runs, strict=True):
            if any(not 2 <= len(run) <= _LONGEST for run in runs):
                raise BadInput(
                    f"'board' has runs of 2 to {_LONGEST} cells, found {key} one of {sorted(map(len, runs))}"
                )
            self._sums.append(fields.wholes(data, key, 3, 45, least=len(runs), most=len(runs)))
        if "." not in self.givens:
            raise BadInput("'board' has no open cell")
        self._found: Domains | None = None

    def law(self) -> str:
        lines = []
        for what, runs, sums in zip(("Across", "Down"), self._runs, self._sums, strict=True):
            named = (
                f"{self.short(run[0])}-{self.short(run[-1])} {total}" for run, total in zip(runs, sums, strict=True)
            )
            lines.append(f"{what}: {', '.join(named)}")
        return (
            f"Kakuro with {self.rows} rows and {self.columns} columns. '#' is a wall. Fill every '.' with a digit "
            "from 1 to 9 "
            "so that the digits of each run, across and down from wall to wall, are all different and add up to "
            "its sum.\n"
            f"The runs, from their first cell to their last, with their sums:\n{lines[0]}\n{lines[1]}"
        )

    def question(self) -> str:
        return f"{self.statement()}\nEnd with 'Answer:' and the full grid below it, one row a line, with '#' for walls."

    def moves(self, state: tuple[str, ...]) -> list[str]:
        return [move for move in super().moves(state) if not move.endswith("#")]

    def apply(self, state: tuple[str, ...], move: str) -> tuple[str, ...]:
        if move.endswith("#"):
            raise Illegal("A cell holds a digit from 1 to 9.")
        return super().apply(state, move)

    def broken(self, cells: Sequence[str]) -> str | None:
        for at, cell in enumerate(cells):
            if (cell == "#") != (self.givens[at] == "#"):
                return f"{self.name(at)} is {'a wall' if self.givens[at] == '#' else 'no wall'}"
        for what, runs, sums in zip(("across", "down"), self._runs, self._sums, strict=True):
            for run, total in zip(runs, sums, strict=True):
                digits = [int(cells[at]) for at in run]
                if len(set(digits)) < len(digits):
                    return f"the run {what} from {self.name(run[0])} holds a digit twice"
                if sum(digits) != total:
                    return f"the run {what} from {self.name(run[0])} adds up to {sum(digits)}, not {total}"
        return None

    def filled(self, values: Sequence[int]) -> tuple[str, ...]:
        """The board with values, counted from 0, in the cells that are no walls."""
        return tuple("#" if given == "#" else str(values[at] + 1) for at, given in enumerate(self.givens))

    def solve(self, most: int) -> list[tuple[str, ...]]:
        if self._found is None:
            self._found = _search(len(self.givens), [*self._runs[0], *self._runs[1]], [*self._sums[0], *self._sums[1]])
        return [self.filled(values) for values in self._found.solve(_domains(self.givens), most)]

    def hardness(self) -> float:
        self._found = None
        self.solve(2)
        return float(self._found.effort if self._found else 0)  # type: ignore[redundant-expr]

    def svg(self) -> str:
        board = Board(self.rows, self.columns, top=1, left=1)
        for at, cell in enumerate(self.givens):
            if cell == "#":
                board.fill(at // self.columns, at % self.columns, "#2f3b4c")
            elif cell != ".":
                board.text(at // self.columns, at % self.columns, cell)
        for run, total in zip(self._runs[0], self._sums[0], strict=True):
            r, c = divmod(run[0], self.columns)
            board.text(r - 0.2, c - 0.75, str(total), size=0.28, colour="#d9822b")
        for run, total in zip(self._runs[1], self._sums[1], strict=True):
            r, c = divmod(run[0], self.columns)
            board.text(r - 0.75, c - 0.2, str(total), size=0.28, colour="#d9822b")
        return board.svg()


def _domains(board: Sequence[str]) -> list[int]:
    """Walls hold one value, which no run sees."""
    return [1 if cell == "#" else 511 if cell == "." else 1 << int(cell) - 1 for cell in board]


def _runs(board: Sequence[str], rows: int, columns: int) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    found: tuple[list[tuple[int, ...]], list[tuple[int, ...]]] = ([], [])
    across = [[r * columns + c for c in range(columns)] for r in range(rows)]
    for direction, lines in enumerate((across, [list(line) for line in zip(*across, strict=True)])):
        for line in lines:
            run: list[int] = []
            for at in [*line, -1]:
                if at >= 0 and board[at] != "#":
                    run.append(at)
                elif run:
                    found[direction].append(tuple(run))
                    run = []
    return found


@lru_cache(maxsize=512)
def _fitting(length: int, total: int) -> list[int]:
    return [packed(chosen, 9) for chosen in permutations(range(9), length) if sum(chosen) + length == total]


def _search(cells: int, runs: Sequence[tuple[int, ...]], sums: Sequence[int] | None) -> Domains:
    rules = [] if sums is None else [
        among(run, 9, _fitting(len(run), total)) for run, total in zip(runs, sums, strict=True)
    ]  # fmt: skip
    return Domains(cells, 9, runs, rules)


def _in_one_piece(board: Sequence[str], size: int) -> bool:
    near = [sum(1 << n for n in beside(at, size, size)) for at in range(size * size)]
    cells = sum(1 << at for at, cell in enumerate(board) if cell == ".")
    return reach(cells & -cells, cells, near) == cells


def _board(size: int, walls: float, chance: Chance) -> list[str]:
    """A board with walls, in which no open cell stands alone in its row or column."""
    board = ["."] * (size * size)
    for at in chance.sample(range(size * size), round(walls * size * size)):
        board[at] = "#"
    while True:
        alone = {run[0] for direction in _runs(board, size, size) for run in direction if len(run) == 1}
        long = [run for direction in _runs(board, size, size) for run in direction if len(run) > 5]
        if not alone and not long:
            return board
        for at in alone:
            board[at] = "#"
        for run in long:
            board[run[2 + chance.below(len(run) - 4)]] = "#"
