"""A maze with locked doors: fetch the keys, and find the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.maze import carve
from proofgym.envs.puzzles.search import DELTAS, StateGraph, direction
from proofgym.errors import BadInput

__all__ = ["KeyMaze"]

_KEYS = "abcd"

Position = tuple[int, int]
"""The player's cell, and the keys held as bits."""


class KeyMaze(StateGraph[Position]):
    """Walk to the exit of a maze through doors that need their keys.

    Every door stands on the way from the start to the exit and its key elsewhere; a full search proves that the exit
    can be reached, with the least number of steps.
    """

    family = "key_maze"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 8, "passages across and down", 3, 9),
        "doors": Knob(1, 3, "locked doors", 0, 4),
        "loops": Knob(0.0, 0.1, "share of the walls that are opened again", 0.0, 0.5),
    }
    hardness_of = "least number of steps"
    steps_floor = 0.25

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, doors = knobs["size"], knobs["doors"]
        draws = Draws(cls.family)
        while True:
            draws.count()
            rows = carve(rng, size, size, knobs["loops"])
            rooms = [(2 * i + 1, 2 * j + 1) for i in range(size) for j in range(size)]
            start, end, *keys = [rooms[k] for k in rng.permutation(len(rooms))[: 2 + doors].tolist()]
            rows[start[0]][start[1]], rows[end[0]][end[1]] = "@", "X"
            between = cls({"board": ["".join(row) for row in rows]}).way()
            open_cells = [at for at, _ in between][1:-1]
            on_way = [at for at in open_cells if divmod(at, len(rows)) not in keys]
            if len(on_way) < 2 * doors:
                continue
            for name, (r, c), spot in zip(_KEYS, keys, rng.permutation(len(on_way)).tolist(), strict=False):
                rows[r][c] = name
                dr, dc = divmod(on_way[spot], len(rows))
                rows[dr][dc] = name.upper()
            puzzle = cls({"board": ["".join(row) for row in rows]})
            if puzzle.way() and puzzle._from_start() > len(open_cells) + 1 - (not doors):
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        self.rows = fields.rows(data, "board", "#.@X" + _KEYS + _KEYS.upper(), most=24)
        self._width = len(self.rows[0])
        self._cells = "".join(self.rows)
        for name, need in (("@", 1), ("X", 1), *((key, self._cells.count(key.upper()) > 0) for key in _KEYS)):
            if self._cells.count(name) != need:
                raise BadInput(f"'board' has {int(need)} of {name!r}, found {self._cells.count(name)}")
        self._begin = self._cells.index("@")
        self._exit = self._cells.index("X")
        self._keys = {at: 1 << _KEYS.index(cell) for at, cell in enumerate(self._cells) if cell in _KEYS}
        self._doors = {
            at: 1 << _KEYS.index(cell.lower()) for at, cell in enumerate(self._cells) if cell in _KEYS.upper()
        }
        self._near: list[list[tuple[str, int, int]]] = []
        for at in range(len(self._cells)):
            r, c = divmod(at, self._width)
            self._near.append([
                (move, to, self._doors.get(to, 0))
                for move, (dr, dc) in DELTAS.items()
                if 0 <= r + dr < len(self.rows) and 0 <= c + dc < self._width
                and self._cells[to := (r + dr) * self._width + c + dc] != "#"
            ])  # fmt: skip

    def rules(self) -> str:
        return (
            "A maze: '#' is a wall, '@' you, 'X' the exit, small letters are keys, capital letters the doors that they "
            "open. You pick a key up by stepping on it and keep it; a door can be entered with its key only. Reach the "
            "exit. A move is 'up', 'down', 'left' or 'right'."
        )

    def start(self) -> Position:
        return (self._begin, 0)

    def goal(self, state: Position) -> bool:
        return state[0] == self._exit

    def named(self, move: str) -> str:
        return direction(move)

    def refusal(self, state: Position, move: str) -> str:
        if move not in DELTAS:
            return "A move is 'up', 'down', 'left' or 'right'."
        door = next((to for name, to, _ in self._near[state[0]] if name == move), None)
        return "There is a wall." if door is None else f"Door {self._cells[door]} is locked, and you lack its key."

    def steps(self, state: Position) -> list[tuple[str, Position]]:
        at, held = state
        keys = self._keys
        return [(move, (to, held | keys.get(to, 0))) for move, to, door in self._near[at] if door & held == door]

    def view(self, state: Position) -> str:
        cells = list(self._cells.replace("@", "."))
        for at, key in self._keys.items():
            if state[1] & key:
                cells[at] = "."
        cells[state[0]] = "@"
        board = "".join(cells)
        rows = "\n".join(board[at : at + self._width] for at in range(0, len(board), self._width))
        held = ", ".join(key for i, key in enumerate(_KEYS) if state[1] >> i & 1)
        return f"{rows}\nKeys: {held or 'none'}"

    def svg(self) -> str:
        board = Board(len(self.rows), self._width)
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell == "#":
                    board.fill(r, c, "#5b6675")
                elif cell == "@":
                    board.circle(r, c, "#2f6fb5")
                elif cell != ".":
                    board.fill(r, c, "#f6d58e" if cell.isupper() else "#ffffff").text(r, c, cell)
        return board.svg()
