"""Thermometers: fill them from their bulbs so that the numbers of rows and columns hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from string import ascii_letters
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.counts import Check, Counts, exactly
from proofgym.envs.puzzles.domains import latin_units
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.marks import CountedBoard, beside
from proofgym.errors import BadInput

__all__ = ["Thermometers"]


class Thermometers(CountedBoard):
    """Fill thermometers from their bulbs, so that each row and column has the given number of filled cells.

    Exactly one solution, proved by an exhaustive search. `thermometers` lists the cells of each from its bulb, counted
    row by row from 0; together they cover the board.
    """

    family = "thermometers"
    steps_floor: ClassVar[float] = 0.05
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 8, "rows and columns", 3, 8),
        "longest": Knob(3, 6, "cells of the longest thermometers", 3, 8),
    }

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        draws = Draws(cls.family, 500)
        while True:
            draws.count()
            tubes = _tubes(size, knobs["longest"], chance)
            on = 0
            for tube in tubes:
                for at in tube[: chance.below(len(tube) + 1)]:
                    on |= 1 << at
            if 2 * on.bit_count() > size**2:  # at most half is filled, so that marking everything does not pay
                on ^= (1 << size**2) - 1
                tubes = [tube[::-1] for tube in tubes]
            lines = [sum(1 << at for at in unit) for unit in latin_units(size)]
            counts = [(on & line).bit_count() for line in lines]
            for _ in range(30):
                found = _search(size, tubes, counts).solve(2)
                if found == [on]:
                    puzzle = cls({"thermometers": tubes, "rows": counts[:size], "columns": counts[size:]})
                    puzzle.known([puzzle.cells(on)])
                    return puzzle
                # where two solutions differ, a thermometer is turned round: its bulb moves to the other end
                other = next(solution for solution in found if solution != on)
                doubtful = [n for n, tube in enumerate(tubes) if any((on ^ other) >> at & 1 for at in tube)]
                tube = tubes[chance.pick(doubtful)]
                full = sum(on >> at & 1 for at in tube)
                tube.reverse()
                if full not in (0, len(tube)):
                    for number, at in enumerate(tube):
                        on = on | 1 << at if number < full else on & ~(1 << at)
                else:
                    for at in tube:
                        on ^= 1 << at
                counts = [(on & line).bit_count() for line in lines]

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "thermometers", "rows", "columns")
        rows = fields.wholes(data, "rows", 0, 12, least=2, most=12)
        size = self.rows = self.columns = len(rows)
        self._counts = [*rows, *fields.wholes(data, "columns", 0, size, least=size, most=size)]
        if max(rows) > size:
            raise BadInput(f"'rows' holds numbers from 0 to {size}, found {max(rows)}")
        tubes = data["thermometers"]
        if not isinstance(tubes, (list, tuple)) or not 1 <= len(tubes) <= len(ascii_letters):
            raise BadInput(f"'thermometers' is a list of 1 to 52 lists of cells, found {tubes!r:.80}")
        self._tubes = [list(fields.wholes({"thermometers": tube}, "thermometers", 0, size**2 - 1)) for tube in tubes]
        if sorted(at for tube in self._tubes for at in tube) != list(range(size**2)):
            raise BadInput("'thermometers' cover every cell of the board once")
        for tube in self._tubes:
            if any(b not in beside(a, size, size) for a, b in pairwise(tube)):
                raise BadInput(f"the cells of a thermometer touch one after another, found {tube!r:.80}")
        self.givens = (".",) * size**2

    def canonical(self) -> Any:
        return [self._counts, sorted(self._tubes)]

    def law(self) -> str:
        size = self.rows
        names = [""] * size**2
        for letter, tube in zip(ascii_letters, self._tubes, strict=False):
            for number, at in enumerate(tube, 1):
                names[at] = f"{letter}{number}"
        board = "\n".join(" ".join(names[at : at + size]) for at in range(0, size**2, size))
        rows, columns = (" ".join(map(str, counts)) for counts in (self._counts[:size], self._counts[size:]))
        return (
            f"Thermometers, {size}x{size}. Every cell belongs to a thermometer: 'b3' below is the third cell of "
            "thermometer "
            "b from its bulb, b1. A thermometer is filled from its bulb without a gap, wholly, in part or not at "
            "all. Mark "
            "the filled cells so that each row and each column has the number of them given for it.\n"
            f"The thermometers:\n{board}\nFilled cells in the rows, from the top: {rows}\n"
            f"Filled cells in the columns, from the left: {columns}"
        )

    def broken(self, cells: Sequence[str]) -> str | None:
        on = self.marks(cells)
        for number, (unit, count) in enumerate(zip(latin_units(self.rows), self._counts, strict=True)):
            filled = sum(on >> at & 1 for at in unit)
            if filled != count:
                what = "row" if number < self.rows else "column"
                return f"{what} {number % self.rows + 1} has {filled} filled cells, not {count}"
        for letter, tube in zip(ascii_letters, self._tubes, strict=False):
            if any(on >> b & 1 and not on >> a & 1 for a, b in pairwise(tube)):
                return f"thermometer {letter} is not filled from its bulb"
        return None

    def search(self) -> Counts:
        return _search(self.rows, self._tubes, self._counts)

    def svg(self) -> str:
        board = Board(self.rows, self.rows, top=1, left=1)
        for tube in self._tubes:
            middles = [(at // self.rows + 0.5, at % self.rows + 0.5) for at in tube]
            for (r, c), (y, x) in pairwise(middles):
                board.line(r, c, y, x, width=10, colour="#b9c4d3")
            board.circle(tube[0] // self.rows, tube[0] % self.rows, "#b9c4d3")
        for n, count in enumerate(self._counts):
            row, column = (n, -1) if n < self.rows else (-1, n - self.rows)
            board.text(row, column, str(count), size=0.4)
        return board.svg()


def _tubes(size: int, longest: int, chance: Chance) -> list[list[int]]:
    """Paths that cover the board."""
    free = set(range(size**2))
    tubes = []
    for start in chance.shuffled(range(size**2)):
        if start not in free:
            continue
        tube = [start]
        free.remove(start)
        while len(tube) < longest:
            steps = [at for at in beside(tube[-1], size, size) if at in free]
            if not steps:
                break
            tube.append(chance.pick(steps))
            free.remove(tube[-1])
        tubes.append(tube)
    return sorted(tubes)[: len(ascii_letters)] if len(tubes) <= len(ascii_letters) else _tubes(size, longest, chance)


def _search(size: int, tubes: Sequence[Sequence[int]], counts: Sequence[int]) -> Counts:
    limits = [(sum(1 << at for at in unit), exactly(n)) for unit, n in zip(latin_units(size), counts, strict=True)]
    return Counts(size**2, limits, _from_the_bulb(tubes))


def _from_the_bulb(tubes: Sequence[Sequence[int]]) -> Check:
    below = [(1 << at, sum(1 << b for b in tube[:n])) for tube in tubes for n, at in enumerate(tube) if n]
    above = [(1 << at, sum(1 << a for a in tube[n + 1 :])) for tube in tubes for n, at in enumerate(tube)]

    def check(on: int, off: int) -> tuple[int, int] | None:
        for cell, cells in below:
            if on & cell:
                on |= cells
        for cell, cells in above:
            if off & cell:
                off |= cells
        return None if on & off else (on, off)

    return check
