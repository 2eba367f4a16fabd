"""Peg solitaire: jump until one peg is left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import DELTAS
from proofgym.errors import BadInput

__all__ = ["PegSolitaire"]

_JUMP = re.compile(r"(?:jump )?(?:row |r)?([1-6]),? ?(?:column |col |c)?([1-6]) (up|down|left|right)", re.ASCII)
_MOST_POSITIONS = 300_000


class PegSolitaire(MovePuzzle[int]):
    """Jump pegs over each other until one is left, anywhere.

    Every jump takes one peg, so the distance is the pegs less one, or there is none; which, an exhaustive search tells.
    Boards are made by playing backwards from one peg.
    """

    family = "peg_solitaire"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "rows": Knob(4, 5, "rows", 3, 6),
        "columns": Knob(5, 5, "columns", 3, 6),
        "pegs": Knob(7, 12, "pegs", 4, 13),
    }
    hardness_of = "jumps"
    can_undo = True

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        rows, columns = knobs["rows"], knobs["columns"]
        draws = Draws(cls.family)
        while True:
            draws.count()
            cells = ["#" if chance < 0.1 else "." for chance in rng.random(rows * columns).tolist()]
            cells[int(rng.integers(rows * columns))] = "o"
            puzzle = cls({"board": _joined(cells, columns)})
            pegs = puzzle._begin
            for chance in rng.random(knobs["pegs"] - 1).tolist():
                undone = [(bits | over | to, to) for bits, over, to, _ in puzzle._jumps]
                options = [pegs ^ touched for touched, to in undone if pegs & touched == to]  # a jump ended at `to`
                if not options:
                    break
                pegs = options[int(chance * len(options))]
            if pegs.bit_count() >= knobs["pegs"] - 1 and pegs.bit_count() > 2:
                board = ["#" if cell == "#" else "o" if pegs >> at & 1 else "." for at, cell in enumerate(cells)]
                return cls({"board": _joined(board, columns)})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        self.rows = fields.rows(data, "board", "#.o", most=6)
        self._width = len(self.rows[0])
        cells = "".join(self.rows)
        if self._width > 6:
            raise BadInput(f"'board' has at most 6 columns, found {self._width}")
        self._holes = {at for at, cell in enumerate(cells) if cell != "#"}
        self._begin = sum(1 << at for at, cell in enumerate(cells) if cell == "o")
        if not self._begin:
            raise BadInput("'board' has at least one peg o")
        self._jumps: list[tuple[int, int, int, str]] = []
        for at in sorted(self._holes):
            r, c = divmod(at, self._width)
            for move, (dr, dc) in DELTAS.items():
                over, to = at + dr * self._width + dc, at + 2 * (dr * self._width + dc)
                if 0 <= r + 2 * dr < len(self.rows) and 0 <= c + 2 * dc < self._width and {over, to} <= self._holes:
                    self._jumps.append((1 << at, 1 << over, 1 << to, f"r{r + 1}c{c + 1} {move}"))
        self._dead: set[int] = set()
        self._good: dict[int, str] = {}

    def rules(self) -> str:
        return (
            "Peg solitaire: 'o' is a peg, '.' an empty hole, '#' no hole. A peg jumps over a neighbouring peg, "
            "up, down, left "
            "or right, into the empty hole behind it, and the peg that was jumped over is taken off. Leave one "
            "peg. A move "
            "is the jumping peg's place and the direction, such as 'r1c3 left' for row 1, column 3."
        )

    def start(self) -> int:
        return self._begin

    def pack(self, state: int) -> Any:
        return [at for at in sorted(self._holes) if state >> at & 1]

    def unpack(self, data: Any) -> int:
        pegs = {*fields.wholes({"pegs": data}, "pegs", 0, 35, most=36)}
        if not pegs <= self._holes or len(pegs) > self._begin.bit_count():
            raise BadInput(f"a position is a list of the holes with pegs, found {data!r:.80}")
        return sum(1 << at for at in pegs)

    def view(self, state: int) -> str:
        cells = "".join(self.rows)
        return "\n".join(_joined(
            ["#" if cell == "#" else "o" if state >> at & 1 else "." for at, cell in enumerate(cells)], self._width
        ))  # fmt: skip

    def moves(self, state: int) -> list[str]:
        return [name for bits, over, to, name in self._jumps if state & (bits | over | to) == bits | over]

    def apply(self, state: int, move: str) -> int:
        found = _JUMP.fullmatch(move)
        name = f"r{found[1]}c{found[2]} {found[3]}" if found else ""
        for bits, over, to, known in self._jumps:
            if known == name:
                if not state & bits:
                    raise Illegal("There is no peg.")
                if not state & over:
                    raise Illegal("There is no peg to jump over.")
                if state & to:
                    raise Illegal("The hole behind is taken.")
                return state ^ (bits | over | to)
        if not found:
            raise Illegal("A move is a place and a direction, such as 'r1c3 left'.")
        raise Illegal("There is no hole, or none to jump into.")

    def solved(self, state: int) -> bool:
        return state.bit_count() == 1

    def distance(self, state: int) -> int | None:
        return state.bit_count() - 1 if self._find(state) else None

    def best(self, state: int) -> str:
        if self._find(state) and state in self._good:
            return self._good[state]
        return next(iter(self.moves(state)), "r1c1 up")

    def _find(self, begin: int) -> bool:
        """Whether one peg can be left; depth first, remembering dead ends and the jumps that work."""
        if begin in self._good or begin.bit_count() == 1:
            return True
        if begin in self._dead:
            return False
        path: list[tuple[int, list[tuple[int, str]]]] = [(begin, self._next(begin))]
        while path:
            state, left = path[-1]
            if not left:
                self._dead.add(state)
                path.pop()
                if len(self._dead) > _MOST_POSITIONS:
                    raise BadInput(f"this board has more than {_MOST_POSITIONS} positions")
                continue
            after, _name = left[-1]
            if after.bit_count() == 1 or after in self._good:
                for earlier, ways in path:
                    self._good[earlier] = ways[-1][1]
                return True
            if after in self._dead:
                left.pop()
            else:
                path.append((after, self._next(after)))
        return False

    def _next(self, state: int) -> list[tuple[int, str]]:
        return [
            (state ^ (bits | over | to), name)
            for bits, over, to, name in self._jumps
            if state & (bits | over | to) == bits | over
        ]

    def svg(self) -> str:
        board = Board(len(self.rows), self._width)
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell == "#":
                    board.fill(r, c, "#5b6675")
                else:
                    board.circle(r, c, "#2f6fb5" if cell == "o" else "#d5dde6", radius=0.3 if cell == "o" else 0.12)
        return board.svg()


def _joined(cells: list[str], columns: int) -> list[str]:
    return ["".join(cells[at : at + columns]) for at in range(0, len(cells), columns)]
