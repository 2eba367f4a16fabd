"""Star battle: the same number of stars in every row, column and region, none touching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.counts import Counts, at_most, bits, exactly, reach
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.marks import CountedBoard, beside, windows
from proofgym.errors import BadInput

__all__ = ["StarBattle"]


class StarBattle(CountedBoard):
    """Place stars so that each row, column and region holds the same number and no two touch, even at a corner.

    Exactly one placement, proved by an exhaustive search. `regions` names each cell's region by a letter.
    """

    family = "star_battle"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(6, 8, "rows, columns and regions", 5, 9),
        "stars": Knob(1, 1, "stars in each; two need a size of 9 or more", 1, 2),
    }
    floor: ClassVar[float] = 0.04  # there are only 90 placements on 6 x 6
    marked = "S"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        stars = knobs["stars"] if size >= 9 else 1
        near = [sum(1 << other for other in beside(at, size, size)) for at in range(size * size)]
        draws = Draws(cls.family, 500)
        while True:
            draws.count()
            placed = Counts(size * size, _lines(size, stars)).solve(1, chance=chance)
            if not placed:
                continue
            regions = _grow(size, stars, placed[0], near, chance)
            for _ in range(40):
                if regions is None:
                    break
                found = Counts(size * size, _limits(size, stars, regions)).solve(12)
                if len(found) == 1:
                    letters = "".join(ascii_uppercase[_region(regions, at)] for at in range(size * size))
                    rows = [letters[at : at + size] for at in range(0, size * size, size)]
                    puzzle = cls({"regions": rows, "stars": stars})
                    puzzle.known([puzzle.cells(found[0])])
                    return puzzle
                # give a star of each other placement to a neighbouring region, where that keeps both in one piece
                for other in found:
                    fits = other != placed[0] and all((other & region).bit_count() == stars for region in regions)
                    if fits and not _shift(regions, chance.shuffled(bits(other & ~placed[0])), near, chance):
                        regions = None
                        break

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "regions", "stars")
        rows = fields.rows(data, "regions", ascii_uppercase, most=14)
        self.rows = self.columns = len(rows)
        if len(rows) != len(rows[0]):
            raise BadInput(f"'regions' is a square board, found {len(rows)} x {len(rows[0])}")
        self.stars = fields.whole(data, "stars", 1, 3)
        self._letters = "".join(rows)
        self._names = sorted(set(self._letters))
        if len(self._names) != self.rows:
            raise BadInput(f"'regions' has as many regions as rows, {self.rows}, found {len(self._names)}")
        self._regions = [
            sum(1 << at for at, letter in enumerate(self._letters) if letter == name) for name in self._names
        ]
        self.givens = (".",) * len(self._letters)

    def canonical(self) -> Any:
        names: dict[str, str] = {}
        return [self.stars, "".join(names.setdefault(c, ascii_uppercase[len(names)]) for c in self._letters)]

    def law(self) -> str:
        count = "1 star" if self.stars == 1 else f"{self.stars} stars"
        return (
            f"Star battle, {self.rows}x{self.rows}. Mark cells with stars, 'S', so that each row, each column and "
            "each region "
            f"holds exactly {count}, and no two stars touch, not even at a corner.\n"
            f"The regions, one letter for each cell's region:\n{self.drawn(tuple(self._letters))}"
        )

    def broken(self, cells: Sequence[str]) -> str | None:
        size, on = self.rows, self.marks(cells)
        for n in range(size):
            for what, line in (("row", cells[n * size : (n + 1) * size]), ("column", cells[n::size])):
                if line.count(self.marked) != self.stars:
                    return f"{what} {n + 1} holds {line.count(self.marked)} stars, not {self.stars}"
        for name, region in zip(self._names, self._regions, strict=True):
            if (on & region).bit_count() != self.stars:
                return f"region {name} holds {(on & region).bit_count()} stars, not {self.stars}"
        touching = next((window for window in windows(size, size) if (on & window).bit_count() > 1), None)
        return f"the stars near {self.name(bits(touching)[0])} touch" if touching else None

    def search(self) -> Counts:
        return Counts(self.rows**2, _limits(self.rows, self.stars, self._regions))

    def svg(self) -> str:
        size = self.rows
        board = Board(size, size)
        for at, letter in enumerate(self._letters):
            r, c = divmod(at, size)
            if c == 0 or letter != self._letters[at - 1]:
                board.line(r, c, r + 1, c)
            if r == 0 or letter != self._letters[at - size]:
                board.line(r, c, r, c + 1)
        return board.line(0, size, size, size).line(size, 0, size, size).svg()


def _lines(size: int, stars: int) -> list[tuple[int, int]]:
    rows = [((1 << size) - 1) << (r * size) for r in range(size)]
    columns = [sum(1 << (r * size + c) for r in range(size)) for c in range(size)]
    return [(line, exactly(stars)) for line in rows + columns] + [(w, at_most(1)) for w in windows(size, size)]


def _limits(size: int, stars: int, regions: Sequence[int]) -> list[tuple[int, int]]:
    return [*((region, exactly(stars)) for region in regions), *_lines(size, stars)]


def _region(regions: Sequence[int], at: int) -> int:
    return next(number for number, region in enumerate(regions) if region >> at & 1)


def _grow(size: int, stars: int, placed: int, near: Sequence[int], chance: Chance) -> list[int] | None:
    """Cut the board into regions with so many of the placed stars each, if the way it goes allows that."""
    left = chance.shuffled(bits(placed))
    regions = []
    taken = 0
    while left:
        region = 1 << left.pop()
        for _ in range(stars - 1):  # walk to the nearest star that is left
            layers = [region]
            goal = sum(1 << star for star in left)
            seen = region
            while not layers[-1] & goal:
                edge = sum(1 << at for at in {n for cell in bits(layers[-1]) for n in bits(near[cell])})
                edge &= ~seen & ~taken & ~(placed & ~goal)
                if not edge:
                    return None
                seen |= edge
                layers.append(edge)
            cell = chance.pick(bits(layers[-1] & goal))
            left.remove(cell)
            region |= 1 << cell
            for layer in layers[-2:0:-1]:
                cell = chance.pick(bits(layer & near[cell]))
                region |= 1 << cell
        regions.append(region)
        taken |= region
    every = (1 << size * size) - 1
    while taken != every:
        number = chance.below(len(regions))
        beyond = sorted({n for cell in bits(regions[number]) for n in bits(near[cell]) if not taken >> n & 1})
        if beyond:
            cell = chance.pick(beyond)
            regions[number] |= 1 << cell
            taken |= 1 << cell
    return regions


def _shift(regions: list[int], cells: Sequence[int], near: Sequence[int], chance: Chance) -> bool:
    for at in cells:
        own = _region(regions, at)
        rest = regions[own] & ~(1 << at)
        if not rest or reach(rest & -rest, rest, near) != rest:
            continue
        others = sorted({_region(regions, n) for n in bits(near[at])} - {own})
        if others:
            regions[own] = rest
            regions[chance.pick(others)] |= 1 << at
            return True
    return False
