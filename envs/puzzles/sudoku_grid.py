"""Sudoku from 4 x 4 to 16 x 16, plain, with diagonals, with irregular regions, or with sums of cages (killer)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import permutations
from string import ascii_letters
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs, Option
from proofgym.envs.puzzles.domains import Domains, among, latin_units, packed
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.fill import FillPuzzle
from proofgym.errors import BadInput

__all__ = ["Sudoku"]

_BOX = {4: (2, 2), 6: (2, 3), 8: (2, 4), 9: (3, 3), 10: (2, 5), 12: (3, 4), 15: (3, 5), 16: (4, 4)}
_SYMBOLS = "123456789ABCDEFG"
_VARIANTS = ("plain", "diagonal", "jigsaw", "killer")
_LARGEST_CAGE = 4

Cages = tuple[tuple[int, tuple[int, ...]], ...]
"""The sums of sets of cells."""


class Sudoku(FillPuzzle):
    """Fill a board so that each row, column and box holds every symbol once.

    Exactly one solution, proved by an exhaustive search. Variants: both diagonals hold every symbol too; the boxes are
    irregular regions (jigsaw); or cages of cells have sums and hold no digit twice (killer). In all but the last,
    symbols renamed make no new task. A cage is `[sum, cells]`, cells counted row by row from 0.
    """

    family = "sudoku"
    floor: ClassVar[float] = 0.01  # there are 288 boards of 4 x 4
    knobs: ClassVar[Mapping[str, Knob | Option]] = {
        "size": Knob(4, 9, "rows and columns: 4, 6, 8, 9, 10, 12, 15, 16 (others go down to one of these)", 4, 16),
        "clues": Knob(
            0.5, 0.3, "share of cells given, where one solution allows it (half at least above a size of 9)", 0.0, 0.9
        ),
        "variant": Option(_VARIANTS, "what else there is besides rows, columns and boxes"),
    }
    hardness_of = "cells set by an exact search, dead ends included"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size = max(n for n in _BOX if n <= knobs["size"])
        variant = knobs["variant"]
        if variant != "plain" and size > 9:
            raise BadInput(f"the variants of sudoku go up to a size of 9, found {variant} of size {size}")
        chance = Chance(rng)
        draws = Draws(cls.family, 500)
        regions = None
        while True:
            draws.count()
            search = _search(size, variant, None, ())
            if variant == "plain" and size > 9:
                full = _shuffled_pattern(size, chance)  # a blind fill of a large board can take very long
            else:
                found = search.solve(search.open(), 1, chance)
                if not found:
                    continue
                full = found[0]
            break
        share = knobs["clues"] if size <= 9 else max(knobs["clues"], 0.5)  # proofs on large open boards take too long
        if variant == "jigsaw":
            regions = _cut(full, size, chance)
        cages = _cages(full, size, chance) if variant == "killer" else ()
        search = _search(size, variant, regions, cages)
        if cages:
            share /= 4  # the cages say most of it
        clues = search.dig(search.open(), full, chance, round(share * size * size), range(size * size))
        cells = ["."] * (size * size)
        for at in clues:
            cells[at] = _SYMBOLS[full[at]]
        data: dict[str, Any] = {"board": _rows(cells, size), "variant": variant}
        if regions is not None:
            data["regions"] = _rows(regions, size)
        if variant == "killer":
            data["cages"] = [[total, list(where)] for total, where in cages]
        puzzle = cls(data)
        puzzle.known([tuple(_SYMBOLS[value] for value in full)])
        return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        self.variant = fields.one_of(data, "variant", _VARIANTS)
        fields.only(data, "board", "variant", *{"jigsaw": ["regions"], "killer": ["cages"]}.get(self.variant, []))
        board = fields.rows(data, "board", _SYMBOLS + ".", most=16)
        size = len(board)
        if size not in _BOX or len(board[0]) != size:
            raise BadInput(f"'board' is a square of {', '.join(map(str, _BOX))} rows, found {size} x {len(board[0])}")
        self.rows = self.columns = size
        self.symbols = _SYMBOLS[:size]
        self.givens = tuple("".join(board))
        large = next((cell for cell in self.givens if cell not in (*self.symbols, ".")), None)
        if large is not None:
            raise BadInput(f"'board' is made of {self.symbols!r} and dots, found {large!r}")
        self._regions: tuple[str, ...] | None = None
        if self.variant == "jigsaw":
            regions = fields.rows(data, "regions", _SYMBOLS, count=size, width=size)
            self._regions = tuple("".join(regions))
            if any(self._regions.count(name) != size for name in set(self._regions)):
                raise BadInput(f"'regions' is a board of {size} regions of {size} cells each, named by one symbol each")
        self._cages = _read_cages(data, size) if self.variant == "killer" else ()
        self._search = _search(size, self.variant, self._regions, self._cages)

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read a plain puzzle as one line of cells, such as the usual 81 characters; `0`, `.`, `_` and `*` are open.

        Raises:
            BadInput: If it is none, or has no solution or too many.
        """
        cells = line.strip().upper().translate(str.maketrans("0_*", "..."))
        size = next((size for size in _BOX if size * size == len(cells)), None)
        if size is None:
            lengths = ", ".join(str(size * size) for size in _BOX)
            raise BadInput(f"a line has {lengths} cells, found {len(cells)}")
        board = [cells[at : at + size] for at in range(0, size * size, size)]
        return cls.from_instance({"board": board, "variant": "plain"})

    def line(self) -> str:
        """The givens as one line of cells, `.` where one is open.

        Raises:
            BadInput: For a variant, whose rules a line cannot tell.
        """
        if self.variant != "plain":
            raise BadInput(f"a line tells a plain sudoku only, and this one is {self.variant}")
        return "".join(self.givens)

    def canonical(self) -> Any:
        """With symbols and regions renamed by first appearance, unless the symbols are added up."""
        if self._cages:
            return [self.variant, self.givens, sorted(self._cages)]
        return [self.variant, _renamed(self.givens), _renamed(self._regions or ())]

    def law(self) -> str:
        size = self.rows
        high, wide = _BOX[size]
        boxes = f"{high}x{wide} box" if self._regions is None else "region"
        more = ", and each of the two long diagonals," if self.variant == "diagonal" else ""
        text = (
            f"Sudoku, {size}x{size}. Fill every '.' so that each row, each column and each {boxes}{more} holds every "
            f"symbol of {' '.join(self.symbols)} once."
        )
        if self._regions is not None:
            text += "\nThe regions, one letter for each cell's region:\n"
            text += self.drawn(tuple(chr(ord("a") + _SYMBOLS.index(name)) for name in self._regions))
        if self._cages:
            of = {at: ascii_letters[number] for number, (_, where) in enumerate(self._cages) for at in where}
            sums = ", ".join(f"{ascii_letters[number]} {total}" for number, (total, _) in enumerate(self._cages))
            text += (
                " The cells of a cage hold different numbers that add up to its sum.\n"
                "The cages, one letter for each cell's cage, '-' for none:\n"
                f"{self.drawn(tuple(of.get(at, '-') for at in range(size * size)))}\nTheir sums: {sums}"
            )
        return text

    def broken(self, cells: Sequence[str]) -> str | None:
        for name, unit in _units(self.rows, self.variant, self._regions):
            if len({cells[at] for at in unit}) < self.rows:
                return f"{name} holds a symbol twice"
        for total, where in self._cages:
            numbers = [_SYMBOLS.index(cells[at]) + 1 for at in where]
            if len(set(numbers)) < len(numbers) or sum(numbers) != total:
                return f"the cage of {self.name(where[0])} holds {numbers}, which are not different ones of sum {total}"
        return None

    def solve(self, most: int) -> list[tuple[str, ...]]:
        domains = [self._search.full if cell == "." else 1 << self.symbols.index(cell) for cell in self.givens]
        return [tuple(self.symbols[value] for value in found) for found in self._search.solve(domains, most)]

    def hardness(self) -> float:
        before = self._search.effort
        self.solve(2)
        return float(self._search.effort - before)

    def svg(self) -> str:
        size = self.rows
        board = Board(size, size)
        regions = self._regions or _boxes(size)
        for at in range(size * size):
            r, c = divmod(at, size)
            if self.variant == "diagonal" and c in (r, size - 1 - r):
                board.fill(r, c, "#e8eef7")
            if c == 0 or regions[at] != regions[at - 1]:
                board.line(r, c, r + 1, c)
            if r == 0 or regions[at] != regions[at - size]:
                board.line(r, c, r, c + 1)
        board.line(0, size, size, size).line(size, 0, size, size)
        for total, where in self._cages:
            for at in where:
                r, c = divmod(at, size)
                for dr, dc, ends in (
                    (0, -1, (0, 0, 1, 0)),
                    (0, 1, (0, 1, 1, 1)),
                    (-1, 0, (0, 0, 0, 1)),
                    (1, 0, (1, 0, 1, 1)),
                ):
                    if not (0 <= r + dr < size and 0 <= c + dc < size and at + dr * size + dc in where):
                        top, left, bottom, right = ends
                        board.line(r + top, c + left, r + bottom, c + right, width=1.5, colour="#b3541e")
            board.text(where[0] // size - 0.3, where[0] % size - 0.3, str(total), size=0.26, colour="#b3541e")
        return board.cells(_rows(self.givens, size)).svg()


def _rows(cells: Sequence[str], size: int) -> list[str]:
    return ["".join(cells[at : at + size]) for at in range(0, size * size, size)]


def _renamed(cells: Sequence[str]) -> str:
    names: dict[str, str] = {".": "."}
    return "".join(names.setdefault(cell, _SYMBOLS[len(names) - 1]) for cell in cells)


def _boxes(size: int) -> tuple[str, ...]:
    high, wide = _BOX[size]
    return tuple(_SYMBOLS[at // size // high * high + at % size // wide] for at in range(size * size))


@lru_cache(maxsize=64)
def _units(size: int, variant: str, regions: tuple[str, ...] | None) -> list[tuple[str, Sequence[int]]]:
    """Every set of cells that holds each symbol once, with its name."""
    lines = latin_units(size)
    units: list[tuple[str, Sequence[int]]] = [
        (f"row {n + 1}" if n < size else f"column {n - size + 1}", unit) for n, unit in enumerate(lines)
    ]
    named = regions or _boxes(size)
    cells = range(size * size)
    for number, name in enumerate(dict.fromkeys(named), 1):
        units.append((f"{'box' if regions is None else 'region'} {number}", [at for at in cells if named[at] == name]))
    if variant == "diagonal":
        units.append(("the diagonal from the top left", [n * size + n for n in range(size)]))
        units.append(("the diagonal from the top right", [n * size + size - 1 - n for n in range(size)]))
    return units


@lru_cache(maxsize=64)
def _search(size: int, variant: str, regions: tuple[str, ...] | None, cages: Cages) -> Domains:
    units = [unit for _, unit in _units(size, variant, regions)] + [where for _, where in cages]
    rules = [among(where, size, _adding_up(len(where), total, size)) for total, where in cages]
    return Domains(size * size, size, units, rules)


@lru_cache(maxsize=1024)
def _adding_up(count: int, total: int, size: int) -> list[int]:
    """Different numbers of a sum, packed."""
    return [packed(chosen, size) for chosen in permutations(range(size), count) if sum(chosen) + count == total]


def _cages(full: Sequence[int], size: int, chance: Chance) -> Cages:
    """Cages of two to four cells that hold different numbers; some cells belong to none."""
    free = set(range(size * size))
    cages: list[tuple[int, tuple[int, ...]]] = []
    for start in chance.shuffled(range(size * size)):
        cage = [start] if start in free else []
        while cage and len(cage) < 2 + chance.below(3):
            held = {full[at] for at in cage}
            edge = sorted({n for at in cage for n in _near(at, size) if n in free and full[n] not in held} - {*cage})
            if not edge:
                break
            cage.append(chance.pick(edge))
        if len(cage) > 1 and len(cages) < len(ascii_letters):
            free -= {*cage}
            cages.append((sum(full[at] + 1 for at in cage), tuple(sorted(cage))))
    return tuple(sorted(cages, key=lambda cage: cage[1]))


def _read_cages(data: Mapping[str, Any], size: int) -> Cages:
    cages = data["cages"]
    if not isinstance(cages, (list, tuple)) or not 1 <= len(cages) <= len(ascii_letters) or size > 9:
        raise BadInput(f"'cages' is a list of 1 to 52 cages [sum, cells], on a board up to 9 x 9, found {cages!r:.80}")
    read = []
    for cage in cages:
        if not isinstance(cage, (list, tuple)) or len(cage) != 2:
            raise BadInput(f"a cage is [sum, cells], found {cage!r:.80}")
        total = fields.whole({"sum": cage[0]}, "sum", 1, 45)
        read.append((total, fields.wholes({"cells": cage[1]}, "cells", 0, size * size - 1, most=_LARGEST_CAGE)))
    covered = [at for _, where in read for at in where]
    if len(set(covered)) < len(covered):
        raise BadInput("no cell belongs to two cages")
    return tuple(read)


def _shuffled_pattern(size: int, chance: Chance) -> tuple[int, ...]:
    """A full board: the cyclic pattern with its bands, stacks, their lines and the symbols in random order."""
    high, wide = _BOX[size]
    rows = [band * high + r for band in chance.shuffled(range(wide)) for r in chance.shuffled(range(high))]
    columns = [stack * wide + c for stack in chance.shuffled(range(high)) for c in chance.shuffled(range(wide))]
    names = chance.shuffled(range(size))
    return tuple(names[(wide * (r % high) + r // high + c) % size] for r in rows for c in columns)


def _cut(full: Sequence[int], size: int, chance: Chance) -> tuple[str, ...]:
    """Connected regions that hold every value once: the usual boxes, after exchanging many cells of equal value."""
    of = [_SYMBOLS.index(name) for name in _boxes(size)]
    places = [[at for at in range(size * size) if full[at] == value] for value in range(size)]
    for _ in range(20 * size * size):
        a, b = chance.sample(places[chance.below(size)], 2)
        if of[b] in {of[n] for n in _near(a, size)} and of[a] in {of[n] for n in _near(b, size)}:
            of[a], of[b] = of[b], of[a]
            if not (_joined(of, of[a], size) and _joined(of, of[b], size)):
                of[a], of[b] = of[b], of[a]
    return tuple(_SYMBOLS[region] for region in of)


def _near(at: int, size: int) -> list[int]:
    r, c = divmod(at, size)
    return [
        y * size + x for y, x in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)) if 0 <= y < size and 0 <= x < size
    ]


def _joined(of: Sequence[int], region: int, size: int) -> bool:
    inside = {at for at in range(size * size) if of[at] == region}
    stack = [min(inside)]
    inside.remove(stack[0])
    while stack:
        for near in _near(stack.pop(), size):
            if near in inside:
                inside.remove(near)
                stack.append(near)
    return not inside
