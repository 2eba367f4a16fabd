"""Roll a die over a board to a cell, so that the asked face is on top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import DELTAS, StateGraph, direction
from proofgym.errors import BadInput

__all__ = ["DiceRolling"]

Position = tuple[int, int, int, int]
"""The cell, and the faces on top, to the north (up on the board) and to the east (right)."""


class DiceRolling(StateGraph[Position]):
    """Roll a die over a board, cell by cell, onto a goal with a given face on top.

    Opposite faces add up to seven, so the top, north and east faces say it all: 24 orientations for each cell, searched
    breadth first.
    """

    family = "dice_rolling"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 6, "rows and columns", 3, 9),
        "walls": Knob(0.15, 0.25, "share of the cells that are walls", 0.0, 0.5),
        "moves": Knob(6, 16, "least number of rolls, at least", 2, 40),
    }
    hardness_of = "least number of rolls"
    steps_floor = 0.4  # at level 0; 0.25 from level 0.5 on

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, tries = knobs["size"], 0
        draws = Draws(cls.family)
        while True:
            draws.count()
            tries += 1
            cells = ["#" if chance < knobs["walls"] else "." for chance in rng.random(size * size).tolist()]
            start, end = rng.permutation(size * size)[:2].tolist()
            cells[start], cells[end] = "@", "X"
            top, north = int(rng.integers(1, 7)), int(rng.integers(1, 7))
            if top in (north, 7 - north):
                continue
            board = ["".join(cells[at : at + size]) for at in range(0, size * size, size)]
            puzzle = cls({"board": board, "top": top, "north": north, "goal": int(rng.integers(1, 7))})
            way = puzzle.way()
            if way and way[puzzle.start()][0] >= knobs["moves"] - tries // 30:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", "top", "north", "goal")
        self.rows = fields.rows(data, "board", "#.@X", most=12)
        self._width = len(self.rows[0])
        self._cells = "".join(self.rows)
        if self._cells.count("@") != 1 or self._cells.count("X") != 1:
            raise BadInput("'board' has one die @ and one goal X")
        top, north, self._face = (fields.whole(data, key, 1, 6) for key in ("top", "north", "goal"))
        if top in (north, 7 - north):
            raise BadInput(f"'top' and 'north' are neighbouring faces, found {top} and {north}")
        self._begin = (self._cells.index("@"), top, north, _east(top, north))
        self._exit = self._cells.index("X")

    def rules(self) -> str:
        return (
            "A die lies on the cell '@' of a board; '#' is a wall, 'X' the goal cell. Opposite faces add up to "
            "7. A move "
            "rolls the die over one edge onto the next cell, 'up', 'down', 'left' or 'right'; walls and the edge "
            "of the "
            f"board stop it. Bring the die onto X with {self._face} on top."
        )

    def start(self) -> Position:
        return self._begin

    def goal(self, state: Position) -> bool:
        return state[0] == self._exit and state[1] == self._face

    def named(self, move: str) -> str:
        return direction(move.removeprefix("roll "))

    def refusal(self, state: Position, move: str) -> str:
        return "There is a wall or the edge." if move in DELTAS else "A move is 'up', 'down', 'left' or 'right'."

    def steps(self, state: Position) -> list[tuple[str, Position]]:
        at, top, north, east = state
        r, c = divmod(at, self._width)
        found = []
        for move, (dr, dc) in DELTAS.items():
            if not (0 <= r + dr < len(self.rows) and 0 <= c + dc < self._width):
                continue
            to = at + dr * self._width + dc
            if self._cells[to] == "#":
                continue
            if move == "up":  # the face that was to the south comes on top
                found.append((move, (to, 7 - north, top, east)))
            elif move == "down":
                found.append((move, (to, north, 7 - top, east)))
            elif move == "left":  # the face that was to the east comes on top
                found.append((move, (to, east, north, 7 - top)))
            else:
                found.append((move, (to, 7 - east, north, top)))
        return found

    def view(self, state: Position) -> str:
        cells = list(self._cells.replace("@", "."))
        cells[state[0]] = "@"
        board = "\n".join("".join(cells[at : at + self._width]) for at in range(0, len(cells), self._width))
        return (
            f"{board}\nThe die shows {state[1]} on top, {state[2]} to the north (up), {state[3]} to the east (right)."
        )

    def svg(self) -> str:
        board = Board(len(self.rows), self._width)
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell == "#":
                    board.fill(r, c, "#5b6675")
                elif cell == "@":
                    board.fill(r, c, "#dbe7f5").text(r, c, str(self._begin[1]))
                elif cell == "X":
                    board.fill(r, c, "#cfe8cf").text(r, c, str(self._face))
        return board.svg()


def _east(top: int, north: int) -> int:
    """The face to the east of a right-handed die, on which 1, 2 and 3 run counter-clockwise around their corner.

    >>> _east(1, 5), _east(1, 2), _east(6, 5)
    (3, 4, 4)
    """
    cycle = {(1, 2): 4, (2, 1): 3, (2, 3): 6, (3, 2): 1, (1, 3): 2, (3, 1): 5}
    sign = 1
    if top > 3:
        top, sign = 7 - top, -sign
    if north > 3:
        north, sign = 7 - north, -sign
    face = cycle[top, north]
    return face if sign > 0 else 7 - face
