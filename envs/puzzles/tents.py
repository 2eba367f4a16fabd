"""Tents: a tent beside every tree, none touching, as many in each row and column as the edges say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.counts import Counts, at_least, at_most, bits, exactly
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.marks import CountedBoard, around, beside, windows

__all__ = ["Tents"]


class Tents(CountedBoard):
    """Pitch a tent beside every tree, so that no two tents touch and the numbers of rows and columns hold.

    Trees and tents can be paired off, each tree with a tent directly beside it. Exactly one way, proved by an
    exhaustive search. `rows` and `columns` hold the numbers of tents, -1 for none given.
    """

    family = "tents"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 9, "rows and columns", 4, 10),
        "hidden": Knob(0.0, 0.3, "share of rows and columns without a number, where one solution allows it", 0.0, 0.5),
    }
    marked = "A"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        wanted = size * size // 5
        draws = Draws(cls.family, 2000)
        while True:
            draws.count()
            tents = trees = 0
            for at in chance.shuffled(range(size * size)):
                if tents.bit_count() == wanted:
                    break
                blocked = sum(1 << n for n in around(at, size, size)) & tents or (tents | trees) >> at & 1
                free = [n for n in beside(at, size, size) if not (tents | trees) >> n & 1]
                if not blocked and free:
                    tents |= 1 << at
                    trees |= 1 << chance.pick(free)
            rows, columns = _numbers(tents, size)
            search = _search(trees, size, size, rows, columns)
            if search.solve(2) != [tents]:
                continue
            every = list(range(len(search.limits)))  # the numbers come last: rows, then columns
            first = len(every) - 2 * size
            kept = set(search.thin(every, every[first:], chance, round((1 - knobs["hidden"]) * 2 * size), tents))
            numbers = [count if first + n in kept else -1 for n, count in enumerate(rows + columns)]
            board = "".join("T" if trees >> at & 1 else "." for at in range(size * size))
            puzzle = cls(
                {
                    "board": [board[at : at + size] for at in range(0, size * size, size)],
                    "rows": numbers[:size],
                    "columns": numbers[size:],
                }
            )
            puzzle.known([puzzle.cells(tents)])
            return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", "rows", "columns")
        board = fields.rows(data, "board", ".T", most=14)
        self.rows, self.columns = len(board), len(board[0])
        self.givens = tuple("".join(board))
        self._rows = fields.wholes(data, "rows", -1, self.columns, least=self.rows, most=self.rows)
        self._columns = fields.wholes(data, "columns", -1, self.rows, least=self.columns, most=self.columns)
        self._trees = sum(1 << at for at, cell in enumerate(self.givens) if cell == "T")

    @property
    def symbols(self) -> Sequence[str]:  # type: ignore[override]
        """Grass, tents and trees."""
        return (".", "A", "T")

    def law(self) -> str:
        rows, columns = (
            " ".join("?" if count < 0 else str(count) for count in counts) for counts in (self._rows, self._columns)
        )
        return (
            f"Tents with {self.rows} rows and {self.columns} columns. 'T' is a tree. Pitch as many tents as there "
            "are trees "
            "on other cells, so that trees and tents can be paired off, each tree with a tent directly above, "
            "below, left "
            "or right of it; no two tents touch, not even at a corner; and each row and column holds the number "
            "of tents "
            f"given for it ('?' says nothing). Marks are tents, 'A'.\n"
            f"Tents in the rows, from the top: {rows}\nTents in the columns, from the left: {columns}"
        )

    def question(self) -> str:
        return (
            f"{self.statement()}\nEnd with 'Answer:' and the full grid below it, one row a line, 'A' for a tent, "
            "'T' for "
            "a tree and '.' for any other cell."
        )

    def broken(self, cells: Sequence[str]) -> str | None:
        changed = self.changed(cells)
        if changed:
            return changed
        if cells.count("T") > self.givens.count("T"):
            return "there is a tree that was not on the board"
        on = self.marks(cells)
        for what, given, lines in (
            ("row", self._rows, [cells[at : at + self.columns] for at in range(0, len(cells), self.columns)]),
            ("column", self._columns, [cells[at :: self.columns] for at in range(self.columns)]),
        ):
            for number, (count, line) in enumerate(zip(given, lines, strict=True), 1):
                if count not in (-1, line.count("A")):
                    return f"{what} {number} holds {line.count('A')} tents, not {count}"
        touching = next((w for w in windows(self.rows, self.columns) if (on & w).bit_count() > 1), None)
        if touching is not None:
            return f"the tents near {self.name(bits(touching)[0])} touch"
        return None if _paired(self._trees, on, self.rows, self.columns) else "trees and tents cannot be paired off"

    def search(self) -> Counts:
        return _search(self._trees, self.rows, self.columns, self._rows, self._columns)

    def svg(self) -> str:
        board = Board(self.rows, self.columns, top=1, left=1)
        for at in bits(self._trees):
            board.circle(at // self.columns, at % self.columns, "#3f8f4f")
        for n, count in enumerate(self._rows):
            board.text(n, -1, "" if count < 0 else str(count), size=0.4)
        for n, count in enumerate(self._columns):
            board.text(-1, n, "" if count < 0 else str(count), size=0.4)
        return board.svg()


def _numbers(tents: int, size: int) -> tuple[list[int], list[int]]:
    at = [divmod(cell, size) for cell in bits(tents)]
    return [sum(r == n for r, _ in at) for n in range(size)], [sum(c == n for _, c in at) for n in range(size)]


def _search(trees: int, rows: int, columns: int, in_rows: Sequence[int], in_columns: Sequence[int]) -> Counts:
    """The exact search; the limits of the numbers come last, rows and then columns."""
    every = (1 << rows * columns) - 1
    near = [sum(1 << n for n in beside(at, rows, columns)) for at in range(rows * columns)]
    meadow = 0
    for tree in bits(trees):
        meadow |= near[tree]
    limits = [(every & ~meadow | trees, exactly(0)), (every, exactly(trees.bit_count()))]
    limits += [(near[tree], at_least(1, 4)) for tree in bits(trees)]
    limits += [(window, at_most(1)) for window in windows(rows, columns)]
    lines = [((1 << columns) - 1) << (r * columns) for r in range(rows)]
    posts = [sum(1 << (r * columns + c) for r in range(rows)) for c in range(columns)]
    limits += [
        (line, exactly(count) if count >= 0 else at_most(rows * columns))
        for line, count in zip(lines + posts, (*in_rows, *in_columns), strict=True)
    ]

    def check(on: int, off: int) -> tuple[int, int] | None:
        return None if on | off == every and not _paired(trees, on, rows, columns) else (on, off)

    return Counts(rows * columns, limits, check)


def _paired(trees: int, tents: int, rows: int, columns: int) -> bool:
    """Whether trees and tents can be paired off, each tree with a tent beside it (augmenting paths)."""
    of: dict[int, int] = {}

    def pair(tree: int, seen: set[int]) -> bool:
        for tent in beside(tree, rows, columns):
            if tents >> tent & 1 and tent not in seen:
                seen.add(tent)
                if tent not in of or pair(of[tent], seen):
                    of[tent] = tree
                    return True
        return False

    return trees.bit_count() == tents.bit_count() and all(pair(tree, set()) for tree in bits(trees))
