"""Polyomino packing: fill a board with pieces, each used once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Packing"]

_LETTERS = "ABCDEFGHIJKL"
_MOST_NODES = 300_000
_COLOURS = (
    "#8fb8de",
    "#b7d7a8",
    "#f6d58e",
    "#c9b3dd",
    "#f2b8a2",
    "#a5d6d6",
    "#d9d9a3",
    "#c7c7d1",
    "#e8b4c8",
    "#b0c4b1",
)

Cell = tuple[int, int]


class Packing(Puzzle):
    """Fill a board with given polyominoes, turned and turned over at will; any packing is right.

    Boards are cut into pieces at random; an exact search for the first packing tells how hard it is.
    """

    family = "packing"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "rows": Knob(4, 6, "rows", 3, 7),
        "columns": Knob(4, 7, "columns", 3, 7),
        "holes": Knob(2, 4, "cells that stay free, about", 0, 8),
        "largest": Knob(4, 5, "cells of a piece, at most", 3, 6),
    }
    hardness_of = "placements that an exact search tries"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        rows, columns = knobs["rows"], knobs["columns"]
        draws = Draws(cls.family)
        while True:
            draws.count()
            holes = {divmod(at, columns) for at in rng.permutation(rows * columns)[: knobs["holes"]].tolist()}
            free = {(r, c) for r in range(rows) for c in range(columns)} - holes
            parts = _cut(rng, free, knobs["largest"])
            if parts is None or not 3 <= len(parts) <= len(_LETTERS):
                continue
            shapes = [_variants(part)[0] for part in parts]
            order = sorted(range(len(parts)), key=lambda i: (-len(shapes[i]), shapes[i]))
            pieces = [_drawn(shapes[i]) for i in order]
            grid = [["#"] * columns for _ in range(rows)]
            for letter, i in zip(_LETTERS, order, strict=False):
                for r, c in parts[i]:
                    grid[r][c] = letter
            board = ["".join("#" if cell == "#" else "." for cell in row) for row in grid]
            puzzle = cls({"board": board, "pieces": pieces})
            puzzle._gold = "\n".join("".join(row) for row in grid)
            return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", "pieces")
        self.board = fields.rows(data, "board", "#.", most=7)
        self.rows, self.columns = len(self.board), len(self.board[0])
        if self.columns > 7:
            raise BadInput(f"'board' has at most 7 columns, found {self.columns}")
        if not isinstance(data["pieces"], (list, tuple)) or not 1 <= len(data["pieces"]) <= len(_LETTERS):
            raise BadInput(f"'pieces' are 1 to {len(_LETTERS)} boards of # and '.', found {data['pieces']!r:.80}")
        self.pieces: list[tuple[Cell, ...]] = []
        for piece in data["pieces"]:
            drawn = fields.rows({"pieces": piece}, "pieces", "#.", most=7)
            cells = [(r, c) for r, row in enumerate(drawn) for c, cell in enumerate(row) if cell == "#"]
            if not cells or len(_joined(cells)) != len(cells):
                raise BadInput(f"a piece is one connected part, found {list(drawn)!r:.80}")
            self.pieces.append(_variants(cells)[0])
        covered, free = sum(map(len, self.pieces)), sum(row.count(".") for row in self.board)
        if covered != free:
            raise BadInput(f"the pieces cover the free cells, found {covered} cells for {free}")
        self._gold: str | None = None
        self._nodes = 0

    def canonical(self) -> Any:
        """The shapes in order, however they were drawn."""
        return [list(self.board), sorted([list(cell) for cell in piece] for piece in self.pieces)]

    def prove(self) -> None:
        self.solution()

    def question(self) -> str:
        board = "\n".join(self.board)
        drawn = "\n\n".join(
            f"{letter}:\n" + "\n".join(_drawn(piece)) for letter, piece in zip(_LETTERS, self.pieces, strict=False)
        )
        return (
            "Fill all free cells '.' of this board with the pieces below, each used once, without overlap; '#' "
            "stays as "
            f"it is. Pieces may be turned and turned over.\n\n{board}\n\n{drawn}\n\n"
            "End with 'Answer:' and the board below it, one row a line, with the letter of the piece on each free cell."
        )

    def answer_lines(self) -> int:
        return self.rows

    def judge(self, answer: str) -> Verdict:
        grid = answers.grid(answer, self.rows, self.columns, "#" + _LETTERS[: len(self.pieces)])
        for drawn, row in zip(self.board, grid, strict=True):
            if any((one == "#") != (two == "#") for one, two in zip(drawn, row, strict=True)):
                return Verdict.wrong("the cells '#' stay as they are, and no others become '#'")
        for letter, piece in zip(_LETTERS, self.pieces, strict=False):
            cells = [(r, c) for r, row in enumerate(grid) for c, cell in enumerate(row) if cell == letter]
            if len(cells) != len(piece):
                return Verdict.wrong(f"piece {letter} has {len(piece)} cells, found {len(cells)}")
            if _variants(cells)[0] != piece:
                return Verdict.wrong(f"the cells of {letter} have another shape than the piece")
        return Verdict.right()

    def solution(self) -> str:
        if self._gold is None:
            self._gold = self._search()
        return self._gold

    def hardness(self) -> float:
        if not self._nodes:
            self._search()
        return float(self._nodes)

    def cheats(self) -> Sequence[str]:
        rows = [
            "".join(_LETTERS[(r * self.columns + c) % len(self.pieces)] for c in range(self.columns))
            for r in range(self.rows)
        ]
        return ("Answer:\n" + "\n".join(rows), "Answer:\n" + "\n".join(["A" * self.columns] * self.rows))

    def _search(self) -> str:
        """The first packing, always filling the first free cell; counts the placements that are tried."""
        fits: list[list[tuple[int, list[Cell]]]] = []
        for piece in self.pieces:
            ways = []
            for cells in _variants(piece):
                r0, c0 = cells[0]
                ways.append([(r - r0, c - c0) for r, c in cells])
            fits.append([(len(way), way) for way in ways])
        full = self.rows * self.columns
        grid = list("".join(self.board))
        used = [False] * len(self.pieces)
        self._nodes = 0

        def fill(at: int) -> bool:
            while at < full and grid[at] != ".":
                at += 1
            if at == full:
                return True
            r, c = divmod(at, self.columns)
            tried = set()
            for index, ways in enumerate(fits):
                if used[index] or self.pieces[index] in tried:
                    continue
                tried.add(self.pieces[index])  # of two equal pieces, the first stands for both
                for _, way in ways:
                    spots = [(r + dr) * self.columns + c + dc for dr, dc in way]
                    inside = all(r + dr < self.rows and 0 <= c + dc < self.columns for dr, dc in way)
                    if not inside or any(grid[spot] != "." for spot in spots):
                        continue
                    self._nodes += 1
                    if self._nodes > _MOST_NODES:
                        raise BadInput(f"no packing was found in {_MOST_NODES} placements")
                    for spot in spots:
                        grid[spot] = _LETTERS[index]
                    used[index] = True
                    if fill(at + 1):
                        return True
                    used[index] = False
                    for spot in spots:
                        grid[spot] = "."
            return False

        if not fill(0):
            raise BadInput("these pieces do not fill the board")
        return "\n".join("".join(grid[i : i + self.columns]) for i in range(0, full, self.columns))

    def svg(self) -> str:
        board = Board(self.rows, self.columns)
        for r, row in enumerate(self.solution().split("\n")):
            for c, cell in enumerate(row):
                board.fill(r, c, "#5b6675" if cell == "#" else _COLOURS[_LETTERS.index(cell) % len(_COLOURS)])
        return board.svg()


def _variants(cells: Sequence[Cell]) -> list[tuple[Cell, ...]]:
    """A shape turned and turned over in every way, moved to the corner; in order, so the first names the shape."""
    found = set()
    for r_sign, c_sign, swap in ((a, b, s) for a in (1, -1) for b in (1, -1) for s in (False, True)):
        turned = [(c * c_sign, r * r_sign) if swap else (r * r_sign, c * c_sign) for r, c in cells]
        top, left = min(r for r, _ in turned), min(c for _, c in turned)
        found.add(tuple(sorted((r - top, c - left) for r, c in turned)))
    return sorted(found)


def _drawn(cells: Sequence[Cell]) -> list[str]:
    width = max(c for _, c in cells) + 1
    return ["".join("#" if (r, c) in cells else "." for c in range(width)) for r in range(max(r for r, _ in cells) + 1)]


def _joined(cells: Sequence[Cell]) -> list[Cell]:
    rest, found = set(cells) - {cells[0]}, [cells[0]]
    for r, c in found:
        for near in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
            if near in rest:
                rest.discard(near)
                found.append(near)
    return found


def _cut(rng: np.random.Generator, free: set[Cell], largest: int) -> list[list[Cell]] | None:
    """Cut free cells into connected parts of three to `largest` cells, if the last bits work out."""
    parts = []
    chances = iter(rng.random(2 * len(free)).tolist())
    free = set(free)
    while free:
        part = [min(free)]
        free.discard(part[0])
        wanted = 3 + int(next(chances) * (largest - 2))
        while len(part) < wanted:
            near = sorted({n for r, c in part for n in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)) if n in free})
            if not near:
                break
            part.append(near[int(next(chances) * len(near))])
            free.discard(part[-1])
        if len(part) < 3:
            return None
        parts.append(part)
    return parts
