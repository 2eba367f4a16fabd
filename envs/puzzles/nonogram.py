"""Nonograms: paint the cells that the lengths of runs in rows and columns describe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.fill import MarkPuzzle
from proofgym.errors import BadInput

__all__ = ["Nonogram"]

Clue = tuple[int, ...]


class Nonogram(MarkPuzzle):
    """Paint cells so that the runs of painted cells in every row and column have the given lengths, in order.

    Exactly one picture, proved by a search that reasons line by line and branches where that is not enough. `rows` and
    `columns` hold the lengths, an empty list for a blank line.
    """

    family = "nonogram"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 12, "rows and columns", 3, 15),
        "painted": Knob(0.48, 0.44, "share of painted cells, before the picture is made unique", 0.2, 0.8),
    }
    steps_floor: ClassVar[float] = 0.05  # less than half is painted, so that marking everything does not pay
    hardness_of = "lines that an exact search looks at, dead ends included"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        draws = Draws(cls.family, 500)
        while True:
            draws.count()
            picture = [sum((chance.share() < knobs["painted"]) << c for c in range(size)) for _ in range(size)]
            for _ in range(40):
                rows = [_runs(row) for row in picture]
                columns = [_runs(column) for column in _turned(picture, size)]
                found, effort = _solve(rows, columns, 2)
                if len(found) == 1:
                    puzzle = cls({"rows": [list(clue) for clue in rows], "columns": [list(c) for c in columns]})
                    puzzle.known([puzzle.cells(found[0])])
                    puzzle.effort = effort
                    return puzzle
                # change a cell on which the two pictures differ: most ambiguities are local
                spots = [(r, c) for r in range(size) for c in range(size) if (found[0][r] ^ found[1][r]) >> c & 1]
                r, c = chance.pick(spots)
                picture = list(found[0])
                picture[r] ^= 1 << c

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "rows", "columns")
        for key in ("rows", "columns"):
            if not isinstance(data[key], (list, tuple)) or not 1 <= len(data[key]) <= 20:
                raise BadInput(f"{key!r} is a list of 1 to 20 lists of lengths, found {data[key]!r:.80}")
        self.rows, self.columns = len(data["rows"]), len(data["columns"])
        self._clues: list[list[Clue]] = []
        for key, length in (("rows", self.columns), ("columns", self.rows)):
            lines = [fields.wholes({key: line}, key, 1, length, least=0, most=length) for line in data[key]]
            long = next((line for line in lines if sum(line) + len(line) - 1 > length), None)
            if long is not None:
                raise BadInput(f"{key!r} holds {list(long)}, which does not fit into {length} cells")
            self._clues.append(lines)
        self.givens = (".",) * (self.rows * self.columns)
        self.effort: int | None = None

    @classmethod
    def from_clues(cls, text: str) -> Self:
        """Read clues as nonogram programs exchange them: a line a row, a blank line, a line a column; `0` for no run.

        Raises:
            BadInput: With the line, if they are none, or fit no picture or too many.
        """
        parts: list[list[list[int]]] = [[]]
        for number, line in enumerate(text.strip()[:10_000].split("\n"), 1):
            words = line.replace(",", " ").split()
            if not words:
                parts.append([])
            elif not all(re.fullmatch(r"[0-9]{1,2}", word, re.ASCII) for word in words):
                raise BadInput(f"line {number}: a clue is a list of lengths, found {line[:40]!r}")
            else:
                parts[-1].append([length for length in map(int, words) if length])
        if len(parts) != 2:
            raise BadInput(
                f"the rows' clues and the columns' clues are parted by one blank line, found {len(parts)} parts"
            )
        return cls.from_instance({"rows": parts[0], "columns": parts[1]})

    def clues(self) -> str:
        """The clues in that form."""
        return "\n\n".join("\n".join(" ".join(map(str, clue)) or "0" for clue in clues) for clues in self._clues)

    def law(self) -> str:
        rows, columns = ("; ".join(" ".join(map(str, clue)) or "0" for clue in clues) for clues in self._clues)
        return (
            f"Nonogram with {self.rows} rows and {self.columns} columns. Mark cells so that in each row and each "
            "column "
            "the lengths of the runs of marked cells, in order, are as given (0: none is marked); runs are "
            "separated by "
            f"at least one cell that is not marked.\nRows, from the top: {rows}\nColumns, from the left: {columns}"
        )

    def broken(self, cells: Sequence[str]) -> str | None:
        rows = [cells[at : at + self.columns] for at in range(0, len(cells), self.columns)]
        lines: list[tuple[str, list[Any]]] = [("row", list(rows)), ("column", list(zip(*rows, strict=True)))]
        for (what, given), clues in zip(lines, self._clues, strict=True):
            for number, (line, clue) in enumerate(zip(given, clues, strict=True), 1):
                runs = tuple(len(list(run)) for cell, run in groupby(line) if cell != ".")
                if runs != clue:
                    return f"{what} {number} has runs of {list(runs)}, not {list(clue)}"
        return None

    def cells(self, picture: Sequence[int]) -> tuple[str, ...]:
        """A picture, given by each row's bits, as cells."""
        return tuple("#" if row >> c & 1 else "." for row in picture for c in range(self.columns))

    def solve(self, most: int) -> list[tuple[str, ...]]:
        found, self.effort = _solve(self._clues[0], self._clues[1], most)
        return [self.cells(picture) for picture in found]

    def hardness(self) -> float:
        if self.effort is None:
            self.solve(2)
        return float(self.effort or 0)

    def svg(self) -> str:
        rows, columns = self._clues
        left, top = max(map(len, rows)) * 0.6, max(map(len, columns)) * 0.6
        board = Board(self.rows, self.columns, top=top, left=left)
        for r, clue in enumerate(rows):
            for n, run in enumerate(reversed(clue)):
                board.text(r, -0.8 - 0.6 * n, str(run), size=0.4)
        for c, clue in enumerate(columns):
            for n, run in enumerate(reversed(clue)):
                board.text(-0.8 - 0.6 * n, c, str(run), size=0.4)
        return board.svg()


