"""Grid rules from examples, in the manner of the Abstraction and Reasoning Corpus."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.induction import RulePuzzle
from proofgym.verifiers import Verdict

__all__ = ["ArcGrid"]

Grid = tuple[str, ...]
_COLOURS = "1234"
_MOST = 20


def _turned(grid: Grid) -> Grid:
    return tuple("".join(column) for column in zip(*grid[::-1], strict=True))


def _fall(row: str) -> str:
    moved = row.replace("0", "")
    return "0" * (len(row) - len(moved)) + moved


def _columns(change: Callable[[str], str]) -> Callable[[Grid], Grid]:
    def changed(grid: Grid) -> Grid:
        columns = (change("".join(column)) for column in zip(*grid, strict=True))
        return tuple("".join(row) for row in zip(*columns, strict=True))

    return changed


def _cropped(grid: Grid) -> Grid | None:
    rows = [r for r, row in enumerate(grid) if row.strip("0")]
    if not rows:
        return None
    columns = [c for c in range(len(grid[0])) if any(row[c] != "0" for row in grid)]
    return tuple(row[columns[0] : columns[-1] + 1] for row in grid[rows[0] : rows[-1] + 1])


def _doubled(grid: Grid) -> Grid | None:
    if max(len(grid), len(grid[0])) * 2 > _MOST:
        return None
    return tuple("".join(c + c for c in row) for row in grid for _ in range(2))


def _beside(grid: Grid) -> Grid | None:
    return tuple(row + row[::-1] for row in grid) if 2 * len(grid[0]) <= _MOST else None


def _below(grid: Grid) -> Grid | None:
    return grid + grid[::-1] if 2 * len(grid) <= _MOST else None


def _recoloured(table: Mapping[int, int]) -> Callable[[Grid], Grid]:
    return lambda grid: tuple(row.translate(table) for row in grid)


_OPERATIONS: dict[str, Callable[[Grid], Grid | None]] = {
    "turn the grid clockwise by 90 degrees": _turned,
    "turn it by 180 degrees": lambda grid: tuple(row[::-1] for row in grid[::-1]),
    "turn it counter-clockwise by 90 degrees": lambda grid: tuple("".join(c) for c in zip(*grid, strict=True))[::-1],
    "mirror it, left to right": lambda grid: tuple(row[::-1] for row in grid),
    "mirror it, top to bottom": lambda grid: grid[::-1],
    "exchange rows and columns": lambda grid: tuple("".join(c) for c in zip(*grid, strict=True)),
    "move all cells right by one, the last column to the front": lambda grid: tuple(r[-1] + r[:-1] for r in grid),
    "move all cells left by one, the first column to the end": lambda grid: tuple(row[1:] + row[0] for row in grid),
    "move all cells down by one, the last row to the top": lambda grid: grid[-1:] + grid[:-1],
    "move all cells up by one, the first row to the bottom": lambda grid: grid[1:] + grid[:1],
    "let everything but 0 fall to the right": lambda grid: tuple(_fall(row) for row in grid),
    "let everything but 0 fall to the left": lambda grid: tuple(_fall(row[::-1])[::-1] for row in grid),
    "let everything but 0 fall to the bottom": _columns(_fall),
    "let everything but 0 rise to the top": _columns(lambda column: _fall(column[::-1])[::-1]),
    "cut off the outer rows and columns that are all 0": _cropped,
    "make every cell a block of two by two": _doubled,
    "append the mirror image on the right": _beside,
    "append the mirror image at the bottom": _below,
    **{
        f"exchange {a} and {b}": _recoloured(str.maketrans(a + b, b + a))
        for i, a in enumerate(_COLOURS)
        for b in _COLOURS[i + 1 :]
    },
    **{f"make every {a} a 0": _recoloured(str.maketrans(a, "0")) for a in _COLOURS},
}


class ArcGrid(RulePuzzle[Grid]):
    """Find out from examples what happens to a grid of colours, and do it to one more grid.

    All rules of the grammar that fit the examples give the same grid, so the answer is unique.
    """

    family = "arc_grid"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "depth": Knob(1, 2, "operations of the rule", 1, 2),
        "size": Knob(3, 7, "rows and columns of the inputs, at most", 3, 10),
        "examples": Knob(3, 3, "examples", 2, 5),
        "density": Knob(0.45, 0.55, "share of cells that are not 0", 0.1, 1.0),
    }
    operations = _OPERATIONS

    @classmethod
    def draw(cls, rng: np.random.Generator, knobs: Knobs) -> Grid:
        rows, columns = rng.integers(max(2, knobs["size"] - 2), knobs["size"] + 1, size=2).tolist()
        cells = np.where(rng.random((rows, columns)) < knobs["density"], rng.integers(1, 5, size=(rows, columns)), 0)
        return tuple("".join(map(str, row)) for row in cells.tolist())

    @classmethod
    def value(cls, data: Any, key: str) -> Grid:
        return fields.rows({key: data}, key, "0" + _COLOURS, most=_MOST)

    @classmethod
    def content(cls, value: Grid) -> Any:
        return list(value)

    def written(self, value: Grid) -> str:
        return "\n".join(" ".join(row) for row in value)

    def size(self, value: Grid) -> int:
        return len(value) * len(value[0])

    def question(self) -> str:
        examples = "\n".join(f"input\n{self.written(a)}\noutput\n{self.written(b)}" for a, b in self.pairs)
        return (
            f"{self.listed()}Cells are numbers from 0 to 4. These are examples of an input and its "
            f"output:\n{examples}\n"
            f"What is the output for this input?\n{self.written(self.test)}\n"
            "End with 'Answer:' and the grid below it, one row a line."
        )

    def answer_lines(self) -> int:
        return len(self.outcome)

    def judge(self, answer: str) -> Verdict:
        wanted = self.outcome
        said = answers.grid(answer, len(wanted), len(wanted[0]), "0" + _COLOURS)
        wrong = sum(a != b for one, two in zip(said, wanted, strict=True) for a, b in zip(one, two, strict=True))
        return Verdict.wrong(f"{wrong} cells are wrong") if wrong else Verdict.right()

    def solution(self) -> str:
        return self.written(self.outcome)

    def cheats(self) -> Sequence[str]:
        grids = [self.test, *(b for _, b in self.pairs)]
        return tuple(f"Answer:\n{self.written(grid)}" for grid in grids if grid != self.outcome)

    def svg(self) -> str:
        """The first example, input and output."""
        one, two = self.pairs[0]
        board = Board(max(len(one), len(two)), len(one[0]) + 1 + len(two[0]))
        colours = dict(zip("01234", ("#1a2433", "#f5c542", "#8fb8de", "#a3d9a5", "#e59ca9"), strict=True))
        for grid, left in ((one, 0), (two, len(one[0]) + 1)):
            for r, row in enumerate(grid):
                for c, cell in enumerate(row):
                    board.fill(r, left + c, colours[cell])
        return board.svg()
