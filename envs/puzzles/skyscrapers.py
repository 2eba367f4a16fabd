"""Skyscrapers: a Latin square of heights, with the numbers of towers seen from its edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from itertools import permutations
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.domains import Domains, among, latin_units, packed
from proofgym.envs.puzzles.latin import LatinBoard, board, latin_square

__all__ = ["Skyscrapers"]

_SIDES = ("top", "bottom", "left", "right")


class Skyscrapers(LatinBoard):
    """Fill a Latin square of heights so that each clue at the edge counts the towers seen from there.

    A tower hides every lower one behind it. Exactly one solution, proved by an exhaustive search. `top`, `bottom`,
    `left` and `right` hold the clues, 0 for none.
    """

    family = "skyscrapers"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 6, "rows and columns", 3, 7),
        "seen": Knob(0.8, 0.6, "share of edge clues", 0.0, 1.0),
        "clues": Knob(0.3, 0.0, "share of cells given, where one solution allows it", 0.0, 0.9),
    }

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        square = latin_square(size, chance)
        kept = set(chance.sample(range(4 * size), round(knobs["seen"] * 4 * size)))
        edges: list[list[int]] = []
        for side in range(4):
            line = [_seen([square[at] for at in cells]) for cells in _lines(size)[side]]
            edges.append([clue if side * size + n in kept else 0 for n, clue in enumerate(line)])
        search = _search(size, edges)
        clues = search.dig(search.open(), square, chance, round(knobs["clues"] * size * size), range(size * size))
        return cls({"board": board(square, clues, size), **dict(zip(_SIDES, edges, strict=True))}).proved(square)

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", *_SIDES)
        self.read_board(data, 2, 7)
        size = self.rows
        self._edges = [fields.wholes(data, side, 0, size, least=size, most=size) for side in _SIDES]
        self._domains: Domains | None = None

    def law(self) -> str:
        return (
            f"Skyscrapers, {self.rows}x{self.rows}. Fill every '.' with the height of a tower so that each row and "
            f"each column holds every height from 1 to {self.rows} once. A number at an edge says how many towers are "
            "seen from there along its row or column: a tower hides all lower ones behind it. "
            "An answer holds the heights only, without the numbers at the edges."
        )

    def view(self, state: Sequence[str]) -> str:
        size = self.rows
        top, bottom, left, right = ([str(clue or " ") for clue in edge] for edge in self._edges)
        rule = "  +" + "-" * (2 * size + 1) + "+"
        rows = [f"{left[r]} | {' '.join(state[r * size : (r + 1) * size])} | {right[r]}".rstrip() for r in range(size)]
        return "\n".join(["    " + " ".join(top), rule, *rows, rule, "    " + " ".join(bottom)]).rstrip()

    def clue_broken(self, square: Sequence[int]) -> str | None:
        for side, lines, edge in zip(_SIDES, _lines(self.rows), self._edges, strict=True):
            for number, (cells, clue) in enumerate(zip(lines, edge, strict=True), 1):
                seen = _seen([square[at] for at in cells])
                if clue not in (0, seen):
                    what = "column" if side in ("top", "bottom") else "row"
                    return f"from the {side} of {what} {number}, {seen} towers are seen, not {clue}"
        return None

    def search(self) -> Domains:
        if self._domains is None:
            self._domains = _search(self.rows, self._edges)
        return self._domains

    def svg(self) -> str:
        size = self.rows
        picture = self.picture(top=1, left=1, right=1, bottom=1)
        for n in range(size):
            top, bottom, left, right = (str(edge[n] or "") for edge in self._edges)
            for r, c, clue in ((-1, n, top), (size, n, bottom), (n, -1, left), (n, size, right)):
                picture.text(r, c, clue, size=0.4, colour="#b3541e")
        return picture.svg()


def _seen(heights: Sequence[int]) -> int:
    tallest, count = -1, 0
    for height in heights:
        if height > tallest:
            tallest, count = height, count + 1
    return count


@lru_cache(maxsize=8)
def _lines(size: int) -> list[list[tuple[int, ...]]]:
    """For each side the cells of its rows or columns, as seen from there."""
    units = latin_units(size)
    rows, columns = list(units[:size]), list(units[size:])
    return [columns, [c[::-1] for c in columns], rows, [r[::-1] for r in rows]]


@cache
def _fitting(size: int, ahead: int, behind: int) -> list[int]:
    """Every line, packed, that shows so many towers from both ends (0 for any number)."""
    return [
        packed(line, size)
        for line in permutations(range(size))
        if ahead in (0, _seen(line)) and behind in (0, _seen(line[::-1]))
    ]


def _search(size: int, edges: Sequence[Sequence[int]]) -> Domains:
    columns, _, rows, _ = _lines(size)
    top, bottom, left, right = edges
    clues = [*zip(columns, top, bottom, strict=True), *zip(rows, left, right, strict=True)]
    rules = [among(cells, size, _fitting(size, a, b)) for cells, a, b in clues if a or b]
    return Domains(size * size, size, latin_units(size), rules)
