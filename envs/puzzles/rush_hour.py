"""Rush hour: drive the red car out of a traffic jam."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import StateGraph, layers
from proofgym.errors import BadInput

__all__ = ["RushHour"]

_MOVE = re.compile(r"(?:move\s)?(?:car\s)?([a-z]) (up|down|left|right)(?: (?:by )?([1-9]))?", re.ASCII)
_ENOUGH = 60  # positions for each car that a generator looks at before it gives a jam up
_ACROSS, _DOWN = ("left", "right"), ("up", "down")
_COLOURS = ("#8fb8de", "#b7d7a8", "#f6d58e", "#c9b3dd", "#f2b8a2", "#a5d6d6", "#d9d9a3", "#c7c7d1")

Position = tuple[int, ...]
"""For each car, the row or column of its first cell along its lane."""


class RushHour(StateGraph[Position]):
    """Slide cars along their lanes until car X reaches the right edge.

    A jam is drawn at random, all positions that can be reached from it are listed, and the start is one of those
    at the asked distance from the exit. Slides can be taken back, so the exit can be reached from all of them.
    """

    family = "rush_hour"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 5, "rows and columns; a jam of 6 x 6 takes ten times as long to find", 4, 6),
        "cars": Knob(9, 9, "cars, X included; fewer if there is no room", 2, 14),
        "moves": Knob(4, 8, "least number of moves; less if no such jam is found", 1, 12),
    }
    hardness_of = "least number of moves"
    steps_floor = 0.45  # a random walk drifts to the middle of the jam, which is nearer the exit

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        tries = 0
        draws = Draws(cls.family)
        while True:
            draws.count()
            tries += 1
            puzzle = cls({"board": _jam(rng, knobs["size"], knobs["cars"])})
            reached = puzzle._reach(_ENOUGH * len(puzzle.names))
            if reached is None:
                continue
            exits = [state for state in reached if puzzle.goal(state)]
            by_distance = layers(exits, puzzle.neighbours, len(reached) + 1)
            least = max(1, knobs["moves"] - tries // 60)  # some knobs leave no deep jam: then the deepest that turns up
            if len(by_distance) <= least:
                continue
            wanted = by_distance[least]
            return cls({"board": puzzle._rows(wanted[int(rng.integers(len(wanted)))])})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        rows = fields.rows(data, "board", "ABCDEFGHIJKLMNOPQRSTUVWXYZ.", most=7)
        self.size = len(rows)
        if len(rows[0]) != self.size:
            raise BadInput(f"'board' is square, found {len(rows)} x {len(rows[0])}")
        places: dict[str, list[tuple[int, int]]] = {}
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if cell != ".":
                    places.setdefault(cell, []).append((r, c))
        self.names = sorted(places, key=lambda name: (name != "X", name))
        self.lanes: list[tuple[bool, int, int]] = []
        begin = []
        for name in self.names:
            (r, c), last = places[name][0], places[name][-1]
            across, length = r == last[0], len(places[name])
            line = [(r, c + i) if across else (r + i, c) for i in range(length)]
            if length < 2 or line != places[name]:
                raise BadInput(f"car {name} is a line of at least two cells, found {places[name]}")
            self.lanes.append((across, r if across else c, length))
            begin.append(c if across else r)
        if not self.names or self.names[0] != "X" or not self.lanes[0][0]:
            raise BadInput("'board' has a car X that stands across, in a row")
        self._begin = tuple(begin)
        n = self.size
        self._cells = [  # for each car and place, the cells it covers as bits
            [
                sum(1 << (lane * n + at + i if across else (at + i) * n + lane) for i in range(length))
                for at in range(n - length + 1)
            ]
            for across, lane, length in self.lanes
        ]
        self._moves = [
            [f"{name.lower()} {way} {k}" for way in (_ACROSS if across else _DOWN) for k in range(1, n)]
            for name, (across, _, _) in zip(self.names, self.lanes, strict=True)
        ]  # fmt: skip

    def rules(self) -> str:
        return (
            f"Rush hour on a {self.size}x{self.size} board: each letter is a car, '.' is free. Cars that stand across "
            "slide left and right, the others up and down, over free cells only. Drive car X to the right edge. "
            "A move is a car, a direction and a number of cells, such as 'b up 2'; it counts as one move."
        )

    def start(self) -> Position:
        return self._begin

    def goal(self, state: Position) -> bool:
        return state[0] == len(self._cells[0]) - 1

    def named(self, move: str) -> str:
        found = _MOVE.fullmatch(move)
        return f"{found[1]} {found[2]} {found[3] or 1}" if found else move

    def refusal(self, state: Position, move: str) -> str:
        found = _MOVE.fullmatch(move)
        if not found:
            return "A move is a car, a direction and a number of cells, such as 'b up 2'."
        if found[1].upper() not in self.names:
            return f"There is no car {found[1].upper()}."
        across = self.lanes[self.names.index(found[1].upper())][0]
        if across != (found[2] in ("left", "right")):
            return f"Car {found[1].upper()} slides {'left and right' if across else 'up and down'} only."
        return f"Car {found[1].upper()} has not so many free cells {found[2]} of it."

    def steps(self, state: Position) -> list[tuple[str, Position]]:
        taken = 0
        cells = self._cells
        for car, at in enumerate(state):
            taken |= cells[car][at]
        found = []
        for car, at in enumerate(state):
            own = cells[car]
            others = taken ^ own[at]
            names = self._moves[car]
            for back in range(at - 1, -1, -1):
                if own[back] & others:
                    break
                found.append((names[at - back - 1], (*state[:car], back, *state[car + 1 :])))
            for on in range(at + 1, len(own)):
                if own[on] & others:
                    break
                found.append((names[self.size - 1 + on - at - 1], (*state[:car], on, *state[car + 1 :])))
        return found

    def view(self, state: Position) -> str:
        return "\n".join(self._rows(state))

    def svg(self) -> str:
        board = Board(self.size, self.size)
        for r, row in enumerate(self._rows(self._begin)):
            for c, cell in enumerate(row):
                if cell != ".":
                    colour = "#d9534f" if cell == "X" else _COLOURS[ord(cell) % len(_COLOURS)]
                    board.fill(r, c, colour).text(r, c, cell)
        return board.svg()

    def _rows(self, state: Position) -> list[str]:
        board = [["."] * self.size for _ in range(self.size)]
        for name, (across, lane, length), at in zip(self.names, self.lanes, state, strict=True):
            for i in range(at, at + length):
                board[lane if across else i][i if across else lane] = name
        return ["".join(row) for row in board]

    def _reach(self, most: int) -> list[Position] | None:
        """Every position that can be reached, or `None` if there are more than `most`."""
        seen, order = {self._begin}, [self._begin]
        for state in order:
            for _, after in self.steps(state):
                if after not in seen:
                    seen.add(after)
                    order.append(after)
            if len(order) > most:
                return None
        return order


def _jam(rng: np.random.Generator, size: int, cars: int) -> list[str]:
    """Cars of two or three cells at random, X in the upper middle row; fewer if there is no room."""
    board = [["."] * size for _ in range(size)]
    row = (size - 1) // 2
    at = int(rng.integers(max(1, size - 3)))
    board[row][at] = board[row][at + 1] = "X"
    names = iter("ABCDEFGHIJKLMNOPQRSTUVW")
    placed = 1
    for across, lane, begin, long in rng.integers(0, (10, size, size - 1, 10), size=(10 * cars, 4)).tolist():
        sideways, length = across < 4, 3 if long < 3 else 2
        if placed == cars:
            break
        if begin + length > size or (sideways and lane == row):
            continue
        cells = [(lane, begin + i) if sideways else (begin + i, lane) for i in range(length)]
        if all(board[r][c] == "." for r, c in cells):
            name = next(names)
            placed += 1
            for r, c in cells:
                board[r][c] = name
    return ["".join(line) for line in board]
