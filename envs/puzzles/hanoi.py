"""The tower of Hanoi between any two arrangements."""

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
from proofgym.envs.puzzles.search import StateGraph
from proofgym.errors import BadInput

__all__ = ["Hanoi"]

_MOVE = re.compile(
    r"(?:move\s)?(?:disk\s[1-9]\s)?(?:from\s)?(?:peg\s)?([a-e])\s?(?:to|->)?\s?(?:peg\s)?([a-e])", re.ASCII
)

Position = tuple[int, ...]
"""The peg of each disk, the smallest first."""


class Hanoi(StateGraph[Position]):
    """Move disks between pegs, never a larger one onto a smaller one, from one arrangement to another.

    Any arrangement can be reached from any other, with three pegs or more; the distance is exact, by breadth-first
    search.
    """

    family = "hanoi"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "disks": Knob(4, 7, "disks", 2, 8),
        "pegs": Knob(3, 3, "pegs", 3, 5),
    }
    hardness_of = "least number of moves"
    steps_floor = 0.25  # at level 0, in 150 moves; nothing from level 0.5 on

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        disks, pegs = knobs["disks"], min(knobs["pegs"], 4 if knobs["disks"] > 7 else 5)
        draws = Draws(cls.family)
        while True:
            draws.count()
            start, goal = rng.integers(pegs, size=(2, disks)).tolist()
            puzzle = cls({"pegs": pegs, "start": start, "goal": goal})
            if puzzle._from_start() >= disks:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "pegs", "start", "goal")
        self.pegs = fields.whole(data, "pegs", 3, 5)
        self._begin = fields.wholes(data, "start", 0, self.pegs - 1, most=9)
        self._goal = fields.wholes(data, "goal", 0, self.pegs - 1, most=9)
        self.disks = len(self._begin)
        if len(self._goal) != self.disks:
            raise BadInput(f"'start' and 'goal' name the peg of each disk, found {self.disks} and {len(self._goal)}")
        self._names = [[f"{'abcde'[p]} to {'abcde'[q]}" for q in range(self.pegs)] for p in range(self.pegs)]

    def rules(self) -> str:
        return (
            f"Tower of Hanoi with {self.pegs} pegs and {self.disks} disks; disk 1 is the smallest. A move takes a top "
            "disk to another peg, never onto a smaller disk. A move is 'a to c'. Each line below lists a "
            f"peg's disks from the bottom up. Reach:\n{self.view(self._goal)}\nThe disks now:"
        )

    def start(self) -> Position:
        return self._begin

    def goal(self, state: Position) -> bool:
        return state == self._goal

    def named(self, move: str) -> str:
        found = _MOVE.fullmatch(move)
        return f"{found[1]} to {found[2]}" if found else move

    def refusal(self, state: Position, move: str) -> str:
        found = _MOVE.fullmatch(move)
        pegs = "abcde"[: self.pegs]
        if not found or found[1] not in pegs or found[2] not in pegs:
            return f"A move is 'a to c', with the pegs {', '.join(pegs)}."
        if pegs.index(found[1]) not in state:
            return f"Peg {found[1].upper()} is empty."
        return "The disk would lie on a smaller one." if found[1] != found[2] else "The disk would not move."

    def steps(self, state: Position) -> list[tuple[str, Position]]:
        tops = [state.index(peg) if peg in state else 99 for peg in range(self.pegs)]
        return [
            (self._names[p][q], (*state[:disk], q, *state[disk + 1 :]))
            for p, disk in enumerate(tops)
            if disk < 99
            for q, other in enumerate(tops)
            if disk < other
        ]

    def view(self, state: Position) -> str:
        lines = []
        for peg in range(self.pegs):
            disks = [str(disk + 1) for disk in range(self.disks - 1, -1, -1) if state[disk] == peg]
            lines.append(f"{'ABCDE'[peg]}: {' '.join(disks) or '-'}")
        return "\n".join(lines)

    def svg(self) -> str:
        board = Board(self.disks, 3 * self.pegs)
        for peg in range(self.pegs):
            lying = [disk for disk in range(self.disks - 1, -1, -1) if self._begin[disk] == peg]
            for height, disk in enumerate(lying):
                half = 0.3 + 1.1 * (disk + 1) / self.disks
                y = self.disks - height - 0.5
                board.line(y, 3 * peg + 1.5 - half, y, 3 * peg + 1.5 + half, width=16, colour="#b5793a")
                board.text(y - 0.5, 3 * peg + 1, str(disk + 1), size=0.4, colour="#fff")
        return board.svg(ruled=False)
