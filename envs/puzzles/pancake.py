"""Pancake sorting: flip the top of a stack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from proofgym.envs.puzzles.contract import Knob
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.permuting import Arrangement, Moves, Permuting

__all__ = ["Pancake"]

_FLIP = re.compile(r"(?:flip )?(?:the )?(?:top )?([2-9])", re.ASCII)


class Pancake(Permuting):
    """Bring a stack of pancakes into an order by turning over its top part again and again.

    The distance comes from a table of all stacks; for eight pancakes it takes half a second, once a process.
    """

    family = "pancake"
    sizes = range(4, 9)
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 8, "pancakes", 4, 8),
        "moves": Permuting.depth_knob(4, 8),
    }
    steps_floor = 0.25  # eight pancakes are 6.5 flips from any order on average

    @staticmethod
    def moves_of(size: int) -> Moves:
        return tuple((f"flip {k}", (*range(k - 1, -1, -1), *range(k, size))) for k in range(2, size + 1))

    def named(self, move: str) -> str:
        found = _FLIP.fullmatch(move)
        return f"flip {found[1]}" if found else move

    def form(self) -> str:
        return f"A move is 'flip k' for the top k pancakes, with k from 2 to {self.size}."

    def rules(self) -> str:
        return (
            f"A stack of {self.size} pancakes, written from the top to the bottom. A move turns over the top k of "
            f"them, "
            f"which reverses their order. {self.form()} Reach {self.view(self._goal)} from:"
        )

    def view(self, state: Arrangement) -> str:
        return " ".join(map(str, state))

    def svg(self) -> str:
        board = Board(self.size, self.size)
        for row, thing in enumerate(self._begin):
            half = self.size * thing / (2.2 * self.size)
            middle = self.size / 2
            board.line(row + 0.5, middle - half, row + 0.5, middle + half, width=20, colour="#d9a55b")
            board.text(row, middle - 0.5, str(thing), size=0.4)
        return board.svg(ruled=False)
