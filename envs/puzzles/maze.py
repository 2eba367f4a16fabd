"""A plain maze: walk from one cell to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.search import DELTAS, StateGraph, direction
from proofgym.errors import BadInput

__all__ = ["Maze", "carve"]


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
        rows = carve(rng, knobs["rows"], knobs["columns"], knobs["loops"])
        while True:
            start, end = rng.integers(knobs["rows"] * knobs["columns"], size=2).tolist()
            (r, c), (er, ec) = divmod(start, knobs["columns"]), divmod(end, knobs["columns"])
            if abs(r - er) + abs(c - ec) < (knobs["rows"] + knobs["columns"]) // 3:
                continue
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
    width = 2 * columns + 1
    cells = ["#"] * (width * (2 * rows + 1))
    at = width + 1
    cells[at] = "."
    stack = [at]
    offsets = (-2 * width, 2 * width, -2, 2)
    inside = {width * (2 * r + 1) + 2 * c + 1 for r in range(rows) for c in range(columns)}
    chances = iter(rng.random(2 * rows * columns).tolist())
    while stack:
        at = stack[-1]
        near = [d for d in offsets if at + d in inside and cells[at + d] == "#"]
        if not near:
            stack.pop()
            continue
        step = near[int(next(chances) * len(near))]
        cells[at + step // 2] = cells[at + step] = "."
        stack.append(at + step)
    if loops:
        walls = [
            at
            for at in range(width, len(cells) - width)
            if cells[at] == "#" and 0 < at % width < width - 1 and (at // width + at % width) % 2
        ]
        for at, chance in zip(walls, rng.random(len(walls)).tolist(), strict=True):
            if chance < loops:
                cells[at] = "."
    return [cells[at : at + width] for at in range(0, len(cells), width)]
