"""Futoshiki: a Latin square with signs of inequality between neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.domains import Domains, latin_units, less
from proofgym.envs.puzzles.latin import LatinBoard, board, latin_square
from proofgym.errors import BadInput

__all__ = ["Futoshiki"]


class Futoshiki(LatinBoard):
    """Fill a Latin square so that the signs between neighbouring cells hold.

    Exactly one solution, proved by an exhaustive search. `less` lists pairs of neighbouring cells, counted row by row
    from 0, of which the first is smaller.
    """

    family = "futoshiki"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 6, "rows and columns", 3, 9),
        "signs": Knob(0.4, 0.5, "share of neighbours with a sign between them", 0.0, 1.0),
        "clues": Knob(0.35, 0.0, "share of cells given, where one solution allows it", 0.0, 0.9),
    }

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        square = latin_square(size, chance)
        pairs = [(at, at + 1) for at in range(size * size) if at % size < size - 1]
        pairs += [(at, at + size) for at in range(size * size - size)]
        chosen = sorted(chance.sample(pairs, round(knobs["signs"] * len(pairs))))
        signs = [[a, b] if square[a] < square[b] else [b, a] for a, b in chosen]
        search = _search(size, signs)
        clues = search.dig(search.open(), square, chance, round(knobs["clues"] * size * size), range(size * size))
        puzzle = cls({"board": board(square, clues, size), "less": signs})
        return puzzle.proved(square)

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", "less")
        self.read_board(data, 2, 9)
        size = self.rows
        self._less = fields.edges(data, "less", size * size, directed=True)
        for a, b in self._less:
            if abs(a - b) != size and not (abs(a - b) == 1 and a // size == b // size):
                raise BadInput(f"'less' holds pairs of neighbouring cells, found {[a, b]}")
        self._domains: Domains | None = None

    def canonical(self) -> Any:
        return [self.givens, sorted(self._less)]

    def law(self) -> str:
        return (
            f"Futoshiki, {self.rows}x{self.rows}. Fill every '.' so that each row and each column holds every number "
            f"from 1 to {self.rows} once, and every sign holds: '<' and '>' between cells side by side; between cells "
            "one above the other, '^' says that the upper one is smaller and 'v' that it is larger. "
            "An answer holds the numbers only."
        )

    def view(self, state: Sequence[str]) -> str:
        size = self.rows
        signs = set(self._less)
        lines = []
        for r in range(size):
            row = state[r * size]
            for at in range(r * size + 1, (r + 1) * size):
                sign = "<" if (at - 1, at) in signs else ">" if (at, at - 1) in signs else " "
                row += f" {sign} {state[at]}"
            lines.append(row)
            if r < size - 1:
                below = [
                    "^" if (at, at + size) in signs else "v" if (at + size, at) in signs else " "
                    for at in range(r * size, (r + 1) * size)
                ]
                lines.append("   ".join(below).rstrip())
        return "\n".join(lines)

    def clue_broken(self, square: Sequence[int]) -> str | None:
        for a, b in self._less:
            if square[a] >= square[b]:
                return f"{self.name(a)} has to be less than {self.name(b)}"
        return None

    def search(self) -> Domains:
        if self._domains is None:
            self._domains = _search(self.rows, self._less)
        return self._domains

    def svg(self) -> str:
        size = self.rows
        picture = self.picture()
        for a, b in self._less:
            (y, x), (v, u) = divmod(a, size), divmod(b, size)
            sign = "<" if x < u else ">" if x > u else "∧" if y < v else "∨"
            picture.text((y + v) / 2, (x + u) / 2, sign, size=0.4, colour="#b3541e")
        return picture.svg()


def _search(size: int, signs: Sequence[Sequence[int]]) -> Domains:
    return Domains(size * size, size, latin_units(size), [less(a, b) for a, b in signs])
