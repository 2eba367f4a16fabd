"""Twiddle: turn blocks of two by two numbers on a board."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from proofgym.envs.puzzles.contract import Knob
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.permuting import Arrangement, Moves, Permuting

__all__ = ["Twiddle"]

_TURN = re.compile(r"(?:turn )?(?:block )?([1-3]) (left|right|clockwise|counterclockwise|anticlockwise)", re.ASCII)


class Twiddle(Permuting):
    """Bring the numbers of a board of two rows into order by turning its blocks of two by two."""

    family = "twiddle"
    sizes = range(6, 9, 2)
    knobs: ClassVar[Mapping[str, Knob]] = {
        "columns": Knob(3, 4, "columns of the two rows", 3, 4),
        "moves": Permuting.depth_knob(3, 8),
    }
    steps_floor = 0.05

    @classmethod
    def settings(cls, level: float, overrides: Mapping[str, object] | None = None) -> dict[str, object]:
        """The size follows from the columns."""
        values = super().settings(level, overrides)
        return {**values, "size": 2 * values["columns"]}

    @staticmethod
    def moves_of(size: int) -> Moves:
        wide = size // 2
        moves: list[tuple[str, Arrangement]] = []
        for left in range(wide - 1):
            a, b, c, d = left, left + 1, wide + left, wide + left + 1
            right = list(range(size))
            right[a], right[b], right[d], right[c] = c, a, b, d
            back = [right.index(place) for place in range(size)]
            moves += [(f"{left + 1} right", tuple(right)), (f"{left + 1} left", tuple(back))]
        return tuple(moves)

    def named(self, move: str) -> str:
        found = _TURN.fullmatch(move)
        return f"{found[1]} {'right' if found[2] in ('right', 'clockwise') else 'left'}" if found else move

    def form(self) -> str:
        return f"A move is '1 right' (clockwise) or '1 left', with the blocks 1 to {self.size // 2 - 1} from the left."

    def rules(self) -> str:
        return (
            f"A board of two rows with {self.size // 2} numbers each. A move turns a block of two by two neighbouring "
            f"numbers by a quarter. {self.form()} Reach:\n{self.view(self._goal)}\nThe board now:"
        )

    def view(self, state: Arrangement) -> str:
        wide = self.size // 2
        return f"{' '.join(map(str, state[:wide]))}\n{' '.join(map(str, state[wide:]))}"

    def svg(self) -> str:
        wide = self.size // 2
        return Board(2, wide).cells([map(str, self._begin[:wide]), map(str, self._begin[wide:])]).svg()
