"""Numbrix: write the numbers from 1 on along a path through all cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.counts import bits
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.fill import FillPuzzle
from proofgym.envs.puzzles.marks import beside
from proofgym.errors import BadInput

__all__ = ["Numbrix"]


class Numbrix(FillPuzzle):
    """Fill a board with 1, 2, 3 and so on, each number directly above, below, left or right of the one before.

    Exactly one solution, proved by an exhaustive search. `board` holds numbers, 0 where open.
    """

    family = "numbrix"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 7, "rows and columns", 3, 7),
        "clues": Knob(0.4, 0.25, "share of cells given, where one solution allows it", 0.2, 0.9),
    }
    hardness_of = "numbers that an exact search places, dead ends included"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        path = _path(size, chance)
        clues = {at: number for number, at in enumerate(path)}
        least = max(1, round(knobs["clues"] * size * size))
        for at in chance.shuffled(path):
            if len(clues) <= least:
                break
            number = clues.pop(at)
            if len(_solve(size, clues, 2)[0]) != 1:
                clues[at] = number
        shown = [clues.get(at, -1) + 1 for at in range(size * size)]
        puzzle = cls({"board": [shown[at : at + size] for at in range(0, size * size, size)]})
        puzzle.known([puzzle.cells(path)])
        return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        board = fields.matrix(data, "board", 0, 64, most=8)
        size = self.rows = self.columns = len(board)
        if len(board[0]) != size or size < 2:
            raise BadInput(f"'board' is a square of 2 to 8 rows, found {size} x {len(board[0])}")
        numbers = [number for row in board for number in row]
        given = [number for number in numbers if number]
        if not given or max(given) > size * size or len(set(given)) < len(given):
            raise BadInput(f"'board' holds one or more of the numbers 1 to {size * size}, none twice, and 0 elsewhere")
        self.symbols = [str(number) for number in range(1, size * size + 1)]
        self.givens = tuple(str(number or ".") for number in numbers)
        self._clues = {at: number - 1 for at, number in enumerate(numbers) if number}
        self._effort: int | None = None

    def law(self) -> str:
        return (
            f"Numbrix, {self.rows}x{self.rows}. Fill every '.' so that the numbers from 1 to {self.rows**2} stand "
            "once each "
            "and every number but the first stands directly above, below, left or right of the one before it."
        )

    def question(self) -> str:
        return (
            f"{self.statement()}\nEnd with 'Answer:' and the full grid below it, one row a line, separated by blanks."
        )

    def broken(self, cells: Sequence[str]) -> str | None:
        place = {int(cell): at for at, cell in enumerate(cells)}
        if len(place) < len(cells):
            return "a number stands twice"
        for number in range(1, len(cells)):
            if place[number + 1] not in beside(place[number], self.rows, self.rows):
                return f"{number} and {number + 1} do not stand side by side"
        return None

    def cells(self, path: Sequence[int]) -> tuple[str, ...]:
        """The board of a path, given by its cells in order."""
        place = {at: str(number) for number, at in enumerate(path, 1)}
        return tuple(place[at] for at in range(len(path)))

    def solve(self, most: int) -> list[tuple[str, ...]]:
        found, self._effort = _solve(self.rows, self._clues, most)
        return [self.cells(path) for path in found]

    def hardness(self) -> float:
        if self._effort is None:
            self.solve(2)
        return float(self._effort or 0)

    def svg(self) -> str:
        size = self.rows
        return Board(size, size).cells([self.givens[at : at + size] for at in range(0, size * size, size)]).svg()


@lru_cache(maxsize=8)
def _near(size: int) -> list[int]:
    return [sum(1 << n for n in beside(at, size, size)) for at in range(size * size)]


def _path(size: int, chance: Chance) -> list[int]:
    """A random path through all cells: to and fro at first, then an end bitten back many times (Mansfield 1982)."""
    path = [r * size + (c if r % 2 == 0 else size - 1 - c) for r in range(size) for c in range(size)]
    near = _near(size)
    for _ in range(10 * size * size):
        if chance.below(2):
            path.reverse()
        at = path.index(chance.pick(bits(near[path[-1]])))
        path[at + 1 :] = path[:at:-1]
    return path


def _solve(size: int, clues: Mapping[int, int], most: int) -> tuple[list[tuple[int, ...]], int]:
    """Up to `most` paths that give the clues (cell to number, from 0) their numbers, and the numbers placed."""
    cells = size * size
    near = _near(size)
    place = [-1] * cells
    for at, number in clues.items():
        place[number] = at
    first = min(clues.values())
    # upwards from the lowest clue, then downwards from it; each number beside the one placed before
    order = [*((n, n - 1) for n in range(first + 1, cells)), *((n, n + 1) for n in range(first - 1, -1, -1))]
    coming = [0] * cells  # the next clue from each number upwards
    for number in range(cells - 1, -1, -1):
        coming[number] = number if place[number] >= 0 else coming[number + 1] if number + 1 < cells else cells
    found: list[tuple[int, ...]] = []
    placed = 0

    def search(step: int, free: int) -> None:
        nonlocal placed
        if step == len(order):
            found.append(tuple(place))
            return
        number, before = order[step]
        beside_it = near[place[before]]
        if place[number] >= 0:
            if beside_it >> place[number] & 1:
                search(step + 1, free)
            return
        goal = coming[number] if number > first else cells
        for at in bits(beside_it & free):
            if goal < cells:
                r, c = divmod(at, size)
                y, x = divmod(place[goal], size)
                away = abs(r - y) + abs(c - x)
                if away > goal - number or (goal - number - away) % 2:
                    continue
            placed += 1
            left = free & ~(1 << at)
            if stranded((near[at] | beside_it) & left, left, at):
                continue
            place[number] = at
            search(step + 1, left)
            place[number] = -1
            if len(found) >= most:
                return

    fixed = sum(1 << at for at in clues)

    def stranded(suspects: int, left: int, head: int) -> bool:
        """Whether an open cell has no neighbour left that may hold the number before or after its own."""
        return any(not near[at] & (left | fixed | 1 << head) for at in bits(suspects))

    search(0, ((1 << cells) - 1) & ~fixed)
    return found, placed
