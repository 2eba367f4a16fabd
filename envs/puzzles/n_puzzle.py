"""The 8-puzzle: slide tiles into order, with the exact distance of every position from one table."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle, Option
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.search import direction, layers
from proofgym.errors import BadInput

__all__ = ["NPuzzle"]

_ORDER = "123456780"
_ROWS = {2: "123450", 3: _ORDER}


class NPuzzle(MovePuzzle[str]):
    """Slide the tiles of the 8-puzzle, or its 2 x 3 sister, from one arrangement to another.

    Tiles are renamed so that the goal reads 1 to 8; so one table of the 181,440 arrangements from which that can be
    reached (the other half cannot, as a slide keeps parity) serves every goal with the hole in the last cell. The table
    takes half a second, once a process.
    """

    family = "n_puzzle"
    knobs: ClassVar[Mapping[str, Knob | Option]] = {
        "moves": Knob(6, 24, "least number of moves", 1, 31),
        "rows": Knob(3, 3, "rows of three tiles; with 2 rows at most 21 moves are needed", 2, 3),
        "goal": Option(("any", "ordered"), "whether the goal is any arrangement, or the tiles in order"),
    }
    hardness_of = "least number of moves"
    steps_floor = 0.1  # a random walk from far away comes nearer: most arrangements are 22 moves away

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        rows = knobs["rows"]
        by_distance = _table(rows)[1]
        layer = by_distance[min(knobs["moves"], len(by_distance) - 1)]
        start = layer[int(rng.integers(len(layer)))]
        goal = _ROWS[rows]
        if knobs["goal"] == "any":
            tiles = "".join(map(str, (rng.permutation(3 * rows - 1) + 1).tolist())) + "0"
            start = start.translate(str.maketrans(goal, tiles))
            goal = tiles
        return cls({"start": start, "goal": goal})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "start", "goal")
        self._begin = fields.text(data, "start", "012345678", least=6, most=9)
        self._goal = fields.text(data, "goal", "012345678", least=6, most=9)
        rows, rest = divmod(len(self._goal), 3)
        if rest or sorted(self._goal) != sorted(self._begin) or sorted(self._goal) != sorted(_ROWS[rows]):
            raise BadInput(f"'start' and 'goal' hold the tiles 0 to {3 * rows - 1} once, 0 being the hole")
        if self._goal[-1] != "0":
            raise BadInput(f"'goal' has the hole 0 in the last cell, found {self._goal!r}")
        self._rows = rows
        self._rename = str.maketrans(self._goal, _ROWS[rows])
        self._slides = _slides(rows)

    def rules(self) -> str:
        return (
            f"Sliding puzzle, {self._rows} rows of 3 cells with numbered tiles and one hole '_'. A move slides a tile "
            "next to the hole into it, and is named by the way the tile moves, 'up', 'down', 'left' or 'right', "
            f"or by the tile's number. Reach this arrangement:\n{self.view(self._goal)}\nThe tiles now:"
        )

    def start(self) -> str:
        return self._begin

    def pack(self, state: str) -> Any:
        return state

    def unpack(self, data: Any) -> str:
        state = fields.text({"tiles": data}, "tiles", "012345678", most=9)
        if sorted(state) != sorted(self._goal):
            raise BadInput(f"a position holds the same tiles as the goal {self._goal!r}, found {state!r}")
        return state

    def view(self, state: str) -> str:
        spaced = " ".join(state.replace("0", "_"))
        return "\n".join(spaced[at : at + 5] for at in range(0, 6 * self._rows, 6))

    def moves(self, state: str) -> list[str]:
        return list(self._slides[state.index("0")])

    def apply(self, state: str, move: str) -> str:
        hole = state.index("0")
        slides = self._slides[hole]
        cell = slides.get(move)
        if cell is None:
            name = direction(move)
            cell = slides.get(name)
            if cell is None:
                bare = move.removeprefix("slide ").removeprefix("tile ")
                cell = state.index(bare) if len(bare) == 1 and bare in state and bare != "0" else -1
                if cell not in slides.values():
                    raise Illegal("A move slides a tile that is next to the hole: 'up', 'down', 'left' or 'right'.")
        tile = state[cell]
        return state.replace("0", "x").replace(tile, "0").replace("x", tile)

    def distance(self, state: str) -> int | None:
        return _table(self._rows)[0].get(state.translate(self._rename))

    def best(self, state: str) -> str:
        left = self.distance(state)
        moves = self.moves(state)
        return next((m for m in moves if left and self.distance(self.apply(state, m)) == left - 1), moves[0])

    def svg(self) -> str:
        board = Board(self._rows, 3)
        for i, tile in enumerate(self._begin):
            if tile != "0":
                board.fill(i // 3, i % 3, "#dbe7f5").text(i // 3, i % 3, tile)
        return board.svg()


@functools.cache
def _slides(rows: int) -> list[dict[str, int]]:
    """For each cell of the hole, the cell of the tile that each move slides."""
    offsets = {"up": (1, 0), "down": (-1, 0), "left": (0, 1), "right": (0, -1)}
    return [
        {m: 3 * (r + dr) + c + dc for m, (dr, dc) in offsets.items() if 0 <= r + dr < rows and 0 <= c + dc < 3}
        for r in range(rows)
        for c in range(3)
    ]


@functools.cache
def _table(rows: int) -> tuple[dict[str, int], list[list[str]]]:
    """The distance of every arrangement from the ordered one, and the arrangements by distance."""
    cells = [list(slides.values()) for slides in _slides(rows)]

    def neighbours(state: str) -> list[str]:
        opened = state.replace("0", "x")
        return [opened.replace(state[c], "0").replace("x", state[c]) for c in cells[state.index("0")]]

    by_distance = layers([_ROWS[rows]], neighbours, 10**6)
    return {state: left for left, layer in enumerate(by_distance) for state in layer}, by_distance
