"""Sokoban: push every box onto a goal, with the least number of steps for every position."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import DELTAS, direction
from proofgym.errors import BadInput

__all__ = ["Sokoban"]

_MOST_POSITIONS = 300_000
_ENOUGH = 6_000  # positions that a generator looks at, from the goal outwards

Position = tuple[int, int]
"""The player's cell, and the boxes as bits; cells are numbered over the floor, row by row."""


class Sokoban(MovePuzzle[Position]):
    """Push all boxes onto goals; a box can only be pushed, and one at a time.

    Boards are made by playing backwards from the goal, breadth first, so that every position's least number of steps
    is known, and a position that was never met is a dead end.
    """

    family = "sokoban"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(6, 8, "rows and columns, walls around included", 5, 10),
        "boxes": Knob(1, 3, "boxes", 1, 4),
        "walls": Knob(0.1, 0.2, "share of the inner cells that are walls", 0.0, 0.4),
    }
    hardness_of = "least number of steps"
    can_undo = True

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        inner, boxes = knobs["size"] - 2, knobs["boxes"]
        draws = Draws(cls.family)
        while True:
            draws.count()
            chances = rng.random(inner * inner).tolist()
            free = {(i // inner + 1, i % inner + 1) for i, chance in enumerate(chances) if chance >= knobs["walls"]}
            floor = _largest_part(free)
            if len(floor) < 4 * boxes + 4:
                continue
            goals = sorted(rng.permutation(len(floor))[:boxes].tolist())
            reach = _Reach(floor, sum(1 << g for g in goals))
            lefts = reach.grow(_ENOUGH)
            deepest = max(lefts.values())
            wanted = [key for key, left in lefts.items() if left >= 0.7 * deepest and not key[1] & reach.goals]
            if deepest < 4 + 2 * boxes or not wanted:
                continue
            player, bits = wanted[int(rng.integers(len(wanted)))]
            puzzle = cls({"board": _drawn(inner + 2, inner + 2, floor, reach.goals, bits, player)})
            puzzle._lefts = lefts
            return puzzle

    @classmethod
    def from_xsb(cls, text: str) -> Self:
        """Read a level in XSB: `#` wall, `@` player, `$` box, `.` goal, `*` and `+` box and player on a goal.

        Raises:
            BadInput: If it is none, or cannot be solved.
        """
        lines = [line.rstrip("\r\n") for line in text.split("\n") if "#" in line][:12]
        width = max(map(len, lines), default=0)
        return cls.from_instance({"board": [line.ljust(width).replace(" ", "-").replace("_", "-") for line in lines]})

    def xsb(self) -> str:
        """The level in the XSB format."""
        return "\n".join(row.replace("-", " ").rstrip() for row in self.rows)

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        self.rows = fields.rows(data, "board", "#-@$.*+", most=12)
        cells = {(r, c): cell for r, row in enumerate(self.rows) for c, cell in enumerate(row)}
        players = [at for at, cell in cells.items() if cell in "@+"]
        boxes = [at for at, cell in cells.items() if cell in "$*"]
        goals = [at for at, cell in cells.items() if cell in ".*+"]
        if len(players) != 1 or not 1 <= len(boxes) <= 4 or len(boxes) != len(goals):
            found = f"{len(players)} players, {len(boxes)} boxes and {len(goals)} goals"
            raise BadInput(f"a board has one player, 1 to 4 boxes and as many goals, found {found}")
        self._floor = _part({at for at, cell in cells.items() if cell != "#"}, players[0])
        if not {*boxes, *goals} <= set(self._floor):
            raise BadInput("every box and goal is in the part of the board where the player is")
        if len(self._floor) * math.comb(len(self._floor) - 1, len(boxes)) > _MOST_POSITIONS:
            raise BadInput(f"a board has at most {_MOST_POSITIONS} positions; this one has too many boxes or cells")
        number = {at: i for i, at in enumerate(self._floor)}
        self._reach = _Reach(self._floor, sum(1 << number[at] for at in goals))
        self._start = (number[players[0]], sum(1 << number[at] for at in boxes))
        self._boxes = len(boxes)
        self._lefts: dict[Position, int] = {}
        self._all = False

    def rules(self) -> str:
        return (
            "Sokoban: '#' is a wall, '@' you, '$' a box, '.' a goal, '*' a box on a goal, '+' you on a goal, '-' free. "
            "You push a box by walking into it, if the cell behind it is free; you cannot pull, nor push two at once. "
            "Bring every box onto a goal. A move is 'up', 'down', 'left' or 'right'."
        )

    def start(self) -> Position:
        return self._start

    def pack(self, state: Position) -> Any:
        return [state[0], [i for i in range(len(self._floor)) if state[1] >> i & 1]]

    def unpack(self, data: Any) -> Position:
        if not (isinstance(data, list) and len(data) == 2):
            raise BadInput(f"a position is the player's cell and a list of boxes, found {data!r:.80}")
        last = len(self._floor) - 1
        player = fields.whole({"player": data[0]}, "player", 0, last)
        boxes = {*fields.wholes({"boxes": data[1]}, "boxes", 0, last)}
        if len(boxes) != self._boxes or player in boxes:
            raise BadInput(f"there are {self._boxes} boxes, and the player stands beside them, found {data!r:.80}")
        return player, sum(1 << box for box in boxes)

    def view(self, state: Position) -> str:
        return "\n".join(_drawn(len(self.rows), len(self.rows[0]), self._floor, self._reach.goals, state[1], state[0]))

    def moves(self, state: Position) -> list[str]:
        return [move for move in DELTAS if not isinstance(self._moved(state, move), str)]

    def apply(self, state: Position, move: str) -> Position:
        moved = self._moved(state, direction(move))
        if isinstance(moved, str):
            raise Illegal(moved)
        return moved

    def _moved(self, state: Position, move: str) -> Position | str:
        player, boxes = state
        to = self._reach.near[player].get(move)
        if to is None:
            return "There is a wall." if move in DELTAS else "A move is 'up', 'down', 'left' or 'right'."
        if not boxes >> to & 1:
            return to, boxes
        behind = self._reach.near[to].get(move)
        if behind is None or boxes >> behind & 1:
            return "The box cannot move: there is a " + ("wall" if behind is None else "box") + " behind it."
        return to, boxes ^ (1 << to | 1 << behind)

    def distance(self, state: Position) -> int | None:
        left = self._lefts.get(state)
        if left is None and not self._all:
            self._lefts, self._all = self._reach.grow(_MOST_POSITIONS + 1), True
            left = self._lefts.get(state)
        return left

    def solved(self, state: Position) -> bool:
        return state[1] == self._reach.goals

    def best(self, state: Position) -> str:
        left = self.distance(state)
        moves = self.moves(state)
        for move in moves:
            after = self.apply(state, move)
            if left is not None and self.distance(after) == left - 1:
                return move
        return moves[0] if moves else "up"

    def svg(self) -> str:
        board = Board(len(self.rows), len(self.rows[0]))
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell == "#":
                    board.fill(r, c, "#5b6675")
                if cell in ".*+":
                    board.fill(r, c, "#cfe8cf")
                if cell in "$*":
                    board.text(r, c, "■", size=0.9, colour="#b5793a")
                if cell in "@+":
                    board.circle(r, c, "#2f6fb5")
        return board.svg()


class _Reach:
    """The floor as a graph, and play backwards from the goal."""

    def __init__(self, floor: list[tuple[int, int]], goals: int) -> None:
        number = {at: i for i, at in enumerate(floor)}
        self.goals = goals
        self.near: list[dict[str, int]] = [
            {move: number[r + dr, c + dc] for move, (dr, dc) in DELTAS.items() if (r + dr, c + dc) in number}
            for r, c in floor
        ]
        back = {"up": "down", "down": "up", "left": "right", "right": "left"}
        self._came = [
            [(near[back[move]], 1 << near[back[move]], 1 << near[move] if move in near else 0)
             for move in DELTAS if back[move] in near]
            for near in self.near
        ]  # fmt: skip

    def grow(self, most: int) -> dict[Position, int]:
        """The least number of steps to the goal for every position within it; whole layers, about `most` positions."""
        came, goals = self._came, self.goals
        layer = [(player, goals) for player in range(len(came)) if not goals >> player & 1]
        lefts = dict.fromkeys(layer, 0)
        left = 0
        while layer and len(lefts) < most:
            left += 1
            following = []
            for player, boxes in layer:
                own = 1 << player
                for before, bit, ahead in came[player]:
                    if boxes & bit:
                        continue
                    state = (before, boxes)
                    if state not in lefts:
                        lefts[state] = left
                        following.append(state)
                    if boxes & ahead:
                        state = (before, boxes ^ ahead ^ own)
                        if state not in lefts:
                            lefts[state] = left
                            following.append(state)
            layer = following
        return lefts


def _part(free: set[tuple[int, int]], start: tuple[int, int]) -> list[tuple[int, int]]:
    found, rest = [start], free - {start}
    for r, c in found:
        for dr, dc in DELTAS.values():
            if (r + dr, c + dc) in rest:
                rest.discard((r + dr, c + dc))
                found.append((r + dr, c + dc))
    return sorted(found)


def _largest_part(free: set[tuple[int, int]]) -> list[tuple[int, int]]:
    parts: list[list[tuple[int, int]]] = []
    for at in sorted(free):
        if not any(at in part for part in parts):
            parts.append(_part(free, at))
    return max(parts, key=len, default=[])


def _drawn(rows: int, columns: int, floor: Iterable[tuple[int, int]], goals: int, boxes: int, player: int) -> list[str]:
    board = [["#"] * columns for _ in range(rows)]
    for i, (r, c) in enumerate(floor):
        kind = (goals >> i & 1) + 2 * (boxes >> i & 1)
        board[r][c] = "@+"[kind] if i == player else "-.$*"[kind]
    return ["".join(row) for row in board]
