"""KenKen: a Latin square cut into cages, each with the result of an operation on its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product
from string import ascii_letters
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.domains import Domains, among, latin_units, packed
from proofgym.envs.puzzles.latin import LatinBoard, latin_square
from proofgym.errors import BadInput

__all__ = ["Kenken"]

_OPERATIONS = ("=", "+", "-", "*", "/")


class Kenken(LatinBoard):
    """Fill a Latin square so that the numbers of each cage give its result.

    Exactly one solution, proved by an exhaustive search. A cage is `[operation, result, cells]`, cells counted row by
    row from 0; the larger of two numbers comes first in `-` and `/`; `=` names a single cell's number.
    """

    family = "kenken"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 6, "rows and columns", 3, 7),
        "largest": Knob(2, 4, "cells of the largest cages", 1, 4),
    }

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        square = latin_square(size, chance)
        groups = _cut(size, knobs["largest"], chance)
        cages = [_cage(group, square, chance) for group in groups]
        while True:
            found = _search(size, cages).solve([(1 << size) - 1] * size**2, 2)
            if len(found) == 1:
                break
            differ = [at for at in range(size**2) if found[0][at] != found[1][at]]
            at = chance.pick(differ)
            number = next(n for n, cage in enumerate(cages) if at in cage[2])
            rest = [cell for cell in cages[number][2] if cell != at]
            cages[number] = ["=", square[at] + 1, [at]]
            cages += [_cage([cell], square, chance) for cell in rest]
        cages.sort(key=lambda cage: min(cage[2]))
        return cls({"size": size, "cages": cages}).proved(square)

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "size", "cages")
        size = self.rows = self.columns = fields.whole(data, "size", 2, 7)
        self.symbols = "123456789"[:size]
        self.givens = (".",) * size**2
        cages = data["cages"]
        if not isinstance(cages, (list, tuple)) or not 1 <= len(cages) <= size**2:
            raise BadInput(f"'cages' is a list of cages [operation, result, cells], found {cages!r:.80}")
        self._cages: list[tuple[str, int, tuple[int, ...]]] = []
        for cage in cages:
            if not isinstance(cage, (list, tuple)) or len(cage) != 3:
                raise BadInput(f"a cage is [operation, result, cells], found {cage!r:.80}")
            parts = {"operation": cage[0], "result": cage[1], "cells": cage[2]}
            operation = fields.one_of(parts, "operation", _OPERATIONS)
            cells = fields.wholes(parts, "cells", 0, size**2 - 1, most=4)
            if (operation == "=") != (len(cells) == 1) or (operation in "-/" and len(cells) != 2):
                raise BadInput(f"'=' has one cell, '-' and '/' have two, '+' and '*' two to four; found {cage!r:.80}")
            self._cages.append((operation, fields.whole(parts, "result", 0, 10_000), cells))
        covered = sorted(at for _, _, cells in self._cages for at in cells)
        if covered != list(range(size**2)):
            raise BadInput("'cages' holds every cell of the board in exactly one cage")
        self._domains: Domains | None = None

    def canonical(self) -> Any:
        return [self.rows, sorted([op, result, sorted(cells)] for op, result, cells in self._cages)]

    def law(self) -> str:
        size = self.rows
        of = {at: number for number, (_, _, cells) in enumerate(self._cages) for at in cells}
        cages = self.drawn(tuple(ascii_letters[of[at]] for at in range(size**2)))
        results = ", ".join(
            f"{ascii_letters[number]}: {result}{'' if operation == '=' else ' ' + operation}"
            for number, (operation, result, _) in enumerate(self._cages)
        )
        return (
            f"KenKen, {size}x{size}. Fill the board so that each row and each column holds every number from 1 to "
            f"{size} "
            "once, and the numbers of each cage give its result: their sum (+), their product (*), or for two "
            "cells the "
            "larger minus the smaller (-) or the larger divided by the smaller (/). A number may repeat in a cage.\n"
            f"The cages, one letter for each cell's cage:\n{cages}\nTheir results: {results}"
        )

    def clue_broken(self, square: Sequence[int]) -> str | None:
        for operation, result, cells in self._cages:
            numbers = [square[at] for at in cells]
            if not _gives(operation, result, numbers):
                return f"the cage of {self.name(cells[0])} holds {numbers}, which do not give {result} {operation}"
        return None

    def search(self) -> Domains:
        if self._domains is None:
            self._domains = _search(self.rows, self._cages)
        return self._domains

    def svg(self) -> str:
        size = self.rows
        picture = self.picture()
        of = {at: number for number, (_, _, cells) in enumerate(self._cages) for at in cells}
        for at in range(size**2):
            r, c = divmod(at, size)
            if c == 0 or of[at] != of[at - 1]:
                picture.line(r, c, r + 1, c)
            if r == 0 or of[at] != of[at - size]:
                picture.line(r, c, r, c + 1)
        picture.line(0, size, size, size).line(size, 0, size, size)
        for operation, result, cells in self._cages:
            r, c = divmod(min(cells), size)
            picture.text(r - 0.3, c - 0.2, f"{result}{'' if operation == '=' else operation}", size=0.28)
        return picture.svg()


def _gives(operation: str, result: int, numbers: Sequence[int]) -> bool:
    low, high = min(numbers), max(numbers)
    if operation == "=":
        return low == result
    if operation == "+":
        return sum(numbers) == result
    if operation == "*":
        return math.prod(numbers) == result
    return high - low == result if operation == "-" else low * result == high


def _cut(size: int, largest: int, chance: Chance) -> list[list[int]]:
    """Connected cages of up to `largest` cells that cover the board."""
    free = set(range(size**2))
    groups = []
    for start in chance.shuffled(range(size**2)):
        if start not in free:
            continue
        group = [start]
        free.remove(start)
        wanted = 2 + chance.below(largest - 1) if largest > 1 else 1
        while len(group) < wanted:
            edge = sorted({n for at in group for n in _near(at, size) if n in free})
            if not edge:
                break
            group.append(chance.pick(edge))
            free.remove(group[-1])
        groups.append(sorted(group))
    return groups


def _near(at: int, size: int) -> list[int]:
    r, c = divmod(at, size)
    return [at + d for d, fits in ((-size, r > 0), (size, r < size - 1), (-1, c > 0), (1, c < size - 1)) if fits]


def _cage(group: list[int], square: Sequence[int], chance: Chance) -> list[Any]:
    numbers = [square[at] + 1 for at in group]
    low, high = min(numbers), max(numbers)
    operation = "="
    if len(group) > 1:
        operation = chance.pick("+*" if len(group) > 2 else "+-*/" if high % low == 0 else "+-*")
    results = {"=": low, "+": sum(numbers), "*": math.prod(numbers), "-": high - low, "/": high // low}
    return [operation, results[operation], group]


@lru_cache(maxsize=4096)
def _fitting(operation: str, result: int, size: int, clashes: tuple[tuple[int, int], ...], count: int) -> list[int]:
    """The ways to fill a cage, packed; `clashes` are places in it that share a line."""
    return [
        packed([number - 1 for number in numbers], size)
        for numbers in product(range(1, size + 1), repeat=count)
        if all(numbers[a] != numbers[b] for a, b in clashes) and _gives(operation, result, numbers)
    ]


def _search(size: int, cages: Sequence[Sequence[Any]]) -> Domains:
    rules = []
    for operation, result, cells in cages:
        pairs = [(a, b) for b in range(len(cells)) for a in range(b)]
        clashes = tuple(
            (a, b) for a, b in pairs if cells[a] // size == cells[b] // size or cells[a] % size == cells[b] % size
        )
        rules.append(among(cells, size, _fitting(operation, result, size, clashes, len(cells))))
    return Domains(size**2, size, latin_units(size), rules)
