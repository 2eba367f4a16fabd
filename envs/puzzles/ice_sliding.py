"""Slide over ice: every step goes on until something stops it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import DELTAS, StateGraph, direction, layers
from proofgym.errors import BadInput

__all__ = ["IceSliding"]


class IceSliding(StateGraph[int]):
    """Slide over ice from rock to rock, and come to rest on the goal; slides seldom go back the way they came."""

    family = "ice_sliding"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(8, 14, "rows and columns", 4, 16),
        "rocks": Knob(0.12, 0.15, "share of the cells that are rocks", 0.02, 0.4),
        "moves": Knob(6, 14, "least number of slides, about", 2, 30),
    }
    hardness_of = "least number of slides"
    steps_floor = 0.35  # boards have few places to rest, and a random walk reaches most of them
    can_undo = True

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, tries = knobs["size"], 0
        draws = Draws(cls.family)
        while True:
            draws.count()
            tries += 1
            cells = ["#" if chance < knobs["rocks"] else "." for chance in rng.random(size * size).tolist()]
            start, spare = rng.permutation(size * size)[:2].tolist()
            cells[start], cells[spare] = "@", "X"
            board = ["".join(cells[at : at + size]) for at in range(0, size * size, size)]
            puzzle = cls({"board": board})
            puzzle._exit = -1  # look at all places to rest, wherever the goal will be
            by_distance = layers([start], puzzle.neighbours, size * size)
            least = max(2, knobs["moves"] - tries // 20)
            if len(by_distance) <= least:
                continue
            end = by_distance[least][int(rng.integers(len(by_distance[least])))]
            cells[spare], cells[end] = ".", "X"
            return cls({"board": ["".join(cells[at : at + size]) for at in range(0, size * size, size)]})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        self.rows = fields.rows(data, "board", "#.@X", most=20)
        self._width = len(self.rows[0])
        self._cells = "".join(self.rows)
        if self._cells.count("@") != 1 or self._cells.count("X") != 1:
            raise BadInput("'board' has one start @ and one goal X")
        self._exit = self._cells.index("X")

    def rules(self) -> str:
        return (
            "A board of ice: '#' is a rock, '@' you, 'X' the goal. A move, 'up', 'down', 'left' or 'right', "
            "slides you on "
            "until the next cell is a rock or beyond the edge. You pass over the goal without stopping; come to "
            "rest on it."
        )

    def start(self) -> int:
        return self._cells.index("@")

    def goal(self, state: int) -> bool:
        return state == self._exit

    def named(self, move: str) -> str:
        return direction(move.removeprefix("slide "))

    def refusal(self, state: int, move: str) -> str:
        return "You cannot move that way." if move in DELTAS else "A move is 'up', 'down', 'left' or 'right'."

    def steps(self, state: int) -> list[tuple[str, int]]:
        row, column = divmod(state, self._width)
        found = []
        for move, (dr, dc) in DELTAS.items():
            r, c = row, column
            while 0 <= r + dr < len(self.rows) and 0 <= c + dc < self._width and self.rows[r + dr][c + dc] != "#":
                r, c = r + dr, c + dc
            if (r, c) != (row, column):
                found.append((move, r * self._width + c))
        return found

    def view(self, state: int) -> str:
        cells = self._cells.replace("@", ".")
        cells = f"{cells[:state]}@{cells[state + 1 :]}"
        return "\n".join(cells[at : at + self._width] for at in range(0, len(cells), self._width))

    def svg(self) -> str:
        board = Board(len(self.rows), self._width)
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                board.fill(r, c, "#5b6675" if cell == "#" else "#e4f1fa")
                if cell == "@":
                    board.circle(r, c, "#2f6fb5")
                elif cell == "X":
                    board.text(r, c, "X")
        return board.svg()