def _runs(line: int) -> Clue:
    found, run = [], 0
    while line or run:
        if line & 1:
            run += 1
        elif run:
            found.append(run)
            run = 0
        line >>= 1
    return tuple(found)


def _turned(lines: Sequence[int], width: int) -> list[int]:
    return [sum((line >> c & 1) << r for r, line in enumerate(lines)) for c in range(width)]


@lru_cache(maxsize=8192)
def _ways(clue: Clue, length: int) -> tuple[int, ...]:
    """Every line with these runs, as bits."""
    if not clue:
        return (0,)
    run, rest = clue[0], clue[1:]
    need = sum(rest) + len(rest)
    found = []
    for start in range(length - need - run + 1):
        shift = start + run + (1 if rest else 0)
        head = ((1 << run) - 1) << start
        found += [head | tail << shift for tail in _ways(rest, length - shift)]
    return tuple(found)


def _solve(rows: Sequence[Clue], columns: Sequence[Clue], most: int) -> tuple[list[tuple[int, ...]], int]:
    """Up to `most` pictures, as each row's bits, and how many lines were looked at."""
    height, width = len(rows), len(columns)
    lines = height + width
    found: list[tuple[int, ...]] = []
    effort = 0

    def search(ways: list[tuple[int, ...]], on: list[int], off: list[int], queue: set[int]) -> None:
        nonlocal effort
        while queue:
            line = min(queue, key=lambda n: (len(ways[n]), n))
            queue.remove(line)
            effort += 1
            have, lack = on[line], off[line]
            left = tuple(way for way in ways[line] if way & lack == 0 and way & have == have)
            if not left:
                return
            ways[line] = left
            every, some = left[0], left[0]
            for way in left:
                every &= way
                some |= way
            mask = (1 << (width if line < height else height)) - 1
            new_on, new_off = every & ~have, mask & ~some & ~lack
            on[line] |= new_on
            off[line] |= new_off
            here = 1 << (line if line < height else line - height)
            first = height if line < height else 0
            new = new_on | new_off
            while new:
                low = new & -new
                new ^= low
                other = first + low.bit_length() - 1
                (on if new_on & low else off)[other] |= here
                queue.add(other)
        open_line = min((n for n in range(lines) if len(ways[n]) > 1), key=lambda n: (len(ways[n]), n), default=None)
        if open_line is None:
            found.append(tuple(way[0] for way in ways[:height]))
            return
        for way in ways[open_line]:
            branch = ways.copy()
            branch[open_line] = (way,)
            search(branch, on.copy(), off.copy(), {open_line})
            if len(found) >= most:
                return

    start = [_ways(clue, width) for clue in rows] + [_ways(clue, height) for clue in columns]
    search(start, [0] * lines, [0] * lines, set(range(lines)))
    return found, effort
