"""Lines of three or four against an opponent that never errs, with or without gravity."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import StateGraph
from proofgym.errors import BadInput

__all__ = ["Connect", "TicTacToe"]

_CELL = re.compile(r"(?:row |r)?([1-9]),? ?(?:column |col |c)?([1-9])", re.ASCII)
_COLUMN = re.compile(r"(?:drop (?:in )?)?(?:column |col |c)?([1-9])", re.ASCII)
_WIN = 100

Position = tuple[int, int]
"""Your stones and the opponent's as bits, when it is your turn or the game is over."""


class Connect(StateGraph[Position]):
    """Drop stones into columns, and get a line of your own before the opponent does; you are in a won position.

    The opponent plays perfectly: it wins or draws when it can, and otherwise holds out as long as possible. What it
    does is decided by the position, so the distance is the exact number of your moves to the win, and a move that lets
    the win slip is a dead end.
    """

    family = "connect"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "rows": Knob(4, 4, "rows", 3, 5),
        "columns": Knob(5, 5, "columns", 4, 6),
        "line": Knob(4, 4, "stones in a line", 3, 4),
        "free": Knob(6, 11, "free cells at the start", 4, 12),
        "moves": Knob(2, 3, "moves to the win, at least", 2, 5),
    }
    hardness_of = "positions that an exact search visits"
    single = False
    gravity: ClassVar[bool] = True

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        rows, columns, line = knobs["rows"], knobs["columns"], knobs["line"]
        tries = 0
        draws = Draws(cls.family)
        while True:
            draws.count()
            tries += 1
            empty = cls({"line": line, "board": ["." * columns] * rows})
            state = empty._wandered(rng, rows * columns - knobs["free"])
            if state is None or empty._completing(state[0], empty._places(state[0] | state[1])):
                continue
            puzzle = cls({"line": line, "board": empty._rows(state)})
            score = puzzle._score()
            if score > 0 and (_WIN - score) // 2 + 1 >= knobs["moves"] - tries // 20:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "line", "board")
        self.line = fields.whole(data, "line", 3, 4)
        rows = fields.rows(data, "board", ".XO", most=6)
        self.rows, self.columns = len(rows), len(rows[0])
        cells = "".join(rows)
        self._begin = tuple(sum(1 << i for i, cell in enumerate(cells) if cell == side) for side in "XO")
        self._full = (1 << len(cells)) - 1
        if max(self.rows, self.columns) < self.line:
            raise BadInput(f"a line of {self.line} does not fit into {self.rows} x {self.columns} cells")
        self._lines = [
            sum(1 << (r + i * dr) * self.columns + c + i * dc for i in range(self.line))
            for r in range(self.rows)
            for c in range(self.columns)
            for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1))
            if r + (self.line - 1) * dr < self.rows and 0 <= c + (self.line - 1) * dc < self.columns
        ]
        self._through = [[line for line in self._lines if line >> at & 1] for at in range(len(cells))]
        if self.gravity and any(not self._stands(at) for at in range(len(cells)) if cells[at] != "."):
            raise BadInput("every stone lies on the ground or on another")
        self._value = functools.cache(self._solve)
        self._visited = self._nodes = 0

    def prove(self) -> None:
        """The one to move can force a win, and the position is one that a search can handle."""
        mine, theirs = self.start()
        if (self._full & ~(mine | theirs)).bit_count() > 12:
            raise BadInput("at most 12 cells are free, so that every game can be searched")
        if self._over(mine, theirs) or self._score() <= 0:
            raise BadInput("the one to move, X, has no forced win")

    def _stands(self, at: int) -> bool:
        taken = self._begin[0] | self._begin[1]
        below = at + self.columns
        return below >= self.rows * self.columns or bool(taken >> below & 1)

    def rules(self) -> str:
        how = (
            "A stone drops to the lowest free cell of its column. A move is a column, such as '3'."
            if self.gravity
            else "A move is a free cell, such as 'r1c2' for row 1, column 2."
        )
        return (
            f"You are X, a perfect opponent is O, you are to move, and you can win. Who first has {self.line} own "
            f"stones in a line, across, down or diagonal, wins. {how}"
        )

    def start(self) -> Position:
        return (self._begin[0], self._begin[1])

    def goal(self, state: Position) -> bool:
        return self._has_line(state[0])

    def lost(self, state: Position) -> str | None:
        if self._has_line(state[1]):
            return "The opponent has a line."
        full = state[0] | state[1] == self._full
        return "The board is full, and nobody has won." if full and not self.goal(state) else None

    def named(self, move: str) -> str:
        found = (_COLUMN if self.gravity else _CELL).fullmatch(move)
        if not found:
            return move
        return found[1] if self.gravity else f"r{found[1]}c{found[2]}"

    def refusal(self, state: Position, move: str) -> str:
        if self.gravity:
            known = bool(_COLUMN.fullmatch(move)) and int(move) <= self.columns
            return "That column is full." if known else f"A move is a column from 1 to {self.columns}."
        found = _CELL.fullmatch(move)
        if not found or int(found[1]) > self.rows or int(found[2]) > self.columns:
            return f"A move is a cell, such as 'r1c2', of {self.rows} rows and {self.columns} columns."
        return "That cell is taken."

    def _places(self, taken: int) -> list[int]:
        """The cells where a stone can come to lie."""
        cells = self.rows * self.columns
        if not self.gravity:
            return [at for at in range(cells) if not taken >> at & 1]
        found = []
        for column in range(self.columns):
            for at in range(cells - self.columns + column, -1, -self.columns):
                if not taken >> at & 1:
                    found.append(at)
                    break
        return found

    def steps(self, state: Position) -> list[tuple[str, Position]]:
        mine, theirs = state
        if self._over(mine, theirs):
            return []
        return [
            (
                str(at % self.columns + 1) if self.gravity else f"r{at // self.columns + 1}c{at % self.columns + 1}",
                self._replied(mine | 1 << at, theirs),
            )
            for at in self._places(mine | theirs)
        ]

    def _replied(self, mine: int, theirs: int) -> Position:
        if self._over(mine, theirs):
            return mine, theirs
        best, choice = -_WIN - 1, 0
        for at in self._places(mine | theirs):
            value = self._after(theirs, mine, at)
            if value > best:
                best, choice = value, at
        return mine, theirs | 1 << choice

    def _after(self, mover: int, other: int, at: int) -> int:
        """The value for the mover once it has put a stone there."""
        if any(line & ~(mover | 1 << at) == 0 for line in self._through[at]):
            return _WIN
        if mover | other | 1 << at == self._full:
            return 0
        value: int = self._value(other, mover | 1 << at)
        return -value + (value > 0) - (value < 0)

    def _solve(self, mover: int, other: int) -> int:
        """The value for the one to move: 100 for a win at once, one less for each move that it takes longer."""
        self._visited += 1
        places = self._places(mover | other)
        if self._completing(mover, places):
            return _WIN
        threats = self._completing(other, places)
        return max(self._after(mover, other, at) for at in threats[:1] or places)  # two threats cannot be met anyway

    def _completing(self, stones: int, places: list[int]) -> list[int]:
        """The places where another stone makes a line."""
        return [at for at in places if any(not line & ~(stones | 1 << at) for line in self._through[at])]

    def _score(self) -> int:
        """The value of the start, with the positions that it took."""
        value: int = self._value(*self.start())
        if not self._nodes:
            self._nodes = self._visited
        return value

    def _has_line(self, stones: int) -> bool:
        return any(stones & line == line for line in self._lines)

    def _over(self, mine: int, theirs: int) -> bool:
        return mine | theirs == self._full or self._has_line(mine) or self._has_line(theirs)

    def hardness(self) -> float:
        self._score()
        return float(self._nodes)

    def view(self, state: Position) -> str:
        numbers = [" ".join(map(str, range(1, self.columns + 1)))] if self.gravity else []
        return "\n".join([*numbers, *(" ".join(row) for row in self._rows(state))])

    def _rows(self, state: Position) -> list[str]:
        size = self.rows * self.columns
        cells = "".join("X" if state[0] >> i & 1 else "O" if state[1] >> i & 1 else "." for i in range(size))
        return [cells[at : at + self.columns] for at in range(0, len(cells), self.columns)]

    def _wandered(self, rng: np.random.Generator, stones: int) -> Position | None:
        """A position after some random moves of both that make no line."""
        mover, other = (0, 0)
        stones += stones % 2
        for chance in rng.random(stones).tolist():
            places = self._places(mover | other)
            lines = self._completing(mover, places)
            places = [at for at in places if at not in lines]
            if not places:
                return None
            mover |= 1 << places[int(chance * len(places))]
            mover, other = other, mover
        return mover, other

    def svg(self) -> str:
        board = Board(self.rows, self.columns)
        for r, row in enumerate(self._rows(self.start())):
            for c, cell in enumerate(row):
                if cell != ".":
                    board.circle(r, c, "#d9534f" if cell == "X" else "#f0c419")
        return board.svg()


class TicTacToe(Connect):
    """Put stones anywhere, and get a line of your own before the opponent does; you are in a won position.

    As `Connect`, without gravity.
    """

    family = "tic_tac_toe"
    gravity: ClassVar[bool] = False
    knobs: ClassVar[Mapping[str, Knob]] = {
        "rows": Knob(3, 4, "rows", 3, 5),
        "columns": Knob(4, 4, "columns", 3, 5),
        "line": Knob(3, 3, "stones in a line", 3, 4),
        "free": Knob(6, 12, "free cells at the start", 4, 12),
        "moves": Knob(2, 3, "moves to the win, at least", 2, 4),
    }
