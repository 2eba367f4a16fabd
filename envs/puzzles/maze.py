"""A plain maze: walk from one cell to another."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.search import DELTAS, StateGraph, direction
from proofgym.errors import BadInput

__all__ = ["Maze", "carve"]


_BITS = str.maketrans("#.@X", "0111")


class Maze(StateGraph[int]):
    """Walk from one cell of a maze to another; the least number of steps is exact.

    The maze is a random spanning tree of its passages, with some walls opened again, so that several ways may lead to
    the exit.
    """

    family = "maze"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "rows": Knob(4, 7, "passages down", 2, 11),
        "columns": Knob(6, 10, "passages across", 2, 11),
        "loops": Knob(0.0, 0.1, "share of the walls that are opened again", 0.0, 0.5),
    }
    hardness_of = "least number of steps"
    steps_floor = 0.2

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        down, across = knobs["rows"], knobs["columns"]
        rows = carve(rng, down, across, knobs["loops"])
        chances = rng.random(40).tolist()
        for one, two in zip(chances[::2], chances[1::2], strict=True):
            (r, c), (er, ec) = divmod(int(one * down * across), across), divmod(int(two * down * across), across)
            if abs(r - er) + abs(c - ec) >= (down + across) // 3:
                break
        else:
            (r, c), (er, ec) = (0, 0), (down - 1, across - 1)
        rows[2 * r + 1][2 * c + 1], rows[2 * er + 1][2 * ec + 1] = "@", "X"
        return cls({"board": ["".join(row) for row in rows]})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        self.rows = fields.rows(data, "board", "#.@X", most=24)
        self._width = len(self.rows[0])
        self._cells = "".join(self.rows)
        if self._cells.count("@") != 1 or self._cells.count("X") != 1:
            raise BadInput("'board' has one start @ and one exit X")
        self._exit = self._cells.index("X")
        self._floods: list[int] = []

    def distance(self, state: int) -> int | None:
        """By flooding the maze from the exit, all cells at once as the bits of one integer."""
        stride = self._width + 1  # a wall between the rows, so that nothing flows around an edge
        if not self._floods:
            still = int("#".join(self.rows)[::-1].translate(_BITS), 2)
            flood = 1 << self._exit // self._width * stride + self._exit % self._width
            while flood:
                self._floods.append(flood)
                still &= ~flood
                flood = (flood << 1 | flood >> 1 | flood << stride | flood >> stride) & still
        bit = 1 << state // self._width * stride + state % self._width
        return next((left for left, flood in enumerate(self._floods) if flood & bit), None)

    def best(self, state: int) -> str:
        left = self.distance(state)
        steps = self.steps(state)
        return next((move for move, after in steps if left and self.distance(after) == left - 1), steps[0][0])

    def prove(self) -> None:
        """The exit can be reached; no table of positions is needed."""
        MovePuzzle.prove(self)

    def unpack(self, data: Any) -> int:
        state = fields.whole({"cell": data}, "cell", 0, len(self._cells) - 1)
        if self._cells[state] == "#":
            raise BadInput(f"a position is a cell that is no wall, found {state}")
        return state

    def rules(self) -> str:
        return (
            "A maze: '#' is a wall, '@' you, 'X' the exit. Reach the exit. "
            "A move is one step 'up', 'down', 'left' or 'right'."
        )

    def start(self) -> int:
        return self._cells.index("@")

    def goal(self, state: int) -> bool:
        return state == self._exit

    def named(self, move: str) -> str:
        return direction(move)

    def refusal(self, state: int, move: str) -> str:
        return "There is a wall." if move in DELTAS else "A move is 'up', 'down', 'left' or 'right'."

    def steps(self, state: int) -> list[tuple[str, int]]:
        cells, width = self._cells, self._width
        column = state % width
        found = []
        if state >= width and cells[state - width] != "#":
            found.append(("up", state - width))
        if state + width < len(cells) and cells[state + width] != "#":
            found.append(("down", state + width))
        if column and cells[state - 1] != "#":
            found.append(("left", state - 1))
        if column + 1 < width and cells[state + 1] != "#":
            found.append(("right", state + 1))
        return found

    def view(self, state: int) -> str:
        cells = self._cells.replace("@", ".")
        cells = f"{cells[:state]}@{cells[state + 1 :]}"
        return "\n".join(cells[at : at + self._width] for at in range(0, len(cells), self._width))

    def svg(self) -> str:
        board = Board(len(self.rows), self._width)
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell == "#":
                    board.fill(r, c, "#5b6675")
                elif cell == "@":
                    board.circle(r, c, "#2f6fb5")
                elif cell == "X":
                    board.fill(r, c, "#cfe8cf").text(r, c, "X")
        return board.svg()


def carve(rng: np.random.Generator, rows: int, columns: int, loops: float) -> list[list[str]]:
    """A maze of `rows` x `columns` passages with walls around; a random depth-first spanning tree, and some loops."""
    closed, rooms, inner = _plan(rows, columns)
    cells = list(closed)
    width = 2 * columns + 1
    at = width + 1
    seen = {at}
    stack = [at]
    turns = iter(rng.integers(24, size=(2 * rows * columns,)).tolist())
    while stack:
        for wall, to in rooms[at][next(turns)]:
            if to not in seen:
                seen.add(to)
                cells[wall] = "."
                at = to
                stack.append(at)
                break
        else:
            stack.pop()
            at = stack[-1] if stack else at
    if loops:
        for wall, chance in zip(inner, rng.random(len(inner)).tolist(), strict=True):
            if chance < loops:
                cells[wall] = "."
    return [cells[at : at + width] for at in range(0, len(cells), width)]


Ways = list[tuple[tuple[int, int], ...]]
"""The walls next to a room with the rooms behind them, in all 24 orders of the four directions."""


@functools.cache
def _plan(rows: int, columns: int) -> tuple[str, dict[int, Ways], list[int]]:
    """The board with all walls closed, the ways out of each room, and the walls between two rooms."""
    width = 2 * columns + 1
    inside = [width * (2 * r + 1) + 2 * c + 1 for r in range(rows) for c in range(columns)]
    known = set(inside)
    closed = "".join("." if at in known else "#" for at in range(width * (2 * rows + 1)))
    orders = list(itertools.permutations((-width, width, -1, 1)))
    rooms = {
        at: [tuple((at + step, at + 2 * step) for step in order if at + 2 * step in known) for order in orders]
        for at in inside
    }
    inner = sorted({wall for ways in rooms.values() for wall, _ in ways[0]})
    return closed, rooms, inner
