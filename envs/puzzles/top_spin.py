"""TopSpin: a ring of numbers with a turnstile that reverses four of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from proofgym.envs.puzzles.contract import Knob
from proofgym.envs.puzzles.permuting import Arrangement, Moves, Permuting

__all__ = ["TopSpin"]


class TopSpin(Permuting):
    """Bring the numbers of a ring into an order by shifting the ring and reversing four of them in a turnstile."""

    family = "top_spin"
    sizes = range(6, 9)
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(6, 8, "numbers on the ring", 6, 8),
        "moves": Permuting.depth_knob(5, 13),
    }

    @staticmethod
    def moves_of(size: int) -> Moves:
        return (
            ("left", (*range(1, size), 0)),
            ("right", (size - 1, *range(size - 1))),
            ("flip", (3, 2, 1, 0, *range(4, size))),
        )

    def named(self, move: str) -> str:
        bare = move.removeprefix("shift ").removeprefix("turn ")
        return {"l": "left", "r": "right", "f": "flip", "reverse": "flip"}.get(bare, bare)

    def form(self) -> str:
        return "A move is 'left', 'right' or 'flip'."

    def rules(self) -> str:
        return (
            f"A ring of {self.size} numbers, written as a row whose ends are joined; the first four stand in a "
            f"turnstile. "
            "'left' shifts all numbers one place to the left (the first becomes the last), 'right' one place to the "
            f"right, and 'flip' reverses the first four. {self.form()} Reach {self.view(self._goal)} from:"
        )

    def view(self, state: Arrangement) -> str:
        return " ".join(map(str, state))
